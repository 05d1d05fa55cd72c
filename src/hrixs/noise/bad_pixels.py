"""Bad pixels by dark frames: too bright, too dark, or too noisy."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.frames import FRAME_DIMS, Frames, as_frames, pixel_coords
from hrixs.noise.core_fit import gaussian_core
from hrixs.utils.errors import warn
from hrixs.utils.provenance import provenance

#: Standard deviations from the other pixels at which a pixel is bad.
N_SIGMA = 7.0
# Frames without which the noise of a pixel is not judged.
_LEAST_FRAMES = 5
# In ADU: the squares of more do not add up.
_LARGEST_DIFFERENCE = 1e100
# A pixel with less than this many times the noise of most is never called noisy.
_LEAST_FACTOR = 2.0
# The pedestal may drift over the chip: a pixel is compared with those of a square of this size.
_BLOCK = 64
# More bad pixels than this share are taken for frames that are not dark.
_MANY = 0.02


def bad_pixels(
    darks: xr.DataArray | ArrayLike | Frames,
    *,
    n_sigma: float = N_SIGMA,
) -> xr.DataArray:
    """Find the bad pixels in dark frames.

    Parameters
    ----------
    darks : array_like or xarray.DataArray, shape (..., x, y)
        Dark frames, or one image, for example their mean. Five frames or more are needed for
        noisy pixels; in fewer than four a cosmic ray can't be told from a hot pixel.
    n_sigma : float
        Standard deviations of the pixels' levels at which a pixel is hot or dead. A noisy pixel
        has a noise that a good one has as seldom, and at least twice that of most.

    Returns
    -------
    xarray.DataArray of bool, dims (x, y)
        True where a pixel is bad; fits `mask` of `hrixs.find_photons` and ``MASK`` of the class.
        ``attrs`` count the bad pixels as ``n_noisy`` (noise too high), and of the others ``n_hot``
        (level too high) and ``n_dead`` (too low, or the same in all frames, where there are enough
        to tell). It has the coordinates ``x`` and ``y`` of `darks`, where there are any.

    Raises
    ------
    TypeError, ValueError
        Unreadable dtype; wrong shape, NaN pixels or `n_sigma` not a positive number.

    Notes
    -----
    Level and noise of a pixel leave out its highest value, and the level its lowest one, so that a
    cosmic ray in one of the frames does no harm. A pixel that blinks is seen by its noise if it is
    on in two frames at least.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import bad_pixels
    >>> darks = np.random.default_rng(1).normal(100, 1.5, (8, 64, 64))
    >>> darks[:, 10, 20] += 80
    >>> darks[::3, 30, 40] += 60
    >>> mask = bad_pixels(darks)
    >>> int(mask.sum()), mask.attrs["n_hot"], mask.attrs["n_noisy"]
    (2, 1, 1)
    """
    if not (np.isfinite(n_sigma) and n_sigma > 0):
        raise ValueError(f"n_sigma = {n_sigma!r}, expected a positive number.")
    stack = as_frames(darks)
    nx, ny = stack.frame_shape
    frames = stack.pixels.reshape(-1, nx, ny)
    if len(frames) == 0:
        raise ValueError(f"darks has shape {stack.pixels.shape}, expected at least one frame.")
    level, noise, still = _level_and_noise(frames)
    if not np.isfinite(level).all():
        raise ValueError(
            f"darks has {int((~np.isfinite(level)).sum())} pixels that are NaN or infinite, "
            "expected none. Mark them by hand, and replace them by the median first."
        )
    excess = level - _background(level)
    middle, sigma = gaussian_core(excess)
    hot = excess > middle + n_sigma * sigma
    dead = excess < middle - n_sigma * sigma
    noisy = np.zeros_like(hot)
    if noise is None:
        warn(
            f"{len(frames)} dark frames given, {_LEAST_FRAMES} or more are needed to find noisy "
            "pixels: only hot and dead ones are marked."
        )
    else:
        typical = float(np.median(noise))
        dead |= still & _never_by_chance(typical, len(frames), level.size)
        noisy = noise > _noise_limit(n_sigma, len(frames)) * typical
    hot &= ~noisy
    dead &= ~noisy
    share = np.count_nonzero(hot | dead | noisy) / hot.size
    if share > _MANY:
        warn(
            f"{100 * share:.2g}% of the pixels are marked as bad. Are these dark frames of one "
            "setting, without light? Else raise n_sigma."
        )
    return xr.DataArray(
        hot | dead | noisy,
        pixel_coords(darks),
        FRAME_DIMS,
        name="mask",
        attrs=provenance(
            "bad_pixels",
            n_sigma=float(n_sigma),
            n_frames=len(frames),
            n_hot=int(hot.sum()),
            n_dead=int(dead.sum()),
            n_noisy=int(noisy.sum()),
        )
        | {"long_name": "bad pixels"},
    )


def _level_and_noise(
    frames: NDArray[np.generic],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.bool_]]:
    """Trimmed mean of each pixel, its deviation where there are frames enough, and who is still."""
    n = len(frames)
    first = frames[0].astype(np.float64)
    highest, lowest = np.zeros_like(first), np.zeros_like(first)
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for frame in frames:
        difference = frame - first  # small numbers, whose squares lose no digits
        largest = float(np.abs(difference).max())
        if largest > _LARGEST_DIFFERENCE:
            raise ValueError(
                f"pixels differ by {largest:.3g} ADU from frame to frame, which no camera's do. "
                "Check the file and the detector."
            )
        total += difference
        squares += difference**2
        np.maximum(highest, difference, out=highest)
        np.minimum(lowest, difference, out=lowest)
    level = first + ((total - highest - lowest) / (n - 2) if n >= 4 else total / n)
    still = highest == lowest
    if n < _LEAST_FRAMES:
        return level, None, still
    variance = (squares - highest**2 - (total - highest) ** 2 / (n - 1)) / (n - 2)
    return level, np.sqrt(np.maximum(variance, 0.0)), still


def _background(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the square of pixels that each one is in."""
    background = np.empty_like(level)
    for x in range(0, level.shape[0], _BLOCK):
        for y in range(0, level.shape[1], _BLOCK):
            here = slice(x, x + _BLOCK), slice(y, y + _BLOCK)
            background[here] = np.median(level[here])
    return background


def _never_by_chance(noise: float, n_frames: int, n_pixels: int) -> bool:
    """Whether no good pixel counts the same whole ADU in all frames."""
    share = min(1.0, 1 / (max(noise, 0.1) * np.sqrt(2 * np.pi)))
    return bool(noise > 0 and n_pixels * share ** (n_frames - 1) < 0.01)


def _noise_limit(n_sigma: float, n_frames: int) -> float:
    """Times the noise of most pixels that a good pixel has as seldom as `n_sigma` says."""
    from scipy.stats import chi2, norm

    free = n_frames - 2
    ratio = chi2.isf(norm.sf(n_sigma), free) / chi2.median(free)
    return float(max(np.sqrt(ratio), _LEAST_FACTOR))
