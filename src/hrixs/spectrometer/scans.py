"""Groups of images as the class makes them: with its aggregators, and names as it takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from hrixs.runs.mnemonic_table import field_name, is_pair
from hrixs.scans.grouped import aggregate_groups
from hrixs.scans.rule import OPTIONS
from hrixs.spectrometer.settings import Settings
from hrixs.utils.errors import unknown_name


def aggregate(h: Settings, ds: xr.Dataset, var: Any, dim: str, **options: Any) -> xr.Dataset:
    """Aggregate a dataset, as `hrixs.hRIXS.aggregate` documents."""
    for name in options:
        if name not in OPTIONS:
            raise TypeError(unknown_name("option", name, OPTIONS))
        if isinstance(options[name], Mapping):
            options[name] = {field_name(one): value for one, value in options[name].items()}
    by = field_name(var)
    if isinstance(var, list | tuple) and not is_pair(var):
        by = [field_name(one) for one in var]
    own: dict[str, Any] = {} if _is_usual(h) else {"aggregate_ds": h.aggregate_ds}
    return aggregate_groups(ds, by, dim, aggregators=h.aggregators, **own, **options)


def _is_usual(h: Settings) -> bool:
    """Whether the class' own methods aggregate, and none of somebody's own class."""
    methods = (h.aggregator, h.aggregate_ds)
    return all(getattr(one, "__module__", "").startswith("hrixs.") for one in methods)
