"""Find photons of one known charge, even if their clouds overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.doubt_rules.doubt import tell
from hrixs.photons.charge_balance import charge_gap, charges_of, ratio_of
from hrixs.photons.classify import energy_of_frames
from hrixs.photons.cloud_width import CloudEstimate, cloud_of_first
from hrixs.photons.defaults import ELECTRONS_PER_ADU, EV_PER_PAIR, MAX_PHOTONS
from hrixs.photons.placement import Placement
from hrixs.photons.spots import (
    ENOUGH_TO_COMPARE,
    cloud_of_spots,
    mismatch,
    n_alone,
    single_charge,
    spots_of,
)
from hrixs.photons.table import table_of_found
from hrixs.utils.checks import number, whole_number, yes_or_no
from hrixs.utils.errors import MissingDataError
from hrixs.utils.provenance import provenance
from hrixs.utils.threads import resolve_threads

#: First frames, or trains, for a photon's charge; and the most in crowded frames.
ENTRIES_FOR_A_CHARGE = 8
MOST_ENTRIES_FOR_A_CHARGE = 32
#: Isolated spots that give it to a percent.
ENOUGH_FOR_A_CHARGE = 100
#: First frames in which the given charge is compared.
FRAMES_TO_COMPARE = 2
#: Isolated photons that give the width of the cloud to a percent.
ENOUGH_FOR_A_CLOUD = 100
# Attributes of a placement that have no meaning here.
_WITHOUT_MEANING = ("position", "split_doubles", "max_charge")


def resolve_photons(
    frames: xr.DataArray | ArrayLike | Frames,
    energy: xr.DataArray | ArrayLike | None = None,
    *,
    ev_per_pair: float = EV_PER_PAIR,
    electrons_per_adu: float = ELECTRONS_PER_ADU,
    photon_charge: float | None = None,
    cloud_sigma: float | None = None,
    read_noise: float | xr.DataArray | ArrayLike | None = None,
    local_background: bool = False,
    max_pixel: float | None = None,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    max_photons: int = MAX_PHOTONS,
    threads: int | None = None,
) -> xr.Dataset:
    """Find photons that all have the same charge, even if their clouds overlap.

    The photons found so far are subtracted from the frame, and the best position for one more is
    searched in the rest. Then all positions are fitted together. This is repeated until the rest
    contains nothing that is more likely a photon than not. In bright lines, where spots overlap,
    this also counts the photons that a threshold loses.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype.
    energy : float or array_like, optional
        Photon energy in eV, one number or one per frame: one photon makes ``energy / ev_per_pair /
        electrons_per_adu`` ADU.
    ev_per_pair : float
        Photon energy per freed electron, in eV.
    electrons_per_adu : float
        Gain of the camera, also used for the noise of the electrons (variance signal / gain in ADU
        squared). 1.06 is the value of one particular camera: check yours.
    photon_charge : float, optional
        Charge of one photon in ADU, instead of `energy`. Without both, it is learned from isolated
        spots of the first frames.
    cloud_sigma : float, optional
        Standard deviation of the charge cloud in pixels, from 0.2 to 1.25. By default it is
        estimated from these frames, as by `estimate_cloud`.
    read_noise : float or array_like, shape (x, y), optional
        Noise of a pixel, in ADU; pixels with NaN are not used. By default it is estimated from
        each frame, without photons.
    local_background : bool
        Estimate the level separately in each block of 64 x 64 pixels. By default one level is used
        for the frame.
    max_pixel : float, optional
        Largest pixel value of light above the level, in ADU. A brighter pixel is a cosmic ray or
        hot; it is masked, with all pixels within 5 of it.
    dark, mask, threads
        As in `find_photons`.
    max_photons : int
        Most photons in one frame; more are an error.

    Returns
    -------
    xarray.Dataset
        The photon table, as from `find_photons`, with single photons only, sorted by frame and
        then by ``x``. Columns: ``x``, ``y``, ``charge`` (fitted for an isolated photon, else the
        charge of one photon), ``sigma_x``, ``sigma_y`` (including the effect of fitting the
        neighbours, too), ``chi2``, ``flag`` (4: a near neighbour, 8: cut by a mask or the border)
        and ``crowding``: the light of other photons at its position, in photons, weighted with its
        own cloud. For each frame: ``noise`` and ``base``; ``threshold`` is the level without
        light; ``n_cosmics`` is the number of pixels that `max_pixel` masks.

        ``attrs`` have the ``photon_charge`` and ``cloud_sigma`` that were used;
        ``charge_of_photons`` and ``charge_above`` (the charge above the level), in ADU, in the
        parts of the frames with light; and their ratio ``charge_ratio``, with its error
        ``charge_ratio_err`` from noise and level.

    Raises
    ------
    TooManyPhotonsError, NonFinitePixelsError, TypeError, ValueError
        Too many photons; NaN or inf pixels that are not masked; unreadable dtype; wrong shapes or
        settings, or both `energy` and `photon_charge`.
    MissingDataError
        There are too few isolated photons to learn the charge or the width of the cloud.

    Warns
    -----
    ChargeBalanceWarning
        The charge of the photons differs from the charge in the frames by more than 3 % and 4
        errors: the given charge, cloud width or level is wrong, or not all light is photons.
    HrixsWarning
        Isolated spots of the first two frames differ by more than 10 % from the given charge; or
        the charge was learned from too few spots, with an error above 2 %.

    Notes
    -----
    Two photons at one position look like one of twice the charge. A photon charge that is wrong by
    a factor of two therefore changes the count, and the charge balance does not show it. The
    charge of isolated spots does.

    Examples
    --------
    >>> from hrixs import resolve_photons
    >>> from hrixs.simulation import Sensor, simulate_frames
    >>> frames, true = simulate_frames(2, sensor=Sensor(shape=(256, 256)), photons_per_frame=300)
    >>> table = resolve_photons(frames, 530.0, cloud_sigma=0.62)
    >>> bool(abs(table.sizes["photon"] / true.sizes["photon"] - 1) < 0.1)
    True
    """
    table = resolved(
        frames,
        energy,
        ev_per_pair=ev_per_pair,
        electrons_per_adu=electrons_per_adu,
        photon_charge=photon_charge,
        cloud_sigma=cloud_sigma,
        read_noise=read_noise,
        local_background=local_background,
        max_pixel=max_pixel,
        dark=dark,
        mask=mask,
        max_photons=max_photons,
        threads=threads,
        compares=True,
    )
    tell(charge_gap(table.attrs))
    return table


def resolved(
    frames: xr.DataArray | ArrayLike | Frames,
    energy: xr.DataArray | ArrayLike | None,
    *,
    ev_per_pair: float,
    electrons_per_adu: float,
    photon_charge: float | None,
    cloud_sigma: float | None,
    read_noise: float | xr.DataArray | ArrayLike | None,
    local_background: bool,
    max_pixel: float | None,
    dark: xr.DataArray | ArrayLike | None,
    mask: xr.DataArray | ArrayLike | None,
    max_photons: int,
    threads: int | None,
    compares: bool = False,
) -> xr.Dataset:
    """As `resolve_photons`, for a part of the frames, without a warning about the charge balance.

    The given charge is compared with that of isolated spots only if requested.
    """
    stack = as_frames(frames)
    max_photons = whole_number("max_photons", max_photons)
    gain = _positive("electrons_per_adu", electrons_per_adu)
    ev_per_pair = _positive("ev_per_pair", ev_per_pair)
    camera: dict[str, Any] = {
        "dark": as_dark(dark, stack),
        "mask": as_mask(mask, stack),
        "threads": resolve_threads(threads),
    }
    charges = charges_given(energy, photon_charge, stack, ev_per_pair * gain)
    placement = Placement(
        "gaussian", cloud_sigma, read_noise, gain,
        yes_or_no("local_background", local_background), False, max_pixel, None,
    )  # fmt: skip
    fit, fit_attrs = placement.core_options(stack, lambda options: _cloud(stack, camera, options))
    if charges is None:
        learned = single_charge(_spots(stack, camera, fit))
        tell(learned.doubts())
        charges = np.full(len(stack), learned.charge)
    elif compares and len(stack):
        _compare(_spots(stack, camera, fit, FRAMES_TO_COMPARE), charges)
    found = _core.resolve_photons(
        stack.pixels,
        photon_adu=charges,
        **camera,
        max_photons=max_photons,
        fit=fit,
        first_frame=stack.first_frame,
    )
    for name in ("own_cloud_sigma", "own_cloud_sigma_err"):
        found.pop(name)  # type: ignore[misc]  # photons of a crowd do not have it
    sums = charges_of(found)
    attrs = provenance(
        "resolve",
        photon_charge=_one_or_text(charges),
        photon_charge_learned=energy is None and photon_charge is None,
        ev_per_pair=ev_per_pair,
        max_photons=max_photons,
        **{name: value for name, value in fit_attrs.items() if name not in _WITHOUT_MEANING},
        **sums,
        **ratio_of(sums),
    )
    table = table_of_found(found, stack, attrs)
    table["threshold"].attrs["long_name"] = "level without light"
    return table


def spots_in(
    frames: xr.DataArray | ArrayLike | Frames,
    cloud_sigma: float,
    camera: Mapping[str, Any],
    *,
    electrons_per_adu: float,
    read_noise: float | xr.DataArray | ArrayLike | None,
    **others: Any,
) -> dict[str, NDArray[Any]]:
    """Columns of fitted spots of a few frames, to learn charge and cloud of one photon.

    Takes the options of `resolved`; some of them have no meaning here.
    """
    stack = as_frames(frames)
    placement = Placement(
        "gaussian", cloud_sigma, read_noise, electrons_per_adu, False, False, None, None
    )
    fit, _ = placement.core_options(stack, lambda _: cloud_sigma)
    of_core = {
        "dark": as_dark(camera["dark"], stack),
        "mask": as_mask(camera["mask"], stack),
        "threads": resolve_threads(camera["threads"]),
    }
    return dict(cast("Mapping[str, NDArray[Any]]", spots_of(stack, fit, of_core)))


def _compare(spots: _core.Found, charges: NDArray[np.float64]) -> None:
    """Warn if the charges of isolated spots differ from those given."""
    columns = dict(cast("Mapping[str, NDArray[Any]]", spots))
    columns["charge"] = columns["charge"] / charges[columns["frame"]]
    with suppress(MissingDataError):
        tell(mismatch(single_charge(columns, at_least=ENOUGH_TO_COMPARE)))


def _spots(
    frames: Frames,
    camera: dict[str, Any],
    fit: _core.FitOptions,
    most: int = MOST_ENTRIES_FOR_A_CHARGE,
) -> _core.Found:
    """Spots of as many first frames as are needed for the charge of one photon."""
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)
    n = min(ENTRIES_FOR_A_CHARGE, most)
    while True:
        spots = spots_of(replace(frames, pixels=pixels[:n]), fit, camera)
        if n >= min(len(pixels), most) or n_alone(spots) > ENOUGH_FOR_A_CHARGE:
            return spots
        n *= 2


def _cloud(
    frames: Frames, camera: dict[str, Any], options: Callable[[float], _core.FitOptions]
) -> float:
    """Width of the cloud from spots of as many first frames as needed."""
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)

    def fit_first(n: int, cloud_sigma: float) -> CloudEstimate:
        first = replace(frames, pixels=pixels[:n])
        return cloud_of_spots(spots_of(first, options(cloud_sigma), camera), cloud_sigma)

    return cloud_of_first(len(pixels), fit_first, enough=ENOUGH_FOR_A_CLOUD).cloud_sigma


def charges_given(
    energy: xr.DataArray | ArrayLike | None,
    photon_charge: float | None,
    frames: Frames,
    ev_per_adu: float,
) -> NDArray[np.float64] | None:
    """Charge of one photon for each frame, in ADU; None if it must be learned."""
    if energy is not None and photon_charge is not None:
        raise ValueError(
            "both energy and photon_charge were given. Give only one: the charge of a photon "
            "follows from its energy and the gain."
        )
    if energy is not None:
        with np.errstate(
            over="ignore", divide="ignore"
        ):  # the core names the frame of one that is too large
            return energy_of_frames(energy, frames) / ev_per_adu
    if photon_charge is not None:
        return np.full(len(frames), _positive("photon_charge", photon_charge))
    return None


def _one_or_text(charges: NDArray[np.float64]) -> float | str:
    """The charge of all frames, or ``'per frame'``."""
    one = len(charges) > 0 and bool((charges == charges[0]).all())
    return float(charges[0]) if one else "per frame"


def _positive(name: str, value: Any) -> float:
    given = number(name, value)
    if not (given > 0 and np.isfinite(given)):
        raise ValueError(f"{name} = {value!r}, expected a positive number.")
    return given
