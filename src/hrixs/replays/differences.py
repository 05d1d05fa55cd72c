"""Compare a result with the same one made again: its values, or the bytes of its file."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.steps.record import STEPS
from hrixs.utils.atomic_files import write_netcdf
from hrixs.utils.provenance import PATH

# Attributes that describe the file, not its content.
_OF_THE_FILE = ("task", STEPS)


def differences(
    was: xr.Dataset, again: xr.Dataset, moved: Mapping[str, str] | None = None
) -> list[str]:
    """List the differences, one line each; empty if all is equal.

    `was` was read from a file, so `again` is also written and read. Folders in `moved` count as
    equal in texts.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.nc"
        write_netcdf(again, path)
        with xr.open_dataset(path, engine="h5netcdf") as read:
            again = read.load()
    was = _with_moved(was, moved or {})
    if moved:
        again = again.assign_attrs({k: v for k, v in was.attrs.items() if k.startswith(PATH)})
        again.attrs = {k: v for k, v in again.attrs.items()
                       if k in was.attrs or not str(k).startswith(PATH)}  # fmt: skip
    lines = [
        f"{name} is missing" for name in map(str, was.variables) if name not in again.variables
    ]
    lines += [f"{name} is new" for name in map(str, again.variables) if name not in was.variables]
    for name in map(str, was.variables):
        if name in again.variables:
            lines += _of_variables(name, was.variables[name], again.variables[name])
    return lines + _of_attrs("", was.attrs, again.attrs)


def same_bytes(again: xr.Dataset, file: str | os.PathLike[str]) -> bool:
    """Whether the file written from the new result equals the original file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.nc"
        write_netcdf(again, path)
        return filecmp.cmp(path, file, shallow=False)


def _with_moved(data: xr.Dataset, moved: Mapping[str, str]) -> xr.Dataset:
    """Replace moved folders in the attributes by their present paths."""
    if not moved:
        return data

    def now(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
        return {name: _elsewhere(one, moved) for name, one in attrs.items()}

    data = data.copy(deep=False)
    for variable in data.variables.values():
        variable.attrs = now(variable.attrs)
    return data.assign_attrs(now(data.attrs))


def _elsewhere(value: Any, moved: Mapping[str, str]) -> Any:
    for old, new in moved.items():
        if isinstance(value, str) and not old.isdecimal():
            value = value.replace(old.rstrip("/"), new.rstrip("/"))
    return value


def _of_variables(name: str, was: xr.Variable, again: xr.Variable) -> list[str]:
    if (was.dims, was.shape, was.dtype) != (again.dims, again.shape, again.dtype):
        shapes = [f"{dict(one.sizes)} of {one.dtype}" for one in (was, again)]
        return [f"{name} was {shapes[0]}, is {shapes[1]}"]
    a, b = was.values, again.values
    same = a == b
    if a.dtype.kind in "fcmM":
        same = same | ((a != a) & (b != b))
    n = int(a.size - np.count_nonzero(same))
    lines = [] if n == 0 else [f"{name} differs in {n} of {a.size} values{_most(a, b)}"]
    return lines + _of_attrs(f"{name}.", was.attrs, again.attrs)


def _most(a: Any, b: Any) -> str:
    if a.dtype.kind not in "iuf":
        return ""
    with np.errstate(invalid="ignore"):
        return f", by up to {np.nanmax(np.abs(a.astype(np.float64) - b)):.3g}"


def _of_attrs(of: str, was: Mapping[Any, Any], again: Mapping[Any, Any]) -> list[str]:
    names = sorted({*map(str, was), *map(str, again)} - set(_OF_THE_FILE))
    return [
        f"attribute {of}{name} was {_short(was.get(name))}, is {_short(again.get(name))}"
        for name in names
        if not _same(was.get(name), again.get(name))
    ]


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind == b.dtype.kind == "f":
        return bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.array_equal(a, b))


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
