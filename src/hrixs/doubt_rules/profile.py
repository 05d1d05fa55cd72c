"""Photons corrected by a curve: how sharp the lines are, and where the peaks are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.typing import Floats

# Number of photons used in the search for the best curve.
_PHOTONS_OF_A_SEARCH = 1500
# Bins of a profile per row of the chip.
_FINE = 4
# Least height of a peak above its background, in standard deviations, and its least photons.
_PEAK_ERRORS, _PEAK_PHOTONS = 8.0, 40.0
# Least height of a peak, in units of the highest.
_LOWEST_PEAK = 0.3


def pairs(rows: Floats, width: float) -> tuple[float, float]:
    """Count pairs of photons in the same bin (`width` in rows), and the variance of that number.

    The sharper the lines, the more pairs.
    """
    bins = np.floor(rows / width).astype(np.int64)
    counts = np.bincount(bins - bins.min()).astype(np.float64)
    n_pairs = float((counts * (counts - 1)).sum())
    variance = float((4 * counts**3 + 2 * counts**2).sum())
    return n_pairs, variance


def even_pairs(rows: Floats, width: float) -> float:
    """Number of pairs if the photons were spread evenly over their rows."""
    span = max(float(np.ptp(rows)) / width, 1.0)
    return len(rows) ** 2 / span


@dataclass(frozen=True)
class Peak:
    """A line of the profile.

    Attributes
    ----------
    row, fwhm : float
        Middle and full width at half maximum, in rows.
    """

    row: float
    fwhm: float


def peaks_of(rows: Floats, n_rows: int = 0) -> list[Peak]:
    """Find lines with at least 30 % of the height of the tallest one.

    Parameters
    ----------
    rows : numpy.ndarray, shape (photons,)
        Rows of the photons, corrected by the curve.
    n_rows : int
        Rows of the crop; rows without light count as background.
    """
    low = float(np.floor(rows.min()))
    low, least = (min(low, 0.0), n_rows * _FINE) if n_rows else (low, 0)
    number = ((rows - low) * _FINE).astype(np.int64)
    counts = np.bincount(number, minlength=least).astype(np.float64)
    if len(counts) < 8 * _FINE:
        return []
    window = np.ones(_FINE)  # a row
    smooth = np.convolve(counts, window, mode="same")
    under = float(np.median(smooth))
    height = smooth - under
    highest = float(height.max())
    if highest < _PEAK_ERRORS * np.sqrt(max(under, 1.0)) or highest <= 0:
        return []
    found, free = [], np.ones(len(height), dtype=bool)
    for at in np.argsort(-height):
        if height[at] < max(_LOWEST_PEAK * highest, _PEAK_ERRORS * np.sqrt(max(under, 1.0))):
            break
        if not free[at]:
            continue
        begin, end = _half(height, int(at), -1), _half(height, int(at), +1)
        inside = slice(max(int(begin), 0), int(np.ceil(end)) + 1)
        free[max(int(begin) - 2 * _FINE, 0) : int(end) + 2 * _FINE + 1] = False
        if counts[inside].sum() - under / _FINE * (end - begin) >= _PEAK_PHOTONS:
            # Smoothing by one row hardly widens lines that a camera resolves.
            middle = (begin + end + 1) / 2
            found.append(Peak(low + middle / _FINE, float(end - begin) / _FINE))
    return found


def _half(height: Floats, at: int, step: int) -> float:
    """Distance at which one side has fallen to half the height, in bins."""
    half = height[at] / 2
    here = at
    while 0 <= here + step < len(height) and height[here + step] > half:
        here += step
    there = here + step
    if not 0 <= there < len(height):
        return float(here)
    return here + step * float((height[here] - half) / (height[here] - height[there]))


def sharpest(
    rows: Floats, u: Floats, reach: float, *, width: float = 1.0
) -> tuple[float, float, float]:
    """Find the tilt and bend that make the lines sharpest.

    Parameters
    ----------
    rows : numpy.ndarray, shape (photons,)
    u : numpy.ndarray, shape (photons,)
        Column, from -1 to 1.
    reach : float
        Largest tilt to try, in rows over half the columns.
    width : float
        Width of the bins in the last step, in rows.

    Returns
    -------
    tilt, bend, n_pairs : float
        Subtract ``tilt * u + bend * (u**2 - 1 / 3)`` from the rows; `n_pairs` pairs of photons are
        then in the same bin.
    """
    every = slice(None, None, -(-len(rows) // _PHOTONS_OF_A_SEARCH))
    all_rows, all_u, rows, u = rows, u, rows[every], u[every]
    coarse = 2.0 * width
    tilts = np.arange(-np.ceil(reach / coarse), np.ceil(reach / coarse) + 1) * coarse
    tilt = _best(rows, u, tilts, coarse)
    bent = u**2 - 1 / 3
    bend = _best(rows - tilt * u, bent, np.arange(-4, 5) * 2.0, coarse)
    near = np.arange(-6, 7) * 0.5
    tilt += _best(rows - tilt * u - bend * bent, u, near, width)
    bend += _best(rows - tilt * u - bend * bent, bent, near, width)
    straight = all_rows - tilt * all_u - bend * (all_u**2 - 1 / 3)
    return tilt, bend, pairs(straight, width)[0]


def _best(rows: Floats, by: Floats, steps: NDArray[np.floating[Any]], width: float) -> float:
    """Find the multiple of `by` to subtract for most pairs."""
    # Of equal maxima the one nearest to no change.
    steps = steps[np.argsort(np.abs(steps), kind="stable")]
    bins = np.floor((rows - steps[:, None] * by) / width).astype(np.int64)
    bins -= bins.min()
    n_bins = int(bins.max()) + 1
    bins += n_bins * np.arange(len(steps))[:, None]
    counts = np.bincount(bins.ravel(), minlength=n_bins * len(steps)).astype(np.float64)
    return float(steps[int(np.argmax((counts.reshape(-1, n_bins) ** 2).sum(axis=1)))])
