"""Photons of one known charge, found also where their clouds lie over each other."""

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

#: So many first frames, or trains, tell a photon's charge; in a crowd up to so many.
ENTRIES_FOR_A_CHARGE = 8
MOST_ENTRIES_FOR_A_CHARGE = 32
#: So many isolated spots give it to a percent.
ENOUGH_FOR_A_CHARGE = 100
#: So many first frames are compared with the charge that was given.
FRAMES_TO_COMPARE = 2
#: So many isolated photons give the width of the cloud to a percent.
ENOUGH_FOR_A_CLOUD = 100
# Of a placement's attributes, what has no meaning here.
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
    """Find photons that all bring the same charge, also where their clouds overlap.

    The best place for one more photon is searched in what the photons found so far leave of the
    frame, and all places are fitted together, until nothing is left that is more photon than not.
    Where a line is so bright that spots run into each other, this counts what thresholds lose.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype.
    energy : float or array_like, optional
        Photon energy in eV, one number or one for each frame: one photon makes
        ``energy / ev_per_pair / electrons_per_adu`` ADU.
    ev_per_pair : float
        Energy that frees one electron, in eV.
    electrons_per_adu : float
        Gain of the camera: electrons have their own noise, signal / gain in ADU squared. 1.06
        belongs to one particular camera: check yours.
    photon_charge : float, optional
        Charge of one photon in ADU, in place of `energy`. Without both, it is learned from the
        isolated spots of the first frames.
    cloud_sigma : float, optional
        Standard deviation of the charge cloud in pixels, from 0.2 to 1.25. By default it is
        estimated from these frames, as `estimate_cloud` does.
    read_noise : float or array_like, shape (x, y), optional
        Noise of a pixel, in ADU; NaN where a pixel is not to be used. By default it is estimated
        from each frame, photons excluded.
    local_background : bool
        Take the level from each 64 x 64 pixels by themselves. By default it is that of the frame.
    max_pixel : float, optional
        A pixel of more than this above the level, in ADU, is no light but a cosmic ray or hot: it
        is masked with all pixels within 5 of it.
    dark, mask, threads
        As in `find_photons`.
    max_photons : int
        More photons than this in one frame are an error.

    Returns
    -------
    xarray.Dataset
        The photon table, as from `find_photons`, of single photons in the order of the frames, and
        of ``x`` in a frame: ``x``, ``y``, ``charge`` (the fitted one where a photon stands alone,
        else that of one photon), ``sigma_x``, ``sigma_y`` (which take into account that the
        neighbours' places are fitted too), ``chi2``, ``flag`` (4: a near neighbour, 8: cut by a
        mask or the border) and ``crowding``: the light of other photons at its place, in photons,
        weighed with its own cloud. For each frame ``noise`` and ``base``; ``threshold`` is the
        level without light; ``n_cosmics`` counts the pixels that `max_pixel` masks.

        ``attrs`` tell the ``photon_charge`` and ``cloud_sigma`` that were used; the
        ``charge_of_photons`` and the ``charge_above`` the level, in ADU, in the parts of the frames
        that have light; and ``charge_ratio``, the first over the second, with its error
        ``charge_ratio_err`` from noise and level.

    Raises
    ------
    TooManyPhotonsError, NonFinitePixelsError, TypeError, ValueError
        Too many photons; NaN or inf pixels that are not masked; unreadable dtype; wrong shapes or
        settings, or both `energy` and `photon_charge`.
    MissingDataError
        Charge or width of the cloud are to be learned, and there are too few isolated photons.

    Warns
    -----
    ChargeBalanceWarning
        Photons and charge differ by more than 3 % and 4 errors: charge, width of the cloud or level
        are then not those of the frames, or not all light is photons.
    HrixsWarning
        Spots of the first two frames that stand alone have another charge, by more than 10 %, than
        one photon was said to have; or it was learned from few, to no better than 2 %.

    Notes
    -----
    Two photons in one place, and one of twice the charge, look alike: a photon charge that is wrong
    by a factor of two changes the count, and no balance of charges tells it. Spots that stand alone
    do.

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
    """As `resolve_photons`, of a part of the frames: no gap is told, which others may close.

    Nor is the charge that was given compared with that of isolated spots, if not asked for.
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
        found.pop(name)  # type: ignore[misc]  # no photon of a crowd tells it
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
    """Columns of the fitted spots of a few frames, which tell what one photon is like.

    The options are those of `resolved`; the others of them have no meaning here.
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


def resolved_in(
    frames: xr.DataArray | ArrayLike | Frames,
    charge: float,
    cloud_sigma: float,
    camera: Mapping[str, Any],
    *,
    electrons_per_adu: float,
) -> dict[str, NDArray[Any]]:
    """Columns of the photons in a few frames, each of the same charge, without a table.

    Parameters
    ----------
    charge : float
        Of one photon, in ADU.
    """
    stack = as_frames(frames)
    placement = Placement(
        "gaussian", cloud_sigma, None, electrons_per_adu, False, False, None, None
    )
    fit, _ = placement.core_options(stack, lambda _: cloud_sigma)
    found = _core.resolve_photons(
        stack.pixels,
        photon_adu=np.full(len(stack), charge),
        dark=as_dark(camera["dark"], stack),
        mask=as_mask(camera["mask"], stack, usable=False),
        threads=resolve_threads(camera["threads"]),
        max_photons=int(np.prod(stack.frame_shape)),
        fit=fit,
    )
    return dict(cast("Mapping[str, NDArray[Any]]", found))


def _compare(spots: _core.Found, charges: NDArray[np.float64]) -> None:
    """Warn where isolated spots have other charges than those given."""
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
    """Spots of as many first frames as tell the charge of one photon."""
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
    """Width of the cloud by the spots of as many first frames as it takes."""
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
    """ADU of one photon for each frame; None where that is to be learned."""
    if energy is not None and photon_charge is not None:
        raise ValueError(
            "both energy and photon_charge were given, expected one of them: a photon's charge "
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
    """The charge of all frames, or that they have several."""
    one = len(charges) > 0 and bool((charges == charges[0]).all())
    return float(charges[0]) if one else "per frame"


def _positive(name: str, value: Any) -> float:
    given = number(name, value)
    if not (given > 0 and np.isfinite(given)):
        raise ValueError(f"{name} = {value!r}, expected a positive number.")
    return given
