"""The sharpness of a photon spectrum: its maximum, and the error of the maximum.

A smoothed spectrum of corrected positions is sharper the more pairs of photons are close together.
The pair of a photon with itself has no information and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.statistics import FWHM

_Floats: TypeAlias = NDArray[np.float64]

# Finer cells change nothing.
_CELLS_PER_SMOOTHING = 4.0


@dataclass(frozen=True)
class StraightPhotons:
    """Photons at positions corrected by a curve.

    Attributes
    ----------
    position : numpy.ndarray, shape (n,)
        Corrected rows, in pixels.
    basis : numpy.ndarray, shape (k, n)
        Shift of each photon by each function of the curve, in pixels.
    weight : numpy.ndarray, shape (n,)
        Number of photons of each entry.
    smoothing : float
        Standard deviation of the Gaussian that smooths the spectrum, in pixels.
    """

    position: _Floats
    basis: _Floats
    weight: _Floats
    smoothing: float

    def sharpness(self) -> float:
        """Sum over all pairs of two photons, in photons squared a pixel."""
        plain = self._transformed(self._columns[:1])[0]
        return self._inner(plain, self._kernel * plain) - self._own_pairs()

    def derivatives(self, drawn: _Floats | None = None) -> tuple[float, _Floats, _Floats]:
        """Sharpness, gradient and Hessian by the factors of the basis.

        Parameters
        ----------
        drawn : numpy.ndarray, shape (n,), optional
            Weight of each photon, as in a bootstrap sample; default 1.
        """
        k = len(self.basis)
        spectra = self._transformed(self._columns, drawn)
        plain, first, second = spectra[0], spectra[1 : k + 1], spectra[k + 1 :]
        by_row = 2j * np.pi * self._cycles
        slope, bend = by_row * self._kernel, by_row**2 * self._kernel
        gradient = np.array([-2 * self._inner(one, slope * plain) for one in first])
        hessian = np.empty((k, k))
        for number, (a, b) in enumerate(zip(*np.triu_indices(k), strict=True)):
            both = self._inner(second[number], bend * plain)
            hessian[a, b] = 2 * (both - self._inner(first[a], bend * first[b]))
            hessian[b, a] = hessian[a, b]
        value = self._inner(plain, self._kernel * plain) - self._own_pairs(drawn)
        return value, gradient, hessian

    def covariance(self) -> _Floats:
        """Expected covariance of the factors at the maximum, from the gradient of each photon."""
        k = len(self.basis)
        slope = 2j * np.pi * self._cycles * self._kernel
        spectra = self._transformed(self._columns[: k + 1])
        at_cells = np.fft.irfft(slope * spectra, n=self._n_cells)[:, self._cell] / self._cell_size
        pulls = 2 * self.weight * (self.basis * at_cells[0] - at_cells[1:])
        inverse = np.linalg.pinv(self.derivatives()[2])
        return np.asarray(inverse @ (pulls @ pulls.T) @ inverse)

    def bootstrap(self, n_samples: int, rng: np.random.Generator) -> _Floats:
        """Changes of the maximum for resampled photons, shape (n_samples, k).

        One Newton step each: the changes are small compared with the smoothing.
        """
        moves = np.empty((n_samples, len(self.basis)))
        for number in range(n_samples):
            drawn = rng.poisson(1.0, len(self.position)).astype(np.float64)
            _, gradient, hessian = self.derivatives(drawn)
            moves[number] = -np.linalg.pinv(hessian) @ gradient
        return moves

    def strongest_line(self, rows: tuple[float, float] | None = None) -> tuple[float, float]:
        """Row and full width at half maximum of the highest line of the spectrum, in pixels.

        Parameters
        ----------
        rows : (float, float), optional
            First and last row that can have photons, in pixels; the background is the median over
            them. Default: rows between the outermost photons.
        """
        plain = self._transformed(self._columns[:1])[0]
        spectrum = np.fft.irfft(np.sqrt(self._kernel) * plain, n=self._n_cells)
        height = spectrum - self._background(spectrum, rows)
        peak = int(np.argmax(height))
        below = np.flatnonzero(height < height[peak] / 2)
        left, right = below[below < peak].max(), below[below > peak].min()
        ends = [
            k + direction * (height[k] - height[peak] / 2) / (height[k] - height[k + direction])
            for k, direction in ((left, 1), (right, -1))
        ]
        around = height[peak - 1 : peak + 2]
        top = peak + (around[0] - around[2]) / (2 * (around[0] - 2 * around[1] + around[2]))
        row = self.position.min() + (top - 8 * _CELLS_PER_SMOOTHING) * self._cell_size
        blurred = (ends[1] - ends[0]) * self._cell_size
        own = blurred**2 - 8 * np.log(2) * self.smoothing**2
        if own < 0.01 * blurred**2:  # a lone line that the smoothing hides: by its photons
            near = self.position[np.abs(self.position - row) < 3 * self.smoothing]
            scatter = 1.4826 * float(np.median(np.abs(near - np.median(near)))) if len(near) else 0
            return float(row), float(FWHM * scatter)
        return float(row), float(np.sqrt(own))

    def _background(self, spectrum: _Floats, rows: tuple[float, float] | None) -> float:
        """Median of the spectrum over the rows; rows without a cell are empty."""
        first, last = int(self._place.min()), int(self._place.max()) + 1
        inner = spectrum[first:last]
        if rows is None:
            # A broad line alone fills the rows between its outermost photons.
            low = inner[inner < inner.max() / 4]
            return float(np.median(low if 8 * len(low) >= len(inner) else inner))
        n_empty = max(0, int((rows[1] - rows[0]) / self._cell_size) - len(inner))
        return float(np.median(np.concatenate([inner, np.zeros(n_empty)])))

    @cached_property
    def _cell(self) -> NDArray[np.int64]:
        return np.floor(self._place).astype(np.int64)

    @cached_property
    def _place(self) -> _Floats:
        """Positions in cells, with space on both sides for the kernel."""
        margin = 8 * _CELLS_PER_SMOOTHING
        place = (self.position - self.position.min()) / self._cell_size + margin
        return np.asarray(place, dtype=np.float64)

    @property
    def _cell_size(self) -> float:
        return self.smoothing / _CELLS_PER_SMOOTHING

    @cached_property
    def _n_cells(self) -> int:
        from scipy.fft import next_fast_len

        return int(next_fast_len(int(self._place.max() + 8 * _CELLS_PER_SMOOTHING) + 2, real=True))

    @cached_property
    def _cycles(self) -> _Floats:
        return np.asarray(np.fft.rfftfreq(self._n_cells, self._cell_size), dtype=np.float64)

    @cached_property
    def _kernel(self) -> _Floats:
        """Fourier transform of the smoothing, squared."""
        return np.exp(-((2 * np.pi * self._cycles * self.smoothing) ** 2))

    @cached_property
    def _columns(self) -> _Floats:
        """Weights of the spectra: of photons, times each function, times each pair of functions."""
        a, b = np.triu_indices(len(self.basis))
        rows = np.concatenate(
            [np.ones((1, len(self.weight))), self.basis, self.basis[a] * self.basis[b]]
        )
        return np.asarray(self.weight * rows)

    def _transformed(
        self, columns: _Floats, drawn: _Floats | None = None
    ) -> NDArray[np.complex128]:
        """Fourier transforms of spectra; each photon is divided between the two nearest cells."""
        upper = self._place - self._cell
        if drawn is not None:
            columns = columns * drawn
        spectra = np.empty((len(columns), self._n_cells))
        for spectrum, column in zip(spectra, columns, strict=True):
            above = column * upper
            spectrum[:] = np.bincount(self._cell, column - above, self._n_cells)
            spectrum[1:] += np.bincount(self._cell, above, self._n_cells)[:-1]
        return np.asarray(np.fft.rfft(spectra))

    def _inner(self, a: NDArray[np.complex128], b: NDArray[np.complex128]) -> float:
        """Scalar product of two spectra, per pixel."""
        product = a.real * b.real + a.imag * b.imag
        total = 2 * product.sum() - product[0]
        return float(total / (self._n_cells * self._cell_size))

    def _own_pairs(self, drawn: _Floats | None = None) -> float:
        weight = self.weight if drawn is None else self.weight * drawn
        return float((weight**2).sum() / (2 * np.sqrt(np.pi) * self.smoothing))


def step_up(photons: StraightPhotons, longest: float) -> tuple[float, _Floats]:
    """Sharpness, and a Newton step towards its maximum.

    If the sharpness is not concave, the step goes uphill. No photon is shifted by more than
    `longest` pixels.
    """
    value, gradient, hessian = photons.derivatives()
    curvature, directions = np.linalg.eigh(hessian)
    steep = np.maximum(np.abs(curvature), 1e-3 * np.abs(curvature).max() + 1e-300)
    step = directions @ ((directions.T @ gradient) / steep)
    moved = float(np.abs(step @ photons.basis).max(initial=0.0))
    return value, np.asarray(step * min(1.0, longest / moved) if moved > 0 else step)
