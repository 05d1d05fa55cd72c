"""Plain NumPy reference of what is counted in frames: of each one, and of each pixel over all.

Written from the definitions in the docstrings of `hrixs.camera.counts` alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oracles.frames import corrected, squares

FloatArray = NDArray[np.float64]
#: Bins of a histogram; the middle one is about the median.
N_BINS = 257
#: Standard deviation of a Gaussian that is cut at three of its own.
CLIPPED_PART = 0.98657
#: Share of a Gaussian that lies below its middle by more than a standard deviation.
BELOW = 0.1587


class Counted(NamedTuple):
    """Of the values of one frame, its pixels or its squares."""

    n: int
    lowest: float
    highest: float
    median: float
    lower: float
    level: float
    noise: float
    counts: NDArray[np.int64]
    edges: FloatArray


def counted(values: ArrayLike, step: float) -> Counted:
    """Count values; NaN is left out. `step` is that of values that go by steps, or 0."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    ordered = np.sort(flat[~np.isnan(flat)])
    n = len(ordered)
    if n == 0:
        nan = float("nan")
        counts = np.zeros(N_BINS, np.int64)
        return Counted(0, nan, nan, nan, nan, nan, nan, counts, np.zeros(N_BINS + 1))
    middle = ordered[(n - 1) // 2]
    median = (middle + ordered[n // 2]) / 2
    lower = ordered[int(BELOW * (n - 1))]
    level, noise = median, middle - lower + step / 2
    for _ in range(3):
        kept = ordered[np.abs(ordered - level) <= 3 * noise]
        if len(kept) == 0:
            break
        level, noise = kept.mean(), kept.std() / CLIPPED_PART
    spread = middle - lower
    width = step * max(1.0, np.floor(spread / 8 / step)) if step else spread / 16
    edges = middle - (step or width) / 2 + width * (np.arange(N_BINS + 1) - N_BINS // 2)
    counts = np.histogram(ordered, edges)[0] if width > 0 else np.zeros(N_BINS, np.int64)
    return Counted(
        n, ordered[0], ordered[-1], median, lower, float(level), float(noise), counts, edges
    )


def count_frame(
    image: ArrayLike, step: float, dark: ArrayLike | None = None, mask: ArrayLike | None = None
) -> tuple[Counted, Counted]:
    """Count the pixels of one frame, and its 2x2 squares."""
    frame = corrected(image, dark, mask)
    return counted(frame, step), counted(squares(frame), step)


class PixelStatistics(NamedTuple):
    """Of each pixel over the frames, images of shape (x, y)."""

    median: FloatArray
    mean: FloatArray
    noise: FloatArray
    n_kept: NDArray[np.int64]
    n_left_out: NDArray[np.int64]
    lower_noise: FloatArray


def pixel_statistics(
    frames: ArrayLike, offsets: ArrayLike, n_sigma: float, least_noise: float
) -> PixelStatistics:
    """Mean and noise of each pixel over frames less their offsets, far values left out."""
    values = (
        np.asarray(frames, dtype=np.float64) - np.asarray(offsets, dtype=np.float64)[:, None, None]
    )
    n = len(values)
    median = np.median(values, axis=0) if n > 2 else values.min(axis=0)
    spread = np.sqrt(2 * np.mean(np.minimum(values - median, 0.0) ** 2, axis=0))
    limit = n_sigma * np.maximum(spread, least_noise)
    kept = np.abs(values - median) <= limit
    return _of_kept(values, median, kept, spread)


def pixel_statistics_about(
    frames: ArrayLike, offsets: ArrayLike, reference: ArrayLike, limit: ArrayLike
) -> PixelStatistics:
    """The same with what lies within the limit of a reference kept."""
    values = (
        np.asarray(frames, dtype=np.float64) - np.asarray(offsets, dtype=np.float64)[:, None, None]
    )
    middle = np.asarray(reference, dtype=np.float64)
    kept = np.abs(values - middle) <= np.asarray(limit, dtype=np.float64)
    return _of_kept(values, middle, kept, np.zeros_like(middle))


def _of_kept(
    values: FloatArray, middle: FloatArray, kept: NDArray[np.bool_], lower_noise: FloatArray
) -> PixelStatistics:
    n = kept.sum(axis=0)
    deviation = np.where(kept, values - middle, 0.0)
    mean = deviation.sum(axis=0) / np.maximum(n, 1)
    square = np.where(kept, (deviation - mean) ** 2, 0.0).sum(axis=0)
    noise = np.sqrt(square / np.maximum(n - 1, 1))
    return PixelStatistics(middle, middle + mean, noise, n, (~kept).sum(axis=(1, 2)), lower_noise)


def square_maxima(
    sums: FloatArray, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lower corners of the squares that `hrixs.find_photons` takes for hits, by all squares' sums.

    A hit without a positive charge in its 4x4 square is left out by it besides.
    """
    # NaN is above no threshold.
    i, j = (index + 1 for index in np.nonzero(sums[1:-1, 1:-1] > threshold))
    own = sums[i, j]
    highest = np.ones(len(own), dtype=bool)
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            rival = sums[i + di, j + dj]
            if (di, dj) < (0, 0):
                highest &= ~(rival > own)
            elif (di, dj) > (0, 0):
                highest &= ~(rival >= own)
    return i[highest], j[highest]
