"""Find the curve with the sharpest spectrum of photons: a grid search, then a climb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.polynomial import Legendre, Polynomial
from numpy.typing import NDArray

from hrixs.curvature.sharpness import StraightPhotons, step_up
from hrixs.utils.errors import NoLineError, warn

#: First and last x, first and last y of the frame, in pixels.
Extent: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
_Floats: TypeAlias = NDArray[np.float64]

# The coarse search blurs lines to the resolution of its steps of a row (in cycles a row); what is
# even over this number of rows is background.
_HIGHEST_FREQUENCY = 0.08
_LOWEST_FREQUENCY = 1 / 400
_EVEN_ROWS = 50.0
_N_STRIPS = 64
# Search range in rows over the whole extent: without start values, and around them.
_LARGEST_TILT, _LARGEST_BEND = 100.0, 8.0
_TILT_AROUND, _BEND_AROUND = 10.0, 4.0
# Smoothing (standard deviation, pixels): of the first fit, whose start may be wrong by a row, and
# those to choose from. Below 0.7 the spectrum would show that positions prefer the centre of
# a pixel.
_FIRST_SMOOTHING = 8.0
_SMOOTHINGS = tuple(0.7 * 2.0 ** (k / 2) for k in range(11))
#: Number of rows that a single line may cover.
ROWS_OF_A_LINE = 40.0
# Rows between a line and the end of the frame.
_LINE_MARGIN = 8.0
_MOST_STEPS = 40
_CLOSE = 1e-4


def search_curve(
    x: _Floats,
    y: _Floats,
    weight: _Floats,
    extent: Extent,
    start: Sequence[float] | None,
    degree: int,
) -> tuple[_Floats, float]:
    """Find coefficients near the best curve, and its significance.

    Parameters
    ----------
    x, y, weight : numpy.ndarray, shape (n,)
        Photons.
    extent : Extent
        Extent of the frame.
    start : sequence of float or None
        Coefficients of ``x, x**2...`` near which to search.
    degree : int
        Degree of the curve.
    """
    first, last = extent[0]
    width = last - first
    hint = np.zeros(degree) if start is None else np.asarray(start, dtype=np.float64)
    if hint.ndim != 1 or not np.isfinite(hint).all():
        raise ValueError(f"start = {start!r}, expected finite numbers: coefficients of x, x**2...")
    hint = np.concatenate([hint, np.zeros(max(0, degree - len(hint)))])
    largest = (_LARGEST_TILT, _LARGEST_BEND) if start is None else (_TILT_AROUND, _BEND_AROUND)
    tilts = np.arange(-largest[0], largest[0] + 1)
    bends = np.arange(-largest[1], largest[1] + 1, 2.0) if degree > 1 else np.zeros(1)
    straight = y - Polynomial([0.0, *hint])(x)
    rows = float(straight.min()), float(straight.max())
    if rows[1] - rows[0] < ROWS_OF_A_LINE:  # a line alone has empty rows beside it
        rows = min(rows[0], extent[1][0]), max(rows[1], extent[1][1])
    p = (x - first) / width
    tilt, bend, significance = _search_parabola(p, straight, weight, rows, tilts, bends)
    near = np.zeros(max(degree, len(hint), 2))
    near[: len(hint)] = hint
    # tilt * p + 4 * bend * p * (p - 1), with p = (x - first) / width, by powers of x
    near[0] += (tilt - 4 * bend) / width - 8 * bend * first / width**2
    near[1] += 4 * bend / width**2
    return near[:degree], significance


def _search_parabola(
    p: _Floats,
    y: _Floats,
    weight: _Floats,
    rows: tuple[float, float],
    tilts: _Floats,
    bends: _Floats,
) -> tuple[float, float, float]:
    """Find, on a grid, the parabola for which strips of the frame agree best.

    Parameters
    ----------
    p, y, weight : numpy.ndarray, shape (n,)
        Photons; `p` is 0 in the first column and 1 in the last.
    rows : (float, float)
        First and last row.
    tilts, bends : numpy.ndarray
        Candidates, in rows over the whole width: the parabola is
        ``tilt * p + 4 * bend * p * (p - 1)``.

    Returns
    -------
    tilt, bend : float
        The best candidate.
    significance : float
        Excess of its pairs of photons in different strips over randomly shifted strips, in standard
        deviations.
    """
    from scipy.ndimage import gaussian_filter1d

    n_rows = max(2, int(rows[1] - rows[0]))
    height = (rows[1] - rows[0]) / n_rows  # about one: a row in part would look like a line
    room = int(np.ceil(np.abs(tilts).max() + np.abs(bends).max()))
    strip = np.clip((_N_STRIPS * p).astype(np.int64), 0, _N_STRIPS - 1)
    row = np.clip(((y - rows[0]) / height).astype(np.int64), 0, n_rows - 1)
    strips = np.bincount(strip * n_rows + row, weight, _N_STRIPS * n_rows).reshape(-1, n_rows)
    # The end of an even or slowly changing background at the frame is not a line.
    even = gaussian_filter1d(strips.sum(axis=0), _EVEN_ROWS, mode="reflect")
    strips -= strips.sum(axis=1)[:, None] * (even / even.sum())
    spectra = np.fft.rfft(strips, n_rows + room, axis=1)
    cycles = np.fft.rfftfreq(n_rows + room, height)
    used = (cycles > max(_LOWEST_FREQUENCY, 1 / (rows[1] - rows[0]))) & (
        cycles < _HIGHEST_FREQUENCY
    )
    spectra, cycles = spectra[:, used], cycles[used]
    middle = (np.arange(_N_STRIPS) + 0.5) / _N_STRIPS
    by_row = 2j * np.pi * cycles[:, None, None]
    tilted = np.exp(by_row * (tilts[:, None] * middle)) * spectra.T[:, None]
    bent = np.exp(by_row * (4 * bends[:, None] * middle * (middle - 1)))
    powers = (np.abs(tilted @ bent.transpose(0, 2, 1)) ** 2).sum(axis=0)
    best = np.unravel_index(int(np.argmax(powers)), powers.shape)
    own = (np.abs(spectra) ** 2).sum(axis=0)
    variance = (own**2 - (np.abs(spectra) ** 4).sum(axis=0)).sum() * (n_rows + room) / n_rows
    pairs = powers[best] - own.sum()
    significance = float(pairs / np.sqrt(variance)) if variance > 0 else 0.0
    return float(tilts[best[0]]), float(bends[best[1]]), significance


@dataclass(frozen=True)
class SharpestCurve:
    """Photons, and polynomials (orthogonal over the frame) that may shift them."""

    x: _Floats
    y: _Floats
    weight: _Floats
    extent: Extent
    degree: int

    @property
    def to_powers(self) -> _Floats:
        """Coefficients of ``1, x, x**2...`` of each polynomial, shape (degree, degree + 1)."""
        rows = np.zeros((self.degree, self.degree + 1))
        for k, row in enumerate(rows, start=1):
            legendre = Legendre.basis(k, domain=self.extent[0])
            row[: k + 1] = legendre.convert(kind=Polynomial).coef
        return rows

    @cached_property
    def _functions_at_photons(self) -> _Floats:
        return self.functions(self.x)

    def functions(self, x: _Floats) -> _Floats:
        """Values of the polynomials, shape (degree, len(x))."""
        return np.stack(
            [Legendre.basis(k, domain=self.extent[0])(x) for k in range(1, self.degree + 1)]
        )

    def factors_of(self, coefficients: _Floats) -> _Floats:
        """Factors of the polynomials for coefficients of ``x, x**2...``."""
        return np.asarray(np.linalg.solve(self.to_powers[:, 1:].T, coefficients))

    def sharpest(self, factors: _Floats) -> tuple[StraightPhotons, _Floats]:
        """Photons on the curve with the sharpest spectrum, and the factors of the curve."""
        _, factors = self._maximum(factors, _FIRST_SMOOTHING)
        every = self.functions(np.linspace(*self.extent[0], 64))

        def error(smoothing: float) -> float:
            covariance = self._straight(factors, smoothing).covariance()
            return float(np.einsum("kn,kl,ln->n", every, covariance, every).max())

        return self._maximum(factors, min(_SMOOTHINGS, key=error))

    def within_line(self, coefficients: _Floats) -> SharpestCurve:
        """Keep only the columns with the strongest line, if not all columns have it.

        Raises
        ------
        NoLineError
            If almost no column has it.
        """
        factors = self.factors_of(coefficients)
        row, _ = self._straight(
            factors, _FIRST_SMOOTHING, np.ones(len(self.x), dtype=bool)
        ).strongest_line()
        seen = self.rows_seen(factors)
        if seen[0] < row < seen[1]:
            return self
        x = np.linspace(*self.extent[0], 1024)
        line = row + factors @ self.functions(x)
        low, high = self.extent[1]
        shown = x[(line > low + _LINE_MARGIN) & (line < high - _LINE_MARGIN)]
        if len(shown) < len(x) / 4:
            raise NoLineError(no_line_text("the line leaves the frame"))
        first, last = float(shown[0]), float(shown[-1])
        warn(
            f"the strongest line lies in the frame only from x = {first:.0f} to {last:.0f}; the "
            "curve beyond is extrapolated. Take more rows (Y_RANGE)."
        )
        kept = (self.x >= first) & (self.x <= last)
        extent = ((first, last), self.extent[1])
        return SharpestCurve(self.x[kept], self.y[kept], self.weight[kept], extent, self.degree)

    def _maximum(self, factors: _Floats, smoothing: float) -> tuple[StraightPhotons, _Floats]:
        seen = self._seen(factors)
        for number in range(_MOST_STEPS):
            if number < 4:  # later a photon that comes or goes would keep it from settling
                seen = self._seen(factors)
            photons = self._straight(factors, smoothing, seen)
            value, step = step_up(photons, longest=smoothing)
            moved = np.abs(step @ photons.basis).max(initial=0.0)
            if moved < _CLOSE:
                return photons, factors
            # Shorter steps need no check; they change less than the cells do.
            while moved > 0.1 * smoothing:
                if self._straight(factors + step, smoothing, seen).sharpness() > value:
                    break
                step, moved = step / 2, moved / 2
            factors = factors + step
        raise NoLineError(no_line_text(f"the fit has not converged in {_MOST_STEPS} steps"))

    def rows_seen(self, factors: _Floats) -> tuple[float, float]:
        """First and last corrected row that is inside the frame in all columns."""
        moved = factors @ self.functions(np.linspace(*self.extent[0], 256))
        low, high = self.extent[1]
        return float(low - moved.min()), float(high - moved.max())

    def _seen(self, factors: _Floats) -> NDArray[np.bool_]:
        """Photons in corrected rows that are inside the frame in all columns.

        Outside, the ends of the frame move with the curve, and an even background would bias it.
        """
        row = self.y - factors @ self._functions_at_photons
        low, high = self.rows_seen(factors)
        return np.asarray((row >= low) & (row <= high))

    def _straight(
        self, factors: _Floats, smoothing: float, seen: NDArray[np.bool_] | None = None
    ) -> StraightPhotons:
        seen = self._seen(factors) if seen is None else seen
        basis = self._functions_at_photons[:, seen]
        return StraightPhotons(self.y[seen] - factors @ basis, basis, self.weight[seen], smoothing)


def no_line_text(why: str) -> str:
    """Text of a `NoLineError`."""
    return (
        f"no spectral line found in the photons: {why}. Expected photons of lines along x. Check "
        "the run, the crop (Y_RANGE) and the threshold, take more frames, or give a start."
    )
