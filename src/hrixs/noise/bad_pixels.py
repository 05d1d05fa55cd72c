"""Bad pixels, rows and columns, by dark frames or by frames with light."""

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

#: Standard deviations from the other pixels at which a pixel is bad.
N_SIGMA = 7.0
# Frames without which the noise of a pixel is not judged.
_LEAST_FRAMES = 5
# Values of a pixel further than this from its median are photons, tracks, or its own blinking.
_CLIP = 6.0
# More pixels than this that are raised in one frame alone are those of photons: a share, a number.
_LIGHT_SHARE, _LIGHT_PIXELS = 1e-4, 5.0
# Where more pixels than this share are the same in all frames, the frames are copies.
_MOST_STILL = 0.99
# Rows of a frame that are looked at together.
_ROWS = 32
# Enough to tell how a pedestal moves.
_OFFSET_PIXELS = 20_000
# More bad pixels than this share are worth a word.
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
        Dark frames, frames with light, or one image, for example the mean of dark ones. Five frames
        or more are needed for noisy and stuck pixels; in fewer than four a cosmic ray
        cannot be distinguished from a hot pixel. In light, blinking pixels are recognised by fewer
        frames around them, so that some 16 are needed.
    n_sigma : float
        Standard deviations of the pixels' levels at which a pixel is hot or dead. A noisy pixel
        has a noise that a good one has as seldom, and at least twice that of most.
    threads : int, optional
        As in `hrixs.find_photons`.

    Returns
    -------
    xarray.DataArray of bool, dims (x, y)
        True where a pixel is bad; fits `mask` of `hrixs.find_photons` and ``MASK`` of the class.
        ``attrs`` count the bad pixels: ``n_noisy`` (noise too high), of the others ``n_hot`` (level
        too high, or stuck above that of most) and ``n_dead`` (too low, or stuck below). Of these,
        ``n_stuck`` do not change; ``n_rows`` and ``n_columns`` lines (of one y, and of one x) are
        bad as a whole; ``light`` is 1 where there are photons in the frames, and ``n_left_out``
        counts frames that are unlike the others. It has the coordinates ``x`` and ``y`` of
        `frames`, where there are any.

    Raises
    ------
    TypeError, ValueError
        Unreadable dtype; wrong shape, NaN pixels, `n_sigma` not a positive number, or frames of
        which none has any noise.

    Warns
    -----
    HrixsWarning
        For frames that are left out, fewer than five frames, and many bad pixels.

    Notes
    -----
    A pixel's level and noise are of its values within 6 standard deviations of its median, so that
    photons and the track of a cosmic ray do no harm; a pixel with two values or more beyond is
    noisy, in light if that is more than those around it explain. A pixel that does not change is
    bad at any level, and no other is compared with it: a band of dead pixels may be of any width.
    Where light has raised the level, the noise is far above that of a pedestal, and the pixel is
    good. Two halves of the chip with different pedestals are good, too.

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
            "expected none. Mark them by hand, and replace them by the median first."
        )
    largest = float(stack.pixels.max()) - float(stack.pixels.min())
    if largest > LARGEST_PIXEL:
        raise ValueError(
            f"pixels differ by {largest:.3g} ADU from frame to frame, more than any camera gives. "
            "Check the file and the detector."
        )


def _still_pixels(stack: Frames) -> BoolImage:
    """Pixels that are the same in all frames; none where nearly all are."""
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
    """How far each frame's pedestal lies above that of the first, by some of the pixels that move.

    A pedestal that moves is no noise of the pixels.
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
    """What few frames tell: levels, and bands of one value."""
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
        # Of those below the median alone, to which light does not add.
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
    """Whether far more pixels are raised now and then than tracks of cosmic rays would."""
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
    # A stuck pixel, or one on a bad line, is hot if it lies above most.
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
    """What there is most of, and what to do about it."""
    n = {name: int(found[name].sum()) for name in _COUNTED}
    texts = [f"{n['hot']} hot, {n['dead']} dead, {n['noisy']} noisy"]
    if n["stuck"]:
        texts.append(f"{n['stuck']} of them do not change at all")
    if n["rows"] or n["columns"]:
        texts.append(f"{n['rows']} whole rows (one y) and {n['columns']} columns (one x)")
    texts.append("look at the mask with hrixs.camera.plot_mask; else raise n_sigma")
    return "; ".join(texts)
