"""Whether values are set-points that jitter, and by how much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hrixs.scans.rules import by_gaps
from hrixs.utils.typing import Floats

# Of the smallest gap between set-points over the largest inside of one; over the usual one inside;
# and over the spread inside.
_OVER_LARGEST, _OVER_USUAL, _OVER_SPREAD = 3.0, 6.0, 3.0
# Of what numbers of this size can tell apart.
_DUST = 1e-12
# More of the images than this in groups of their own: read-backs, or every image its own place.
_MOSTLY_SINGLE = 0.8
# Fewer values than this without clear steps are no reason to speak of a continuous scan.
_MANY = 10
# Chance of a pile at a border by accident, over all borders, below which one is told.
_UNLIKELY = 0.01


def clear_tolerance(values: Floats) -> float | None:
    """A tolerance that tells the set-points apart which `values` jitter about.

    The sorted gaps between neighbours show a jump, from those inside of a set-point to those
    between two. The first jump is taken, by a factor of 3 or more, that leaves at least two values
    to a group on average, whose gaps are 6 times the usual one inside and 3 times the spread there.

    Returns
    -------
    float or None
        The geometric mean of the gaps on both sides of the jump; None where there is none.
    """
    n = len(values)
    if n < 4:
        return None
    gaps = np.sort(np.diff(np.sort(values)))
    dust = _DUST * float(np.abs(values).max())
    real = gaps[gaps > dust]
    if not len(real):
        return None
    least = float(real[0])
    if 2 * len(real) < n:  # most values stand there again and again: set-points that do not jitter
        return least / 2
    # Of a read-back in whole steps no gap is smaller than the smallest one.
    clipped = np.maximum(gaps, least)
    below, above = clipped[:-1], clipped[1:]
    usual = np.array([np.median(clipped[: k + 1]) for k in range(len(below))])
    fits = (above >= _OVER_LARGEST * below) & (above >= _OVER_USUAL * usual)
    fits[: max(n // 2 - 1, 0)] = False
    for k in np.flatnonzero(fits):
        tolerance = float(np.sqrt(below[k] * above[k]))
        if above[k] >= _OVER_SPREAD * _spread_inside(values, by_gaps(values, tolerance)):
            return tolerance
    return None


def advice_on_equal(values: NDArray[np.generic], n_groups: int, name: str) -> str | None:
    """What to type where grouping by equal values makes a group of nearly every image."""
    n = len(values)
    single = 2 * n_groups - n  # at least so many groups have one image
    if values.dtype.kind != "f" or single < _MOSTLY_SINGLE * n or n < 4:
        return None
    known = np.asarray(values, dtype=np.float64)
    gaps = np.diff(np.unique(known))
    if _on_a_grid(gaps):  # set-points, one image each
        return None
    here = f"{n} images have {n_groups} different values of {name}, and make as many groups"
    tolerance = clear_tolerance(known)
    if tolerance is not None:
        n_steps = int(by_gaps(known, tolerance).max()) + 1
        return (
            f"{here}; they lie about {n_steps} set-points. Give tolerance={tolerance:.2g} to put "
            "the images of each together."
        )
    if n < _MANY:
        return None
    width = _round_step(float(np.ptp(known)) / max(np.sqrt(n), 2.0))
    return (
        f"{here}, without clear steps. For groups of several images give step={width:g}, or "
        f"another width of bins, or edges=[...]."
    )


def wide_groups(values: Floats, number: NDArray[np.int64], tolerance: float) -> list[str]:
    """Groups by a tolerance that reach over more than four times that, in words."""
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-2))
    low = np.minimum.reduceat(values[order], starts)
    high = np.maximum.reduceat(values[order], starts)
    return [
        f"{a:.6g} to {b:.6g}" for a, b in zip(low, high, strict=True) if b - a > 4 * tolerance
    ]


def split_groups(values: Floats, number: NDArray[np.int64], borders: Floats) -> list[float]:
    """Borders between bins that seem to cut one set-point in two.

    So are those at which all values of both bins pile up, closer than they would by chance.
    `borders` are all of them, ascending, and bin k lies between border k and k + 1.
    """
    used = number >= 0
    values, number = values[used], number[used]
    found = []
    counts = np.bincount(number, minlength=len(borders) - 1)
    order = np.argsort(number, kind="stable")
    ends = np.concatenate([[0], np.cumsum(counts)])
    for k in np.flatnonzero((counts[:-1] > 0) & (counts[1:] > 0)):
        both = values[order[ends[k] : ends[k + 2]]]
        width = borders[k + 2] - borders[k]
        n = len(both)
        # Of n values at random in both bins, that all lie within so much of each other.
        chance = n * (max(float(np.ptp(both)), 1e-300) / width) ** (n - 1)
        if n > 2 and chance * (len(borders) - 2) < _UNLIKELY:
            found.append(float(borders[k + 1]))
    return found


def _on_a_grid(gaps: Floats) -> bool:
    """Whether all gaps are whole multiples of the smallest one, to what was meant by the digits."""
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
    """The number 1, 2 or 5 times a power of ten that is next below."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(max(one for one in (1.0, 2.0, 5.0) if one * power <= width * (1 + 1e-9)) * power)
