"""Images that are in no group: counted, and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

_MOST_NAMED = 8


def named(ds: xr.Dataset, dim: str, which: NDArray[Any]) -> str:
    """Images by their train ids, or by their numbers where there are none: ``trains 1, 3``."""
    noun = "train" if dim == "trainId" and dim in ds.coords else "number"
    ids = ds[dim].values[which] if dim in ds.coords else np.flatnonzero(which)
    shown = [str(one) for one in np.sort(ids)[:_MOST_NAMED]]
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"{noun}{'s' * (len(ids) > 1)} {', '.join(shown)}{more}"
