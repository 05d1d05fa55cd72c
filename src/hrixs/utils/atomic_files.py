"""Writing results so that nobody ever reads half of one."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr


@contextmanager
def replaced_at_once(path: Path, scratch: Path | None = None) -> Generator[Path]:
    """Give a name to write to; what was written takes the place of `path` at once.

    The name is in the folder `scratch`, on the same disk, or beside `path`. On an error `path` is
    as it was.
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
    """Write a netCDF file that is either whole or not there; it may replace an older one."""
    with replaced_at_once(path, scratch) as part:
        dataset.to_netcdf(part, engine="h5netcdf")
