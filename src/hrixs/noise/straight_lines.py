"""Find rows and columns of a chip whose pedestal differs from that of their neighbours."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.typing import Floats

# Smallest step between neighbouring lines that counts: in deviations of such steps (not chance),
# and in the noise of a pixel (smaller ones do no harm).
_STEP_SPREAD, _STEP_NOISE = 8.0, 2.0
# A band at the edge of the chip is odd if it is shorter than this share of its neighbour.
_AT_EDGE = 0.25


def odd_lines(levels: Floats, noise: float) -> NDArray[np.bool_]:
    """Find lines whose level is above, or below, that of both sides.

    Parameters
    ----------
    levels : numpy.ndarray, shape (n,)
        Level of each line of pixels, in order, in ADU; NaN: unknown.
    noise : float
        Noise of one pixel, in ADU.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Notes
    -----
    Lines are cut into bands at steps of the level. A band is odd if it is above both neighbours, or
    below both, and shorter than these together. Two halves with different levels, and a drifting
    level, are not odd.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.straight_lines import odd_lines
    >>> levels = np.random.default_rng(1).normal(100, 0.1, 40)
    >>> levels[20:22] += 8
    >>> np.flatnonzero(odd_lines(levels, 1.5))
    array([20, 21])
    """
    odd = np.zeros(len(levels), dtype=bool)
    known = np.flatnonzero(np.isfinite(levels))
    if len(known) < 8:
        return odd
    values = levels[known].copy()
    steps = np.diff(values)
    spread = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    least = max(_STEP_SPREAD * spread, _STEP_NOISE * noise)
    # A band may be inside another one: the narrowest are taken out first.
    while True:
        edges = np.flatnonzero(np.abs(np.diff(values)) > least) + 1
        bounds = np.concatenate([[0], edges, [len(values)]])
        band = _narrowest_odd(values, bounds, least)
        if band is None:
            return odd
        odd[known[band]] = True
        values, known = np.delete(values, band), np.delete(known, band)


def _narrowest_odd(
    values: Floats, bounds: NDArray[np.int64], least: float
) -> NDArray[np.int64] | None:
    """Begin and end of the narrowest band that is above or below both sides."""
    n = len(bounds) - 1
    if n < 2:
        return None
    middles = [float(np.median(values[a:b])) for a, b in itertools.pairwise(bounds)]
    sizes = np.diff(bounds)
    best: tuple[int, int] | None = None
    for k in range(n):
        left = middles[k - 1] if k > 0 else None
        right = middles[k + 1] if k < n - 1 else None
        beside = sum(int(sizes[j]) for j in (k - 1, k + 1) if 0 <= j < n)
        sides = [middles[k] - side for side in (left, right) if side is not None]
        apart = all(step > least for step in sides) or all(step < -least for step in sides)
        most = beside if len(sides) == 2 else _AT_EDGE * beside
        if apart and sizes[k] < most and (best is None or sizes[k] < best[0]):
            best = int(sizes[k]), k
    if best is None:
        return None
    return np.arange(bounds[best[1]], bounds[best[1] + 1])
