"""Noise of frames and pixels, measured in frames that may have photons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import ValueCounts, count_frames, pixel_statistics
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.noise.core_fit import cores_of
from hrixs.utils.provenance import provenance

# Values further than this from the median of a pixel are photons.
_CLIP = 5.0
# Number of rows for the usual noise of pixels.
_SAMPLE_ROWS = 64


def frame_noise(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Measure the noise over the pixels of each frame, without photons.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack; any real dtype.
    dark : array_like, shape (x, y), optional
        Subtracted first, in ADU. Without it, different pedestals of pixels are part of the noise.
    mask : array_like of bool, shape (x, y), optional
        True for bad pixels.
    threads : int, optional
        As in `hrixs.find_photons`.

    Returns
    -------
    xarray.Dataset
        Over dim ``frames``, in ADU: ``level`` and ``noise`` of the pixels, ``square_level`` and
        ``square_noise`` of the sums of the 2x2 squares, which `hrixs.find_photons` compares with
        its threshold.

    Raises
    ------
    NonFinitePixelsError, TypeError, ValueError
        For NaN or inf pixels that are not masked, an unreadable dtype, or wrong shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.levels import frame_noise
    >>> frame = np.random.default_rng(1).normal(100, 2, (128, 128))
    >>> noise = frame_noise(frame)
    >>> float(noise.noise[0].round(1)), float(noise.square_noise[0].round())
    (2.0, 4.0)
    """
    stack = as_frames(frames)
    counts = count_frames(
        stack, dark=as_dark(dark, stack), mask=as_mask(mask, stack, usable=False), threads=threads
    )
    return noise_of_counts(*counts, dark_subtracted=dark is not None)


def noise_of_counts(
    pixels: ValueCounts, squares: ValueCounts, *, dark_subtracted: bool
) -> xr.Dataset:
    """The same for frames that were counted before."""
    columns = [column for values in (pixels, squares) for column in cores_of(values)]
    names = ("level", "noise", "square_level", "square_noise")
    table = {
        n: ("frames", column, {"units": "ADU"}) for n, column in zip(names, columns, strict=True)
    }
    return xr.Dataset(table, attrs=provenance("frame_noise", dark_subtracted=dark_subtracted))


def pixel_noise(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
) -> xr.DataArray:
    """Measure the noise of each pixel over the frames, without photons.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        At least three frames; about ten or more give a useful map.
    mask : array_like of bool, shape (x, y), optional
        True for bad pixels.
    threads : int, optional
        As in `hrixs.find_photons`.

    Returns
    -------
    xarray.DataArray
        Standard deviation of each pixel in ADU, dims ``(x, y)``; NaN for masked pixels. The
        relative error for n frames is ``1 / sqrt(2 (n - 1))``.

    Raises
    ------
    TypeError, ValueError
        For an unreadable dtype, fewer than three frames, or wrong shapes.

    Notes
    -----
    Values more than 5 standard deviations from the median of the pixel are left out. This standard
    deviation is computed from the values below the median, which photons do not change, and is at
    least that of most pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.levels import pixel_noise
    >>> frames = np.random.default_rng(1).normal(100, 2, (40, 16, 16))
    >>> frames[3, 5, 5] += 90
    >>> float(pixel_noise(frames).mean().round(1))
    2.0
    """
    stack = as_frames(frames)
    if len(stack) < 3:
        raise ValueError(
            f"{len(stack)} frames given, expected at least 3: the noise of a pixel is its scatter "
            f"from frame to frame."
        )
    stack = as_frames(stack.pixels.reshape(-1, *stack.frame_shape))
    bad = as_mask(mask, stack, usable=False)
    found = pixel_statistics(
        stack,
        n_sigma=_CLIP,
        least_noise=typical_noise(stack, bad, threads),
        medians=False,
        threads=threads,
    )
    noise = found.noise
    assert noise is not None
    if bad is not None:
        noise[bad != 0] = np.nan
    return xr.DataArray(
        noise,
        dims=("x", "y"),
        name="pixel_noise",
        attrs=provenance("pixel_noise", n_frames=len(stack))
        | {"units": "ADU", "long_name": "noise of a pixel from frame to frame"},
    )


def typical_noise(frames: Frames, bad: NDArray[Any] | None, threads: int | None = None) -> float:
    """Usual noise of pixels from frame to frame, in ADU, from values below their medians.

    Parameters
    ----------
    frames : Frames
        At least three, of three dimensions.
    bad : numpy.ndarray, shape (x, y), or None
        Not 0 for masked pixels.
    """
    step = max(1, frames.frame_shape[0] // _SAMPLE_ROWS)
    rows = replace(frames, pixels=frames.pixels[:, ::step])
    usable = bad[::step] == 0 if bad is not None else np.ones(rows.frame_shape, dtype=bool)
    # No value is left out: this is the deviation of pixels without light.
    found = pixel_statistics(rows, n_sigma=1e9, least_noise=1.0, medians=False, threads=threads)
    noise = found.noise
    assert noise is not None
    # Pixels that never change have no noise.
    known = noise[usable & (noise > 0)]
    return float(np.median(known)) if known.size else 0.0
