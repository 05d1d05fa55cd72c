"""From frames to a table of photons."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs import _core
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.doubt_rules.doubt import Doubt, tell
from hrixs.doubt_rules.photons import spread
from hrixs.photons.defaults import MAX_PHOTONS, POSITION, STD_THRESHOLD, threshold_options
from hrixs.photons.noise_threshold import (
    noise_of_differences,
    uneven_level,
    with_uneven,
)
from hrixs.photons.placement import Placement, estimated_cloud
from hrixs.photons.table import table_of_found
from hrixs.utils.checks import number, whole_number, yes_or_no
from hrixs.utils.provenance import provenance
from hrixs.utils.threads import resolve_threads

# Frames, their columns, and pairs of neighbours in each, that tell whether noise has set the
# threshold.
_LOOKED_AT, _COLUMNS, _PAIRS = 4, 8, 256


def find_photons(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    threshold: float | str | None = None,
    flatten: bool = True,
    std_threshold: float = STD_THRESHOLD,
    dbl_threshold: float | None = None,
    position: str = POSITION,
    cloud_sigma: float | None = None,
    read_noise: float | xr.DataArray | ArrayLike | None = None,
    electrons_per_adu: float | None = None,
    local_background: bool = False,
    split_doubles: bool = False,
    max_pixel: float | None = None,
    max_charge: float | None = None,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    max_photons: int = MAX_PHOTONS,
    threads: int | None = None,
) -> xr.Dataset:
    """Find photons by a threshold on 2x2 squares of pixels (centroid_one).

    A hit is a 2x2 square with a sum above the threshold that is a local maximum among its eight
    neighbours and has its 4x4 square inside the frame. The photon's place is the centre of mass
    of that 4x4 square, above the frame's mean.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype. Coordinates ``x`` and
        ``y`` that are consecutive whole numbers tell its pixels' place on the full chip.
    threshold : float or str, optional
        Sum of a 2x2 square above which a hit begins, in ADU. ``'6 sigma'``: so many standard
        deviations of a square's noise above the level, both of the frame's pixels without light,
        which stuck rows, tracks and light do not change. By default it is taken from each
        frame: ``mean + std_threshold * std`` of the sums of all its 2x2 squares, light and all.
    flatten : bool
        With a threshold by the noise: bring rows, columns and parts of the chip that are at another
        level in the first four frames to that of the others first.
    std_threshold : float
        Used where `threshold` is None, in standard deviations.
    dbl_threshold : float, optional
        Charge of a spot above which a hit counts as two photons, in ADU. By default none does.
    position : {'com', 'gaussian'}
        Place of a photon: the centre of mass of its spot, or the fit of its charge cloud, a
        Gaussian integrated over pixels, to the 5x5 window around its brightest pixel.
        ``'gaussian'`` is the better one wherever the cloud is about one.
    cloud_sigma : float, optional
        Standard deviation of the cloud, in pixels. By default it is estimated from these frames,
        as `estimate_cloud` does. This and the following four belong to ``'gaussian'``.
    read_noise : float or array_like, shape (x, y), optional
        Noise of a pixel, in ADU; NaN where a pixel is not to be used. By default it is estimated
        from each frame, photons excluded.
    electrons_per_adu : float, optional
        Gain of the camera: electrons then have their own noise, signal / gain in ADU squared. By
        default they have none.
    local_background : bool
        Fit the level under each photon with it. By default it is that of the frame.
    split_doubles : bool
        Place both photons of a double hit, where that is far more likely than a single cloud, of
        any width. They have the same charge. So are hits that fit no single cloud, if two have the
        charge of a double; and a hit that only a neighbour's light makes a double becomes a single.
        Needs `dbl_threshold`, and the noise to be right.
    max_pixel, max_charge : float, optional
        A hit with a pixel, or a charge, of more than this above the frame's mean, in ADU, is no
        photon but a cosmic ray or a hot pixel: it is dropped with all hits within 5 pixels.
    dark : array_like, shape (x, y), optional
        Subtracted from every frame first, in ADU.
    mask : array_like of bool, shape (x, y), optional
        True where a pixel is bad. Bad pixels take part in nothing.
    max_photons : int
        More hits than this in one frame are an error.
    threads : int, optional
        Threads over frames; by default all that the CPU affinity and ``OMP_NUM_THREADS`` allow.

    Returns
    -------
    xarray.Dataset
        The photon table, over dim ``photon`` in the order of the frames: ``x``, ``y`` (pixels, as
        measured, an integer is the centre of a pixel), ``charge`` (sum of the spot, ADU),
        ``double`` (bool) and the coordinate ``frame`` (number of the frame), with ``trainId`` and
        the like where `frames` has them. Over dim ``frames``, one value for each frame searched:
        ``threshold``, ``base`` (mean of the frame), ``n_dropped`` (spots without a positive
        charge, which are left out) and ``n_cosmics`` (hits, or bright maxima, above the limits).

        ``x`` and ``y`` are counted on the full chip where coordinates tell the place of the first
        pixel, which ``attrs`` have as ``first_pixel`` then, else from the frame's corner.

        With ``position='gaussian'``, ``charge`` is that of the fitted cloud, and there are
        ``sigma_x``, ``sigma_y`` (standard deviation of the place, pixels), ``chi2`` (of the fit,
        for each degree of freedom), ``own_cloud_sigma``, ``own_cloud_sigma_err`` (width of the
        photon's own cloud, in pixels: one step of a fit from the width that was used), ``flag``
        and, for each frame, ``noise`` (ADU). ``flag`` has bits as its attribute ``flag_masks``
        says: 1 not converged, 2 more than a pixel outside of its brightest pixel (the centre of
        mass stands for both, and NaN for the rest), 4 a near neighbour (both were fitted
        together), 8 a window that is cut by a mask or the border, 16 one of a split double.

    Raises
    ------
    TooManyPhotonsError, NonFinitePixelsError, TypeError, ValueError
        Too many hits; NaN or inf pixels that are not masked; unreadable dtype; wrong shapes or
        settings.
    MissingDataError
        The width of the charge cloud is to be estimated, and there are too few photons.

    Warns
    -----
    DoubtWarning
        Where the threshold is taken from frames whose standard deviation is far above their noise.

    Notes
    -----
    The rule is the one documented for ``toolbox_scs.detectors.hrixs.hRIXS.centroid_one``. The fit
    is a maximum-likelihood one by Fisher scoring, with the noise as Gaussian; the noise of the
    electrons, where the gain is given, is that of the last step's photon (iterative reweighting).

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import find_photons
    >>> frame = np.zeros((16, 16))
    >>> frame[5:7, 8:10] = [[10, 30], [10, 30]]
    >>> table = find_photons(frame, threshold=50)
    >>> float(table.x[0].round(2)), float(table.y[0].round(2))
    (5.5, 8.77)
    """
    stack = as_frames(frames)
    max_photons = whole_number("max_photons", max_photons)
    split_doubles = yes_or_no("split_doubles", split_doubles)
    if split_doubles and dbl_threshold is None:
        raise ValueError(
            "split_doubles was given without dbl_threshold, which says what a double hit is. "
            "Give one in ADU, about 1.5 photons' charge."
        )
    placement = Placement(
        position, cloud_sigma, read_noise, electrons_per_adu,
        local_background, split_doubles, max_pixel, max_charge,
    )  # fmt: skip
    options_of_threshold = threshold_options(threshold)
    image, bad = as_dark(dark, stack), as_mask(mask, stack)
    uneven = None
    if yes_or_no("flatten", flatten) and options_of_threshold["noise_threshold"] is not None:
        uneven = uneven_level(stack, image, bad, threads)
        image = with_uneven(image, uneven)
    core_options: dict[str, Any] = {
        **options_of_threshold,
        "std_threshold": number("std_threshold", std_threshold),
        "dbl_threshold": None if dbl_threshold is None else number("dbl_threshold", dbl_threshold),
        "dark": image,
        "mask": bad,
        "max_photons": max_photons,
        "threads": resolve_threads(threads),
    }

    def find(frames: Frames, fit: _core.FitOptions) -> _core.Found:
        return _core.find_photons(
            frames.pixels, **core_options, fit=fit, first_frame=frames.first_frame
        )

    fit, fit_attrs = placement.core_options(
        stack, partial(estimated_cloud, stack, find, electrons_per_adu is not None)
    )
    found = find(stack, fit)
    if threshold is None and not isinstance(frames, Frames):
        # Of the class' images it is told with all else.
        tell(_spread(stack, found, core_options))
    attrs = provenance(
        "centroid_one",
        threshold=threshold,
        std_threshold=std_threshold,
        dbl_threshold=dbl_threshold,
        max_photons=max_photons,
        **({} if uneven is None else {"n_uneven_pixels": int(np.count_nonzero(uneven))}),
        **fit_attrs,
    )
    return table_of_found(found, stack, attrs)


def _spread(stack: Frames, found: _core.Found, options: dict[str, Any]) -> list[Doubt]:
    """Doubt a standard deviation of the frames that is not that of their noise."""
    if not options["std_threshold"] > 0:
        return []
    pixels = stack.pixels.reshape(-1, *stack.frame_shape)
    some = slice(None, None, max(1, -(-len(pixels) // _LOOKED_AT)))
    columns, step = (
        max(1, n // most) for n, most in zip(stack.frame_shape, (_COLUMNS, _PAIRS), strict=True)
    )
    ends = []
    for pixel in (slice(1, None, step), slice(None, -1, step)):
        few = pixels[some, ::columns, pixel].astype(np.float64)
        if options["dark"] is not None:
            few -= options["dark"][::columns, pixel]
        if options["mask"] is not None:
            few[:, options["mask"][::columns, pixel] != 0] = np.nan
        ends.append(few.reshape(len(few), few.shape[1] * few.shape[2]))
    # Of neighbours, so that steps and light do not count.
    differences = np.abs(ends[0] - ends[1])
    above = found["threshold"][some] - 4 * found["base"][some]
    times = []
    for difference, height in zip(differences, above, strict=True):
        usable = difference[np.isfinite(difference)]
        noise = noise_of_differences(usable) if usable.size else 0.0
        if noise > 0:
            times.append(height / (2 * noise * options["std_threshold"]))
    return spread(float(np.median(times))) if times else []
