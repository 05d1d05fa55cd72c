"""Patterns of the chip in an image: rows, columns, stuck and hot pixels.

They are separated from light in two ways: light has photon noise from frame to frame, and is spread
over neighbouring pixels. The pedestal of a row is the same in all frames, and ends with the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hrixs.curvature.line_levels import LineLevels, line_levels, noise_of
from hrixs.utils.statistics import median_of
from hrixs.utils.typing import Floats

BoolImage = NDArray[np.bool_]

# Number of pixels for the level of a column or part of a row; of columns for the usual level.
_ENOUGH_PIXELS, _SAMPLE = 256, 128
# Number of lines on each side with which a line is compared.
_AROUND = 65
# Smallest significant step between neighbouring lines, in standard deviations of such steps.
_STEP = 6.0
# Largest change of a variance by chance, in standard deviations; relative deviation of one
# variance, and its number of independent pixels.
_CHANGE, _VARIANCE_ERROR = 3.0, 1.5
#: Variance per ADU of light (at least) and of the chip (at most), in units of the noise of a pixel
#: without light.
LIGHT_VARIANCE, NO_VARIANCE = 0.75, 0.1
# Lines without light are among this percentage of the quietest lines.
_DARK_PERCENT = 5.0
# Light has less variance; a line with more is noisy by itself.
_MOST_VARIANCE = 200.0
# Lines with less than this share of the usual variance are stuck.
_STUCK = 1 / 16
# This number of neighbouring pixels that do not change are stuck, unless by chance.
_RUN, _BY_CHANCE = 16, 0.01
_EIGHT_TRUE = np.uint64(0x0101010101010101)
# A hot pixel exceeds its neighbours by this number of deviations; they have less than this share.
_HOT, _HOT_NEIGHBOUR = 8.0, 0.1
# Both halves of the frames of a hot pixel agree within this share.
_STEADY = 0.3
# A track of a cosmic ray has this times the charge of what appears in single frames elsewhere.
_TRACK = 20.0
# A line with this share of deviating pixels is reported; so is a larger share of bad pixels.
_WHOLE, _MANY_BAD = 0.2, 1e-3
# With this share of steps of the chip, each line has its own pedestal.
_EVERY_ROW = 0.2
# A band of rows has two edges: rows between them, and share by which they may differ.
_WIDEST_BAND, _BACK = 24, 0.35
# Numbers of parts of a row that may have different levels, and their smallest number of columns.
_PARTS, _LEAST_PART = 4, 96
# Distance in columns of pixels that share no photon.
_APART = 3


@dataclass(frozen=True)
class ChipLines:
    """An image, separated into light and patterns of the chip.

    Attributes
    ----------
    clean : numpy.ndarray, shape (x, y)
        The image without patterns of the chip, in ADU; NaN at bad pixels. What cannot be
        distinguished from light is left in it.
    image : numpy.ndarray, shape (x, y)
        The image itself.
    bad : numpy.ndarray of bool, shape (x, y)
        Pixels without information: stuck, saturated, hot, noisy, or struck by a cosmic ray.
    noise : float
        Noise of a pixel in one frame, in ADU.
    uneven : bool
        Whether anything was removed from `image`.
    """

    clean: Floats
    image: Floats
    bad: BoolImage
    noise: float
    uneven: bool = True

    @cached_property
    def pattern(self) -> Floats:
        """Pedestal of each pixel relative to most pixels, by its row and column, in ADU."""
        if not self.uneven:
            return np.zeros(self.image.shape)
        pattern = np.asarray(self.image - self.clean)
        np.copyto(pattern, 0.0, where=np.isnan(pattern))
        return pattern

    @property
    def matters(self) -> bool:
        """Whether pedestals could be taken for photons, or pixels are bad."""
        uneven = self.uneven and float(np.ptp(self.pattern)) > 0.5 * self.noise
        return uneven or bool(self.bad.any())

    def remarks(self) -> list[str]:
        """Warnings about the chip, a sentence each."""
        off = self.bad
        if self.uneven:
            off = off | (np.abs(self.pattern) > 0.5 * self.noise)
        elif not off.any():
            return []
        n_rows, n_columns = (int((off.mean(axis) > _WHOLE).sum()) for axis in (0, 1))
        n_pixels = int(self.bad.sum())
        texts = []
        if n_rows or n_columns:
            texts.append(
                f"{n_rows} rows (one y) and {n_columns} columns (one x) of the chip are at another "
                "level than most, which is no light, or stuck; the curvature was fitted without "
                "that. A new dark (load_dark), or find_bad_pixels, cures it for spectra, too."
            )
        elif n_pixels > _MANY_BAD * self.bad.size:
            texts.append(
                f"{n_pixels} pixels are hot, stuck or struck by cosmic rays, and were left out of "
                "the fit. find_bad_pixels masks them."
            )
        return texts


def chip_lines(
    mean: Floats, difference: Floats, n_images: int, *, threads: int | None = None
) -> ChipLines:
    """Find the patterns of the chip in the mean of frames.

    Parameters
    ----------
    mean : numpy.ndarray, shape (x, y)
        Mean of frames, minus a dark if there is one, in ADU; NaN at masked pixels.
    difference : numpy.ndarray, shape (x, y)
        Difference of its halves, from `hrixs.camera.half_means.HalfMeans`, or `along_rows`.
    n_images : int
        Number of frames; 1 if the difference is not one of frames.
    threads : int, optional
        As in `hrixs.find_photons`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.curvature.chip_lines import chip_lines
    >>> rng = np.random.default_rng(1)
    >>> mean, difference = rng.normal(100, 1, (200, 80)), rng.normal(0, 2, (200, 80))
    >>> mean[:, 30:33] += 8
    >>> np.flatnonzero(chip_lines(mean, difference, 4).pattern[0] > 4)
    array([30, 31, 32])
    """
    bad = _stuck_runs(difference)
    found = line_levels(mean, difference, bad, threads)
    noisy = n_images > 1
    bad |= _dead_or_noisy(found, noisy)
    rows = _pedestals(found)
    clean = mean - rows
    of_parts = _subtract_parts(clean, difference, bad, threads)
    every = slice(None, None, max(1, mean.shape[1] // _ENOUGH_PIXELS))
    found = line_levels(clean[:, every].T, difference[:, every].T, bad[:, every].T, threads)
    bad |= _dead_or_noisy(found, noisy)[:, None]
    columns = _pedestals(found)
    if columns.any():
        clean -= columns[:, None]
    np.copyto(clean, np.nan, where=bad)
    hot = _hot_pixels(clean, difference, n_images)
    bad |= hot
    np.copyto(clean, np.nan, where=hot)
    uneven = bool(rows.any() or columns.any()) or of_parts
    return ChipLines(clean, mean, bad, noise_of(found), uneven)


def along_rows(image: Floats) -> Floats:
    """Difference of pixels along each row, used if there is only one frame."""
    other = np.roll(image, -_APART, axis=0)
    other[-_APART:] = image[-2 * _APART : -_APART]
    return np.asarray((image - other) / np.sqrt(2))


def row_levels(image: Floats) -> Floats:
    """Level of each row without strong light, in ADU; 0 if unknown.

    If a line covers most columns of a row, the level is that of the line.
    """
    level = line_levels(image, np.zeros_like(image), ~np.isfinite(image)).level
    return np.asarray(np.nan_to_num(level - np.nanmedian(level)))


def _stuck_runs(difference: Floats) -> BoolImage:
    """Pixels in sequences along x or y that do not change at all."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    still = difference == 0
    share = np.count_nonzero(still) / max(still.size, 1)
    found = np.zeros(still.shape, dtype=bool)
    if not 0 < share < 1:
        return found
    for axis in (0, 1):
        # As in every run.
        if not _has_stretch(still, axis) or _by_chance(still):
            continue
        within = minimum_filter1d(still.view(np.uint8), _RUN, axis, mode="constant")
        # Filters of even size are one pixel wider on one side.
        found |= maximum_filter1d(within, _RUN, axis, origin=-1).astype(bool)
    return found


