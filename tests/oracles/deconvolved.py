"""Deconvolved spectra in plain NumPy: dense matrices, photons one by one.

Frames with known truth: photons of given lines on a tilted curve, Gaussian clouds, electrons,
noise. The spectrum: the same sums, model and penalty as documented, with no band or window.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

REACH = np.arange(-4, 5)


@dataclass(frozen=True)
class Truth:
    """What frames are made of: lines (row, sigma, weight), photons per frame, camera."""

    lines: tuple[tuple[float, float, float], ...] = ((12.3, 0.5, 1.0),)
    photons: float = 3000.0
    shape: tuple[int, int] = (512, 32)
    cloud_sigma: float = 0.55
    noise: float = 1.6
    charge: float = 150.0
    tilt: float = 0.024
    bend: float = 0.0
    level: float = 200.0

    def curve(self, x):
        """Displacement at columns x."""
        return (self.bend * x + self.tilt) * x

    def frame(self, rng, n_summed=1):
        """One frame in ADU, float64, or the sum of several: photons of all, and noise of all."""
        nx, ny = self.shape
        weights = np.array([line[2] for line in self.lines])
        n = rng.poisson(self.photons * n_summed)
        line = rng.choice(len(weights), n, p=weights / weights.sum())
        rows, widths = (np.array([one[k] for one in self.lines])[line] for k in (0, 1))
        x = rng.uniform(-0.5, nx - 0.5, n)
        y = rng.normal(rows, widths) + self.curve(x)
        image = rng.normal(self.level * n_summed, self.noise * np.sqrt(n_summed), self.shape)
        column, row = np.rint(x).astype(int), np.rint(y).astype(int)
        shares = [self._shares(x - column), self._shares(y - row)]
        electrons = rng.poisson(self.charge * shares[0][:, :, None] * shares[1][:, None, :])
        i = column[:, None, None] + REACH[:, None]
        j = row[:, None, None] + REACH
        i, j = np.broadcast_arrays(i, j)
        inside = (i >= 0) & (i < nx) & (j >= 0) & (j < ny)
        flat = np.bincount(i[inside] * ny + j[inside], electrons[inside], nx * ny)
        return image + flat.reshape(nx, ny)

    def _shares(self, offset):
        edges = np.append(REACH, REACH[-1] + 1) - 0.5
        return np.diff(ndtr((edges - offset[:, None]) / self.cloud_sigma), axis=1)

    def spectrum(self, y, width, n_photons):
        """Photons in bins of a width with middles y."""
        total = sum(line[2] for line in self.lines)
        return sum(
            weight / total * n_photons
            * (ndtr((y + width / 2 - row) / sigma) - ndtr((y - width / 2 - row) / sigma))
            for row, sigma, weight in self.lines
        )  # fmt: skip


def sums_by_phase(image, height, n_phases):
    """Sums of a frame, shape (phases, rows), its pixels, and mean and spread of each phase."""
    nx, ny = image.shape
    whole = np.floor(height).astype(int)
    phase = np.minimum(np.floor((height - whole) * n_phases), n_phases - 1).astype(int)
    sums, pixels = np.zeros((2, n_phases, ny))
    for x in range(nx):
        for y in range(ny):
            if 0 <= y + whole[x] < ny:
                sums[phase[x], y + whole[x]] += image[x, y]
                pixels[phase[x], y + whole[x]] += 1
    part = height - whole
    mean = np.array([part[phase == p].mean() if (phase == p).any() else 0 for p in range(n_phases)])
    spread = np.array(
        [part[phase == p].std() if (phase == p).any() else 0 for p in range(n_phases)]
    )
    return sums, pixels, mean, spread


def floor_of(light, pixels, variance):
    """Photons per pixel of the rows without light, and their variance."""
    n = pixels.sum(axis=0)
    whole = n > n.max() / 2
    means, errors = (light.sum(axis=0) / n)[whole], (np.sqrt(variance.sum(axis=0)) / n)[whole]
    floor = np.quantile(means, 0.2)
    for _ in range(20):
        dark = np.abs(means - floor) < 2.5 * errors
        floor = np.average(means[dark], weights=errors[dark] ** -2)
    return floor, 1 / np.sum(errors[dark] ** -2)


def deconvolved(light, pixels, variance, offsets, spreads, *, n_columns, electrons, cloud_sigma,
                oversample=3, smoothing=1e-5, basis=0.2):  # fmt: skip
    """Photons of each bin of the rows, and their covariance, of sums in photons."""
    n_phases, n_rows = light.shape
    margin = int(np.ceil(4.5 * np.hypot(np.hypot(cloud_sigma, basis), 0.3)))
    n = (n_rows + 2 * margin + 1) * oversample
    middles = -margin - 0.5 + (np.arange(n) + 0.5) / oversample
    height = np.arange(n_rows)[None, :] + offsets[:, None]
    sigma = np.sqrt(cloud_sigma**2 + basis**2 + spreads**2)[:, None, None]
    away = height[:, :, None] - middles
    kernel = (ndtr((away + 0.5) / sigma) - ndtr((away - 0.5) / sigma)).reshape(-1, n)
    share = (pixels / n_columns).ravel()
    seen = kernel * share[:, None]
    data, noise, reached = light.ravel(), variance.ravel(), share > 0

    second = np.diff(np.eye(n), 2, axis=0)
    total = share.reshape(n_phases, n_rows).sum(axis=0)
    level = max(data.sum() / share.sum() / oversample, 0.0)
    dark = np.sqrt(np.median(noise.reshape(n_phases, n_rows).sum(axis=0)[total > 0])) / total.max()
    least = max(3 * dark / oversample, 1e-3 * level)
    g = np.full(n, max(level, least))
    for number in range(1, 61):
        expected = np.maximum(seen @ g, 0) + noise
        weights = np.where(reached, 1 / np.maximum(expected, 1e-6), 0)
        near = np.convolve(np.maximum(g, 0) + least, (0.25, 0.5, 0.25), "valid")
        normal = seen.T @ (weights[:, None] * seen)
        normal += smoothing * oversample**4 * second.T @ (second / near[:, None])
        normal += 1e-9 * np.diag(normal).max() * np.eye(n)
        found = np.linalg.solve(normal, seen.T @ (weights * data))
        moved, g = np.abs(found - g).max(), found if number < 4 else 0.5 * (found + g)
        if moved < 1e-4 * np.abs(g).max():
            break

    estimator = np.linalg.solve(normal, (seen * weights[:, None]).T)
    own = noise + np.maximum(seen @ g, 0) / electrons
    covariance = (estimator * own) @ estimator.T
    tent = 1 - np.abs(np.arange(-oversample + 1, oversample)) / oversample
    photons = np.maximum(np.convolve(g, tent / tent.sum(), "same"), 0)
    for phase in range(n_phases):
        rows = slice(phase * n_rows, (phase + 1) * n_rows)
        most = share[rows].max()
        if most > 0:  # all that a photon in a bin does to the spectrum
            moved = estimator[:, rows] @ (kernel[rows] * (share[rows] / most)[:, None])
            covariance += (moved * photons * most) @ moved.T
    edge = 0.5 / oversample
    apart = middles[:, None] - middles
    into_bins = ndtr((apart + edge) / basis) - ndtr((apart - edge) / basis)
    inner = slice(margin * oversample, (margin + n_rows) * oversample)
    return (into_bins @ g)[inner], (into_bins @ covariance @ into_bins.T)[inner, inner]
