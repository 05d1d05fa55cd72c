"""Criteria for images: photons, level, a field, or a condition on these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.selection.groups import FEWEST, two_groups
from hrixs.spectra.expression import Expression
from hrixs.spectra.naming import named_entries
from hrixs.utils.errors import MissingDataError
from hrixs.utils.typing import Floats

#: Criterion for images: a field or a condition as text, True and False for each image, or a
#: function of the dataset that returns these.
Criterion: TypeAlias = (
    "str | xr.DataArray | NDArray[np.bool_] | Callable[[xr.Dataset], xr.DataArray]"
)
AUTO = "auto"
#: Computed from spectra and images if the dataset has no variable of this name.
MADE = ("n_photons", "intensity", "level")
# Where deviations from the median are counted from.
_SIGMA = 1.4826


class Fields(Mapping[str, Any]):
    """Values of fields of a dataset, one for each entry along `dim`, computed when needed.

    ``n_photons`` (photons of the counted spectrum), ``intensity`` (mean of the spectrum) and
    ``level`` (mean of the image) need not be in the dataset.
    """

    def __init__(self, data: xr.Dataset, dim: str) -> None:
        self._data, self._dim = data, dim

    def __getitem__(self, name: str) -> xr.DataArray:
        if name not in self._data.variables:
            return xr.DataArray(self._made(name), dims=self._dim)
        own = self._data[name]
        if name == "n_photons":
            own = own.sum([dim for dim in own.dims if dim != self._dim])
        if own.dims not in ((self._dim,), ()):
            raise ValueError(
                f"{name} has dimensions {own.dims}, expected one value for each {self._dim}. Give "
                f"a DataArray: select(data, data[{name!r}].mean(...) > ...)."
            )
        return own.drop_vars(list(own.coords)).compute()

    def __iter__(self) -> Iterator[str]:
        yield from map(str, self._data.variables)
        yield from (name for name in MADE if name not in self._data.variables and self._has(name))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _has(self, name: str) -> bool:
        return self._images() is not None if name == "level" else self._spectra(name) is not None

    def _spectra(self, name: str) -> xr.DataArray | None:
        spectrum = self._data.get("spectrum")
        if spectrum is None or not {self._dim, "energy"} <= set(spectrum.dims):
            return None
        counted = spectrum.attrs.get("units") == "photons"
        return spectrum if counted or name == "intensity" else None

    def _images(self) -> xr.DataArray | None:
        found = (v for v in self._data.data_vars.values() if {"x", "y", self._dim} <= set(v.dims))
        return next(found, None)

    def _made(self, name: str) -> Floats:
        of = self._images() if name == "level" else self._spectra(name)
        if of is None:
            raise KeyError(name)
        others = [dim for dim in of.dims if dim != self._dim]
        made = of.sum(others) if name == "n_photons" else of.mean(others, dtype=np.float64)
        return np.asarray(made.values, dtype=np.float64)

    def usual(self) -> str:
        """Name of the field that separates images with light from blanks by default.

        Raises
        ------
        MissingDataError
            If there are neither spectra nor images.
        """
        for name in MADE:
            if name in self:
                return name
        raise MissingDataError(
            "the dataset has neither spectra nor images to find blanks. Make spectra first with "
            "centroid or integrate, or say by what: select(data, 'hRIXS_norm > 100')."
        )


def chosen_by(
    data: xr.Dataset, by: Criterion, dim: str, keep: str
) -> tuple[NDArray[np.bool_], str]:
    """Entries that a criterion chooses, and the criterion as text.

    Of two separated groups, the group `keep` (``'high'`` or ``'low'``); all if there is one group.
    """
    n = data.sizes[dim]
    if callable(by):
        name = getattr(by, "__name__", "a function")
        return _booleans(data, by(data), dim), "a function" if name == "<lambda>" else name
    if not isinstance(by, str):
        return _booleans(data, by, dim), str(getattr(by, "name", None) or "True and False as given")
    fields = Fields(data, dim)
    name = fields.usual() if by == AUTO else by
    expression = Expression(name, conditions=True)
    expression.require_names(fields)
    values = np.broadcast_to(np.asarray(expression.of(fields)), (n,))
    if values.dtype == np.bool_:
        return values.copy(), name
    return by_groups(np.asarray(values, dtype=np.float64), name, keep, counts=name == "n_photons")


def by_groups(
    values: Floats, name: str, keep: str, *, counts: bool
) -> tuple[NDArray[np.bool_], str]:
    """Entries of one of two groups of values; all if there is one group; not those not finite."""
    known = np.isfinite(values)
    groups = two_groups(values, counts=counts)
    if groups is None:
        why = "" if known.sum() >= FEWEST else f", of only {int(known.sum())}"
        return known, f"{name} (one group{why})"
    sign, is_kept = (">", values > groups.limit) if keep == "high" else ("<", values < groups.limit)
    others = groups.low if keep == "high" else groups.high
    own = groups.high if keep == "high" else groups.low
    how = f"{name} {sign} {groups.limit:.6g} (two groups, of {own:.4g} and {others:.4g} each)"
    return is_kept, how


def outliers_of(
    data: xr.Dataset, name: str, dim: str, n_sigma: float
) -> tuple[NDArray[np.bool_], str]:
    """Entries near the median of a field, and the range as text.

    The standard deviation is estimated from the median distance to the median (times 1.4826), so
    that outliers do not enlarge it.
    """
    fields = Fields(data, dim)
    expression = Expression(name, conditions=True)
    expression.require_names(fields)
    values = np.asarray(expression.of(fields), dtype=np.float64)
    known = np.isfinite(values)
    middle = float(np.median(values[known])) if known.any() else np.nan
    sigma = _SIGMA * float(np.median(np.abs(values[known] - middle))) if known.any() else np.nan
    near = known & (np.abs(values - middle) <= n_sigma * sigma)
    return near, f"{name} within {middle:.6g} +- {n_sigma:g} x {sigma:.3g}"


def _booleans(data: xr.Dataset, given: Any, dim: str) -> NDArray[np.bool_]:
    """True and False for each entry; aligned by coordinates, if there are any."""
    values = given if isinstance(given, xr.DataArray) else xr.DataArray(np.asarray(given))
    if not isinstance(given, xr.DataArray) and values.ndim == 1:
        values = values.rename({values.dims[0]: dim})
    if values.dtype != np.bool_ or values.dims != (dim,):
        raise ValueError(
            f"{values.dtype} over {values.dims} was given as the condition, expected True or "
            f"False for each {dim}, such as data.hRIXS_norm > 100."
        )
    if dim in values.indexes and dim in data.indexes:
        own, wanted = values.indexes[dim], data.indexes[dim]
        if not own.equals(wanted) and (not own.is_unique or not wanted.isin(own).all()):
            lacking = np.asarray(~wanted.isin(own))
            raise MissingDataError(
                f"the condition is neither True nor False for {named_entries(data, dim, lacking)}."
            )
        if not own.equals(wanted):
            values = values.sel({dim: wanted})
    elif values.size != data.sizes[dim]:
        raise ValueError(
            f"{values.size} values were given as the condition, expected one for each of "
            f"{data.sizes[dim]}."
        )
    return np.asarray(values.values)
