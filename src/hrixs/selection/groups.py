"""Decide whether values form two groups (images with light and blanks) or one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.utils.typing import Floats

#: Fewer values are not split.
FEWEST = 8
# Required distance of groups, divided by the sum of their spreads. Two halves of one group have 1.3
# (Gaussian) to 1.7 (uniform); small groups and few values need more. Set by simulation, see the
# Notes of two_groups.
_APART, _OF_SMALL, _OF_FEW = 2.4, 0.7, 60.0
# The spread of a small group is averaged with the common one, which counts as this many values.
_PRIOR = 3.0
# Spread of the square root of a Poisson distributed number.
_POISSON = 0.5
# Values that differ by less than this share of their range are equal.
_EQUAL = 1e-6


@dataclass(frozen=True)
class TwoGroups:
    """Two groups of values.

    Attributes
    ----------
    limit : float
        Middle between the highest value of the low group and the lowest of the high group.
    n_low, n_high : int
        Number of values in each group.
    low, high : float
        Means of both groups.
    separation : float
        Distance of the groups / the distance that one group may show by chance; above 1.
    """

    limit: float
    n_low: int
    n_high: int
    low: float
    high: float
    separation: float


def two_groups(values: ArrayLike, *, counts: bool = False) -> TwoGroups | None:
    """Separate two groups of values; None if they may be one group.

    Parameters
    ----------
    values : array_like, shape (n,)
        One value for each image; values that are not finite are left out.
    counts : bool
        Whether values are numbers of photons; their square root scatters by at least 1/2.

    Notes
    -----
    All cuts of the sorted values are tried: the distance of the means of both sides, divided by the
    sum of their standard deviations, as in Ashman's D (Ashman, Bird & Zepf, Astron. J. 108, 2348
    (1994)) and Fisher's criterion. A cut through one group gives a small distance. A single outlier
    is a group only if it is about 8 standard deviations away.

    Simulations: 1000 runs of one group with 8, 32 or 500 images, Poisson photons at pulse energies
    that scatter by 10 % or 30 % (gamma): at most 1 is split. 1000 runs of 32 images, 3, 16 or 28 of
    them blanks; all have 2 or 60 false photons, the others also 150 photons of light that scatters
    by 10 %: 999 or more are split in the right place. A single blank with 60 false photons is found
    in 878 of 1000 runs. ``python -m validation experiment`` prints these numbers.

    Examples
    --------
    >>> from hrixs.selection.groups import two_groups
    >>> groups = two_groups([3, 160, 148, 2, 139, 155, 4, 161, 150, 1, 143, 152], counts=True)
    >>> groups.n_low, groups.n_high, groups.limit
    (4, 8, 71.5)
    >>> two_groups([160, 148, 139, 155, 161, 150, 143, 152], counts=True) is None
    True
    """
    known = np.asarray(values, dtype=np.float64).ravel()
    known = np.sort(known[np.isfinite(known)])
    n = len(known)
    if n < FEWEST or known[0] == known[-1]:
        return None
    scaled = np.sqrt(np.maximum(known, 0.0)) if counts else known
    extent = float(scaled[-1] - scaled[0])
    if not extent > 0:
        return None
    floor = max(_POISSON if counts else 0.0, _EQUAL * extent)
    separation = _separations(scaled - scaled[0], floor)
    cut = int(np.argmax(separation))
    if not separation[cut] > 1:
        return None
    low, high = known[: cut + 1], known[cut + 1 :]
    return TwoGroups(
        float((low[-1] + high[0]) / 2),
        len(low),
        len(high),
        float(low.mean()),
        float(high.mean()),
        float(separation[cut]),
    )


def _separations(values: Floats, floor: float) -> NDArray[np.float64]:
    """Distance of the two sides of each cut, divided by the distance required."""
    n = len(values)
    n_low = np.arange(1, n)
    n_high = n - n_low
    sums, squares = np.cumsum(values), np.cumsum(values**2)
    mean_low, mean_high = sums[:-1] / n_low, (sums[-1] - sums[:-1]) / n_high
    within_low = np.maximum(squares[:-1] - n_low * mean_low**2, 0.0)
    within_high = np.maximum(squares[-1] - squares[:-1] - n_high * mean_high**2, 0.0)
    common = _PRIOR * (within_low + within_high) / (n - 2)
    spread_low, spread_high = (
        np.maximum(np.sqrt((within + common) / (number + _PRIOR)), floor)
        for within, number in ((within_low, n_low), (within_high, n_high))
    )
    asked = _APART * (1 + _OF_SMALL / np.minimum(n_low, n_high)) * (1 + _OF_FEW / n**2)
    return np.asarray((mean_high - mean_low) / (spread_low + spread_high) / asked)
