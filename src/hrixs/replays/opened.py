"""Open a result or its file, and read its attributes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import xarray as xr

from hrixs.files.names import OF_RESULT, no_file
from hrixs.output.suffixes import SUFFIXES, checked_suffix
from hrixs.output.writing import recorded
from hrixs.steps.record import STEPS, Step, steps_now, steps_of

_HDF5 = (".h5", ".hdf5")

#: A result, or the file of one.
Result: TypeAlias = "xr.Dataset | xr.DataArray | str | os.PathLike[str]"


def opened(result: Result) -> xr.Dataset | None:
    """Return the result, read from its netCDF file if needed; None for other files.

    Raises
    ------
    MissingDataError
        If there is no such file.
    TypeError
        If it is not a result.
    """
    if isinstance(result, xr.Dataset):
        return result
    if isinstance(result, xr.DataArray):
        data = result.to_dataset(name=result.name or "spectrum")
        return data.assign_attrs({k: v for k, v in result.attrs.items() if k == STEPS})
    if not isinstance(result, str | os.PathLike):
        raise TypeError(
            f"got {type(result).__name__}, expected a result (xarray.Dataset), or the path of its "
            "file."
        )
    path = Path(result)
    if not path.is_file():
        raise no_file(path, OF_RESULT)
    kind = SUFFIXES[checked_suffix(path)]
    if kind != "netCDF":
        # Both formats are HDF5, and other programs write netCDF with this suffix.
        return _netcdf_in(path) if path.suffix.lower() in _HDF5 else None
    try:
        with xr.open_dataset(path, engine="h5netcdf") as data:
            return data.load()
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path} cannot be read as netCDF ({error}). Expected a result written by "
            "hrixs.export or to_netcdf. Check that the file was copied completely."
        ) from error


def _netcdf_in(path: Path) -> xr.Dataset | None:
    """The result in an HDF5 file, if it is netCDF."""
    try:
        with xr.open_dataset(path, engine="h5netcdf") as data:
            return data.load() if STEPS in data.attrs and "spectrum" in data else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def told(result: Result, data: xr.Dataset | None, name: str) -> Any:
    """Read a JSON attribute of the result or of its spectra; None if it is missing.

    Raises
    ------
    ValueError
        If it is not JSON.
    """
    if data is None:
        assert isinstance(result, str | os.PathLike)
        text: Any = recorded(Path(result), name)
    else:
        places: list[Mapping[Any, Any]] = [data.attrs, *(v.attrs for v in data.data_vars.values())]
        text = next((attrs[name] for attrs in places if name in attrs), None)
    if text is None:
        return None
    try:
        return json.loads(str(text))
    except ValueError as error:
        raise ValueError(f"the attribute {name} is not valid JSON: {error}.") from error


def steps_told(result: Result, data: xr.Dataset | None) -> list[Step]:
    """The steps of a result, including later changes that can be detected."""
    if data is None:
        return list(told(result, data, STEPS) or [])
    return steps_now(data) if steps_of(data) else []
