"""Doubts about a spectrum from slow data, settings and the order of the images."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hrixs.doubt_rules.axis import calibrated_range, energy_axis, energy_gain
from hrixs.doubt_rules.dark import dark_exposure
from hrixs.doubt_rules.doubt import Doubt, tell, with_doubts
from hrixs.doubt_rules.exposure import exposure_too_long
from hrixs.doubt_rules.over_time import lines_move
from hrixs.i0.exposure_time import exposure_in_s, seconds_between_images, usual_value
from hrixs.settings.attributes import Settings
from hrixs.utils.checks import finite_number, yes_or_no
from hrixs.utils.dask_arrays import is_lazy

# Photon energies that differ by less are equal, in eV.
_SAME_ENERGY = 0.05


def with_slow_doubts(h: Settings, spectrum: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Add doubts from the slow data to `spectrum`, and warn of them."""
    found = _of_axis(h, spectrum, data.variables.get("nrj"))
    exposure, distance = exposure_in_s(data), seconds_between_images(data)
    if exposure is not None and distance is not None:
        found += exposure_too_long(exposure, distance)
    subtracts_dark = yes_or_no("USE_DARK", h.USE_DARK)
    if subtracts_dark and h.dark_exposure is not None:
        found += dark_exposure(h.dark_exposure, exposure)
    tell(found)
    of_dark = h.dark_doubts if subtracts_dark else ()  # told by load_dark
    spectrum.attrs = with_doubts(spectrum.attrs, [*found, *of_dark])
    return spectrum


def _of_axis(h: Settings, spectrum: xr.DataArray, energies: xr.Variable | None) -> list[Doubt]:
    """Doubt the energy axis, and lines that move on it."""
    found: list[Doubt] = []
    axis, unit = spectrum["energy"].values, spectrum["energy"].attrs["units"]
    if not axis.size:
        return found
    slope = finite_number("energy_slope", h.ENERGY_SLOPE)
    if unit == "eV":
        usual, ends = usual_value(energies), (float(axis[0]), float(axis[-1]))
        found += energy_axis(*ends, axis.size, slope=slope, energy=usual)
        if usual is not None and h.calibrated is not None:
            set_by, (lowest, highest) = h.calibrated
            if set_by == (h.ENERGY_INTERCEPT, slope):
                found += calibrated_range(usual, lowest, highest)
        if not found and usual is not None:
            found += _of_gain(spectrum, energies)
    if spectrum.ndim == 2 and not is_lazy(spectrum) and _all_equal(energies):
        step = float(axis[-1] - axis[0]) / max(axis.size - 1, 1)
        unit, step = ("meV", 1e3 * step) if unit == "eV" else ("rows", step)
        found += lines_move(np.asarray(spectrum.values, np.float64), step=step, unit=unit)
    return found


def _of_gain(spectrum: xr.DataArray, energies: xr.Variable | None) -> list[Doubt]:
    """Doubt lines above the photon energy, if spectra are in memory."""
    if energies is None or is_lazy(spectrum) or spectrum.ndim != 2:
        return []
    known = np.asarray(energies, dtype=np.float64)
    if known.shape not in ((), spectrum.shape[:1]):
        return []
    return energy_gain(
        np.asarray(spectrum.values, dtype=np.float64),
        np.asarray(spectrum["energy"].values, dtype=np.float64),
        np.broadcast_to(known, spectrum.shape[:1]),
        counted=spectrum.attrs.get("units") == "photons",
    )


def _all_equal(energies: xr.Variable | None) -> bool:
    """Whether all known photon energies of the images are equal."""
    if energies is None or energies.dtype.kind not in "iuf" or not energies.size:
        return True
    values = np.asarray(energies, dtype=np.float64)
    known = values[np.isfinite(values)]
    return not known.size or float(np.ptp(known)) <= _SAME_ENERGY
