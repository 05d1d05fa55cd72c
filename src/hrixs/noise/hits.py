"""Samples of frames, and all hits in them with what noise and photons are told apart by."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.frames import FRAME_DIMS, Frames, as_dark, as_frames
from hrixs.noise.false_hits import square_maxima
from hrixs.noise.levels import corrected_image, gaussian_core, square_sums
from hrixs.photons.find import find_photons

#: Standard deviations of the squares above which hits are looked at.
LOWEST = 4.0
#: Pixels of a spot, of which the charge is the sum.
SPOT_PIXELS = 16
# A pixel that is the brightest of a hit in this share of the frames, and in more than chance makes
# of the hits around it in the whole frame, is hot.
_MOSTLY = 0.5
_BY_CHANCE = 0.01
_AROUND = (31, 3)
# A spot without another one in so many pixels has no other photon's charge.
_ALONE = 5.0


def subsample(frames: xr.DataArray | ArrayLike | Frames, max_frames: int) -> Frames:
    """At most `max_frames` frames as a stack, evenly spread."""
    if isinstance(frames, xr.DataArray) and frames.ndim == 3 and set(FRAME_DIMS) < set(frames.dims):
        # Before anything is loaded, as the frames may still be in the files.
        (dim,) = set(frames.dims) - set(FRAME_DIMS)
        frames = frames.isel({dim: _evenly(frames.sizes[dim], max_frames)})
    stack = as_frames(frames)
    if len(stack) == 0:
        raise ValueError(f"frames has shape {stack.pixels.shape}, expected at least one frame.")
    pixels = stack.pixels.reshape(-1, *stack.frame_shape)
    return as_frames(pixels[_evenly(len(pixels), max_frames)])


def _evenly(n: int, n_most: int) -> NDArray[np.int64]:
    return np.linspace(0, n - 1, min(n, n_most)).round().astype(np.int64)


def mean_dark(
    dark: xr.DataArray | ArrayLike | None, frames: Frames, max_frames: int
) -> tuple[NDArray[np.floating[Any]] | None, Frames | None]:
    """Dark image to subtract, and the dark frames where there are several."""
    if dark is None:
        return None, None
    stack = as_frames(dark)
    if len(stack) == 0:
        raise ValueError(f"dark has shape {stack.pixels.shape}, expected at least one frame.")
    pixels = stack.pixels.reshape(-1, *stack.frame_shape)
    image = as_dark(pixels.mean(axis=0, dtype=np.float64), frames)
    if len(pixels) < 2:
        return image, None
    return image, as_frames(pixels[_evenly(len(pixels), max_frames)])


def repeating_pixels(
    stack: Frames,
    dark: NDArray[Any] | None,
    mask: NDArray[np.bool_],
    noise: xr.Dataset,
) -> NDArray[np.bool_]:
    """Pixels that are the brightest of a hit more often than the light on their part explains."""
    from scipy.ndimage import uniform_filter
    from scipy.stats import binom

    n_times = np.zeros(stack.frame_shape)
    for number, (level, sigma) in enumerate(_levels(noise)):
        image = corrected_image(stack, number, dark=dark, mask=mask)
        i, j = square_maxima(square_sums(image), level + LOWEST * sigma)
        of_square = np.stack([image[i, j], image[i, j + 1], image[i + 1, j], image[i + 1, j + 1]])
        brightest = np.argmax(of_square, axis=0) if len(i) else i
        np.add.at(n_times, (i + brightest // 2, j + brightest % 2), 1)
    n_around = _AROUND[0] * _AROUND[1] - 1
    around = uniform_filter(n_times, _AROUND, mode="reflect") * (n_around + 1) - n_times
    share = np.minimum((around + 1) / (n_around * len(stack)), 1.0)
    often = n_times >= max(2.0, _MOSTLY * len(stack))
    chance = binom.sf(n_times[often] - 1, len(stack), share[often])
    often[often] = chance * often.size < _BY_CHANCE
    return often


def _levels(noise: xr.Dataset) -> list[tuple[float, float]]:
    return list(
        zip(
            noise["square_level"].values.tolist(),
            noise["square_noise"].values.tolist(),
            strict=True,
        )
    )


def hit_heights(
    stack: Frames, dark: NDArray[Any] | None, mask: NDArray[np.bool_], noise: xr.Dataset
) -> NDArray[np.float64]:
    """Height of each hit's square above its frame's level, of all frames."""
    heights = []
    for number, (level, sigma) in enumerate(_levels(noise)):
        sums = square_sums(corrected_image(stack, number, dark=dark, mask=mask))
        heights.append(sums[square_maxima(sums, level + LOWEST * sigma)] - level)
    return np.concatenate(heights)


def dark_hit_heights(darks: Frames, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The same for dark frames, each less the mean of the others."""
    total = darks.pixels.sum(axis=0, dtype=np.float64)
    heights = []
    for number in range(len(darks)):
        image = corrected_image(darks, number, mask=mask)
        image -= (total - darks.pixels[number]) / (len(darks) - 1)
        sums = square_sums(image)
        level, sigma = gaussian_core(sums)
        heights.append(sums[square_maxima(sums, level + 3.5 * sigma)] - level)
    return np.concatenate(heights)


def spot_charges(
    stack: Frames,
    dark: NDArray[Any] | None,
    mask: NDArray[np.bool_],
    noise: xr.Dataset,
    threshold: float,
    threads: int | None,
) -> tuple[NDArray[np.float64], float, NDArray[np.bool_]]:
    """Charge of each spot above the pedestal, how much that is above the mean, who is alone."""
    if not np.isfinite(threshold):
        return np.empty(0), 0.0, np.empty(0, dtype=bool)
    from scipy.spatial import cKDTree

    photons = find_photons(
        stack, threshold=threshold, dark=dark, mask=mask, max_photons=mask.size, threads=threads
    )
    raised = SPOT_PIXELS * (photons["base"].values - noise["level"].values)
    number = photons["frame"].values
    charge = photons["charge"].values + raised[number]
    # Frames are moved apart along x, so that only spots of one frame are neighbours.
    place = np.column_stack([photons["x"] + number * 4.0 * sum(mask.shape), photons["y"]])
    alone = np.zeros(len(charge), dtype=bool)
    if len(charge) > 1:
        alone = cKDTree(place).query(place, k=2)[0][:, 1] > _ALONE
    return charge, float(np.median(raised)), alone
