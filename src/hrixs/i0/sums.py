"""Sums of spectra and of norms for a ratio: trains without a norm are left out of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.i0.divisor import Divisor, divisor_of
from hrixs.i0.normalize import add_normalized
from hrixs.spectra.aggregate import Aggregator, add, add_in_quadrature
from hrixs.spectra.errors import DIVISOR, VARIANCE
from hrixs.spectra.naming import named_entries
from hrixs.utils.errors import MissingDataError, unknown_name, warn

#: Default of `norm`: the divisor of ``normalized``, or ``I0``, or ``hRIXS_norm``.
AUTO = "auto"
#: Variable with the number of frames left out of a sum because their norm is not known.
N_WITHOUT_NORM = "n_without_norm"
_USUAL = ("I0", "hRIXS_norm")


def ratio_aggregators(ds: xr.Dataset) -> dict[str, Aggregator]:
    """Aggregators for the divisor of ``normalized``; empty if there is no ratio."""
    divisor = divisor_in(ds)
    if divisor is None:
        return {}
    name = divisor.name
    return {name: add, f"{name}{VARIANCE}": add, f"{name}_err": add_in_quadrature}


def without_useless(ds: xr.Dataset, norm: str | None = AUTO, dim: str = "trainId") -> xr.Dataset:
    """Leave out entries whose norm is zero or not finite, with a warning, if others have a norm.

    Otherwise their spectrum would be in the sum, but nothing of them in the divisor.

    Parameters
    ----------
    ds : xarray.Dataset
        Data of frames over `dim`.
    norm : str, optional
        Variable to check. Default: the divisor of ``normalized``, or ``I0``, or ``hRIXS_norm``;
        None: nothing is left out.
    dim : str
        Dimension of the entries.

    Raises
    ------
    MissingDataError
        If there is no such variable.

    Examples
    --------
    >>> import numpy as np, warnings, xarray as xr
    >>> from hrixs.i0.sums import without_useless
    >>> frames = xr.Dataset({"I0": ("trainId", [1.0, np.nan, 2.0])}, {"trainId": [7, 8, 9]})
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     without_useless(frames).trainId.values
    array([7, 9])
    """
    here = np.zeros(ds.sizes.get(dim, 0), dtype=np.int64)
    left = useless_in(ds, here, norm, dim)
    return ds.isel({dim: np.flatnonzero(~left)}) if left.any() else ds


def useless_in(
    ds: xr.Dataset, number: NDArray[np.int64], norm: str | None, dim: str
) -> NDArray[np.bool_]:
    """Entries that `without_useless` leaves out of groups; reported once for all groups.

    Parameters
    ----------
    ds, norm, dim
        As in `without_useless`.
    number : numpy.ndarray of int64, shape (n,)
        Number of the group of each entry; -1 for none. A group with only such entries keeps them.
    """
    found = _norm_of(ds, norm, dim)
    left = np.zeros(len(number), dtype=bool)
    if found is None or not len(number):
        return left
    by, values = found
    useful = np.isfinite(values) & (values != 0)
    known = number >= 0
    some = np.zeros(int(number.max()) + 1, dtype=bool)
    some[number[known & useful]] = True
    left[known] = ~useful[known] & some[number[known]]
    if left.any():
        warn(
            f"{int(left.sum())} frames are left out of the sums, because {by} is zero or not "
            f"finite in them: {named_entries(ds, dim, left)}. To keep them give norm=None, "
            "or norm='another variable'."
        )
    return left


def with_count(
    result: xr.Dataset, ds: xr.Dataset, left: NDArray[np.int64], over: tuple[str, ...] = ()
) -> xr.Dataset:
    """Add the number of frames left out of each sum to `result`, if there are any."""
    if N_WITHOUT_NORM not in ds and not np.any(left):
        return result
    attrs = {"long_name": "frames left out because their norm is zero or not finite"}
    before = result.get(N_WITHOUT_NORM, 0)
    result[N_WITHOUT_NORM] = (xr.DataArray(left, dims=over) + before).assign_attrs(attrs)
    return result


def _norm_of(ds: xr.Dataset, norm: str | None, dim: str) -> tuple[str, NDArray[Any]] | None:
    """Name and values of the norm along `dim`; None if there is no norm."""
    if norm is None or dim not in ds.sizes:
        return None
    if norm != AUTO:
        if norm not in ds.variables:
            raise MissingDataError(unknown_name("variable", norm, map(str, ds.data_vars)))
        if ds[norm].dims != (dim,):
            raise ValueError(
                f"norm = {norm!r} has dimensions {ds[norm].dims}, expected one value for each "
                f"frame, ({dim!r},)."
            )
        return norm, _numbers(ds[norm])
    own = divisor_in(ds)
    if own is not None and own.values.dims == (dim,):
        return own.text, _numbers(own.values)
    for name in _USUAL:
        if name in ds.variables and ds[name].dims == (dim,) and ds[name].dtype.kind in "iuf":
            return name, _numbers(ds[name])
    return None


def _numbers(values: xr.DataArray) -> NDArray[Any]:
    return np.asarray(values.values, dtype=np.float64)


def divisor_in(ds: xr.Dataset) -> Divisor | None:
    """The divisor of ``normalized`` of a dataset; None if it does not exist any more."""
    if "normalized" not in ds or "spectrum" not in ds:
        return None
    attrs = ds["normalized"].attrs
    name = attrs.get("divisor", attrs.get("normalized_by"))
    if not isinstance(name, str) or name not in ds.variables:
        return None
    own = divisor_of(ds, name)
    return Divisor(own.values, str(attrs["normalized_by"]), name, own.error, is_stored=True)


def with_ratio(
    result: xr.Dataset, ds: xr.Dataset, dim: str, *, of_spectra: Aggregator | None = add
) -> xr.Dataset:
    """The sums, with the ratio of the sums of spectra and divisor, if `ds` has the ratio.

    `of_spectra` is the aggregator of spectra; the ratio is made only of sums.

    Ratios are not added up: weak trains would get the same weight as strong ones.
    """
    divisor = divisor_in(ds)
    if divisor is None or dim not in ds["normalized"].dims or "spectrum" not in result:
        return result
    if dim not in divisor.values.dims or divisor.name not in result:
        warn(
            f"normalized is left out: it was divided by one {divisor.text} for all {dim}. "
            "Normalise the result."
        )
        return result
    if of_spectra is not add:
        warn(
            "normalized is left out: aggregators['spectrum'] is not a sum any more, so it cannot "
            "be divided by the sum of the norms. Normalise the result."
        )
        return result
    result = add_normalized(result, divisor.name, tell=False)
    attrs = {"normalized_by": divisor.text, "units": ds["normalized"].attrs.get("units", "")}
    attrs |= {"divisor": DIVISOR} if divisor.name == DIVISOR else {}
    result["normalized"].attrs |= attrs
    return result
