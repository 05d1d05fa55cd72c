"""A threshold by the noise of each frame, and parts of the chip with a different level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.counts import count_frames
from hrixs.camera.frames import Frames, as_frames
from hrixs.camera.sampled_lines import sampled_lines
from hrixs.doubt_rules.chip import LOUD, lines_that_stand_out, quantiles
from hrixs.doubt_rules.steps import steps_of_level
from hrixs.utils.typing import Floats

# Number of frames, and of pixels of each row and column, that are used.
_FRAMES, _PIXELS = 4, 32


def uneven_level(
    frames: Frames,
    dark: NDArray[Any] | None,
    mask: NDArray[np.uint8] | None,
    threads: int | None = None,
) -> NDArray[np.float64] | None:
    """Find rows and columns whose level differs from that of the frame.

    Parameters
    ----------
    frames : Frames
        Frames, of which the first few are used.
    dark, mask : numpy.ndarray, shape (x, y), optional
        As from `hrixs.camera.as_dark` and `as_mask`.
    threads : int, optional

    Returns
    -------
    numpy.ndarray, shape (x, y), or None
        Level to subtract like a dark, in ADU; None if there is only one level.
    """
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)[:_FRAMES]
    if not len(pixels):
        return None
    counts, _ = count_frames(
        as_frames(pixels), dark=dark, mask=mask, squares=False, threads=threads
    )
    usable = counts.noise > 0
    if not usable.any():
        return None
    noise = noise_beside(pixels[usable])
    level = counts.median[usable]
    uneven: NDArray[np.float64] | None = None
    for axis in (1, 0):  # rows first
        camera = {"dark": with_uneven(dark, uneven), "mask": mask}
        lines = [
            sampled_lines(image, axis, _PIXELS, own_level, camera)
            for image, own_level in zip(pixels[usable], level, strict=True)
        ]
        profile = _profile(np.concatenate(lines), noise)
        if profile is not None:
            own = profile[None, :] if axis == 1 else profile[:, None]
            uneven = (np.zeros(frames.frame_shape) if uneven is None else uneven) + own
    return uneven


def with_uneven(
    dark: NDArray[Any] | None, uneven: NDArray[np.float64] | None
) -> NDArray[Any] | None:
    """A dark that also removes an uneven level."""
    if dark is None or uneven is None:
        return uneven if dark is None else dark
    return np.asarray(dark + uneven)


def _profile(sample: Floats, noise: float) -> Floats | None:
    """Level of each line without light; None if all are equal."""
    known = quantiles(sample)
    steps = steps_of_level(sample, noise, known)[0]
    if not len(steps) and not len(lines_that_stand_out(sample, noise, known)):
        return None
    _, lower, middle, upper, _ = known
    quiet = np.isfinite(middle) & ((upper - lower) / 1.349 < LOUD * noise)
    usual = float(np.median(middle[quiet]))
    # A line with light, or a masked one, takes the value of the nearest line without.
    numbers = np.arange(len(middle))
    before = np.maximum.accumulate(np.where(quiet, numbers, -1))
    after = np.minimum.accumulate(np.where(quiet, numbers, 2 * len(numbers))[::-1])[::-1]
    nearest = np.where((before >= 0) & (numbers - before <= after - numbers), before, after)
    off = middle[np.clip(nearest, 0, len(middle) - 1)] - usual
    # Small differences are noise of the median.
    return np.where(np.abs(off) > noise, off, 0.0)


def noise_beside(pixels: NDArray[np.number]) -> float:
    """Noise of a pixel in frames, shape (n, x, y), from its neighbours: steps do not change it."""
    few = pixels[:, :: max(1, pixels.shape[1] // _PIXELS)]
    if few.dtype.kind in "iu" and few.dtype.itemsize < 4:
        # Whole numbers are counted, which is faster than sorting.
        return _noise(_median_of_whole(np.abs(np.diff(few.astype(np.int32), axis=2)).ravel()))
    difference = np.abs(np.diff(few.astype(np.float64), axis=2))
    return noise_of_differences(difference[np.isfinite(difference)])


def noise_of_differences(differences: Floats) -> float:
    """Noise of a pixel from absolute differences of neighbours; few of them are from light."""
    return _noise(float(np.median(differences)))


def _noise(middle: float) -> float:
    """Gaussian noise whose differences have this median."""
    return middle / 0.6745 / float(np.sqrt(2))


def _median_of_whole(values: NDArray[np.integer[Any]]) -> float:
    """Median of whole numbers from 0 on; NaN if there are none."""
    if not values.size:
        return float("nan")
    below = np.cumsum(np.bincount(values))
    middle = [(values.size - 1) // 2, values.size // 2]
    return float(np.searchsorted(below, middle, side="right").mean())
