"""Find out whether values jitter about set-points, and by how much."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.groups.rules import by_gaps
from hrixs.utils.typing import Floats

# Smallest gap between set-points / largest gap inside one, / usual gap inside, / spread inside. The
# last one is for many values; few values need more, because they cluster by chance.
_OVER_LARGEST, _OVER_USUAL, _OVER_SPREAD, _FEW = 1.5, 6.0, 3.5, 20.0
# Smallest difference that floats of this size can resolve.
_DUST = 1e-12
# Largest share of images in groups of their own; more are read-backs or a continuous scan.
_MOSTLY_SINGLE = 0.8
# Fewer values without clear steps are not called a continuous scan.
_MANY = 30
# Set-points with one image each: their distances differ by less than this.
_EVEN = 0.05
# Values in the last sixth of a bin pile up at its border. This is reported if values at all borders
# exceed chance by these standard deviations, or at one border with this small probability.
_BESIDE, _SURELY, _UNLIKELY = 0.15, 4.0, 0.01


def clear_tolerance(values: Floats) -> float | None:
    """Find a tolerance that separates the set-points about which `values` jitter.

    In the sorted gaps between neighbours there is a jump, from gaps inside a set-point to gaps
    between two. The first jump is used that leaves at least two values a group on average, and
    whose gaps are at least 6 times the usual gap inside and 3.5 times the spread inside (more for
    few values). Values that mostly repeat are themselves set-points. The exception is a read-back
    in whole steps: some values occur much more often than others, and there is such a jump.

    Returns
    -------
    float or None
        The geometric mean of the gaps on both sides of the jump; None if there is no jump.
    """
    n = len(values)
    if n < 4:
        return None
    gaps = np.sort(np.diff(np.sort(values)))
    real = gaps[gaps > _DUST * float(np.abs(values).max())]
    if not len(real):
        return None
    # In a read-back in whole steps no gap is smaller than one step.
    least = float(real[0])
    jump = _jump(values, np.maximum(gaps, least))
    if 2 * len(real) < n:
        repeats = np.unique(values, return_counts=True)[1]
        return least / 2 if jump is None or repeats.max() <= 2 * repeats.min() else None
    return jump


def _jump(values: Floats, gaps: Floats) -> float | None:
    n = len(values)
    below, above = gaps[:-1], gaps[1:]
    middle = np.arange(len(below)) // 2  # of sorted ones the median
    fits = (above >= _OVER_LARGEST * below) & (above >= _OVER_USUAL * gaps[middle])
    fits[: max(n // 2 - 1, 0)] = False
    for k in np.flatnonzero(fits):
        tolerance = float(np.sqrt(below[k] * above[k]))
        spread = _spread_inside(values, by_gaps(values, tolerance))
        if above[k] >= _OVER_SPREAD * (1 + _FEW / n) * spread:
            return tolerance
    return None


def why_no_tolerance(values: Floats) -> str:
    """Text: why there is no clear tolerance, and what to type."""
    n_equal = len(np.unique(values))
    if 2 * n_equal <= len(values):
        return (
            f"they repeat, {n_equal} different ones, and lie in clusters as well. Leave tolerance "
            "out for groups of equal values, or give it as a number."
        )
    return (
        "the gaps between neighbours grow without a jump. Give the tolerance as a number, or "
        "step=, or edges=."
    )


def advice_on_singles(values: NDArray[Any], n_groups: int, name: str) -> str | None:
    """Text: what to type if nearly every image is its own group."""
    n = len(values)
    single = 2 * n_groups - n  # at least so many groups have one image
    if values.dtype.kind != "f" or single < _MOSTLY_SINGLE * n or n < 4:
        return None
    known = np.asarray(values, dtype=np.float64)
    gaps = np.diff(np.unique(known))
    if len(gaps) and (_on_a_grid(gaps) or np.ptp(gaps) < _EVEN * gaps.mean()):
        return None  # set-points, one image each
    here = f"{n} images make {n_groups} groups by {name}"
    tolerance = clear_tolerance(known)
    if tolerance is not None:
        n_steps = int(by_gaps(known, tolerance).max()) + 1
        return (
            f"{here}; they lie about {n_steps} set-points. Give tolerance={tolerance:.2g} to put "
            "the images of each together."
        )
    if n < _MANY:
        return None
    width = _round_step(float(np.ptp(known)) / np.sqrt(n))
    return (
        f"{here}, without clear steps. For groups of several images give step={width:g}, or "
        f"another width of bins, or edges=[...]."
    )


def wide_groups(values: Floats, number: NDArray[np.int64], tolerance: float) -> list[str]:
    """Text on groups that are wider than four times the tolerance."""
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-2))
    low = np.minimum.reduceat(values[order], starts)
    high = np.maximum.reduceat(values[order], starts)
    return [f"{a:.6g} to {b:.6g}" for a, b in zip(low, high, strict=True) if b - a > 4 * tolerance]


def split_groups(values: Floats, number: NDArray[np.int64], borders: Floats) -> list[float]:
    """Borders between bins that seem to cut one set-point in two.

    At such a border, values on both sides are more, or closer, than by chance. `borders` are all
    borders, ascending; bin k is between border k and k + 1.
    """
    used = number >= 0
    values, number = values[used], number[used]
    n_bins = len(borders) - 1
    width = np.diff(borders)
    place = (values - borders[number]) / width[number]
    counts = np.bincount(number, minlength=n_bins)
    at_start = np.bincount(number[place < _BESIDE], minlength=n_bins)[1:]
    at_end = np.bincount(number[place > 1 - _BESIDE], minlength=n_bins)[:-1]
    both = (at_start > 0) & (at_end > 0)
    beside = int(at_start.sum() + at_end.sum())
    share = 2 * _BESIDE
    scatter = np.sqrt(len(values) * share * (1 - share))
    if beside - share * len(values) > _SURELY * scatter:
        return [float(border) for border in borders[1:-1][both]]
    # At one border: all values of both bins.
    alone = both & (at_end == counts[:-1]) & (at_start == counts[1:])
    chance = _BESIDE ** (at_start + at_end) * n_bins
    return [float(border) for border in borders[1:-1][alone & (chance < _UNLIKELY)]]


def _on_a_grid(gaps: Floats) -> bool:
    """Whether all gaps are whole multiples of the smallest one, within rounding of the digits."""
    if not len(gaps):
        return True
    multiples = gaps / gaps.min()
    return bool(np.abs(multiples - np.round(multiples)).max() < 1e-4) and multiples.max() < 1e4


def _spread_inside(values: Floats, number: NDArray[np.int64]) -> float:
    count = np.bincount(number)
    mean = np.bincount(number, values) / count
    free = max(len(values) - len(count), 1)
    return float(np.sqrt(((values - mean[number]) ** 2).sum() / free))


def _round_step(width: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(max(one for one in (1.0, 2.0, 5.0) if one * power <= width * (1 + 1e-9)) * power)