def _has_stretch(still: BoolImage, axis: int) -> bool:
    """Whether half of a sequence begins at a multiple of its length along an axis."""
    half = _RUN // 2
    n_half = still.shape[axis] // half
    if still.shape[1] % half or still.dtype.itemsize * half != np.dtype(np.uint64).itemsize:
        lines = np.moveaxis(still, axis, 0)
        return bool(lines[: n_half * half].reshape(n_half, half, -1).all(axis=1).any())
    eights = still.view(np.uint64)  # all True where each byte is 1
    if axis == 0:
        eights = eights[: n_half * half].reshape(n_half, half, eights.shape[1])
        eights = np.bitwise_and.reduce(eights, axis=1)
        return bool(eights.any())
    return bool((eights == _EIGHT_TRUE).any())


def _by_chance(still: BoolImage) -> bool:
    """Whether so many pixels do not change that sequences of them mean nothing."""
    usual = float(np.median(still.mean(axis=0)))
    return usual**_RUN * still.size > _BY_CHANCE


def _dead_or_noisy(lines: LineLevels, noisy: bool) -> NDArray[np.bool_]:
    """Lines that do not change, and with `noisy` also lines that change without light."""
    level, variance = lines.level, lines.variance
    usual = noise_of(lines) ** 2
    if not usual > 0:
        return np.zeros(len(variance), dtype=bool)
    bad = np.asarray(np.nan_to_num(variance, nan=usual) < _STUCK * usual)
    if noisy:
        excess = np.nan_to_num(variance - _around(variance))
        above = np.nan_to_num(level - _around(level))
        above = np.maximum(above, 0.0) + 4 * 1.4826 * float(np.median(np.abs(above)))
        bad |= (excess > 3 * usual) & (excess > _MOST_VARIANCE * np.sqrt(usual) * above)
    return bad


