"""Find photons by the charge that follows from their energy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.photons.defaults import (
    CANDIDATE_HIGH,
    CANDIDATE_LOW,
    DOUBLE_LOW,
    ELECTRONS_PER_ADU,
    EV_PER_PAIR,
    MAX_PHOTONS,
    POSITION,
    SINGLE_LOW,
)
from hrixs.photons.placement import Placement, estimated_cloud
from hrixs.photons.table import table_of_found
from hrixs.utils.checks import number, positive_energies, whole_number
from hrixs.utils.errors import warn
from hrixs.utils.provenance import provenance
from hrixs.utils.threads import resolve_threads


def classify_photons(
    frames: xr.DataArray | ArrayLike | Frames,
    energy: xr.DataArray | ArrayLike,
    *,
    ev_per_pair: float = EV_PER_PAIR,
    electrons_per_adu: float = ELECTRONS_PER_ADU,
    candidate_low: float = CANDIDATE_LOW,
    candidate_high: float = CANDIDATE_HIGH,
    single_low: float = SINGLE_LOW,
    double_low: float = DOUBLE_LOW,
    position: str = POSITION,
    cloud_sigma: float | None = None,
    read_noise: float | xr.DataArray | ArrayLike | None = None,
    local_background: bool = False,
    split_doubles: bool = False,
    max_pixel: float | None = None,
    max_charge: float | None = None,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    max_photons: int = MAX_PHOTONS,
    threads: int | None = None,
) -> xr.Dataset:
    """Find single and double hits by the photon energy (centroid_two).

    One photon makes ``energy / ev_per_pair / electrons_per_adu`` ADU. A candidate is a pixel that
    is the maximum of its 3x3 square. Above the mean of the frame it has between `candidate_low`
    and `candidate_high` times the charge of one photon. By the charge of the square it is a single
    (above `single_low`) or a double (above `double_low`). The position is the centre of mass of
    the square.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype.
    energy : float or array_like
        Photon energy in eV: one number, or one for each frame (shape of the leading dimensions).
    ev_per_pair : float
        Photon energy per freed electron, in eV.
    electrons_per_adu : float
        Gain of the camera. 1.06 is the value of one particular camera: check yours. With
        ``position='gaussian'`` it also gives the noise of the electrons.
    candidate_low, candidate_high, single_low, double_low : float
        Limits, as fractions of the charge of one photon.
    position, cloud_sigma, read_noise, local_background, split_doubles, max_pixel, max_charge
        As in `find_photons`.
    dark, mask, max_photons, threads
        As in `find_photons`.

    Returns
    -------
    xarray.Dataset
        The photon table, as from `find_photons`. ``threshold`` is `candidate_low` in ADU;
        ``n_dropped`` counts candidates with too little charge in their 3x3 square.

    Raises
    ------
    TooManyPhotonsError, NonFinitePixelsError, TypeError, ValueError
        As in `find_photons`; ValueError also for an energy that is not positive.
    MissingDataError
        As in `find_photons`.

    Notes
    -----
    The classifier of the ESRF RIXS toolbox: Kummer et al., J. Synchrotron Rad. 24, 531 (2017).
    Where two neighbouring pixels are equal, a photon is counted once, not twice.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import classify_photons
    >>> frame = np.zeros((16, 16))
    >>> frame[5, 8:10] = [100, 39]
    >>> table = classify_photons(frame, 530.0)
    >>> float(table.y[0].round(2)), bool(table.double[0])
    (8.29, False)
    """
    stack = as_frames(frames)
    energies = energy_of_frames(energy, stack)
    ev_per_pair = number("ev_per_pair", ev_per_pair)
    electrons_per_adu = number("electrons_per_adu", electrons_per_adu)
    if not (ev_per_pair > 0 and electrons_per_adu > 0):
        raise ValueError(
            f"ev_per_pair = {ev_per_pair!r}, electrons_per_adu = {electrons_per_adu!r}, "
            "expected positive numbers."
        )
    fractions = {
        "candidate_low": number("candidate_low", candidate_low),
        "candidate_high": number("candidate_high", candidate_high),
        "single_low": number("single_low", single_low),
        "double_low": number("double_low", double_low),
    }
    max_photons = whole_number("max_photons", max_photons)
    with np.errstate(over="ignore"):  # the core names the frame of an energy that is too large
        photon_adu = energies / ev_per_pair / electrons_per_adu
    if photon_adu.size and photon_adu.min() < 1:
        warn(
            f"a photon of {energies.min()} eV makes {photon_adu.min():.3g} ADU, which is less "
            "than one. Give the energy in eV."
        )
    placement = Placement(
        position, cloud_sigma, read_noise, electrons_per_adu,
        local_background, split_doubles, max_pixel, max_charge,
    )  # fmt: skip
    core_options: dict[str, Any] = {
        **fractions,
        "dark": as_dark(dark, stack),
        "mask": as_mask(mask, stack),
        "max_photons": max_photons,
        "threads": resolve_threads(threads),
    }

    def classify(frames: Frames, fit: _core.FitOptions) -> _core.Found:
        return _core.classify_photons(
            frames.pixels,
            photon_adu=photon_adu[: len(frames)],
            **core_options,
            fit=fit,
            first_frame=frames.first_frame,
        )

    fit, fit_attrs = placement.core_options(stack, partial(estimated_cloud, stack, classify, True))
    found = classify(stack, fit)
    attrs = provenance(
        "centroid_two",
        energy=float(np.asarray(energy)) if np.ndim(energy) == 0 else "per frame",
        ev_per_pair=ev_per_pair,
        max_photons=max_photons,
        **fractions,
        **fit_attrs | {"electrons_per_adu": electrons_per_adu},
    )
    return table_of_found(found, stack, attrs)


def energy_of_frames(energy: xr.DataArray | ArrayLike, frames: Frames) -> NDArray[np.float64]:
    """Photon energy of each frame, in eV, from one number or one per frame."""
    given = np.asarray(energy, dtype=np.float64)
    if given.ndim and given.shape != frames.leading_shape:
        raise ValueError(
            f"energy has shape {given.shape}, expected one number, or one per frame, "
            f"{frames.leading_shape}."
        )
    energies = np.broadcast_to(given, frames.leading_shape).ravel()
    return np.ascontiguousarray(positive_energies(energies))
