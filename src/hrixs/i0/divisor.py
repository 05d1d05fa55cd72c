"""The divisor of spectra: a variable, an expression of variables, or a DataArray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from hrixs.i0.pulses import error_per_train, per_train
from hrixs.spectra.axes import same_axis
from hrixs.spectra.errors import DIVISOR, VARIANCE
from hrixs.spectra.expression import Expression
from hrixs.spectra.naming import named_entries
from hrixs.utils.errors import MissingDataError, unknown_name, warn

# Derivatives are computed over this share of the error.
_STEP = 1e-3


@dataclass(frozen=True)
class Divisor:
    """The divisor of spectra.

    Attributes
    ----------
    values : xarray.DataArray
        Values over dimensions of the spectrum.
    text : str
        The name or expression that it was made of.
    name : str
        Name of its variable in the dataset.
    error : xarray.DataArray or None
        One standard deviation, if known.
    is_stored : bool
        Whether the dataset has this variable already.
    """

    values: xr.DataArray
    text: str
    name: str
    error: xr.DataArray | None
    is_stored: bool

    @property
    def variables(self) -> dict[str, xr.Variable]:
        """Variables that store it with the spectra; empty if they are there already."""
        if self.is_stored:
            return {}
        attrs = {"long_name": f"divisor of the spectra, {self.text}"}
        own = self.values.variable.copy(deep=False)
        own.attrs = attrs | {k: v for k, v in self.values.attrs.items() if k == "units"}
        made = {self.name: own}
        if self.error is not None:
            variance = (self.error**2).variable  # which a sum adds up rightly
            variance.attrs = {"long_name": f"variance of {self.name}"}
            made[f"{self.name}{VARIANCE}"] = variance
        return made


def divisor_of(
    ds: xr.Dataset,
    which: str | xr.DataArray,
    error: xr.DataArray | float | None = None,
) -> Divisor:
    """Make the divisor that `which` means, over dimensions of the spectrum of `ds`.

    Parameters
    ----------
    ds : xarray.Dataset
        With ``spectrum``.
    which : str or xarray.DataArray
        A variable of the dataset, an expression of them, or the values.
    error : xarray.DataArray or float, optional
        One standard deviation of a DataArray's values.

    Raises
    ------
    MissingDataError
        If there is no such variable, or a DataArray has no coordinates in common with the spectra.
    ValueError
        If an expression cannot be read, a DataArray has dimensions that the spectrum does not have,
        or `error` is given with a name.
    """
    kept = ds["spectrum"].dims
    if isinstance(which, xr.DataArray):
        return _of_array(ds, which, error)
    if error is not None:
        raise ValueError(
            f"error was given with the name {which!r}. Store it as the variable {which}_err, or "
            "give the values as a DataArray."
        )
    if not isinstance(which, str):
        raise MissingDataError(unknown_name("variable", which, map(str, ds.data_vars)))
    if which in ds.variables:
        values = per_train(ds[which], kept, which)
        own = ds.get(f"{which}_err")
        if own is None and f"{which}{VARIANCE}" in ds:
            own = ds[f"{which}{VARIANCE}"] ** 0.5
        if values.dims == ds[which].dims:
            return Divisor(values, which, which, own, is_stored=True)
        if own is not None:
            own = error_per_train(own, ds[which], kept, which)
        return Divisor(values, which, DIVISOR, own, is_stored=False)
    expression = Expression(which) if _is_expression(which) else None
    if expression is None:
        raise _unknown(ds, which)
    expression.require_names(str(name) for name in ds.variables)
    values, own = evaluated(ds, expression, kept)
    return Divisor(values, which, DIVISOR, own, is_stored=False)


def _unknown(ds: xr.Dataset, which: str) -> MissingDataError:
    text = unknown_name("variable", which, map(str, ds.data_vars))
    if which == "I0":
        text += " Set h.I0, on the command line --i0, before the run is read."
    elif "counts" in ds:
        text += (
            " A sum has only variables with an aggregator: normalise before aggregating, which "
            f"gives the ratio of the sums, or set h.aggregators[{which!r}]."
        )
    return MissingDataError(text)


def _is_expression(text: str) -> bool:
    return any(sign in text for sign in "+-*/()")


def evaluated(
    ds: xr.Dataset, expression: Expression, kept: tuple[Any, ...]
) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Value of an expression of variables, with pulses added up; its error if one has an error.

    Errors are assumed to be independent: the terms ``(df/da err_a)^2`` are added up.
    """
    values = {name: per_train(ds[name].reset_coords(drop=True), kept, name)
              for name in expression.names}  # fmt: skip
    result = xr.DataArray(expression.of(values))
    squares: Any = None
    for name in expression.names:
        if f"{name}_err" not in ds.variables:
            continue
        error = error_per_train(ds[f"{name}_err"].reset_coords(drop=True), ds[name], kept, name)
        step = _STEP * error
        above, below = (
            expression.of(values | {name: moved})
            for moved in (values[name] + step, values[name] - step)
        )
        own = ((above - below) / (2 * _STEP)) ** 2
        squares = own if squares is None else squares + own
    return result, None if squares is None else squares**0.5


