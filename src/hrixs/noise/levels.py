"""Noise of frames and of pixels, measured beside the photons that are in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.utils.errors import NonFinitePixelsError
from hrixs.utils.likelihood import most_likely
from hrixs.utils.provenance import provenance
from hrixs.utils.typing import Floats

# The part of a distribution that is fitted, in standard deviations from its middle. Photons only
# add charge: what lies below the middle, and a little above it, is noise.
_FIT_LOW, _FIT_HIGH = 4.5, 1.0
# Values of one pixel further than this from its middle are photons.
_CLIP = 5.0
_ROWS_AT_A_TIME = 64


def gaussian_core(values: ArrayLike) -> tuple[float, float]:
    """Centre and width of the noise in values of which some are raised by photons.

    Parameters
    ----------
    values : array_like
        Pixels of a frame, or sums of its squares, in ADU; NaN is left out.

    Returns
    -------
    mean, sigma : float
        Of the noise before it was rounded to whole ADU, where the values are whole.

    Raises
    ------
    ValueError
        If fewer than 16 values are finite.

    Notes
    -----
    A Gaussian is fitted to the histogram from 4.5 standard deviations below its middle to one
    above, by the likelihood of the counts, with the probability of each bin as an integral. A noise
    of 1.5 ADU in whole ADU is so measured to a permille, where a median or its deviation could
    only be a whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.levels import gaussian_core
    >>> values = np.rint(np.random.default_rng(1).normal(100.3, 1.5, 100_000))
    >>> values[:2000] += 60
    >>> mean, sigma = gaussian_core(values)
    >>> round(mean, 1), round(sigma, 1)
    (100.3, 1.5)
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(flat).all():
        flat = flat[np.isfinite(flat)]
    if flat.size < 16:
        raise ValueError(f"{flat.size} finite values given, expected at least 16.")
    counts, edges = _core_histogram(flat)
    if np.count_nonzero(counts) < 2:
        return float(np.median(flat)), 0.0
    below = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    mean = float(np.interp(0.5, below, edges))
    sigma = mean - float(np.interp(0.1587, below, edges))
    for _ in range(2):
        mean, sigma = _fit_core(counts, edges, mean, sigma)
    return mean, sigma


def frame_noise(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
) -> xr.Dataset:
    """Measure the noise over the pixels of each frame, photons left out.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack; any real dtype.
    dark : array_like, shape (x, y), optional
        Subtracted first, in ADU. Without it the pixels' different pedestals are part of the noise.
    mask : array_like of bool, shape (x, y), optional
        True where a pixel is bad.

    Returns
    -------
    xarray.Dataset
        Over dim ``frames``, in ADU: ``level`` and ``noise`` of the pixels, ``square_level`` and
        ``square_noise`` of the sums of the 2x2 squares, on which `hrixs.find_photons` sets its
        threshold.

    Raises
    ------
    NonFinitePixelsError, TypeError, ValueError
        NaN or inf pixels that are not masked; unreadable dtype; wrong shapes.

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
    rows = []
    for number in range(len(stack)):
        image = corrected_image(stack, number, dark=dark, mask=mask)
        rows.append((*gaussian_core(image), *gaussian_core(square_sums(image))))
    columns = np.asarray(rows, dtype=np.float64).reshape(-1, 4).T
    names = ("level", "noise", "square_level", "square_noise")
    table = {
        n: ("frames", column, {"units": "ADU"}) for n, column in zip(names, columns, strict=True)
    }
    return xr.Dataset(table, attrs=provenance("frame_noise", dark_subtracted=dark is not None))


def pixel_noise(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    mask: xr.DataArray | ArrayLike | None = None,
) -> xr.DataArray:
    """Measure the noise of each pixel over the frames, photons left out.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        At least three frames; some ten or more give a map worth looking at.
    mask : array_like of bool, shape (x, y), optional
        True where a pixel is bad.

    Returns
    -------
    xarray.DataArray
        Standard deviation of each pixel in ADU, dims ``(x, y)``; NaN where masked. From n frames
        it is uncertain by a fraction of ``1 / sqrt(2 (n - 1))``.

    Raises
    ------
    TypeError, ValueError
        Unreadable dtype; fewer than three frames, or wrong shapes.

    Notes
    -----
    Values more than 5 standard deviations from the pixel's median are left out. That standard
    deviation is taken from the values below the median, to which no photon adds, and is at least
    the one of most pixels.

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
            f"{len(stack)} frames given, expected at least 3: the noise of a pixel is how it "
            "differs from frame to frame."
        )
    nx, ny = stack.frame_shape
    pixels = stack.pixels.reshape(-1, nx, ny)
    noise = np.empty((nx, ny))
    bad = as_mask(mask, stack)
    for first in range(0, nx, _ROWS_AT_A_TIME):
        rows = slice(first, first + _ROWS_AT_A_TIME)
        block = pixels[:, rows].reshape(len(pixels), -1).T.astype(np.float64)
        if bad is not None:
            block[bad[rows].ravel() != 0] = 0.0
        noise[rows] = _clipped_deviation(block).reshape(-1, ny)
    if bad is not None:
        noise[bad != 0] = np.nan
    return xr.DataArray(
        noise,
        dims=("x", "y"),
        name="pixel_noise",
        attrs=provenance("pixel_noise", n_frames=len(pixels))
        | {"units": "ADU", "long_name": "noise of a pixel from frame to frame"},
    )


