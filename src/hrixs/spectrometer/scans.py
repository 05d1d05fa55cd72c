"""Groups of images made by the class, with its aggregators."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import xarray as xr

from hrixs.groups.grouped import aggregate_groups, sum_of_all
from hrixs.groups.rule import OPTIONS
from hrixs.i0.sums import AUTO
from hrixs.runs.mnemonic_table import field_name, is_pair
from hrixs.settings.attributes import Settings
from hrixs.utils.errors import unknown_name


def aggregate(
    h: Settings, ds: xr.Dataset, var: Any, dim: str, norm: str | None, **options: Any
) -> xr.Dataset:
    """Aggregate a dataset; see `hrixs.hRIXS.aggregate`."""
    for name in options:
        if name not in OPTIONS:
            raise TypeError(unknown_name("option", name, OPTIONS))
        if isinstance(options[name], Mapping):
            options[name] = {field_name(one): value for one, value in options[name].items()}
    by = field_name(var)
    if isinstance(var, list | tuple) and not is_pair(var):
        by = [field_name(one) for one in var]
    own: dict[str, Any] = {"norm": norm, "aggregators": h.aggregators}
    if not _is_usual(h):
        # The method of an older class may have no `norm`.
        own["aggregate_ds"] = h.aggregate_ds if norm == AUTO else partial(h.aggregate_ds, norm=norm)
    return aggregate_groups(ds, by, dim, **own, **options)


def aggregate_ds(h: Settings, ds: xr.Dataset, dim: str, norm: str | None) -> xr.Dataset:
    """Add up all frames of a dataset, by the aggregators or a method of the class."""
    return sum_of_all(ds, dim, norm, h.aggregators, None if _is_usual(h) else h.aggregator)


def _is_usual(h: Settings) -> bool:
    """Whether the methods of this class aggregate, and not those of a derived class."""
    methods = (h.aggregator, h.aggregate_ds)
    return all(getattr(one, "__module__", "").startswith("hrixs.") for one in methods)
