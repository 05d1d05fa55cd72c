"""Find bad pixels, rows and columns in dark frames or in frames with light."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import count_frames, pixel_statistics, step_of_frames
from hrixs.camera.frames import FRAME_DIMS, Frames, as_frames, pixel_coords
from hrixs.camera.possible_pixels import LARGEST_PIXEL
from hrixs.camera.unlike_frames import named_frames, odd_frames
from hrixs.noise.levels import typical_noise
from hrixs.noise.pixel_faults import (
    BadLines,
    bad_lines,
    flat_runs,
    never_raised_so_often,
    noise_limit,
    off_level,
    raised_by_light,
    raised_too_often,
    stuck_pixels,
)
from hrixs.utils.errors import warn
from hrixs.utils.provenance import provenance
from hrixs.utils.statistics import median_of
from hrixs.utils.typing import Floats

BoolImage = NDArray[np.bool_]

#: Deviation from other pixels at which a pixel is bad, in standard deviations.
N_SIGMA = 7.0
# Fewest frames for the noise of a pixel.
_LEAST_FRAMES = 5
# Values further than this from the median of a pixel are photons, tracks, or blinking.
_CLIP = 6.0
# If more pixels (share, number) are raised in a single frame, these are photons.
_LIGHT_SHARE, _LIGHT_PIXELS = 1e-4, 5.0
# If more than this share of the pixels is equal in all frames, the frames are copies.
_MOST_STILL = 0.99
# Rows of a frame that are processed together.
_ROWS = 32
# Number of pixels that is enough for changes of the pedestal.
_OFFSET_PIXELS = 20_000
# A larger share of bad pixels is reported.
_MANY = 0.02


def bad_pixels(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    n_sigma: float = N_SIGMA,
    threads: int | None = None,
) -> xr.DataArray:
    """Find the bad pixels, rows and columns of a camera, in dark frames or in frames with light.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        Dark frames, frames with light, or one image, for example the mean of dark frames. Noisy and
        stuck pixels need at least five frames; in fewer than four a cosmic ray cannot be
        distinguished from a hot pixel. With light, blinking pixels need about 16 frames.
    n_sigma : float
        Deviation of the level of a pixel from the others, in standard deviations, at which it is
        hot or dead. A pixel is noisy if chance makes its noise as rarely, and if it has at least
        twice the usual noise.
    threads : int, optional
        As in `hrixs.find_photons`.

    Returns
    -------
    xarray.DataArray of bool, dims (x, y)
        True for bad pixels, as `mask` of `hrixs.find_photons` and ``MASK`` of the class. ``attrs``
        has numbers of bad pixels: ``n_noisy`` (too much noise), and of the others ``n_hot`` (level
        too high, or stuck at a high one) and ``n_dead`` (level too low, or stuck at a low one). Of
        all bad pixels, ``n_stuck`` do not change. ``n_rows`` and ``n_columns``: lines (one y, one
        x) that are bad as a whole. ``light``: 1 if the frames have photons. ``n_left_out``: frames
        that differ from the others. It has the coordinates ``x`` and ``y`` of `frames`, if any.

    Raises
    ------
    TypeError, ValueError
        For an unreadable dtype, a wrong shape, NaN pixels, if `n_sigma` is not positive, or if no
        frame has any noise.

    Warns
    -----
    HrixsWarning
        For frames that are left out, for fewer than five frames, and for many bad pixels.

    Notes
    -----
    Level and noise of a pixel are computed from its values within 6 standard deviations of its
    median, so that photons and tracks of cosmic rays do not matter. A pixel with two or more values
    beyond is noisy; with light, only if this is more than its neighbours explain. A pixel that does
    not change is bad at any level, and no other pixel is compared with it, so that bands of dead
    pixels may have any width. If light has raised the level of a pixel, its noise is far above that
    of a pedestal, and the pixel is good. Halves of the chip with different pedestals are good, too.

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
    stack = as_frames(frames)
    stack = as_frames(stack.pixels.reshape(-1, *stack.frame_shape))
    if len(stack) == 0:
        raise ValueError(f"frames has shape {stack.pixels.shape}, expected at least one frame.")
    _require_numbers(stack)
    still = _still_pixels(stack)
    mask = still.view(np.uint8) if still.any() else None
    counts, _ = count_frames(stack, mask=mask, squares=False, threads=threads)
    odd = odd_frames(counts.median, counts.noise)
    if odd.n_odd:
        names = [number for number, kind in enumerate(odd.kinds) if kind]
        text = named_frames(names, [odd.kinds[number] for number in names])
        warn(f"{odd.n_odd} of {len(stack)} frames are unlike the others and are left out: {text}.")
        stack = as_frames(stack.pixels[odd.good])
        still = _still_pixels(stack)
    if len(stack) < _LEAST_FRAMES:
        warn(
            f"{len(stack)} dark frames given, {_LEAST_FRAMES} or more are needed to find noisy "
            "pixels: only hot and dead ones are marked."
        )
        found = _by_levels(stack, n_sigma, threads)
    else:
        found = _by_levels_and_noise(stack, _offsets(stack, still), n_sigma, threads)
    bad = found["hot"] | found["dead"] | found["noisy"]
    share = float(np.mean(bad))
    if share > _MANY:
        warn(f"{100 * share:.2g}% of the pixels are marked as bad: {_in_words(found)}.")
    return xr.DataArray(
        bad,
        pixel_coords(frames),
        FRAME_DIMS,
        name="mask",
        attrs=provenance(
            "bad_pixels",
            n_sigma=float(n_sigma),
            n_frames=len(stack),
            n_left_out=odd.n_odd,
            light=bool(found["light"].any()),
            **{f"n_{name}": int(found[name].sum()) for name in _COUNTED},
        )
        | {"long_name": "bad pixels"},
    )


