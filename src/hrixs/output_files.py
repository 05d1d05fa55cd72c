"""Writing results so that nobody ever reads half of one."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import xarray as xr


@contextmanager
def replaced_at_once(path: Path) -> Generator[Path]:
    """Give a name beside `path` to write to; what was written takes the place of `path` at once.

    On an error `path` is as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_netcdf(dataset: xr.Dataset, path: Path) -> None:
    """Write a netCDF file that is either whole or not there; it may replace an older one."""
    with replaced_at_once(path) as part:
        dataset.to_netcdf(part, engine="h5netcdf")
