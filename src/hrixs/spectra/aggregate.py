"""Adding up a dataset's frames, all together or group by group, and normalising the sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.spectra.dataset import COUNTS
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, unknown_name, warn
from hrixs.utils.provenance import RATIO

#: How a variable is aggregated: takes the variable and the dimension to take away.
Aggregator = Callable[[xr.DataArray, str], xr.DataArray]
#: The same for all variables; None for a variable that is left out.
Aggregate = Callable[[xr.DataArray, str], xr.DataArray | None]

# Counts of all frames, which are wrong for a group of them.
_COUNTS = (*COUNTS, *RATIO)


def add(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Sum over `dim`. NaN stays NaN: a missing value is not a zero."""
    total = _in_order(da, dim).sum(dim, skipna=False, keep_attrs=True)
    total.attrs = {name: value for name, value in da.attrs.items() if name not in _COUNTS}
    return total


def add_in_quadrature(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Error of a sum over `dim`, from independent errors: the root of their squares' sum."""
    squares = add(da**2, dim)
    total: xr.DataArray = xr.apply_ufunc(np.sqrt, squares, dask="allowed", keep_attrs=True)
    total.attrs = dict(da.attrs)
    return total.rename(da.name)


def average(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Mean over `dim`. NaN stays NaN."""
    return _in_order(da, dim).mean(dim, skipna=False, keep_attrs=True)


def default_aggregators() -> dict[str, Aggregator]:
    """Aggregator of each variable: images, spectra and norms add, settings average."""
    return {
        "hRIXS_det": add,
        "MaranaX": add,
        "spectrum": add,
        "spectrum_err": add_in_quadrature,
        "n_photons": add,
        "hRIXS_norm": add,
        "hRIXS_norm_err": add_in_quadrature,
        "hRIXS_exposure": add,
        "counts": add,
        "hRIXS_delay": average,
        "hRIXS_index": average,
        "nrj": average,
        "drift": average,
    }


def aggregate_variable(
    aggregators: Mapping[str, Aggregator], da: xr.DataArray, dim: str
) -> xr.DataArray | None:
    """Aggregate one variable over `dim` as `aggregators` say; None where they say nothing.

    An error that is to add in quadrature is left out where what it belongs to does not add.

    Raises
    ------
    TypeError
        If `aggregators` is no dict of functions.
    """
    if not isinstance(aggregators, Mapping):
        raise TypeError(
            f"aggregators is {type(aggregators).__name__}, expected a dict of functions, "
            "{name: function(da, dim)}."
        )
    name = str(da.name)
    aggregate, of = aggregators.get(name), aggregators.get(name.removesuffix("_err"))
    if aggregate is add_in_quadrature and of is not add:
        if of is not None:
            warn(
                f"{name} is left out: aggregators[{name.removesuffix('_err')!r}] is no sum any "
                f"more, so that its error does not add in quadrature. Give an "
                f"aggregators[{name!r}] that belongs to it."
            )
        return None
    return None if aggregate is None else aggregate(da, dim)


def aggregate_all(ds: xr.Dataset, aggregator: Aggregate, dim: str = "trainId") -> xr.Dataset:
    """Aggregate every variable of `ds` that `aggregator` has a result for over `dim`.

    Returns
    -------
    xarray.Dataset
        Without `dim`. ``counts`` is the number of frames aggregated. Variables without an
        aggregator, or without `dim`, are left out; ``attrs`` name the first.

    Raises
    ------
    MissingDataError
        If the dataset has no dimension `dim`.
    TypeError
        If `ds` is no dataset, or an aggregator fails.
    """
    require_dataset(ds, "a dataset of frames")
    if not isinstance(dim, str) or dim not in ds.sizes:
        raise MissingDataError(unknown_name("dimension", dim, map(str, ds.sizes)))
    result = xr.Dataset(attrs=ds.attrs)
    for name, da in ds.data_vars.items():
        if dim not in da.dims:
            continue
        aggregated = aggregate_one(aggregator, da, dim)
        if aggregated is not None:
            result[name] = aggregated
    if "counts" not in result:
        result["counts"] = xr.DataArray(ds.sizes[dim])
    result["counts"].attrs["long_name"] = "frames aggregated"
    result.attrs = {**ds.attrs, **not_aggregated(ds, result, dim)}
    return result


def aggregate_one(aggregator: Aggregate, da: xr.DataArray, dim: str) -> xr.DataArray | None:
    """One variable aggregated over `dim`.

    Raises
    ------
    TypeError
        If the aggregator fails.
    """
    try:
        return aggregator(da, dim)
    except Exception as error:
        raise TypeError(
            f"the aggregator of {da.name!r} failed: {error}. Expected a function of the variable "
            f"and the dimension, for example lambda da, dim: da.mean(dim)."
        ) from error


def not_aggregated(ds: xr.Dataset, result: xr.Dataset, dim: str) -> dict[str, str]:
    """What ``attrs`` tell of variables over `dim` that `result` lacks: their names, where any."""
    names = [str(name) for name, v in ds.data_vars.items() if dim in v.dims and name not in result]
    return {"not_aggregated": ", ".join(names)} if names else {}


def add_normalized(data: xr.Dataset, which: str) -> xr.Dataset:
    """Add ``normalized``, and its error where there is one, to a dataset; return a shallow copy."""
    ratio = normalized(data, which)
    error = normalized_error(data, which)
    # Without their coordinates, which would take the place of those of `data`.
    data["normalized"] = ratio.variable
    if error is not None:
        data["normalized_err"] = error.variable
    elif "normalized_err" in data:
        del data["normalized_err"]
    return data.copy(deep=False)


def normalized(ds: xr.Dataset, which: str) -> xr.DataArray:
    """Spectrum of `ds` divided by its variable `which`.

    Raises
    ------
    MissingDataError
        If the dataset has no spectrum, or no variable `which`.
    """
    require_dataset(ds, "a dataset with spectra")
    if "spectrum" not in ds:
        raise MissingDataError(
            "the dataset has no spectrum to normalise; make one first with centroid or integrate."
        )
    if not isinstance(which, str) or which not in ds.variables:
        raise MissingDataError(unknown_name("variable", which, map(str, ds.data_vars)))
    # Of a lazy variable it is not known yet.
    useless = ~(np.isfinite(ds[which]) & (ds[which] != 0))
    n_useless = int(useless.sum()) if ds[which].chunks is None else 0
    if n_useless:
        warn(
            f"{n_useless} of {ds[which].size} values of {which} are zero or not finite; the "
            "spectra divided by them are not usable."
        )
    result: xr.DataArray = xr.apply_ufunc(
        _ratio,
        ds["spectrum"],
        ds[which],
        keep_attrs=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    units = f"{ds['spectrum'].attrs.get('units', '1')} per {which}"
    return result.assign_attrs(
        ds["spectrum"].attrs | {"normalized_by": which, "units": units, "long_name": "normalized"}
    ).rename("normalized")


def normalized_error(ds: xr.Dataset, which: str) -> xr.DataArray | None:
    """One standard deviation of what `normalized` gives; None where the spectrum has none.

    ``spectrum_err / |which|`` and, where the dataset has ``<which>_err``, the error that comes
    of it, in quadrature.
    """
    if "spectrum_err" not in ds:
        return None
    inputs = [ds["spectrum_err"], ds[which]]
    if f"{which}_err" in ds.variables:
        inputs += [ds["spectrum"], ds[f"{which}_err"]]
    # Without keep_attrs, xarray before 2025.11 takes the attributes off the axes of `ds` itself.
    result: xr.DataArray = xr.apply_ufunc(
        _ratio_error,
        *inputs,
        keep_attrs=True,
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    result.attrs = {
        "normalized_by": which,
        "units": f"{ds['spectrum'].attrs.get('units', '1')} per {which}",
        "long_name": "one standard deviation of normalized",
    }
    return result.rename("normalized_err")


def _in_order(da: xr.DataArray, dim: str) -> xr.DataArray:
    """`da`, in one chunk along `dim` where it is lazy and its sum depends on the order.

    Spectra are small. Images stay as they are, and sums of those in floats may differ in the last
    digits from those of images in memory.
    """
    if da.chunks is None or da.dtype.kind != "f" or {"x", "y"} <= set(da.dims):
        return da
    return da.chunk({dim: -1})


def _ratio(spectrum: NDArray[Any], divisor: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(spectrum / divisor)


def _ratio_error(
    error: NDArray[Any],
    divisor: NDArray[Any],
    spectrum: NDArray[Any] | None = None,
    divisor_error: NDArray[Any] | None = None,
) -> NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        of_spectrum = error / np.abs(divisor)
        if spectrum is None or divisor_error is None:
            return np.asarray(of_spectrum)
        return np.asarray(np.hypot(of_spectrum, spectrum / divisor**2 * divisor_error))