def _subtract_parts(clean: Floats, difference: Floats, bad: BoolImage, threads: int | None) -> bool:
    """Subtract pedestals of parts of the rows, such as amplifiers of the chip, if there are any."""
    found = False
    n_parts = min(_PARTS, len(clean) // _LEAST_PART)
    for k in range(n_parts if n_parts > 1 else 0):
        own = slice(k * len(clean) // n_parts, (k + 1) * len(clean) // n_parts)
        some = slice(own.start, own.stop, max(1, (own.stop - own.start) // _ENOUGH_PIXELS))
        pedestals = _pedestals(line_levels(clean[some], difference[some], bad[some], threads))
        if pedestals.any():
            found = True
            clean[own] -= pedestals
    return found


def _pedestals(lines: LineLevels) -> Floats:
    """Pedestal of each line relative to most lines, from steps that light cannot make."""
    level, variance = lines.level, lines.variance
    known = np.flatnonzero(np.isfinite(level) & np.isfinite(variance))
    pedestal = np.zeros(len(level))
    if len(known) < 8:
        return pedestal
    steps, changes = np.diff(level[known]), np.diff(variance[known])
    chance = np.sqrt(2) * float(np.median(lines.error[known]))
    spread = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    spread = float(np.clip(spread, chance, 2 * chance))  # more where each row has its pedestal
    noise = float(np.sqrt(np.percentile(variance[known], _DARK_PERCENT)))
    scatter = np.fmax(
        1.4826 * float(np.median(np.abs(changes))),
        _VARIANCE_ERROR
        * (variance[known][1:] + variance[known][:-1])
        / np.sqrt(lines.n_pixels[known][1:]),
    )
    # If the level falls, light becomes less noisy.
    more = changes * np.sign(steps)
    least = LIGHT_VARIANCE * noise * np.abs(steps)
    of_chip = (np.abs(steps) > _STEP * spread) & (more + _CHANGE * scatter < least)
    of_chip &= more < np.fmax(_CHANGE * scatter, NO_VARIANCE * noise * np.abs(steps))
    of_chip |= _other_edges(steps, np.abs(steps) > _STEP * spread, of_chip)
    if not of_chip.any():
        return pedestal
    if of_chip.mean() > _EVERY_ROW:
        at = np.arange(len(level), dtype=np.float64)
        return np.asarray(np.interp(at, known, level[known]) - np.median(level[known]))
    total = np.concatenate([[0.0], np.cumsum(np.where(of_chip, steps, 0.0))])
    at = np.arange(len(level), dtype=np.float64)
    nearest = np.abs(at[:, None] - known).argmin(axis=1) if len(known) < len(level) else slice(None)
    pedestal = total[nearest]
    return np.asarray(pedestal - np.median(pedestal))


def _other_edges(
    steps: Floats, large: NDArray[np.bool_], of_chip: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Steps back to the level before a step of the chip; light may be on one side."""
    found = np.zeros(len(steps), dtype=bool)
    for edge in np.flatnonzero(large & ~of_chip):
        near = slice(max(0, edge - _WIDEST_BAND), edge + _WIDEST_BAND + 1)
        others = steps[near][of_chip[near]]
        found[edge] = (np.abs(others + steps[edge]) < _BACK * np.abs(others)).any()
    return found


def _around(values: Floats) -> Floats:
    """Running median of neighbouring lines; NaN is ignored."""
    from scipy.ndimage import median_filter

    known = np.isfinite(values)
    if not known.any():
        return values
    at = np.arange(len(values), dtype=np.float64)
    filled = np.interp(at, at[known], values[known])
    return np.asarray(median_filter(filled, min(_AROUND, len(values) // 2 * 2 + 1), mode="nearest"))


def _hot_pixels(clean: Floats, difference: Floats, n_images: int) -> BoolImage:
    """Pixels brighter than light can be: single ones, in all frames, or far brighter in one."""
    hot = np.zeros(clean.shape, dtype=bool)
    some = clean[:: max(1, len(clean) // _SAMPLE)]
    some = some[np.isfinite(some)]
    if not some.size:
        return hot
    middle = median_of(some)
    spread = 1.4826 * median_of(np.abs(some - middle))
    with np.errstate(invalid="ignore"):
        x, y = np.divmod(np.flatnonzero(clean > middle + _HOT * spread), clean.shape[1])
    if not len(x):
        return hot
    height = clean[x, y] - middle
    nx, ny = clean.shape
    beside = np.stack(
        [
            clean[np.clip(x + dx, 0, nx - 1), np.clip(y + dy, 0, ny - 1)]
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1))
        ]
    )
    inside = np.stack([x > 0, x < nx - 1, y > 0, y < ny - 1])
    beside = np.where(np.isfinite(beside) & inside, beside - middle, 0.0).max(axis=0)
    alone = beside < np.maximum(_HOT_NEIGHBOUR * height, 3 * spread)
    # The charge in one frame, if it came in a single frame.
    own = np.abs(difference[x, y])
    once = own > 0.8 * height * np.sqrt(n_images)
    steady = own < _STEADY * height * np.sqrt(n_images)
    found = alone & steady
    charge = own**2 / height
    if once.sum() > 8:
        found |= once & (charge > _TRACK * np.median(charge[once]))
    hot[x[found], y[found]] = True
    return hot
