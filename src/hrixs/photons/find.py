"""Find the photons in frames, and return a photon table."""

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

# Frames, columns, and pairs of neighbours used to check whether noise sets the threshold.
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

    A hit is a 2x2 square of pixels with a sum above the threshold and above the sums of its eight
    neighbours. The 4x4 square around it must be inside the frame. The photon's position is the
    centre of mass of this 4x4 square, after the mean of the frame is subtracted.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype. If coordinates ``x`` and
        ``y`` are consecutive whole numbers, they are taken as pixel numbers on the full chip.
    threshold : float or str, optional
        Sum of a 2x2 square above which it is a hit, in ADU. ``'6 sigma'``: this many standard
        deviations of a square's noise above the level. Noise and level come from pixels without
        light, so stuck rows, tracks and light do not change them. By default the threshold comes
        from each frame: ``mean + std_threshold * std`` of the sums of all its 2x2 squares,
        including light.
    flatten : bool
        For a threshold such as ``'6 sigma'``: first correct rows, columns and parts of the chip
        whose level differs in the first four frames.
    std_threshold : float
        Threshold in standard deviations, used if `threshold` is None.
    dbl_threshold : float, optional
        Charge of a spot above which a hit counts as two photons, in ADU. By default no hit does.
    position : {'com', 'gaussian'}
        How the position is found. ``'com'``: centre of mass of the spot. ``'gaussian'``: fit of a
        Gaussian charge cloud, integrated over pixels, to the 5x5 window around the brightest
        pixel. ``'gaussian'`` is better if the cloud is close to a Gaussian.
    cloud_sigma : float, optional
        Standard deviation of the cloud, in pixels. By default it is estimated from these frames,
        as by `estimate_cloud`. This and the next four parameters are for ``'gaussian'``.
    read_noise : float or array_like, shape (x, y), optional
        Noise of a pixel, in ADU; pixels with NaN are not used. By default it is estimated from
        each frame, without photons.
    electrons_per_adu : float, optional
        Gain of the camera; the fit then includes the noise of the electrons (variance signal /
        gain in ADU squared). By default it does not.
    local_background : bool
        Fit the level under each photon, too. By default the level of the frame is used.
    split_doubles : bool
        Find the positions of both photons of a double hit if two photons of equal charge are far
        more likely than one cloud of any width. Hits that do not fit a single cloud are split,
        too, if they have the charge of two. A double that is only due to the light of a neighbour
        becomes a single. Needs `dbl_threshold`, and correct noise.
    max_pixel, max_charge : float, optional
        Largest pixel value and largest charge of a photon above the mean of the frame, in ADU. A
        hit with more is a cosmic ray or a hot pixel; it is dropped, with all hits within 5 pixels.
    dark : array_like, shape (x, y), optional
        Dark image in ADU, subtracted from every frame first.
    mask : array_like of bool, shape (x, y), optional
        True at bad pixels, which are not used.
    max_photons : int
        Most hits in one frame; more are an error.
    threads : int, optional
        Number of threads; by default all that the CPU affinity and ``OMP_NUM_THREADS`` allow.

    Returns
    -------
    xarray.Dataset
        The photon table, over dim ``photon`` in the order of the frames: ``x``, ``y``
        (uncorrected, in pixels; an integer is the centre of a pixel), ``charge`` (sum of the spot,
        ADU), ``double`` (bool) and the coordinate ``frame`` (number of the frame), with
        ``trainId`` and similar coordinates of `frames`. Over dim ``frames``, one value for each
        frame: ``threshold``, ``base`` (mean of the frame), ``n_dropped`` (spots that were left out
        because their charge is not positive) and ``n_cosmics`` (hits, or bright maxima, above
        `max_pixel` or `max_charge`).

        ``x`` and ``y`` are pixels of the full chip if the coordinates of `frames` give the
        position of the first pixel (``first_pixel`` in ``attrs``); otherwise they count from the
        corner of the frame.

        With ``position='gaussian'``, ``charge`` is that of the fitted cloud. There are also
        ``sigma_x``, ``sigma_y`` (standard deviations of the position, pixels), ``chi2`` (of the
        fit, per degree of freedom), ``own_cloud_sigma``, ``own_cloud_sigma_err`` (width of the
        photon's own cloud in pixels, estimated from the fit with the given width), ``flag`` and,
        for each frame, ``noise`` (ADU). The bits of ``flag`` (see its attribute ``flag_masks``)
        are: 1 not converged, 2 more than a pixel outside the brightest pixel (for both, the
        position is the centre of mass, and the other columns of the fit are NaN), 4 a near
        neighbour (both were fitted together), 8 a window cut by a mask or the border, 16 one
        photon of a split double.

    Raises
    ------
    TooManyPhotonsError, NonFinitePixelsError, TypeError, ValueError
        Too many hits; NaN or inf pixels that are not masked; unreadable dtype; wrong shapes or
        settings.
    MissingDataError
        There are too few photons to estimate the width of the charge cloud.

    Warns
    -----
    DoubtWarning
        The threshold comes from frames whose standard deviation is far above their noise.

    Notes
    -----
    The rule is the one documented for ``toolbox_scs.detectors.hrixs.hRIXS.centroid_one``. The fit
    is a maximum-likelihood fit by Fisher scoring with Gaussian noise. If the gain is given, the
    noise of the electrons comes from the photon of the last step (iterative reweighting).

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
            "split_doubles needs dbl_threshold, the least charge of a double hit. Give "
            "dbl_threshold in ADU, about 1.5 times the charge of one photon."
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
        # For images of the class it is reported with the other doubts.
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
    """Return a doubt if the standard deviation of the frames is not that of their noise."""
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
    # From neighbours, so that steps and light do not matter.
    differences = np.abs(ends[0] - ends[1])
    above = found["threshold"][some] - 4 * found["base"][some]
    times = []
    for difference, height in zip(differences, above, strict=True):
        usable = difference[np.isfinite(difference)]
        noise = noise_of_differences(usable) if usable.size else 0.0
        if noise > 0:
            times.append(height / (2 * noise * options["std_threshold"]))
    return spread(float(np.median(times))) if times else []
