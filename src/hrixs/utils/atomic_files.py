"""Write files so that nobody can read an incomplete one."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

# What older versions of xarray read back as timedelta64 without a unit, and how it stays a number.
_SHORT = {
    "days": "d", "hours": "h", "minutes": "min", "seconds": "s", "milliseconds": "ms",
    "microseconds": "us", "nanoseconds": "ns",
}  # fmt: skip


@contextmanager
def replaced_at_once(path: Path, scratch: Path | None = None) -> Generator[Path]:
    """Give a temporary name to write to; the finished file then replaces `path`.

    The temporary file is in the folder `scratch` (on the same disk), or next to `path`. After an
    error `path` is unchanged.
    """
    path = path.resolve()  # what a link points to is replaced, not the link
    part = (scratch or path.parent) / f".{path.name}.{os.getpid()}.part"
    try:
        yield part
        with part.open("r+b") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_netcdf(dataset: xr.Dataset, path: Path, scratch: Path | None = None) -> None:
    """Write a netCDF file that is either complete or does not exist; replaces an older one.

    Units of time are written by their short names.
    """
    with replaced_at_once(path, scratch) as part:
        _with_short_units(dataset).to_netcdf(part, engine="h5netcdf")


def _with_short_units(dataset: xr.Dataset) -> xr.Dataset:
    long = {
        name: _SHORT[variable.attrs["units"]]
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iuf" and str(variable.attrs.get("units")) in _SHORT
    }
    if not long:
        return dataset
    written = dataset.copy(deep=False)
    for name, unit in long.items():
        written.variables[name].attrs["units"] = unit
    return written
