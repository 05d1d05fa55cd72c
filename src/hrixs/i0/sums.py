"""Sums of spectra that are divided by a sum: trains whose norm is not known stay out of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.i0.divisor import DIVISOR, Divisor, divisor_of
from hrixs.i0.normalize import add_normalized
from hrixs.spectra.aggregate import Aggregate, add, aggregate_all
from hrixs.spectra.naming import named_entries
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, unknown_name, warn

#: Default of `norm`: the one by which ``normalized`` was made, else ``I0``, else ``hRIXS_norm``.
AUTO = "auto"
#: Frames of a sum that were left out since their norm is not known.
N_WITHOUT_NORM = "n_without_norm"
_USUAL = ("I0", "hRIXS_norm")


@dataclass
class _LeftOut:
    """Entries that were left out of several groups, to be told together."""

    by: str = ""
    labels: list[Any] = field(default_factory=list)


_together: ContextVar[_LeftOut | None] = ContextVar("left_out", default=None)


@contextmanager
def told_once(dim: str = "trainId") -> Iterator[None]:
    """What `without_useless` leaves out within is told once, at the end."""
    left = _LeftOut()
    token = _together.set(left)
    try:
        yield
    finally:
        _together.reset(token)
    if left.labels:
        labels = np.unique(np.array(left.labels))
        names = xr.Dataset(coords={dim: labels})
        _tell(named_entries(names, dim, np.ones(len(labels), bool)), len(labels), left.by)


def aggregated(
    ds: xr.Dataset, aggregator: Aggregate, dim: str = "trainId", norm: str | None = AUTO
) -> xr.Dataset:
    """Aggregate a dataset over `dim` without what `without_useless` leaves out.

    Where it has ``normalized``, that of the result is the sum of the spectra divided by the sum of
    what they were divided by: no sum of ratios, in which weak trains would weigh as strong ones.

    Parameters
    ----------
    ds, aggregator, dim
        As in `hrixs.spectra.aggregate.aggregate_all`.
    norm
        As in `without_useless`.
    """
    require_dataset(ds, "a dataset of frames")
    used = without_useless(ds, norm, dim)
    result = aggregate_all(used, aggregator, dim)
    left_out = ds.sizes[dim] - used.sizes[dim]
    before = int(used[N_WITHOUT_NORM].sum()) if N_WITHOUT_NORM in used else 0
    if left_out or N_WITHOUT_NORM in used:
        attrs = {"long_name": "frames left out since their norm is zero or not finite"}
        result[N_WITHOUT_NORM] = xr.DataArray(left_out + before, attrs=attrs)
    return _with_ratio(result, used, dim)


def without_useless(ds: xr.Dataset, norm: str | None = AUTO, dim: str = "trainId") -> xr.Dataset:
    """Leave out entries whose norm is zero or not finite, where others have a value; told.

    Their spectrum would stand in a sum, and nothing in the sum that it is divided by.

    Parameters
    ----------
    ds : xarray.Dataset
        Of frames over `dim`.
    norm : str, optional
        Variable that is looked at. By default the one by which ``normalized`` was made, else
        ``I0``, else ``hRIXS_norm``; None: nothing is left out.
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
    found = _norm_of(ds, norm, dim)
    if found is None:
        return ds
    by, values = found
    useless = ~(np.isfinite(values) & (values != 0))
    if useless.all() or not useless.any():
        return ds
    left = _together.get()
    if left is None or dim not in ds.coords:
        _tell(named_entries(ds, dim, useless), int(useless.sum()), by)
    else:
        left.by = by
        left.labels += ds[dim].values[useless].tolist()
    return ds.isel({dim: np.flatnonzero(~useless)})


def _tell(names: str, n: int, by: str) -> None:
    warn(
        f"{n} frames are left out of the sums, for {by} is zero or not finite in them: {names}. "
        "To keep them give norm=None, or norm='another variable'."
    )


def _norm_of(ds: xr.Dataset, norm: str | None, dim: str) -> tuple[str, NDArray[Any]] | None:
    """Name and values along `dim` of the norm; None where nothing tells which entries are good."""
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
    own = _divisor(ds)
    if own is not None and own.values.dims == (dim,):
        return own.text, _numbers(own.values)
    for name in _USUAL:
        if name in ds.variables and ds[name].dims == (dim,) and ds[name].dtype.kind in "iuf":
            return name, _numbers(ds[name])
    return None


def _numbers(values: xr.DataArray) -> NDArray[Any]:
    return np.asarray(values.values, dtype=np.float64)


def _divisor(ds: xr.Dataset) -> Divisor | None:
    """What ``normalized`` of a dataset was divided by; None where that is not there any more."""
    if "normalized" not in ds or "spectrum" not in ds:
        return None
    attrs = ds["normalized"].attrs
    name = attrs.get("divisor", attrs.get("normalized_by"))
    if not isinstance(name, str) or name not in ds.variables:
        return None
    own = divisor_of(ds, name)
    return Divisor(own.values, str(attrs["normalized_by"]), name, own.error, is_stored=True)


def _with_ratio(result: xr.Dataset, ds: xr.Dataset, dim: str) -> xr.Dataset:
    """The sums, and the ratio of those of spectra and divisor, where `ds` has the ratio."""
    divisor = _divisor(ds)
    if divisor is None or dim not in ds["normalized"].dims or "spectrum" not in result:
        return result
    if dim not in divisor.values.dims:
        warn(
            f"normalized is left out: it was divided by one {divisor.text} for all {dim}. "
            "Normalise the result."
        )
        return result
    total = add(ds["spectrum"], dim)
    if total.chunks is None and not np.allclose(result["spectrum"], total, equal_nan=True):
        warn(
            "normalized is left out: aggregators['spectrum'] is no sum any more, which could be "
            "divided by that of the norms. Normalise the result."
        )
        return result
    if divisor.name not in result:
        result[divisor.name] = add(ds[divisor.name], dim)
        if divisor.error is not None:
            result[f"{divisor.name}_err"] = add(divisor.error**2, dim) ** 0.5
    result = add_normalized(result, divisor.name, tell=False)
    for name in ("normalized", "normalized_err"):
        if name in result:
            result[name].attrs["normalized_by"] = divisor.text
            result[name].attrs["units"] = ds["normalized"].attrs.get("units", "")
    if divisor.name == DIVISOR:
        result["normalized"].attrs["divisor"] = DIVISOR
    return result
