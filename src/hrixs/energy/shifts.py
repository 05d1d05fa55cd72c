"""Maximum likelihood of the shifts between groups of photons that share one spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.spectra.rebin import rebin_shifted
from hrixs.utils.typing import Floats

#: Bins of the template, in pixels: well below the width of a line.
_STEP = 0.1
# Part of the mean density that every place has at least, so that a photon where the others have
# none does not decide alone.
_FLOOR = 0.05
#: Photons that a group needs at least.
LEAST_PHOTONS = 20


@dataclass(frozen=True)
class Shifts:
    """Shift of each group and its standard deviation in pixels, and what hinders some.

    A group with too few photons has shift 0 and error NaN; one at the limit has error infinity.
    """

    shift: Floats
    error: Floats

    @property
    def too_few(self) -> NDArray[np.bool_]:
        """Whether a group has too few photons."""
        return np.isnan(self.error)

    @property
    def at_limit(self) -> NDArray[np.bool_]:
        """Whether a group fits best at the largest shift that was allowed."""
        return np.isinf(self.error)


class GroupedPhotons:
    """Photons in groups, and how well each group fits the others' spectrum at any shift.

    The template of a group is the sum of all others, at their shifts, smoothed. Only photons that
    stay inside of the region at every shift are compared, given that they are there, so that the
    region's ends, which do not move, do not hold the shifts back.

    Parameters
    ----------
    position, weight, variance, group : numpy.ndarray, shape (n,)
        Of each photon or bin: place in pixels, photons, their variance, number of the group from 0.
    n_groups : int
        Groups, some of which may have no photon.
    region : (float, float)
        In pixels.
    max_shift, smoothing : float
        In pixels; smoothing is a standard deviation.
    """

    def __init__(
        self, position: Floats, weight: Floats, variance: Floats, group: NDArray[np.int64], *,
        n_groups: int, region: tuple[float, float], max_shift: float, smoothing: float,
    ) -> None:  # fmt: skip
        low, high = region
        self.n_bins = int(np.ceil((high - low) / _STEP))
        self.margin = int(np.ceil(max_shift / _STEP))
        self.smoothing = smoothing / _STEP
        number = np.floor((position - low) / _STEP).astype(np.int64)
        kept = np.flatnonzero((number >= 0) & (number < self.n_bins))
        kept = kept[np.argsort(group[kept], kind="stable")]
        self.number, self.weight, self.variance = number[kept], weight[kept], variance[kept]
        self.ends = np.searchsorted(group[kept], np.arange(n_groups + 1))
        compared = np.abs(self.number - (self.n_bins - 1) / 2) < self.n_bins / 2 - self.margin
        counts = np.bincount(group[kept], self.weight * compared, n_groups)
        self.n_compared: Floats = counts.astype(np.float64)
        self.low = low

    def left_out(self) -> tuple[float, float | None]:
        """Share of the photons that are not compared; row of the tallest line if it is of them."""
        total = np.bincount(self.number, self.weight, self.n_bins).astype(np.float64)
        inner = slice(self.margin, self.n_bins - self.margin)
        share = 1.0 - float(total[inner].sum() / total.sum())
        # Photons that the smoothing puts together, and whose number scatters as such.
        together = self._smoothed(total) * 2 * np.sqrt(np.pi) * self.smoothing
        tallest, inside = int(np.argmax(together)), float(together[inner].max())
        above = float(together[tallest]) - inside
        if above <= 3 * np.sqrt(float(together[tallest]) + inside):
            return share, None
        return share, self.low + (tallest + 0.5) * _STEP

    def shifts(self, *, max_rounds: int = 30, tolerance: float = 0.01) -> Shifts:
        """Shifts of all groups against each other; their mean over the photons is 0.

        Template and shifts are improved in turns until no shift moves by `tolerance` pixels.
        """
        used = self.n_compared >= LEAST_PHOTONS
        n_used = int(used.sum())
        if n_used < 2:
            return Shifts(np.zeros(len(used)), np.full(len(used), np.nan))
        # Against the others a shift is n / (n - 1) of that against the mean of all.
        step = (n_used - 1) / n_used
        shift = np.zeros(len(used))
        error = np.full(len(used), np.nan)
        for _ in range(max_rounds):
            before, total = shift.copy(), self._template(used, shift)
            for k in np.flatnonzero(used).tolist():
                template = np.maximum(total - self._smoothed(self._aligned(k, before[k])), 0.0)
                found, error[k] = self._best(k, template + _FLOOR * template.mean())
                shift[k] += step * (found - shift[k])
            shift[used] -= np.average(shift[used], weights=self.n_compared[used])
            if np.abs(shift - before).max() < tolerance:
                break
        # Of n shifts whose mean is held at 0, each varies a little less than it would alone.
        return Shifts(shift, error * np.sqrt(step))

    def _summed(self, k: int, values: Floats) -> Floats:
        part = slice(self.ends[k], self.ends[k + 1])
        return np.bincount(self.number[part], values[part], self.n_bins).astype(np.float64)

    def _aligned(self, k: int, shift: float) -> Floats:
        counts = self._summed(k, self.weight)[None]
        return np.asarray(rebin_shifted(counts, np.array([-shift / _STEP]), self.n_bins)[0])

    def _smoothed(self, row: Floats) -> Floats:
        from scipy.ndimage import gaussian_filter1d

        return np.asarray(gaussian_filter1d(row, self.smoothing, mode="reflect"))

    def _template(self, used: NDArray[np.bool_], shift: Floats) -> Floats:
        total = np.zeros(self.n_bins)
        for k in np.flatnonzero(used).tolist():
            total += self._aligned(k, shift[k])
        return self._smoothed(total)

    def _best(self, k: int, template: Floats) -> tuple[float, float]:
        """Shift of the largest likelihood and its standard deviation, in pixels."""
        from scipy.signal import fftconvolve

        m, n = self.margin, self.n_bins
        log, inner = np.log(template), slice(m, n - m)
        # Sum of log template(y - s) over the photons, for s from -m to m bins.
        fit = fftconvolve(log, self._summed(k, self.weight)[inner][::-1], mode="valid")[::-1]
        until = np.concatenate([[0.0], np.cumsum(template)])
        at = np.arange(2 * m, -1, -1)
        expected = until[at + n - 2 * m] - until[at]
        likelihood = fit - self.n_compared[k] * np.log(expected)
        best = int(np.argmax(likelihood))
        # A parabola over the places where the likelihood is nearly as large.
        near = int(np.count_nonzero(likelihood > likelihood[best] - 0.5)) // 2
        reach = int(np.clip(near, 2, 10))
        if not reach <= best <= 2 * m - reach:
            return (best - m) * _STEP, np.inf
        part = slice(best - reach, best + reach + 1)
        bend, tilt, _ = np.polyfit(np.arange(-reach, reach + 1), likelihood[part], 2)
        if not bend < 0:
            return (best - m) * _STEP, np.inf
        shift = best - m + float(np.clip(-tilt / (2 * bend), -reach, reach))
        # The scatter of the photons' slopes over the bend: right also where the template is wider
        # than the spectrum.
        places = np.arange(n)
        slope = np.interp(places[inner] - shift, places, np.gradient(log))
        density = np.interp(places[inner] - shift, places, template)
        slope -= (slope * density).sum() / density.sum()
        scatter = float((self._summed(k, self.variance)[inner] * slope**2).sum())
        return shift * _STEP, float(np.sqrt(scatter) / (-2 * bend)) * _STEP


def smooth_drift(shifts: Shifts) -> Shifts:
    """`shifts` of successive groups under a drift that is smooth, as smooth as they say themselves.

    The drift's velocity is a random walk; the size of its steps is the most likely one. A group
    without a shift of its own gets that of the drift.
    """
    known = np.isfinite(shifts.error) & (shifts.error > 0)
    n = len(known)
    if known.sum() < 4:
        return shifts
    weight = np.where(known, 1 / np.where(known, shifts.error, 1.0) ** 2, 0.0)
    measured = np.where(known, shifts.shift, 0.0)
    bend = np.diff(np.eye(n), n=2, axis=0)
    roughness = bend.T @ bend
    best = (-np.inf, measured, measured)
    for step in np.geomspace(1e-4, 3.0, 30):
        precision = np.diag(weight) + roughness / step**2
        covariance = np.linalg.inv(precision)
        drift = covariance @ (weight * measured)
        misfit = weight @ (measured - drift) ** 2 + drift @ roughness @ drift / step**2
        volume = np.linalg.slogdet(precision)[1]
        evidence = -0.5 * (misfit + volume) - (n - 2) * np.log(step)
        if evidence > best[0]:
            best = (float(evidence), drift, np.sqrt(np.diag(covariance)))
    return Shifts(best[1], best[2])