def corrected_image(
    frames: Frames,
    number: int,
    *,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Frame `number` less the dark as float64, NaN where masked.

    Raises
    ------
    NonFinitePixelsError
        If a pixel that is not masked is NaN or infinite.
    """
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)
    image: NDArray[np.float64] = pixels[number].astype(np.float64)
    subtracted = as_dark(dark, frames)
    if subtracted is not None:
        image -= subtracted
    bad = as_mask(mask, frames)
    if bad is not None:
        image[bad != 0] = 0.0
    n_bad = image.size - np.count_nonzero(np.isfinite(image))
    if n_bad:
        raise NonFinitePixelsError(
            f"frame {frames.first_frame + number} has {n_bad} pixels that are NaN or infinite, "
            "expected none. Mark them in mask=, an (x, y) array that is True where a pixel is bad."
        )
    if bad is not None:
        image[bad != 0] = np.nan
    return image


def square_sums(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of all 2x2 squares of an image, by their lower corner, added up as the finder does."""
    pairs = image[:, :-1] + image[:, 1:]
    sums: NDArray[np.float64] = pairs[:-1] + pairs[1:]
    return sums


def _core_histogram(flat: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Counts of the values around the most frequent ones, in bins around the steps they go by."""
    sample = flat[:: max(1, flat.size // 100_000)]
    low, middle = np.percentile(sample, [15.87, 50])
    spread = float(middle - low)
    step = _step_of(sample[np.abs(sample - middle) <= max(3 * spread, 2.0)], spread)
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


def _step_of(values: NDArray[np.float64], spread: float) -> float:
    """Step of values that go by steps, as whole ADU do, and 0 for others and for tiny ones."""
    steps = np.diff(np.unique(values))
    if not steps.size:
        return 0.0
    step = float(steps.min())
    whole = np.abs(steps / step - np.rint(steps / step)) < 1e-3
    return step if step > spread / 50 and whole.all() else 0.0


def _fit_core(
    counts: NDArray[Any], edges: NDArray[np.float64], mean: float, sigma: float
) -> tuple[float, float]:
    from scipy.special import ndtr

    step = edges[1] - edges[0]
    sigma = max(sigma, 0.3 * step)
    # At least one bin on either side of the middle one, else nothing tells the width.
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


def _clipped_deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of each row, photons left out."""
    middle = np.median(values, axis=1, keepdims=True)
    deviation = values - middle
    below = np.minimum(deviation, 0.0)
    # Half of the values lie below their median.
    spread = np.sqrt(2 * np.mean(below**2, axis=1, keepdims=True))
    limit = _CLIP * np.maximum(spread, np.median(spread))
    kept = np.abs(deviation) <= limit
    n = kept.sum(axis=1)
    deviation[~kept] = 0.0
    mean = deviation.sum(axis=1) / n
    square = (deviation**2).sum(axis=1) - n * mean**2
    return np.asarray(np.sqrt(np.maximum(square, 0.0) / np.maximum(n - 1, 1)))