_COUNTED = ("hot", "dead", "noisy", "stuck", "rows", "columns")


def _require_numbers(stack: Frames) -> None:
    if stack.pixels.dtype.kind != "f":
        return
    n_bad = int((~np.isfinite(stack.pixels).all(axis=0)).sum())
    if n_bad:
        raise ValueError(
            f"frames has {n_bad} pixels that are NaN or infinite, "
            "expected none. Replace them by the median, and add them to the mask yourself."
        )
    largest = float(stack.pixels.max()) - float(stack.pixels.min())
    if largest > LARGEST_PIXEL:
        raise ValueError(
            f"pixels differ by {largest:.3g} ADU from frame to frame, more than any camera gives. "
            "Check the file and the detector."
        )


def _still_pixels(stack: Frames) -> BoolImage:
    """Pixels that are equal in all frames; none if nearly all are."""
    pixels = stack.pixels
    still = np.ones(stack.frame_shape, dtype=bool)
    for x in range(0, len(still), _ROWS):
        here = still[x : x + _ROWS]
        first = pixels[0, x : x + _ROWS]
        for frame in pixels[1:]:
            here &= frame[x : x + _ROWS] == first
            if not here.any():  # as soon as after a few frames
                break
    return still if still.mean() < _MOST_STILL else np.zeros_like(still)


