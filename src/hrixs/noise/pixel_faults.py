"""Rules for bad pixels: stuck, too bright, too dark, too noisy, or on a bad line."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hrixs.noise.core_fit import gaussian_core
from hrixs.noise.straight_lines import odd_lines
from hrixs.utils.statistics import cell_medians, line_medians
from hrixs.utils.typing import Floats

BoolImage = NDArray[np.bool_]

# A pixel with less than this times the usual noise is never noisy; with less than this share of it,
# the pixel has no noise.
_LEAST_FACTOR, _STUCK_FACTOR = 2.0, 0.25
# The pedestal may vary over the chip: a pixel is compared with those of a square of this size, of
# which this share must be usable.
_BLOCK, _LEAST_USABLE = 64, 0.1
# Rows of a part of a block, few enough for the cache.
_ROWS = 16
# This number of equal neighbours in a line is not chance, even in one frame.
_EQUAL_RUN = 16
# Variance of light above that of the noise, for each ADU of light, in units of the noise.
_LIGHT_VARIANCE = 1.5
# A hot pixel is compared with this number of pixels along the line on each side.
_ALONG = 10
# A line with light on a larger share of its pixels is not judged.
_MOST_LIGHT = 0.05
# Pixels around one, along the line and across, which should be raised as often.
_AROUND = (31, 3)
# Largest density of photons / mean density.
_CLOSER = 8.0
# Largest expected number of pixels that are called bad by chance.
_BY_CHANCE = 0.01


def stuck_pixels(noise: Floats, typical: float, n_frames: int, step: float) -> BoolImage:
    """Pixels that change not at all, or too little to be chance.

    Parameters
    ----------
    noise : numpy.ndarray, shape (x, y)
        Noise of each pixel from frame to frame, in ADU.
    typical : float
        Usual noise of the pixels that have noise.
    n_frames : int
        Number of frames.
    step : float
        Step between values, in ADU; 0 for real numbers.
    """
    from scipy.stats import chi2

    free = n_frames - 1
    same = np.asarray(noise == 0)
    if step > 0:
        share = min(1.0, step / (max(typical, 0.1 * step) * np.sqrt(2 * np.pi)))
        if not noise.size * share**free < _BY_CHANCE:
            return np.zeros(noise.shape, dtype=bool)
    if chi2.cdf(_STUCK_FACTOR**2 * free, free) * noise.size < _BY_CHANCE:
        same |= noise < _STUCK_FACTOR * typical
    return same


def flat_runs(image: Floats) -> BoolImage:
    """Pixels in long sequences of one value along x or y, such as bands without a signal."""
    flat = np.zeros(image.shape, dtype=bool)
    for axis in (0, 1):
        values, found = np.moveaxis(image, axis, 0), np.moveaxis(flat, axis, 0)
        length = np.zeros(values.shape[1:], dtype=np.int64)
        for k in range(1, len(values) + 1):
            same = values[k] == values[k - 1] if k < len(values) else np.zeros_like(length, bool)
            ended = ~same & (length + 1 >= _EQUAL_RUN)
            for column in np.flatnonzero(ended):
                found[k - 1 - length[column] : k, column] = True
            length = np.where(same, length + 1, 0)
    return flat


def off_level(
    level: Floats,
    usable: BoolImage,
    n_sigma: float,
    *,
    medians: tuple[Floats, Floats] | None = None,
    threads: int | None = None,
) -> tuple[BoolImage, BoolImage]:
    """Pixels above, and pixels below, those in the square around them.

    Parameters
    ----------
    level : numpy.ndarray, shape (x, y)
        Level of each pixel, in ADU.
    usable : numpy.ndarray of bool, shape (x, y)
        Pixels with which others may be compared.
    n_sigma : float
        Largest deviation, in standard deviations of the levels of usable pixels.
    medians : (numpy.ndarray, numpy.ndarray), optional
        Medians of the lines of usable pixels, from `BadLines`, if known.
    threads : int, optional
        As in `hrixs.find_photons`.
    """
    all_usable = bool(usable.all())
    values = level if all_usable else np.where(usable, level, np.nan)
    excess = _excess(values, medians, threads)
    middle, sigma = gaussian_core(excess if all_usable else excess[usable])
    hot = usable & (excess > middle + n_sigma * sigma)
    dead = usable & (excess < middle - n_sigma * sigma)
    hot[hot] = _stands_out(excess, np.argwhere(hot), n_sigma)
    return hot, dead


def _stands_out(excess: Floats, pixels: NDArray[np.int64], n_sigma: float) -> NDArray[np.bool_]:
    """Whether pixels are far above those on both sides along the line, which have the same light.

    `pixels` has the shape (n, 2).
    """
    reach = np.concatenate([np.arange(-_ALONG, -1), np.arange(2, _ALONG + 1)])
    last = len(excess) - 1
    x = last - np.abs(last - np.abs(pixels[:, :1] + reach))  # mirrored at the edges
    x = np.clip(x, 0, last)
    beside = excess[x, pixels[:, 1:]]
    beside = np.where(np.isnan(beside), 0.0, beside)
    middle = np.median(beside, axis=1, keepdims=True)
    spread = 1.4826 * np.median(np.abs(beside - middle), axis=1)
    return np.asarray(excess[tuple(pixels.T)] - middle[:, 0] > n_sigma * spread)


def _excess(values: Floats, medians: tuple[Floats, Floats] | None, threads: int | None) -> Floats:
    """Level of each pixel relative to the medians of its column, its row and its square."""
    # Halves of the chip, or amplifiers of columns, have different pedestals.
    if medians is None:
        of_y = _where_known(line_medians(values, 0, threads=threads))
        of_x = _where_known(line_medians(values, 1, less=of_y, threads=threads))
    else:
        of_y, of_x = (_where_known(of_lines) for of_lines in medians)
    own, n_usable = cell_medians(
        values, (_BLOCK, _BLOCK), less_of_y=of_y, less_of_x=of_x, threads=threads
    )
    size = np.outer(*(np.minimum(n - np.arange(0, n, _BLOCK), _BLOCK) for n in values.shape))
    few = ~(n_usable > _LEAST_USABLE * size)
    if few.any():
        own[few] = float(np.nanmedian(values - of_y - of_x[:, None]))
    excess = np.empty_like(values, order="C")
    for x in range(0, len(values), _ROWS):
        here = slice(x, x + _ROWS)
        some = values[here] - of_y
        some -= of_x[here, None]
        np.subtract(some, np.repeat(own[x // _BLOCK], _BLOCK)[: values.shape[1]], out=excess[here])
    return excess


def _where_known(medians: Floats) -> Floats:
    return np.where(np.isnan(medians), 0.0, medians)


class BadLines(NamedTuple):
    """Bad lines: of one x (columns) and of one y (rows).

    Attributes
    ----------
    columns, rows : numpy.ndarray of bool, shapes (x,) and (y,)
    medians : (numpy.ndarray, numpy.ndarray), optional
        Medians of the pixels of each y, and of each x after the former are subtracted; only if all
        lines are judged.
    """

    columns: NDArray[np.bool_]
    rows: NDArray[np.bool_]
    medians: tuple[Floats, Floats] | None = None


def bad_lines(
    level: Floats,
    usable: BoolImage,
    is_light: BoolImage,
    noise: float,
    *,
    threads: int | None = None,
) -> BadLines:
    """Rows and columns whose level differs from that of their neighbours."""
    judged = usable & ~is_light
    all_judged = bool(judged.all())
    values = level if all_judged else np.where(judged, level, np.nan)
    found = []
    medians = None
    for axis in (1, 0):
        enough, across = (np.ones(level.shape[k], dtype=bool) for k in (1 - axis, axis))
        if not all_judged:
            enough &= usable.mean(axis=axis) > _LEAST_USABLE
            enough &= is_light.mean(axis=axis) < _MOST_LIGHT
            across &= judged.mean(axis=1 - axis) > _LEAST_USABLE
        here = np.ix_(*((enough, across) if axis == 1 else (across, enough)))
        levels = np.full(len(enough), np.nan)
        if enough.any() and across.any():
            # Differences of the lines across, such as of two halves of the chip, are subtracted.
            all_lines = bool(enough.all() and across.all())
            some = values if all_lines else values[here]
            of_across = line_medians(some, 1 - axis, threads=threads)
            levels[enough] = line_medians(some, axis, less=of_across, threads=threads)
            if axis == 1 and all_lines:
                medians = of_across, levels
        found.append(odd_lines(levels, noise))
    return BadLines(found[0], found[1], medians)


def noise_limit(n_sigma: float, n_frames: int) -> float:
    """Ratio to the usual noise that a good pixel exceeds as rarely as `n_sigma` says."""
    from scipy.stats import chi2, norm

    free = n_frames - 2
    ratio = chi2.isf(norm.sf(n_sigma), free) / chi2.median(free)
    return float(max(np.sqrt(ratio), _LEAST_FACTOR))


def raised_by_light(excess: Floats, noise: Floats, typical: float) -> BoolImage:
    """Pixels whose level is raised by light: their noise is far above that of a pedestal."""
    variance = noise**2 - typical**2
    return np.asarray(variance > _LIGHT_VARIANCE * typical * np.maximum(excess, 0.0))


def raised_too_often(n_times: Floats, n_frames: int) -> BoolImage:
    """Pixels that are raised in more frames than the light around them explains.

    Parameters
    ----------
    n_times : numpy.ndarray, shape (x, y)
        Number of frames in which each pixel is raised.
    n_frames : int
        Number of all frames.
    """
    from scipy.ndimage import uniform_filter
    from scipy.stats import binom

    n_around = _AROUND[0] * _AROUND[1] - 1
    often = n_times >= 2
    around = uniform_filter(n_times, _AROUND, mode="reflect")[often] * (n_around + 1)
    around -= n_times[often]
    # A photon raises several pixels, so the neighbourhood has fewer photons than raised pixels.
    n_known = np.maximum(around / 4, 0.0)
    share = (n_known + 3 * np.sqrt(n_known + 1) + 1) * 4 / (n_around * n_frames)
    chance = binom.sf(n_times[often] - 1, n_frames, np.minimum(share, 1.0))
    often[often] = chance * n_times.size < _BY_CHANCE
    return often


def never_raised_so_often(n_times: NDArray[np.integer], n_frames: int) -> int:
    """Smallest number of frames, at least 2, in which no pixel is raised by chance.

    Photons and tracks, which raise pixels in single frames, are denser in some places.
    """
    from scipy.stats import binom

    share = min(1.0, _CLOSER * np.count_nonzero(n_times == 1) / (n_times.size * n_frames))
    tried = np.arange(2, n_frames + 1)
    never = n_times.size * binom.sf(tried - 1, n_frames, share) < _BY_CHANCE
    return int(tried[np.argmax(never)]) if never.any() else n_frames + 1
