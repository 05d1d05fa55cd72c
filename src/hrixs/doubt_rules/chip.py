"""Rows, columns and pixels of the chip that stand out in frames with light."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.typing import Floats

# A row or column stands out by this many standard deviations of its median, and at least by this
# many times a pixel's noise.
_ERRORS, _LEAST_STEP = 7.0, 0.4
# Its own noise is at most this many times that of the others; light makes it far larger. It has no
# noise if all its values are within this part of the noise.
LOUD, _QUIET = 1.8, 0.7
# Lines beside it may have at most this many times the noise; lines with light are not compared.
_LOUD_BESIDE = 1.4
# Standard error of a median and of a quartile, in units of noise / sqrt(number of values).
_OF_MEDIAN, _OF_QUARTILE = 1.2533, 1.3626
# Number of lines compared on each side; and, with a larger step, of blocks of lines, to find
# bands.
_BESIDE, _BLOCK, _BLOCKS_BESIDE, _LEAST_STEP_OF_BAND = 8, 8, 8, 1.0
# A pixel with photons in at least this many frames, at a chance of one in 10^9 chips.
_CHANCE = 1e-12
_LEAST_PER_PIXEL = 4
_MOST_NAMED = 6


def lines_that_stand_out(
    sample: Floats, noise: float, known: Floats | None = None
) -> NDArray[np.int64]:
    """Find rows or columns whose level differs from those beside them, or that have no noise.

    Parameters
    ----------
    sample : numpy.ndarray, shape (values, lines)
        Some pixels of each line, after the frame's level is subtracted, in ADU; NaN where masked.
    noise : float
        Noise of a pixel, in ADU.
    known : numpy.ndarray, optional
        The `quantiles` of the sample, if already computed.

    Notes
    -----
    The median and the lower quartile of a line are compared with those of 16 lines beside it, and,
    with a larger limit, with those of 128. A spectral line is not reported, however bright it is:
    photons hit some of its pixels and not others, so that it scatters far more than the noise, or
    its lower quartile does not change. Lines next to bright ones are not reported either.
    """
    n, n_lines = sample.shape
    if n < 8 or n_lines < 4 * _BESIDE or not noise > 0:
        return np.empty(0, np.int64)
    low, lower, middle, upper, high = quantiles(sample) if known is None else known
    spread = (upper - lower) / 1.349
    known = np.isfinite(middle)
    if not known.any():
        return np.empty(0, np.int64)
    error = noise / np.sqrt(np.maximum(np.isfinite(sample).sum(axis=0), 1))
    stands_out = np.zeros(n_lines, dtype=bool)
    for beside, least in ((_near, _LEAST_STEP), (_far, _LEAST_STEP_OF_BAND)):
        steps, signs = [], []
        for values, of_error in ((middle, _OF_MEDIAN), (lower, _OF_QUARTILE)):
            step = values - beside(values)
            steps.append(np.abs(step) > np.maximum(_ERRORS * of_error * error, least * noise))
            signs.append(step > 0)
        dark_beside = beside(spread) < _LOUD_BESIDE * noise
        stands_out |= steps[0] & steps[1] & (signs[0] == signs[1]) & dark_beside
    quiet = high - low < _QUIET * noise
    return np.flatnonzero(known & ((stands_out & (spread < LOUD * noise)) | quiet))


def quantiles(sample: Floats) -> Floats:
    """Lowest value, quartiles and highest along the first axis; NaN where all are masked."""
    ordered = np.ascontiguousarray(sample.T)  # sorting is fast along contiguous memory
    ordered.sort(axis=1)  # NaN come last
    last = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0)
    lines = np.arange(len(ordered))
    places = (np.rint(q * last).astype(np.int64) for q in (0.0, 0.25, 0.5, 0.75, 1.0))
    return np.stack([ordered[lines, place] for place in places])


def _near(values: Floats) -> Floats:
    """Median of a few values on each side of each value; NaN counts as the overall median."""
    return _beside(np.where(np.isfinite(values), values, np.nanmedian(values)), _BESIDE)


def _far(values: Floats) -> Floats:
    """Median of many values on each side of each value, in blocks."""
    filled = np.where(np.isfinite(values), values, np.nanmedian(values))
    n = len(filled) // _BLOCK * _BLOCK
    blocks = np.median(filled[:n].reshape(-1, _BLOCK), axis=1)
    far = np.repeat(_beside(blocks, _BLOCKS_BESIDE), _BLOCK)
    return np.pad(far, (0, len(filled) - n), mode="edge")


def _beside(values: Floats, n: int) -> Floats:
    padded = np.pad(values, min(n, len(values) - 1), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(padded) - len(values) + 1)
    # The number is odd; several times as fast as np.median.
    return np.asarray(np.sort(windows, axis=1)[:, windows.shape[1] // 2])


def bad_lines(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[Doubt]:
    """Return doubts for rows and columns of the chip that stand out.

    Parameters
    ----------
    rows, columns : numpy.ndarray of int
        Their numbers on the full chip.
    """
    found = []
    for code, name, numbers in (("bad_rows", "rows", rows), ("bad_columns", "columns", columns)):
        if not len(numbers):
            continue
        found.append(
            Doubt(
                code,
                f"{len(numbers)} {name} of the chip ({ranges_text(numbers)}) have a different "
                "level than those beside them, or no noise. Thresholds, intensities and fits are "
                "wrong there. Call find_bad_pixels(run), which masks them, or load a dark.",
                {"n": len(numbers), name: numbers[:100].tolist()},
            )
        )
    return found


def hot_pixels(x: Floats, y: Floats, n_images: int) -> list[Doubt]:
    """Return a doubt for pixels that have a photon far more often than those beside them.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (photons,)
        Positions of the photons of all images, in pixels of the full chip.
    n_images : int
        Number of images.
    """
    if n_images < _LEAST_PER_PIXEL or not len(x):
        return []
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    column, row = column - column.min(), row - row.min()
    n_rows = int(row.max()) + 1
    pixel, counts = np.unique(column * n_rows + row, return_counts=True)
    many = counts >= _LEAST_PER_PIXEL
    if not many.any():
        return []
    pixel, counts = pixel[many], counts[many]
    # The densest row beside it is compared: it is the line at its brightest column.
    in_row = np.pad(np.bincount(row, minlength=n_rows), 3)
    densest = np.lib.stride_tricks.sliding_window_view(in_row, 7).max(axis=1)
    beside = np.maximum(densest[pixel % n_rows] - counts, 1)
    wide = int(column.max()) + 1
    hot = pixel[_poisson_tail(counts, 8.0 * beside / wide) < _CHANCE].tolist()
    if not hot:
        return []
    places = [(one // n_rows + round(x.min()), one % n_rows + round(y.min())) for one in hot]
    shown = ", ".join(map(str, places[:_MOST_NAMED]))
    more = f" and {len(places) - _MOST_NAMED} more" if len(places) > _MOST_NAMED else ""
    return [
        Doubt(
            "hot_pixels",
            f"{len(places)} pixels have hits in far more images than the pixels beside them (x, "
            f"y: {shown}{more}). They are hot pixels. Call find_bad_pixels(run), which masks "
            "them, or load a dark.",
            {"n": len(places), "pixels": places[:100]},
        )
    ]


def _poisson_tail(n: NDArray[np.int64], mean: Floats) -> Floats:
    """Upper bound of the probability of `n` or more (Chernoff)."""
    tail = np.exp(n - mean - n * np.log(n / mean))
    return np.where(n <= mean, 1.0, tail)


def ranges_text(numbers: NDArray[Any]) -> str:
    """Numbers as ranges: ``3, 17-36``."""
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    texts = [f"{p[0]}" if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts]
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return ", ".join(texts[:_MOST_NAMED]) + more
