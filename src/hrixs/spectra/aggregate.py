"""Add up the frames of a dataset, all together or group by group."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from hrixs.spectra.dataset import OF_ALL_IMAGES
from hrixs.spectra.errors import VARIANCE, WITNESS
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, unknown_name, warn

#: How a variable is aggregated: a function of the variable and the dimension to remove.
Aggregator = Callable[[xr.DataArray, str], xr.DataArray]
#: The same for all variables; returns None for a variable that is left out.
Aggregate = Callable[[xr.DataArray, str], xr.DataArray | None]
#: Functions by the names of variables; None for a variable that is left out on purpose.
Aggregators = Mapping[str, Aggregator | None]


def add(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Sum over a dimension, for `aggregators`. NaN stays NaN, since a missing value is not 0.

    Parameters
    ----------
    da : xarray.DataArray
        For example spectra, images or the intensity of a monitor.
    dim : str
        The dimension of the images.

    Returns
    -------
    xarray.DataArray
        The sum without `dim`, in the same unit. ``attrs`` that count something over all images are
        removed.

    Raises
    ------
    TypeError
        For text, and other values that are not numbers.

    Examples
    --------
    >>> import xarray as xr
    >>> import hrixs
    >>> shots = xr.Dataset({"laser_energy": ("trainId", [1.0, 2.5])})
    >>> float(hrixs.aggregate(shots, aggregators={"laser_energy": hrixs.add}).laser_energy)
    3.5
    """
    _require_numbers(da, "added up")
    total = _in_order(da, dim).sum(dim, skipna=False, keep_attrs=True)
    total.attrs = {name: value for name, value in da.attrs.items() if name not in OF_ALL_IMAGES}
    return total


