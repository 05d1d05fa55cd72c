"""Find the settings that differ between two objects of the class, or two results."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.replays.opened import told as told_of
from hrixs.settings.attributes import Settings
from hrixs.settings.plain import mask_of_plain
from hrixs.settings.recorded import SETTINGS_ATTR
from hrixs.settings.table import NAMES
from hrixs.utils.provenance import slice_text


def settings_that_differ(h1: Settings, h2: Settings) -> dict[str, tuple[Any, Any]]:
    """Names in upper case, with both values; also the dark, and curves of a higher degree."""
    names = [one.lower() for one in NAMES]
    values = [h.get_params(*names) for h in (h1, h2)]
    differ = {
        name.upper(): (_plain(values[0][name]), _plain(values[1][name]))
        for name in names
        if not _same(values[0][name], values[1][name])
    }
    if h1.curvature != h2.curvature and not {"CURVE_A", "CURVE_B"} & set(differ):
        differ["curvature"] = (h1.curvature, h2.curvature)
    if h1.USE_DARK and h2.USE_DARK and h1.dark.digest != h2.dark.digest:
        differ["dark"] = (f"run {h1.dark_run}", f"run {h2.dark_run}")
    return differ


def told_by(first: xr.Dataset, second: xr.Dataset) -> dict[str, tuple[Any, Any]]:
    """Differences in how two existing results were made, from their attributes."""
    a, b = (one["spectrum"].attrs | _settings(one) for one in (first, second))
    names = {"algorithm": "method"} | {name.lower(): name for name in NAMES}
    return {
        text: (_plain(a[name]), _plain(b[name]))
        for name, text in names.items()
        if name in a and name in b and not _same(a[name], b[name])
    }


def _settings(result: xr.Dataset) -> dict[str, Any]:
    """The recorded settings; a mask as an image, not as text."""
    told = told_of(result, result, SETTINGS_ATTR) or {}
    mask = told.get("mask")
    return told if mask is None else told | {"mask": mask_of_plain(mask)}


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if np.ndim(a) or np.ndim(b):
        return np.array_equal(np.asarray(a), np.asarray(b))
    return bool(a == b)


def _plain(value: Any) -> Any:
    """A value for display; an image as its shape."""
    if isinstance(value, slice):
        return slice_text(value)
    if isinstance(value, np.ndarray | xr.DataArray):
        marked = f", {np.count_nonzero(value)} marked" if value.dtype == bool else ""
        return f"image {value.shape}{marked}"
    return value
