"""Choose images of a run or a dataset by train ids or by their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from hrixs.runs.extra_data_access import trains_by_id
from hrixs.runs.indexed_run import IndexedRun
from hrixs.selection.choose import select
from hrixs.selection.entries import tell_lacking, train_numbers


def only_trains(trains: Iterable[int], subset: Any) -> Any:
    """Make a `subset` of these train ids.

    Raises
    ------
    TypeError
        If they are not train ids.
    ValueError
        If `subset` is given, too.
    """
    if subset is not None:
        raise ValueError(
            f"trains and subset = {subset!r} were given; expected one of them: trains with the ids "
            "of trains, subset with their numbers in the run."
        )
    return trains_by_id(train_numbers(trains))


def tell_absent(indexed: IndexedRun, trains: Iterable[int] | None) -> None:
    """Report requested trains that have no image."""
    if trains is None:
        return
    ids = train_numbers(trains)
    tell_lacking(ids[~np.isin(ids, indexed.entries.train_id)])


def chosen_images(
    data: xr.Dataset,
    *,
    subset: Any = None,
    trains: Iterable[int] | None = None,
    drop_first: bool | int = 0,
) -> xr.Dataset:
    """Choose images of a dataset, as of a run; all if nothing is given."""
    if subset is None and trains is None and not drop_first:
        return data
    return select(data, index=subset, trains=trains, drop_first=drop_first)
