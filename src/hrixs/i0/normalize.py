"""Divide spectra by the incident intensity: a monitor, an expression, or given values."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.i0.divisor import Divisor, divisor_of
from hrixs.spectra.errors import DIVISOR, VARIANCE
from hrixs.spectra.naming import named_entries
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, warn


def add_normalized(
    data: xr.Dataset,
    which: str | xr.DataArray,
    error: xr.DataArray | float | None = None,
    *,
    tell: bool = True,
) -> xr.Dataset:
    """Add ``normalized`` to a dataset; return a shallow copy.

    The divisor is stored as ``normalized_divisor``, if it is not a variable yet. With `tell`,
    divisors that are zero or not finite are reported. Bins that no moved spectrum reaches are NaN.
    """
    require_dataset(data, "a dataset with spectra")
    if "spectrum" not in data:
        raise MissingDataError(
            "the dataset has no spectrum to normalise; make one first with centroid or integrate."
        )
    divisor = divisor_of(data, which, error)
    useful = _useful(data, divisor, tell=tell)
    ratio = _normalized(data, divisor, useful)
    if "coverage" in data:  # of spectra that were moved: no value where they do not reach
        reached = data["coverage"].transpose(*ratio.dims) > 0.5
        ratio = ratio.where(reached).assign_attrs(ratio.attrs)
    # Without their coordinates, which would replace those of `data`.
    data["normalized"] = ratio.variable
    is_kept = divisor.name == DIVISOR and divisor.is_stored
    for stale in ("normalized_err", *(() if is_kept else (DIVISOR, f"{DIVISOR}{VARIANCE}"))):
        if stale in data:
            del data[stale]
    for name, variable in divisor.variables.items():
        data[name] = variable
    return data.copy(deep=False)


def _useful(data: xr.Dataset, divisor: Divisor, *, tell: bool) -> xr.DataArray:
    """Mask of usable divisors; zeros and values that are not finite are reported."""
    values = divisor.values
    useful: xr.DataArray = xr.apply_ufunc(np.isfinite, values, dask="allowed") & (values != 0)
    if useful.chunks is not None or not tell:  # of a lazy variable it is not known yet
        return useful
    useless: NDArray[np.bool_] = np.asarray(~useful.values)
    if useless.any():
        first = str(values.dims[0]) if values.dims else ""
        where = ""
        if first:
            own = np.asarray(useless.reshape(len(useless), -1).any(axis=1))
            where = f", of {named_entries(data, first, own)}"
        warn(
            f"{int(useless.sum())} of {useless.size} values of {divisor.text} are zero or not "
            f"finite{where}; normalized is NaN there."
        )
    return useful


def _normalized(data: xr.Dataset, divisor: Divisor, useful: xr.DataArray) -> xr.DataArray:
    result: xr.DataArray = xr.apply_ufunc(
        _ratio,
        data["spectrum"],
        _plain(divisor.values.where(useful)),
        keep_attrs=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    by = divisor.text if divisor.text.isidentifier() else f"({divisor.text})"
    units = f"{data['spectrum'].attrs.get('units', '1')} per {by}"
    attrs = {"normalized_by": divisor.text, "units": units, "long_name": "normalized"}
    if not divisor.is_stored:
        attrs["divisor"] = divisor.name
    return result.assign_attrs(data["spectrum"].attrs | attrs).rename("normalized")


def _plain(values: xr.DataArray) -> xr.DataArray:
    """Without coordinates: they are those of the spectra already."""
    return values.drop_vars(list(values.coords))


def _ratio(spectrum: NDArray[Any], divisor: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(spectrum / divisor)
