"""Write results for other programs: text tables, NeXus, netCDF, by the suffix of the name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from hrixs.output.layout import AXES
from hrixs.output.nexus import recorded_in_nexus, write_nexus
from hrixs.output.suffixes import SUFFIXES, checked_suffix
from hrixs.output.text_table import recorded_in_text, write_text
from hrixs.spectra.errors import known_error, tells_an_error
from hrixs.utils.atomic_files import replaced_at_once, write_netcdf

_SPACES, _COMMAS = " ", ","


def export(
    result: xr.Dataset | xr.DataArray, path: str | os.PathLike[str], *, scratch: Path | None = None
) -> None:
    """Write spectra or a photon table to a file; the suffix sets the format.

    Parameters
    ----------
    result : xarray.Dataset or xarray.DataArray
        Spectra of one or more dimensions, such as those of `hRIXS.centroid`, `hRIXS.aggregate` or
        `photon_spectrum`. Or a photon table, for text and netCDF files only.
    path : path
        The file. An existing file is replaced as a whole when the new one is complete.

        ``.dat``, ``.txt``
            Columns in text, which `numpy.loadtxt` reads: the axis, then each spectrum and its
            error. Lines that begin with ``#`` give the names and units of the columns, the
            settings and all other values of `result`.
        ``.csv``
            The same with commas, and with a row of names before the numbers.
        ``.nxs``, ``.h5``, ``.hdf5``
            NeXus: an ``NXdata`` for each spectrum with axes and errors, which viewers draw
            automatically; other variables are next to it.
        ``.nc``
            netCDF; `xarray.open_dataset` reads the same dataset back.
    scratch : path, optional
        Folder on the same disk for the unfinished file; by default that of `path`.

    Raises
    ------
    TypeError
        If `result` is not a dataset or array of xarray.
    ValueError
        For another suffix, or a result without spectra.

    Notes
    -----
    A netCDF file holds the whole result, and ``hrixs.error(name)`` works after reading. The other
    formats leave out images, and text leaves out photons next to spectra; the file lists what is
    left out. Errors are one standard deviation, named ``..._err``, from `hrixs.error_of`; a
    spectrum whose error is not known is written without one. Bins without a value are ``nan``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, xarray as xr
    >>> from hrixs import export
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "spectrum.dat"
    >>> energy = ("energy", [530.0, 530.1], {"units": "eV"})
    >>> spectrum = xr.DataArray([4, 9], {"energy": energy}, name="spectrum")
    >>> export(spectrum.assign_attrs(units="photons"), file)
    >>> np.loadtxt(file)
    array([[530. ,   4. ,   2. ],
           [530.1,   9. ,   3. ]])
    """
    suffix = checked_suffix(path)
    data = _as_dataset(result)
    if suffix == ".nc":
        write_netcdf(data, Path(path), scratch)
        return
    data = _with_errors(data)
    writers: dict[str, Callable[[xr.Dataset, Path], None]] = {
        "NeXus": write_nexus,
        "text": lambda data, part: write_text(data, part, _SPACES),
        "comma-separated text": lambda data, part: write_text(data, part, _COMMAS),
    }
    with replaced_at_once(Path(path), scratch) as part:
        writers[SUFFIXES[suffix]](data, part)


def recorded(path: Path, name: str) -> str | None:
    """Read an attribute of the result in `path`; None if it cannot be read."""
    try:
        kind = SUFFIXES[checked_suffix(path)]
        if kind == "NeXus":
            return recorded_in_nexus(path, name)
        if kind != "netCDF":
            return recorded_in_text(path, name)
        with xr.open_dataset(path, engine="h5netcdf") as data:
            value = data.attrs.get(name)
            return None if value is None else str(value)
    except (OSError, ValueError):
        return None


def _as_dataset(result: Any) -> xr.Dataset:
    if isinstance(result, xr.DataArray):
        return result.to_dataset(name=result.name or "spectrum")
    if not isinstance(result, xr.Dataset):
        raise TypeError(
            f"{type(result).__name__} given, expected a result: an xarray.Dataset or DataArray."
        )
    return result


def _with_errors(data: xr.Dataset) -> xr.Dataset:
    """`data` with the error of each spectrum instead of the values it is computed from."""
    errors: dict[str, xr.DataArray] = {}
    for name, variable in data.data_vars.items():
        if set(AXES[:-1]) & set(variable.dims) and not tells_an_error(str(name), data):
            error = known_error(data, str(name))
            if error is not None:
                errors[f"{name}_err"] = error
    beside = [name for name in data.data_vars if tells_an_error(str(name), data)]
    return data.drop_vars(beside).assign(errors)
