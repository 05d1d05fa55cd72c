"""Steps that a `Scan` of EXtra has found, as groups of images."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from hrixs.groups.groups import Groups, mean_and_spread
from hrixs.spectra.naming import named_entries
from hrixs.utils.errors import MissingDataError, warn


def is_scan(by: Any) -> bool:
    """Whether `by` is a ``Scan`` of `extra.components`, by the attributes that are used."""
    return hasattr(by, "positions") and hasattr(by, "positions_train_ids")


def groups_of_scan(ds: xr.Dataset, scan: Any, dim: str) -> Groups:
    """A group for each step of the scan, in the order of the scan, of the images in its trains.

    The dimension has the name of the scan if `ds` has a variable of that name, otherwise
    ``position``. Mean and spread are those of the variable in the images, if it exists, otherwise
    the positions of the steps.

    Raises
    ------
    MissingDataError
        If the scan has no steps, the dataset no train ids, or no image is in a step.
    """
    name = str(getattr(scan, "name", "position"))
    positions = np.asarray(scan.positions, dtype=np.float64)
    if not len(positions):
        raise MissingDataError(
            f"the Scan over {name} has no steps: EXtra has found none. Give it resolution= and "
            "min_trains=, or group by the variable, with step= or tolerance='auto'."
        )
    if dim not in ds.coords:
        raise MissingDataError(
            f"the dataset has no coordinate {dim!r} with train ids, which the steps of a Scan "
            "need. Group by a variable instead."
        )
    ids = ds[dim].values
    number = np.full(len(ids), -1, dtype=np.int64)
    for k, of_step in enumerate(scan.positions_train_ids):
        number[np.isin(ids, np.asarray(of_step))] = k
    outside = number < 0
    if outside.all():
        raise MissingDataError(
            f"none of the {len(ids)} images is of a train in the {len(positions)} steps of the "
            f"Scan over {name}. Is it of the same run?"
        )
    if outside.any():
        warn(
            f"{int(outside.sum())} of {len(ids)} frames are in no step of the Scan over {name} and "
            f"are left out: {named_entries(ds, dim, outside)}."
        )
    used = np.unique(number[~outside])
    if len(used) < len(positions):
        warn(f"{len(positions) - len(used)} of {len(positions)} steps of the Scan have no image.")
    number[~outside] = np.searchsorted(used, number[~outside])
    value, spread = positions[used], None
    attrs: dict[Hashable, Any] = {"motor": name}
    if name in ds.variables and ds[name].dims == (dim,):
        value, spread = mean_and_spread(ds[name].values, number, len(used))
        attrs |= ds[name].attrs
    else:
        name = "position"
    how = f"{len(used)} steps of a Scan over {attrs['motor']}"
    counts = {f"n_frames_outside_{name}": int(outside.sum())}
    return Groups(name, number, value, spread, how, attrs, {}, counts)
