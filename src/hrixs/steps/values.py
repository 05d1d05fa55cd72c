"""Arguments of calls as plain values, for JSON, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.utils.provenance import digest

#: Key in a plain dict that says what it represents.
KIND = "is"
#: Larger arrays are not recorded.
MOST_VALUES = 20_000
_LARGE = {"energy", "energy_loss", "x", "y", "photon"}
# Kinds of arrays that can be stored; times are stored as whole numbers.
_KEPT = "biufUmM"
#: Parameters that name runs and files; full paths are stored.
PLACES = ("run", "runNB", "runs", "path")


def plain_argument(name: str, value: Any) -> Any:
    """An argument as numbers, text, lists and dicts; values that cannot be stored are marked."""
    if name in PLACES:
        return _place(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, os.PathLike):
        return os.path.abspath(value)
    if isinstance(value, slice):
        return {KIND: "slice", "of": [_end(end) for end in (value.start, value.stop, value.step)]}
    if isinstance(value, range):
        value = list(value)
    if isinstance(value, np.ndarray | xr.DataArray):
        return _array(value)
    if isinstance(value, Mapping):
        keys = [plain_argument("", key) for key in value]
        kept = [plain_argument("", one) for one in value.values()]
        return {KIND: "dict", "of": [list(pair) for pair in zip(keys, kept, strict=True)]}
    if isinstance(value, tuple):
        return {KIND: "tuple", "of": [plain_argument("", one) for one in value]}
    if isinstance(value, list | set | frozenset):
        return [plain_argument("", one) for one in value]
    if str(getattr(value, "__module__", "")).startswith("hrixs.") and hasattr(value, "__name__"):
        return {KIND: "function", "of": value.__name__}
    return unknown(value)


def argument_of_plain(value: Any) -> Any:
    """The argument that a plain value represents.

    Raises
    ------
    ValueError
        For a value that could not be stored.
    """
    if isinstance(value, list):
        return [argument_of_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind: Any = value.get(KIND)
    of: Any = value.get("of")
    if kind == "slice":
        return slice(*of)
    if kind == "tuple":
        return tuple(argument_of_plain(one) for one in of)
    if kind == "dict":
        return {argument_of_plain(key): argument_of_plain(one) for key, one in of}
    if kind == "array":
        return np.asarray(of, dtype=value["dtype"]).reshape(value["shape"])
    if kind == "DataArray":
        return xr.DataArray.from_dict(_typed(of))
    raise ValueError(f"{value.get('text', kind)} was given, which could not be recorded")


def unknown(value: Any) -> dict[str, str]:
    """The mark for a value that cannot be stored."""
    return {KIND: "not recorded", "text": " ".join(repr(value).split())[:120]}


def short_digest(variable: xr.Variable) -> str:
    """A text that differs if the values of a small variable differ; empty for large or lazy ones.

    Spectra, images and photons count as large, whatever their size.
    """
    is_large = variable.size > MOST_VALUES or bool(_LARGE & set(variable.dims))
    if is_large or variable.chunks is not None:
        return ""
    values = np.asarray(variable.values)
    return digest(values if values.dtype.kind in "biufc" else _listed(values))[:8]


def _place(value: Any) -> Any:
    """Runs and files: numbers as they are, full paths."""
    if isinstance(value, bool | np.bool_):
        return unknown(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        is_number = isinstance(text, str) and text.isdigit() and not Path(text).exists()
        return int(text) if is_number else os.path.abspath(text)
    if isinstance(value, Sequence | range):
        return [_place(one) for one in value]
    return unknown(value)


def _array(value: Any) -> dict[str, Any]:
    if value.size > MOST_VALUES or value.dtype.kind not in _KEPT:
        return unknown(value)
    if isinstance(value, xr.DataArray):
        if any(c.dtype.kind not in _KEPT for c in value.coords.values()):
            value = value.reset_coords(drop=True)
        return {KIND: "DataArray", "of": _plain_dict(value)}
    return {
        KIND: "array",
        "of": _listed(value.ravel()),
        "dtype": value.dtype.str,
        "shape": list(value.shape),
    }


def _plain_dict(value: xr.DataArray) -> dict[str, Any]:
    """Like `xarray.DataArray.to_dict`, with types, without attributes that cannot be stored."""

    def one(variable: Any) -> dict[str, Any]:
        told = {str(k): plain_argument("", v) for k, v in variable.attrs.items()}
        attrs = {k: v for k, v in told.items() if v is not None and is_recorded(v)}
        return {"dims": list(variable.dims), "data": _listed(variable.values), "attrs": attrs,
                "dtype": variable.dtype.str}  # fmt: skip

    coords = {str(name): one(c) for name, c in value.coords.items()}
    return one(value) | {"name": value.name, "coords": coords}


def _typed(told: dict[str, Any]) -> dict[str, Any]:
    """The argument of `xarray.DataArray.from_dict`, with values of their former types."""
    typed = {**told, "data": np.asarray(told["data"], dtype=told["dtype"])}
    typed["attrs"] = {k: argument_of_plain(v) for k, v in told.get("attrs", {}).items()}
    if "coords" in told:
        typed["coords"] = {name: _typed(one) for name, one in told["coords"].items()}
    return typed


def _listed(values: NDArray[Any]) -> Any:
    """Values as a list; times are whole numbers of their unit."""
    return (values.astype(np.int64) if values.dtype.kind in "mM" else values).tolist()


def _end(end: Any) -> Any:
    if isinstance(end, np.generic):
        return end.item()
    return end if end is None or isinstance(end, int | float) else str(end)


def is_recorded(value: Any) -> bool:
    """Whether an argument can be made of a plain value."""
    if isinstance(value, dict):
        return value.get(KIND) != "not recorded" and all(map(is_recorded, value.values()))
    return all(map(is_recorded, value)) if isinstance(value, list) else True
