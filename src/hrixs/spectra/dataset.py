"""Add spectra with an energy axis to a dataset of frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hrixs.spectra.axes import apart, same_axis
from hrixs.spectra.errors import BIN_NOISE, DIVISOR, VARIANCE, WITNESS, with_variance
from hrixs.utils.provenance import CHARGES, RATIO, runs_of

#: Counts in the attributes of a counted spectrum; they are summed when results are joined.
COUNTS = ("n_photons", "n_outside", "n_hits", "n_dropped", "n_cosmics", *CHARGES)
#: Attribute with the images that the counts belong to, also if other tools join results.
COUNTS_OF = "counts_of"
#: Attributes of all images together, which are wrong for a selection.
OF_ALL_IMAGES = (*COUNTS, *RATIO, COUNTS_OF)
# Variables of an earlier spectrum that a new one does not replace.
_OF_A_SPECTRUM = (
    *("spectrum", f"spectrum{VARIANCE}", WITNESS, "spectrum_err"),
    *("normalized", f"normalized{VARIANCE}", "normalized_err"),
    *(DIVISOR, f"{DIVISOR}{VARIANCE}"),
    *("sampled", "sampled_height", "sampled_pixels", "spectrum_cov", "cov_lag", "resolution"),
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


def as_counted(
    spectrum: xr.Variable, name: str = "spectrum", trains: xr.Variable | None = None
) -> dict[str, xr.Variable]:
    """`spectrum` with the variables that its error is computed from, by name.

    Counted photons are whole numbers, and the variance is the number itself; this includes double
    hits, whose two photons met by chance. For intensity converted to photons, noise adds to the
    variance (attribute ``bin_noise``), and the variance is a variable of its own.
    """
    if spectrum.attrs.get("units") != "photons" or spectrum.attrs.get("deconvolved"):
        return {name: spectrum}
    noise = spectrum.attrs.get(BIN_NOISE)
    if noise is None:
        return {name: spectrum.astype(np.int64, keep_attrs=True)}
    variance = xr.Variable(spectrum.dims, spectrum.data.clip(0.0) + noise**2)
    known = {} if trains is None else {"trainId": trains}
    witness = WITNESS if name == "spectrum" else f"{name}_added"
    made = with_variance(xr.Dataset({name: spectrum}, known), name, variance, witness=witness)
    return {str(one): variable for one, variable in made.data_vars.variables.items()}


def store_spectrum(
    data: xr.Dataset, spectrum: xr.DataArray, beside: Mapping[str, xr.DataArray] | None = None
) -> xr.Dataset:
    """Store `spectrum` and the variables for its error in `data`, in place of earlier ones.

    `beside` has more variables that belong to it.

    Returns
    -------
    xarray.Dataset
        A shallow copy.

    Notes
    -----
    Everything that can fail is tried on a copy first.
    """
    if "energy" in data.variables and data["energy"].dims != ("energy",):
        raise ValueError(
            f"the dataset has a variable 'energy' over {data['energy'].dims}, but the energy axis "
            "of the spectrum needs this name. Rename the variable first."
        )
    stale: list[Any] = [name for name in _OF_A_SPECTRUM if name in data]
    new = data.drop_vars([*stale, *(["energy"] if "energy" in data.variables else [])])
    others = [str(name) for name, v in new.variables.items() if "energy" in v.dims]
    if others:
        spectrum = _on_present_axis(data, spectrum, others)
    if set(COUNTS) & set(spectrum.attrs):
        spectrum = spectrum.assign_attrs(
            {COUNTS_OF: spectrum.attrs.get(COUNTS_OF) or images_of_result(data, spectrum)}
        )
    new = new.assign_coords(energy=spectrum["energy"].variable)
    trains = data.variables.get("trainId") if "trainId" in spectrum.dims else None
    made = as_counted(spectrum.variable, trains=trains)
    new = new.assign(made | {name: one.variable for name, one in (beside or {}).items()})
    for name in stale:
        del data[name]
    if "energy" in data.variables:
        del data["energy"]
    data.coords["energy"] = spectrum["energy"].variable
    for name, variable in made.items():
        data[name] = variable
    for name, one in (beside or {}).items():
        data[name] = one
    return data.copy(deep=False)


def _on_present_axis(data: xr.Dataset, spectrum: xr.DataArray, others: list[str]) -> xr.DataArray:
    """`spectrum` on the axis of other variables of `data`."""
    present = data["energy"] if "energy" in data.variables else None
    new, units = spectrum["energy"], spectrum["energy"].attrs.get("units")
    if present is not None and present.attrs.get("units", units) == units:
        if same_axis(present.values, new.values):
            return spectrum.assign_coords(energy=present.variable)
        why = f"the two are {apart(present.values, new.values)}"
    else:
        why = "no axis" if present is None else f"it is in {present.attrs['units']}, not {units}"
    raise ValueError(
        f"the variables {', '.join(others)} of the dataset are on the present energy axis, which "
        f"differs from the new one: {why}. First drop them, or rename their dimension."
    )


def images_of_result(data: xr.Dataset, spectrum: xr.DataArray) -> str:
    """Number of images of spectra, and their runs: ``48 images of r0145``."""
    counted = [dim for dim in spectrum.dims if dim not in ("energy", "y")]
    n_images = int(np.prod([spectrum.sizes[dim] for dim in counted]))
    runs = ", ".join(runs_of(data))
    return f"{n_images} image{'' if n_images == 1 else 's'}" + (f" of {runs}" if runs else "")