def add_in_quadrature(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Error of a sum over `dim`, from independent errors: the root of the sum of squares."""
    _require_numbers(da, "added in quadrature")
    squares = add(da**2, dim)
    total: xr.DataArray = xr.apply_ufunc(np.sqrt, squares, dask="allowed", keep_attrs=True)
    total.attrs = dict(da.attrs)
    return total.rename(da.name)


def average(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Mean over a dimension, for `aggregators`. NaN stays NaN.

    Parameters
    ----------
    da : xarray.DataArray
        For example a setting of the beamline.
    dim : str
        The dimension of the images.

    Returns
    -------
    xarray.DataArray of float64
        Without `dim`, in the same unit.

    Raises
    ------
    TypeError
        For text, and other values that are not numbers.

    Examples
    --------
    >>> import xarray as xr
    >>> import hrixs
    >>> data = xr.Dataset({"mono_temp": ("trainId", [20.0, 21.0])})
    >>> float(hrixs.aggregate(data, aggregators={"mono_temp": hrixs.average}).mono_temp)
    20.5

    >>> h.aggregators["mono_temp"] = hrixs.average  # of the class  # doctest: +SKIP
    """
    _require_numbers(da, "averaged", also="M")
    return _in_order(da, dim).mean(dim, skipna=False, keep_attrs=True)


def default_aggregators() -> dict[str, Aggregator | None]:
    """Default aggregators: images, spectra and norms are added, settings averaged."""
    return {
        "hRIXS_det": add,
        "MaranaX": add,
        "hRIXS_JUNGF": add,
        "MTE3": add,
        "spectrum": add,
        "sampled": add,  # from which the spectrum is made
        f"spectrum{VARIANCE}": add,
        WITNESS: add,
        "spectrum_err": add_in_quadrature,  # an error given by the user
        "n_photons": add,
        "hRIXS_norm": add,
        "hRIXS_norm_err": add_in_quadrature,
        "I0": add,
        "I0_err": add_in_quadrature,
        "hRIXS_exposure": add,
        "exposure": add,
        "counts": add,
        "n_without_norm": add,
        "hRIXS_delay": average,
        "hRIXS_index": average,
        "nrj": average,
        "drift": average,
    }


def aggregate_variable(aggregators: Aggregators, da: xr.DataArray, dim: str) -> xr.DataArray | None:
    """Aggregate one variable over `dim` with its function in `aggregators`.

    Without a function, times are averaged; text and True or False are kept if all are equal; for
    other variables the result is None. An error that adds in quadrature is left out if its
    variable is not summed.

    Raises
    ------
    TypeError
        If `aggregators` is not a dict of functions.
    """
    if not isinstance(aggregators, Mapping):
        raise TypeError(
            f"aggregators is {type(aggregators).__name__}, expected a dict of functions, "
            "{name: function(da, dim)}."
        )
    name = str(da.name)
    aggregate, of = aggregators.get(name), aggregators.get(name.removesuffix("_err"))
    own = name.removesuffix(VARIANCE)
    if own != name and aggregators.get(own) is not add:
        return None  # with a function of the user its variance is not known
    if aggregate is add_in_quadrature and of is not add:
        if of is not None:
            warn(
                f"{name} is left out: aggregators[{name.removesuffix('_err')!r}] is not a sum any "
                "more, so its error does not add in quadrature. Give a matching "
                f"aggregators[{name!r}]."
            )
        return None
    if aggregate is None and name not in aggregators:
        return _without_numbers(da, dim)
    return None if aggregate is None else aggregate(da, dim)


def _require_numbers(da: xr.DataArray, done: str, also: str = "") -> None:
    """Raise an error for values that are not numbers; times have the kind M."""
    if da.dtype.kind not in f"biufcm{also}":
        raise TypeError(
            f"{da.name} has the type {da.dtype}, which cannot be {done}. Expected numbers. "
            f"Convert it, or leave it out: aggregators[{da.name!r}] = None."
        )


def _without_numbers(da: xr.DataArray, dim: str) -> xr.DataArray | None:
    """Mean of times; other values that are not numbers if all are equal; None otherwise."""
    if da.dtype.kind in "mM":
        return _mean_time(da, dim)
    if da.dtype.kind not in "USOb" or da.dims != (dim,) or not da.size or da.chunks is not None:
        return None
    first = da.isel({dim: 0}, drop=True)
    return first if bool((da == first).all()) else None


def _mean_time(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Mean of times; NaT if one is missing."""
    # Relative to the first, since a sum of dates would overflow.
    first = da.isel({dim: 0}, drop=True)
    lacking = da.isnull().any(dim)
    mean = first + (da - first).mean(dim)
    return mean.where(~lacking).assign_attrs(da.attrs).rename(da.name)


def aggregate_all(ds: xr.Dataset, aggregator: Aggregate, dim: str = "trainId") -> xr.Dataset:
    """Aggregate all variables of `ds` over `dim` with `aggregator`.

    Returns
    -------
    xarray.Dataset
        Without `dim`. ``counts`` is the number of aggregated frames. Variables without an
        aggregator, or without `dim`, are left out; ``attrs`` list those without an aggregator.

    Raises
    ------
    MissingDataError
        If the dataset has no dimension `dim`.
    TypeError
        If `ds` is not a dataset, or an aggregator fails.
    """
    require_dimension(ds, dim)
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


def require_dimension(ds: xr.Dataset, dim: object) -> None:
    """Raise an error if `ds` is not a dataset, or has no such dimension."""
    require_dataset(ds, "a dataset of frames")
    if not isinstance(dim, str) or dim not in ds.sizes:
        raise MissingDataError(unknown_name("dimension", dim, map(str, ds.sizes)))


def aggregate_one(aggregator: Aggregate, da: xr.DataArray, dim: str) -> xr.DataArray | None:
    """Aggregate one variable over `dim`.

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
    """Attribute with the names of variables over `dim` that `result` does not have."""
    names = [str(name) for name, v in ds.data_vars.items() if dim in v.dims and name not in result]
    return {"not_aggregated": ", ".join(names)} if names else {}


def _in_order(da: xr.DataArray, dim: str) -> xr.DataArray:
    """Put lazy spectra into one chunk along `dim` if their sum depends on the order.

    Spectra are small. Images keep their chunks, so sums of float images may differ in the last
    digits from those in memory.
    """
    if da.chunks is None or da.dtype.kind != "f" or {"x", "y"} <= set(da.dims):
        return da
    return da.chunk({dim: -1})
