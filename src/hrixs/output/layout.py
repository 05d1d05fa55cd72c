"""Which variables of a result are spectra, which belong to them, and how attributes are written."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from hrixs.utils.errors import MissingDataError

#: Dimensions of spectra; the first one that a result has is used.
AXES = ("energy", "energy_loss", "y", "photon")


def axis_of(data: xr.Dataset, axes: tuple[str, ...] = AXES) -> str:
    """The dimension of the spectra.

    Raises
    ------
    MissingDataError
        If no variable has such a dimension.
    """
    for axis in axes:
        if any(axis in variable.dims for variable in data.data_vars.values()):
            return axis
    have = ", ".join(f"{name} {variable.dims}" for name, variable in data.data_vars.items())
    raise MissingDataError(
        f"the result has {have or 'no variables'}, expected a spectrum over {' or '.join(axes)}."
    )


def along(data: xr.Dataset, axis: str) -> dict[str, xr.DataArray]:
    """Variables along the axis, the spectrum and its error first, with the axis last."""
    names = [str(name) for name, v in data.data_vars.items() if axis in v.dims]
    names.sort(key=lambda name: not name.startswith("spectrum"))
    return {name: data[name].transpose(..., axis) for name in names}


def beside(data: xr.Dataset, axis: str) -> dict[str, xr.DataArray]:
    """Variables that belong to each spectrum, such as slow data, or to all spectra."""
    dims = {dim for variable in along(data, axis).values() for dim in variable.dims[:-1]}
    return {str(name): data[name] for name in data.variables if set(data[name].dims) <= dims}


def others(data: xr.Dataset, axis: str) -> dict[str, xr.DataArray]:
    """All other variables: images, photons."""
    known = {*along(data, axis), *beside(data, axis)}
    return {
        str(name): data[name]
        for name in data.variables
        if name not in known and axis not in data[name].dims
    }


def all_attrs(data: xr.Dataset, axis: str) -> dict[str, Any]:
    """Attributes of the result and of its spectra, without repetition."""
    attrs: dict[str, Any] = {str(name): value for name, value in data.attrs.items()}
    for variable, array in along(data, axis).items():
        for name, value in array.attrs.items():
            if name in ("units", "long_name"):
                continue
            known = attrs.setdefault(str(name), value)
            if not np.array_equal(np.asarray(known), np.asarray(value)):
                attrs[f"{variable}.{name}"] = value
    return attrs


def as_text(value: Any) -> str:
    """A value on one line: text as it is, other values as JSON."""
    if isinstance(value, str):
        return " ".join(value.splitlines())
    return json.dumps(np.asarray(value).tolist(), default=str)


def label(variable: xr.DataArray) -> str:
    """Name and unit of a variable for a reader."""
    units, name = (str(variable.attrs.get(key, "")) for key in ("units", "long_name"))
    return ", ".join(filter(None, (f"in {units}" if units else "", name)))
