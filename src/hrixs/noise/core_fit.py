"""Noise of values of which some are raised by photons: a Gaussian fit to the lower side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import ValueCounts, step_of
from hrixs.utils.likelihood import most_likely
from hrixs.utils.typing import Floats

# Fitted range of the distribution, in standard deviations from its centre. Photons only add charge:
# values below the centre, and slightly above it, are noise.
_FIT_LOW, _FIT_HIGH = 4.5, 1.0
# Fewest values for a fit.
_LEAST_VALUES = 16


def gaussian_core(values: ArrayLike) -> tuple[float, float]:
    """Centre and width of the noise of values, some of which are raised by photons.

    Parameters
    ----------
    values : array_like
        Pixels of a frame, or sums of its squares, in ADU; NaN is left out.

    Returns
    -------
    mean, sigma : float
        Those of the noise; for whole ADU, of the noise before rounding.

    Raises
    ------
    ValueError
        If fewer than 16 values are finite.

    Notes
    -----
    A Gaussian, integrated over the bins, is fitted to the histogram from 4.5 standard deviations
    below its centre to one above, by maximum likelihood. So a noise of 1.5 ADU in whole ADU is
    measured to a permille; a median or its deviation could only be a whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.core_fit import gaussian_core
    >>> values = np.rint(np.random.default_rng(1).normal(100.3, 1.5, 100_000))
    >>> values[:2000] += 60
    >>> mean, sigma = gaussian_core(values)
    >>> round(mean, 1), round(sigma, 1)
    (100.3, 1.5)
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(flat).all():
        flat = flat[np.isfinite(flat)]
    _require_values(flat.size)
    counts, edges = _core_histogram(flat)
    if np.count_nonzero(counts) < 2:
        return float(np.median(flat)), 0.0
    return _core_of_bins(counts, edges)


def cores_of(values: ValueCounts) -> tuple[Floats, Floats]:
    """Centre and width of the noise of each frame, as in `gaussian_core`, from its counts.

    Parameters
    ----------
    values : ValueCounts
        From `hrixs.camera.count_frames`.

    Returns
    -------
    mean, sigma : numpy.ndarray, shape (frames,)
        In ADU.

    Raises
    ------
    ValueError
        If fewer than 16 values of a frame are not masked.
    """
    cores = []
    for number, counts in enumerate(values.counts):
        _require_values(int(values.n[number]))
        if np.count_nonzero(counts) < 2:
            cores.append((float(values.median[number]), 0.0))
        else:
            cores.append(_core_of_bins(counts, values.edges(number)))
    mean, sigma = np.asarray(cores, dtype=np.float64).reshape(-1, 2).T
    return mean, sigma


def _require_values(n: int) -> None:
    if n < _LEAST_VALUES:
        raise ValueError(f"{n} finite values given, expected at least {_LEAST_VALUES}.")


def _core_of_bins(counts: NDArray[Any], edges: Floats) -> tuple[float, float]:
    below = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    mean = float(np.interp(0.5, below, edges))
    sigma = mean - float(np.interp(0.1587, below, edges))
    for _ in range(2):
        mean, sigma = _fit_core(counts, edges, mean, sigma)
    return mean, sigma


def _core_histogram(flat: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Counts of values around the most frequent ones, in bins around multiples of their step."""
    sample = flat[:: max(1, flat.size // 100_000)]
    low, middle = np.percentile(sample, [15.87, 50])
    spread = float(middle - low)
    step = step_of(sample, float(middle), spread)
    if step > 0:
        width = step * max(1.0, np.floor(spread / 8 / step))
        reach = np.ceil(8 * max(spread, step) / width)
        edges = middle - step / 2 + width * np.arange(-reach, reach + 1)
    else:
        edges = middle + spread / 8 * np.arange(-64.0, 65.0)
    if not np.diff(edges).all():
        return np.zeros(1), edges[:2]
    counts, _ = np.histogram(flat, bins=len(edges) - 1, range=(edges[0], edges[-1]))
    return counts, edges


def _fit_core(
    counts: NDArray[Any], edges: NDArray[np.float64], mean: float, sigma: float
) -> tuple[float, float]:
    from scipy.special import ndtr

    step = edges[1] - edges[0]
    sigma = max(sigma, 0.3 * step)
    # At least one bin on each side of the middle one, otherwise the width is unknown.
    used = (edges[:-1] > mean - max(_FIT_LOW * sigma, 2 * step)) & (
        edges[1:] < mean + max(_FIT_HIGH * sigma, 2 * step)
    )
    first, last = np.flatnonzero(used)[[0, -1]]
    n, ends = counts[first : last + 1], edges[first : last + 2]

    def expected(p: Floats) -> Floats:
        below = ndtr((ends - mean - p[0] * sigma) / (sigma * np.exp(p[1])))
        return np.asarray(n.sum() * np.diff(below) / max(below[-1] - below[0], 1e-300))

    # The counts of all bins together are given: only their shares tell.
    p = most_likely(expected, n, np.zeros(2))
    found = mean + float(p[0]) * sigma
    # A tail that falls like an exponential fits a Gaussian that is far away and wide.
    if not edges[0] < found < edges[-1]:
        return mean, sigma
    return found, sigma * float(np.exp(p[1]))
