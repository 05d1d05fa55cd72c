"""Level of each row of an image without its strong light, and noise of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.threads import map_in_threads
from hrixs.utils.typing import Floats

BoolImage = NDArray[np.bool_]
_Block: TypeAlias = tuple[slice, slice]

# Number of pixels of a row for its level, and for the first estimate.
_MOST_PIXELS, _SAMPLE = 512, 128
# Pixels further than this from the level of their line are light, in standard deviations.
_CLIP = 3.0
# Number of lines that are processed together.
_BLOCK = 64


@dataclass(frozen=True)
class LineLevels:
    """Level of each row with its error, and the variance of a pixel's noise in it."""

    level: Floats
    error: Floats
    variance: Floats
    n_pixels: Floats


def line_levels(
    mean: Floats, difference: Floats, bad: BoolImage, threads: int | None = None
) -> LineLevels:
    """Levels of the rows of an image, without their strong light.

    Parameters
    ----------
    mean, difference : numpy.ndarray, shape (x, y)
        As in `hrixs.curvature.chip_lines.chip_lines`.
    bad : numpy.ndarray of bool, shape (x, y)
        Pixels that are ignored.
    threads : int, optional
        As in `hrixs.find_photons`.
    """
    every = slice(None, None, max(1, len(mean) // _MOST_PIXELS))
    mean, difference, bad = mean[every], difference[every], bad[every]
    sample = slice(None, None, max(1, len(mean) // _SAMPLE))
    # Some lines at a time, so that they stay in the cache.
    blocks = [np.s_[:, at : at + _BLOCK] for at in range(0, mean.shape[1], _BLOCK)]

    def begins(block: _Block) -> tuple[Floats, Floats]:
        some = np.where(_usable(mean, difference, bad, block)[sample], mean[block][sample], np.nan)
        middle = _medians(some)
        return middle, 1.4826 * _medians(np.abs(some - middle))

    middle, spread = _side_by_side(map_in_threads(begins, blocks, threads))
    if not np.isfinite(spread).any():
        return LineLevels(middle, middle, middle, np.zeros(len(middle)))
    spread = np.fmax(spread, np.nanmedian(spread))

    def sums(block: _Block) -> tuple[Floats, Floats, Floats]:
        distance = mean[block] - middle[block[1]]
        kept = np.abs(distance) <= _CLIP * spread[block[1]]
        kept &= _usable(mean, difference, bad, block)
        n = kept.sum(axis=0)
        n_safe = np.maximum(n, 1)
        level = middle[block[1]] + np.where(kept, distance, 0.0).sum(axis=0) / n_safe
        moved = np.where(kept, difference[block], 0.0)
        common = moved.sum(axis=0) / n_safe  # of the row in a frame: no noise of its pixels
        variance = np.square(moved, out=moved).sum(axis=0) / n_safe - common**2
        few = n < 8
        level[few] = variance[few] = np.nan
        return level, variance, n_safe.astype(np.float64)

    level, variance, n_pixels = _side_by_side(map_in_threads(sums, blocks, threads))
    return LineLevels(level, spread / np.sqrt(n_pixels), variance, n_pixels)


def _usable(mean: Floats, difference: Floats, bad: BoolImage, block: _Block) -> BoolImage:
    usable = np.isfinite(mean[block])
    usable &= np.isfinite(difference[block])
    usable &= ~bad[block]
    return usable


def _side_by_side(blocks: Sequence[tuple[Floats, ...]]) -> tuple[Floats, ...]:
    """Join the results of all blocks of lines."""
    return tuple(np.concatenate(one) for one in zip(*blocks, strict=True))


def noise_of(lines: LineLevels) -> float:
    """Noise of a pixel on most lines, in ADU."""
    known = lines.variance[np.isfinite(lines.variance)]
    return float(np.sqrt(np.median(known))) if known.size else 0.0


def _medians(values: Floats) -> Floats:
    """Median of each column of an array without NaN; NaN if there is nothing else."""
    ordered = np.ascontiguousarray(values.T)  # sorting goes fast along what lies together
    ordered.sort(axis=1)  # NaN last
    n = np.isfinite(ordered).sum(axis=1)
    at = np.arange(len(ordered))
    last = np.maximum(n - 1, 0)
    return np.asarray((ordered[at, last // 2] + ordered[at, np.minimum(n // 2, last)]) / 2)