def _of_array(ds: xr.Dataset, which: xr.DataArray, error: xr.DataArray | float | None) -> Divisor:
    spectrum = ds["spectrum"]
    text = str(which.name or "a DataArray")
    values = aligned(spectrum, which, text)
    own = None
    if error is not None:
        own = error if isinstance(error, xr.DataArray) else xr.full_like(which, error, np.float64)
        own = aligned(spectrum, own, f"the error of {text}")
    return Divisor(values, text, DIVISOR, own, is_stored=False)


def aligned(spectrum: xr.DataArray, values: xr.DataArray, text: str) -> xr.DataArray:
    """`values` at the coordinates of `spectrum`; missing values are NaN and reported.

    Raises
    ------
    ValueError
        If they have dimensions that the spectrum does not have, or another size and no coordinates.
    MissingDataError
        If they share no coordinate.
    """
    others = [str(dim) for dim in values.dims if dim not in spectrum.dims]
    if others:
        raise ValueError(
            f"{text} has dimensions {values.dims}, expected only dimensions of the spectrum, "
            f"{spectrum.dims}. Sum over {', '.join(others)} first: .sum({others!r})."
        )
    for dim in map(str, values.dims):
        if dim in values.indexes and dim in spectrum.indexes:
            values = _at(spectrum, values, dim, text)
        elif values.sizes[dim] != spectrum.sizes[dim]:
            raise ValueError(
                f"{text} has {values.sizes[dim]} values along {dim}, expected "
                f"{spectrum.sizes[dim]}, or a coordinate {dim} to match them with the spectra."
            )
    return values.drop_vars([name for name in values.coords if name not in values.dims])


def _at(spectrum: xr.DataArray, values: xr.DataArray, dim: str, text: str) -> xr.DataArray:
    wanted, known = spectrum.indexes[dim], values.indexes[dim]
    if known.equals(wanted):
        return values
    if same_axis(wanted.values, known.values):
        return values.assign_coords({dim: spectrum[dim].variable})
    if not known.is_unique:
        raise ValueError(
            f"{text} has several values at the same {dim}, and not those of the spectra. Give one "
            "value for each."
        )
    lacking = np.asarray(~wanted.isin(known))
    if lacking.all():
        raise MissingDataError(
            f"{text} has none of the spectra's values of {dim}: {known[0]} to {known[-1]}, where "
            f"the spectra have {wanted[0]} to {wanted[-1]}."
        )
    if lacking.any():
        warn(f"{text} has no value for {named_entries(spectrum, dim, lacking)}; it is NaN there.")
    return values.reindex({dim: wanted})
