"""Write results as NeXus: an NXdata for each spectrum, see https://manual.nexusformat.org."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.output.layout import AXES, all_attrs, along, axis_of, beside, others
from hrixs.spectra.errors import tells_an_error
from hrixs.utils.provenance import __version__

_PARAMETERS = "entry/process/parameters"


def write_nexus(data: xr.Dataset, path: Path) -> None:
    """Write a result: spectra that viewers can draw, slow data, photons and settings."""
    import h5py

    axis = axis_of(data, AXES[:-1])
    spectra = along(data, axis)
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        file.attrs["NX_class"] = "NXroot"
        entry = _group(file, "entry", "NXentry")
        signals = [name for name in spectra if not tells_an_error(name, data)]
        entry.attrs["default"] = signals[0]
        for name in signals:
            _write_data(entry, name, spectra)
        rest = others(data, axis)
        photons = {name: one for name, one in rest.items() if one.dims == ("photon",)}
        for kind, variables in {"slow_data": beside(data, axis), "photons": photons}.items():
            group = _group(entry, kind, "NXcollection") if variables else None
            for name, variable in variables.items():
                _write(group, name, variable)
        process = _group(entry, "process", "NXprocess")
        process["program"], process["version"] = "hrixs", __version__
        process["date"] = datetime.now(UTC).isoformat(timespec="seconds")
        parameters = _group(process, "parameters", "NXcollection")
        for key, value in all_attrs(data, axis).items():
            parameters[key.replace("/", "_")] = _storable(value)
        if left_out := [f"{n} {one.dims}" for n, one in rest.items() if n not in photons]:
            parameters["left_out"] = ", ".join(left_out)


def recorded_in_nexus(path: Path, name: str) -> str | None:
    """Read an attribute of the result in such a file."""
    import h5py

    with h5py.File(path, "r") as file:
        value = file.get(f"{_PARAMETERS}/{name}")
        return value.asstr()[()] if isinstance(value, h5py.Dataset) else None


def _write_data(entry: Any, name: str, spectra: dict[str, xr.DataArray]) -> None:
    spectrum = spectra[name]
    group = _group(entry, name, "NXdata")
    group.attrs["signal"] = name
    dims = [str(dim) for dim in spectrum.dims]
    # A dot means a dimension without a scale.
    group.attrs["axes"] = [dim if _is_scale(spectrum, dim) else "." for dim in dims]
    if f"{name}_err" in spectra:
        # Some readers (scippnexus) refuse whole numbers with errors.
        spectrum = spectrum.astype(np.float64) if spectrum.dtype.kind in "iu" else spectrum
    _write(group, name, spectrum)
    if f"{name}_err" in spectra:
        _write(group, f"{name}_errors", spectra[f"{name}_err"].transpose(*spectrum.dims))
    for coord, values in spectrum.coords.items():
        if not values.dims:
            continue
        _write(group, str(coord), values)
        if str(coord) not in group.attrs["axes"]:
            group[str(coord)].attrs["long_name"] = str(values.attrs.get("long_name", coord))
        group.attrs[f"{coord}_indices"] = [dims.index(str(dim)) for dim in values.dims]


def _is_scale(spectrum: xr.DataArray, dim: str) -> bool:
    return dim in spectrum.coords and spectrum.coords[dim].dtype.kind in "iufb"


def _group(parent: Any, name: str, nexus_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    return group


def _write(group: Any, name: str, variable: xr.DataArray) -> None:
    dataset = group.create_dataset(name, data=_storable(variable.values))
    for key, value in variable.attrs.items():
        if key in ("units", "long_name"):
            dataset.attrs[key] = str(value)


def _storable(value: Any) -> Any:
    """Values for HDF5: numbers as they are, text and times as text."""
    import h5py

    if isinstance(value, str):
        return value
    array = np.asarray(value)
    if array.dtype.kind in "biufc":
        return array
    return array.astype(str).astype(object if array.ndim else str).astype(h5py.string_dtype())
