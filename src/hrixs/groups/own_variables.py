"""Variables of the user in sums: a warning says which have no aggregator."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import xarray as xr

from hrixs.spectra.errors import DIVISOR, tells_an_error
from hrixs.utils.errors import warn

#: Variables that hrixs makes for each image and leaves out of sums on purpose.
_MADE = {"normalized", DIVISOR, "drift_err", "background", "coverage", "run", "time", "exposure"}
# Attributes of variables that the user did not ask for: made by corrections, or read along.
_MARKS = ("mended", "recorded")
_MOST_NAMED = 4


def own_coords_as_variables(ds: xr.Dataset, dim: str) -> xr.Dataset:
    """Make the user's coordinates over `dim` variables of `ds`, so that they are aggregated."""
    own = [
        str(name)
        for name, one in ds.coords.items()
        if dim in one.dims and name not in ds.indexes and name not in _MADE
    ]
    return ds.reset_coords(own)


def tell_left_out(
    ds: xr.Dataset,
    result: xr.Dataset,
    dim: str,
    aggregators: Mapping[str, Any],
    used: Container[str] = (),
) -> None:
    """Warn of variables of the user over `dim` that are missing in `result`; say what to type.

    Not of those that were `used` to make the groups.
    """
    left = [
        str(name)
        for name, one in ds.data_vars.items()
        if dim in one.dims and name not in result and name not in aggregators
        and name not in used and not _is_made(str(name), ds)
    ]  # fmt: skip
    if not left:
        return
    varying = [name for name in left if ds[name].dtype.kind not in "iufc"]
    numbers = [name for name in left if name not in varying]
    told = []
    if numbers:
        one = numbers[0]
        told.append(
            f"{_named(numbers)} left out: nothing says whether {_its(numbers)} values are averaged "
            f"or added up. Set h.aggregators[{one!r}] = hrixs.average, or hrixs.add, or None to "
            f"leave it out without a warning (of a function: "
            f"aggregators={{{one!r}: hrixs.average}})."
        )
    if varying:
        told.append(
            f"{_named(varying)} left out: {_its(varying)} values differ among the images that are "
            f"added up, and are not numbers. Group by {varying[0]!r}, or set "
            f"h.aggregators[{varying[0]!r}] = None to leave it out without a warning."
        )
    warn(" ".join(told))


def _is_made(name: str, ds: xr.Dataset) -> bool:
    marked = any(mark in ds[name].attrs for mark in _MARKS)
    return name in _MADE or marked or tells_an_error(name, ds)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more} {'are' if len(names) > 1 else 'is'}"


def _its(names: list[str]) -> str:
    return "their" if len(names) > 1 else "its"
