"""From a dataset of frames to its spectra, with an energy axis, part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.utils.provenance import CHARGES

#: Attribute of spectra that were converted to photons: what bins scatter by without a photon.
BIN_NOISE = "bin_noise"
#: Counts in the attributes of a counted spectrum, which add up.
COUNTS = ("n_photons", "n_outside", "n_hits", "n_dropped", "n_cosmics", *CHARGES)
# What a spectrum leaves behind that another one does not replace.
_OF_A_SPECTRUM = (
    *("spectrum", "spectrum_err", "normalized", "normalized_err"),
    *("normalized_divisor", "normalized_divisor_err"),
)


def with_energy(spectrum: xr.DataArray, *, intercept: float, slope: float) -> xr.DataArray:
    """Replace the coordinate ``y``, rows of the full chip, by their energy."""
    calibrated = (intercept, slope) != (0.0, 1.0)
    energy = intercept + slope * spectrum["y"].values
    attrs = {"units": "eV" if calibrated else "px", "long_name": "energy"}
    return (
        spectrum.rename(y="energy")
        .assign_coords(energy=("energy", energy, attrs))
        .assign_attrs(energy_intercept=float(intercept), energy_slope=float(slope))
    )


def with_counting_error(spectrum: xr.Variable, name: str = "spectrum") -> dict[str, xr.Variable]:
    """`spectrum` by its name and, where it counts photons, its standard deviation.

    The number of photons in a bin is Poisson distributed, and its variance the number itself. The
    two of a double hit met by chance, and count as any other two. Where intensity was converted to
    photons, noise adds to that, the attribute ``bin_noise``.
    """
    if spectrum.attrs.get("units") != "photons":
        return {name: spectrum}
    attrs = {"units": "photons", "long_name": f"one standard deviation of {name}"}
    error = xr.Variable(spectrum.dims, np.sqrt(_variance(spectrum)), attrs)
    return {name: spectrum, f"{name}_err": error}


def _variance(spectrum: xr.Variable) -> Any:
    noise = spectrum.attrs.get(BIN_NOISE)
    return spectrum.data if noise is None else spectrum.data.clip(0.0) + noise**2


def store_spectrum(data: xr.Dataset, spectrum: xr.DataArray) -> xr.Dataset:
    """Put `spectrum` and its error into `data` in place of earlier ones; return a shallow copy.

    Everything that can fail is tried on a copy first.
    """
    if "energy" in data.variables and data["energy"].dims != ("energy",):
        raise ValueError(
            f"the dataset has a variable 'energy' over {data['energy'].dims}, whose place the "
            "spectrum's energy axis would take. Rename it first."
        )
    stale: list[Any] = [name for name in _OF_A_SPECTRUM if name in data]
    new = data.drop_vars([*stale, *(["energy"] if "energy" in data.variables else [])])
    others = [str(name) for name, v in new.variables.items() if "energy" in v.dims]
    same_axis = "energy" in data.variables and data["energy"].equals(spectrum["energy"])
    if others and not same_axis:
        raise ValueError(
            f"the dataset's variables {', '.join(others)} lie on the present energy axis and "
            "would not fit the new one. Drop them, or rename their dimension, first."
        )
    new = new.assign_coords(energy=spectrum["energy"].variable)
    made = with_counting_error(spectrum.variable)
    new = new.assign(made)
    for name in stale:
        del data[name]
    if "energy" in data.variables:
        del data["energy"]
    data.coords["energy"] = spectrum["energy"].variable
    for name, variable in made.items():
        data[name] = variable
    return data.copy(deep=False)
