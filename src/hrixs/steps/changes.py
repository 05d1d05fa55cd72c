"""Changes of a dataset between recorded calls: trains chosen, variables added or dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.steps.values import KIND, is_recorded, plain_argument, short_digest

_DIM = "trainId"
# Attributes that hrixs writes after a step is recorded, and attributes of files.
_OF_HRIXS = ("steps", "settings", "beside", "task")


def made_of(data: xr.Dataset) -> dict[str, Any]:
    """State of a dataset after a call: its trains and its small variables."""
    return {"trains": _trains(data), "has": {
        str(name): short_digest(variable)
        for name, variable in data.variables.items() if name != _DIM
    }, "attrs": sorted(map(str, data.attrs))}  # fmt: skip


def changes_since(made: dict[str, Any], data: xr.Dataset) -> list[dict[str, Any]]:
    """Steps that change a dataset from an earlier state to the present one, as far as known.

    Known are trains that were left out, variables that were dropped, and small variables that were
    added or changed; these are kept with all values. New attributes are kept as notes. Changes of
    large variables, such as spectra, are not noticed.
    """
    if not made:
        return []
    steps: list[dict[str, Any]] = []
    before = made.get("has", {})
    gone = [name for name in before if name not in data.variables and name != _DIM]
    if gone:
        steps.append({"call": "drop_vars", "args": {"names": gone}})
    same_trains = made.get("trains") == _trains(data)
    if not same_trains and _DIM in data.indexes:
        steps.append({"call": "sel", "args": {_DIM: plain_argument("", data[_DIM].values)}})
    own = {
        str(name): plain_argument("", _alone(data, str(name)))
        for name, variable in data.variables.items()
        if name != _DIM and _is_own(str(name), variable, before, same_trains=same_trains)
    }
    coords = [name for name in own if name in data.coords]
    if own:
        kept = {KIND: "dict", "of": [list(pair) for pair in own.items()]}
        steps.append({"call": "assign", "args": {"variables": kept, "coords": coords}})
    known = {*made.get("attrs", map(str, data.attrs)), *_OF_HRIXS}
    notes = {str(k): plain_argument("", v) for k, v in data.attrs.items() if str(k) not in known}
    if notes := {name: value for name, value in notes.items() if is_recorded(value)}:
        kept = {KIND: "dict", "of": [list(pair) for pair in notes.items()]}
        steps.append({"call": "assign_attrs", "args": {"attrs": kept}})
    return steps


def _is_own(name: str, variable: xr.Variable, before: dict[str, str], *, same_trains: bool) -> bool:
    """Whether a variable is new, or small and changed."""
    if name not in before:
        return True
    return same_trains and before[name] not in ("", short_digest(variable))


def _alone(data: xr.Dataset, name: str) -> xr.DataArray:
    """A variable without coordinates."""
    variable = data.variables[name]
    return xr.DataArray(variable.data, dims=variable.dims, attrs=variable.attrs, name=name)


def _trains(data: xr.Dataset) -> str:
    if _DIM not in data.variables:
        return ""
    return short_digest(xr.Variable(data[_DIM].dims, np.asarray(data[_DIM].values, dtype=np.int64)))
