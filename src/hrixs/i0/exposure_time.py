"""Exposure time of images and time between them, from the fields of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.time_units import SECONDS

#: Time between trains at European XFEL, in s.
TRAIN = 0.1
# Train ids are large numbers; images numbered from 0 are not trains.
_LEAST_TRAIN_ID = 10_000


def exposure_in_s(data: xr.Dataset, name: str = "hRIXS_exposure") -> float | None:
    """Usual exposure in seconds, by its unit (default s); None if unknown."""
    if name not in data.variables:
        return None
    variable = data.variables[name]
    value = usual_value(variable)
    unit = SECONDS.get(str(variable.attrs.get("units", "s")).strip())
    return None if value is None or unit is None else value * unit


def seconds_between_images(data: xr.Dataset) -> float | None:
    """Usual time between images in seconds, by their train ids; None without train ids."""
    if "trainId" not in data.variables or data["trainId"].dtype.kind not in "iuf":
        return None
    ids = np.unique(np.asarray(data["trainId"].values, dtype=np.float64))
    if len(ids) < 2 or not ids[0] >= _LEAST_TRAIN_ID:
        return None
    return TRAIN * float(np.median(np.diff(ids)))


def usual_value(field: xr.Variable | NDArray[Any] | None) -> float | None:
    """Median of the positive values of a field; None if there are none."""
    if field is None or field.dtype.kind not in "iuf":
        return None
    values = np.asarray(field, dtype=np.float64)
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.median(values)) if values.size else None
