"""Samples of frames, and all hits in them with values that separate noise from photons."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import SquareMaxima, square_maxima
from hrixs.camera.dark import DarkImage, DarkMean
from hrixs.camera.frames import FRAME_DIMS, Frames, as_dark, as_frames, as_mask
from hrixs.noise.levels import frame_noise
from hrixs.photons.find import find_photons

BoolImage = NDArray[np.bool_]

#: Threshold for these hits, in standard deviations of the squares.
LOWEST = 4.0
# The same for dark frames.
_LOWEST_OF_DARKS = 3.5
#: Number of pixels in a spot, whose sum is the charge.
SPOT_PIXELS = 16
# A pixel is hot if it is the brightest of a hit in this share of the frames, and more often than
# the hits around it explain by chance.
_MOSTLY = 0.5
_BY_CHANCE = 0.01
_AROUND = (31, 3)
# A spot without another one within the first distance (pixels) has no charge of other photons;
# within the second one, spots share pixels.
_ALONE, _OVERLAPS = 5.0, 4.0
# A spot with this times the usual charge of isolated spots is not a photon.
_BRIGHT = 3.5


def subsample(
    frames: xr.DataArray | ArrayLike | Frames, max_frames: int
) -> tuple[Frames, NDArray[np.int64]]:
    """At most `max_frames` frames as a stack, evenly distributed, and their numbers."""
    numbers = None
    if isinstance(frames, xr.DataArray) and frames.ndim == 3 and set(FRAME_DIMS) < set(frames.dims):
        # Before frames are loaded, because they may still be in the files.
        (dim,) = set(frames.dims) - set(FRAME_DIMS)
        numbers = _evenly(frames.sizes[dim], max_frames)
        if len(numbers) < frames.sizes[dim]:
            frames = frames.isel({dim: numbers})
    stack = as_frames(frames)
    if len(stack) == 0:
        raise ValueError(f"frames has shape {stack.pixels.shape}, expected at least one frame.")
    pixels = stack.pixels.reshape(-1, *stack.frame_shape)
    chosen = _evenly(len(pixels), max_frames)
    if len(chosen) < len(pixels):
        pixels = pixels[chosen]
    return as_frames(pixels), chosen if numbers is None else numbers[chosen]


def _evenly(n: int, n_most: int) -> NDArray[np.int64]:
    return np.linspace(0, n - 1, min(n, n_most)).round().astype(np.int64)


def mean_dark(
    dark: xr.DataArray | ArrayLike | None,
    frames: Frames,
    max_frames: int,
    threads: int | None = None,
) -> tuple[NDArray[np.floating[Any]] | None, Frames | None, DarkImage | None]:
    """Dark image to subtract; for several dark frames also the good ones, and those left out."""
    if dark is None:
        return None, None, None
    stack = as_frames(dark)
    if len(stack) == 0:
        raise ValueError(f"dark has shape {stack.pixels.shape}, expected at least one frame.")
    pixels = stack.pixels.reshape(-1, *stack.frame_shape)
    if len(pixels) < 2:
        return as_dark(pixels[0].astype(np.float64), frames), None, None
    mean = DarkMean(threads=threads)
    mean.add(pixels)
    found = mean.result()
    good = np.setdiff1d(np.arange(len(pixels)), list(found.left_out))
    few = as_frames(pixels[good[_evenly(len(good), max_frames)]])
    return as_dark(found.image, frames), few, found


def repeating_pixels(hits: SquareMaxima, n_frames: int, shape: tuple[int, int]) -> BoolImage:
    """Pixels that are the brightest of a hit more often than the light around them explains."""
    from scipy.ndimage import uniform_filter
    from scipy.stats import binom

    n_times = np.zeros(shape)
    np.add.at(n_times, (hits.brightest_x, hits.brightest_y), 1)
    often = n_times >= max(2.0, _MOSTLY * n_frames)
    if not often.any():
        return often
    n_around = _AROUND[0] * _AROUND[1] - 1
    around = uniform_filter(n_times, _AROUND, mode="reflect")[often] * (n_around + 1)
    around -= n_times[often]
    share = np.minimum((around + 1) / (n_around * n_frames), 1.0)
    chance = binom.sf(n_times[often] - 1, n_frames, share)
    often[often] = chance * often.size < _BY_CHANCE
    return often


def hits_above_noise(
    stack: Frames,
    dark: NDArray[Any] | None,
    mask: BoolImage,
    noise: xr.Dataset,
    threads: int | None,
) -> SquareMaxima:
    """All hits above four standard deviations of the 2x2 squares of their frame."""
    least = noise["square_level"].values + LOWEST * noise["square_noise"].values
    bad = as_mask(mask, stack, usable=False)
    return square_maxima(stack, least, dark=dark, mask=bad, threads=threads)


def heights_of(hits: SquareMaxima, noise: xr.Dataset) -> NDArray[np.float64]:
    """Height of the square of each hit above the level of its frame."""
    return np.asarray(hits.height - noise["square_level"].values[hits.frame])


def dark_hit_heights(
    darks: Frames, mask: BoolImage, threads: int | None = None
) -> NDArray[np.float64]:
    """The same for dark frames, each minus the mean of the others."""
    mean = DarkMean(threads=threads)
    mean.add(darks.pixels)
    image = mean.result().image
    noise = frame_noise(darks, dark=image, mask=mask, threads=threads)
    least = noise["square_level"].values + _LOWEST_OF_DARKS * noise["square_noise"].values
    hits = square_maxima(
        darks, least, dark=image, mask=as_mask(mask, darks, usable=False), threads=threads
    )
    # The frame is part of the mean, which so contains a part of the hit.
    return heights_of(hits, noise) * len(darks) / (len(darks) - 1)


def spot_charges(
    stack: Frames,
    dark: NDArray[Any] | None,
    mask: NDArray[np.bool_],
    noise: xr.Dataset,
    threshold: float,
    threads: int | None,
) -> tuple[NDArray[np.float64], float, NDArray[np.bool_], float]:
    """Charge of each spot above the pedestal and above the mean, and mask of isolated spots.

    The last value is the share of spots that overlap with another one.
    """
    if not np.isfinite(threshold):
        return np.empty(0), 0.0, np.empty(0, dtype=bool), 0.0
    from scipy.spatial import cKDTree

    photons = find_photons(
        stack, threshold=threshold, dark=dark, mask=mask, max_photons=mask.size, threads=threads
    )
    raised = SPOT_PIXELS * (photons["base"].values - noise["level"].values)
    number = photons["frame"].values
    charge = photons["charge"].values + raised[number]
    # Frames are shifted along x, so that only spots of one frame are neighbours.
    place = np.column_stack([photons["x"] + number * 4.0 * sum(mask.shape), photons["y"]])
    nearest = np.full(len(charge), np.inf)
    if len(charge) > 1:
        nearest = cKDTree(place).query(place, k=2)[0][:, 1]
    alone = nearest > _ALONE
    # Spots along the track of a cosmic ray overlap, but are not photons.
    usual = charge[alone] if alone.any() else charge
    photons_like = charge < _BRIGHT * (np.median(usual) if usual.size else 0.0)
    overlapping = float(np.mean(nearest[photons_like] < _OVERLAPS)) if photons_like.any() else 0.0
    return charge, float(np.median(raised)), alone, overlapping