def _offsets(stack: Frames, still: BoolImage) -> Floats:
    """Pedestal of each frame relative to the first one, from some of the pixels that change.

    Changes of the pedestal are not noise of the pixels.
    """
    n_moving = still.size - int(np.count_nonzero(still))
    step = max(1, n_moving // _OFFSET_PIXELS)
    if n_moving == still.size:
        some = np.arange(0, still.size, step)
    else:
        some = np.flatnonzero(~still)[::step]
    values = stack.pixels.reshape(len(stack), -1)[:, some].astype(np.float64)
    return np.asarray(np.median(values - values[0], axis=1))


def _by_levels(stack: Frames, n_sigma: float, threads: int | None) -> dict[str, NDArray[np.bool_]]:
    """Bad pixels in a few frames: by levels, and bands of one value."""
    pixels = stack.pixels
    level = pixels.min(axis=0) if len(stack) == 2 else np.median(pixels, axis=0)
    level = np.asarray(level, dtype=np.float64)
    stuck = flat_runs(level)
    if len(stack) > 1:
        stuck &= flat_runs(pixels[0].astype(np.float64))
    nothing = np.zeros(level.shape, dtype=bool)
    lines = BadLines(np.zeros(level.shape[0], dtype=bool), np.zeros(level.shape[1], dtype=bool))
    return _joined(level, stuck, nothing, nothing, lines, n_sigma, nothing, threads)


def _by_levels_and_noise(
    stack: Frames, offsets: Floats, n_sigma: float, threads: int | None
) -> dict[str, NDArray[np.bool_]]:
    n = len(stack)
    options: dict[str, Any] = {
        "n_sigma": _CLIP,
        "least_noise": typical_noise(stack, None, threads),
        "offsets": offsets,
        "threads": threads,
    }
    found = pixel_statistics(stack, medians=False, **options)
    n_left_out = n - found.n_kept
    light = _has_light(n_left_out, n)
    if light:
        found = pixel_statistics(stack, **options)
    assert found.noise is not None
    is_moving = found.noise > 0
    moving = found.noise if is_moving.all() else found.noise[is_moving]
    if not moving.size:
        raise ValueError(
            "the frames have no noise: all pixels have the same value in all of them. Give frames "
            "as the camera wrote them."
        )
    typical = median_of(moving)
    if light:
        # Only of values below the median, which light does not change.
        assert found.lower_noise is not None
        lower = found.lower_noise
        typical = median_of(lower[lower > 0])
        level = np.asarray(found.median)
    else:
        level = found.mean
    stuck = stuck_pixels(found.noise, typical, n, step_of_frames(stack, None, None))
    stuck &= n_left_out == 0
    usable = ~stuck
    is_light = np.zeros(level.shape, dtype=bool)
    if light:
        excess = level - float(np.median(level[usable]))
        spread = np.maximum(found.noise, np.asarray(found.lower_noise))
        is_light = usable & raised_by_light(excess, spread, typical)
        is_light &= spread > noise_limit(3.0, n) * typical
        noisy = usable & raised_too_often(n_left_out.astype(np.float64), n)
    else:
        noisy = usable & (found.noise > noise_limit(n_sigma, n) * typical)
        noisy |= usable & (n_left_out >= never_raised_so_often(n_left_out, n))
    lines = bad_lines(level, usable, is_light, typical, threads=threads)
    result = _joined(level, stuck, noisy, is_light, lines, n_sigma, np.full(1, light), threads)
    return result


def _has_light(n_left_out: NDArray[np.int32], n: int) -> bool:
    """Whether far more pixels are raised in single frames than cosmic rays can explain."""
    once = float(np.count_nonzero(n_left_out == 1)) / n
    return once > max(_LIGHT_PIXELS, _LIGHT_SHARE * n_left_out.size)


def _joined(
    level: Floats,
    stuck: BoolImage,
    noisy: BoolImage,
    is_light: BoolImage,
    lines: BadLines,
    n_sigma: float,
    light: NDArray[np.bool_],
    threads: int | None,
) -> dict[str, NDArray[np.bool_]]:
    columns, rows, medians = lines
    on_line = columns[:, None] | rows[None, :]
    usable = ~(stuck | is_light)
    if np.count_nonzero(usable) < 16:
        raise ValueError(
            f"{np.count_nonzero(usable)} of {usable.size} pixels change from frame to frame, "
            "expected most. Give frames as the camera wrote them."
        )
    hot, dead = off_level(
        level,
        usable & ~on_line,
        n_sigma,
        medians=None if on_line.any() else medians,  # else of other pixels
        threads=threads,
    )
    # A stuck pixel, or one on a bad line, is hot if it is above most pixels.
    also = stuck | on_line
    high = level > median_of(level[usable & ~on_line]) if also.any() else also
    return {
        "hot": (hot | (also & high)) & ~noisy,
        "dead": (dead | (also & ~high)) & ~noisy,
        "noisy": noisy,
        "stuck": stuck,
        "rows": rows | stuck.all(axis=0),
        "columns": columns | stuck.all(axis=1),
        "light": light,
    }


def _in_words(found: dict[str, NDArray[np.bool_]]) -> str:
    """Text: numbers of bad pixels, and what to do."""
    n = {name: int(found[name].sum()) for name in _COUNTED}
    texts = [f"{n['hot']} hot, {n['dead']} dead, {n['noisy']} noisy"]
    if n["stuck"]:
        texts.append(f"{n['stuck']} of them do not change at all")
    if n["rows"] or n["columns"]:
        texts.append(f"{n['rows']} whole rows (one y) and {n['columns']} columns (one x)")
    texts.append("look at the mask with hrixs.camera.plot_mask; else raise n_sigma")
    return "; ".join(texts)
