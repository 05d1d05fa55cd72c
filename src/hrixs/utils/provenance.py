"""What every output carries in ``attrs``: the settings and the version that made it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

__version__ = version("hrixs")


def slice_text(crop: slice) -> str:
    """`crop` as it is typed on the command line: ``700:900``."""
    start, stop = ("" if end is None else str(end) for end in (crop.start, crop.stop))
    return f"{start}:{stop}"


def _storable(value: Any) -> Any:
    """Return `value` in a form that netCDF can hold: number, text or array."""
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, slice):
        return slice_text(value)
    if isinstance(value, tuple | list):
        return np.asarray(value)
    return value


def provenance(algorithm: str, **settings: Any) -> dict[str, Any]:
    """Attributes for an output of `algorithm` made with `settings`."""
    attrs = {"algorithm": algorithm, "hrixs_version": __version__}
    return attrs | {name: _storable(value) for name, value in settings.items()}


def rows_of_crop(attrs: Mapping[Hashable, Any]) -> tuple[int, int] | None:
    """First row of the chip and end of the crop, as the attribute ``y_range`` tells them."""
    match = re.fullmatch(r"(\d+):(\d+)", str(attrs.get("y_range", "")))
    return None if match is None else (int(match[1]), int(match[2]))


def settings_text(settings: Mapping[str, Any]) -> str:
    """All settings as one JSON text; an array shows its shape."""
    return json.dumps(dict(settings), default=_json)


def _json(value: Any) -> Any:
    if isinstance(value, slice):
        return slice_text(value)
    return f"array of shape {np.shape(value)}" if np.ndim(value) else str(value)


def digest(*values: Any) -> str:
    """Short text that tells arrays and plain values apart."""
    total = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            total.update(f"{value.dtype}{value.shape}".encode())
            total.update(np.ascontiguousarray(value).data)
        else:
            total.update(repr(value).encode())
    return total.hexdigest()[:16]
