"""Record calls of the class' methods, with the settings in use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.runs.run import open_run, run_name
from hrixs.runs.run_files import Run
from hrixs.settings.attributes import Settings
from hrixs.settings.state import plain_beside, plain_settings
from hrixs.steps.record import (
    STEPS,
    is_of_known,
    is_recording,
    note,
    nothing_recorded,
    taken,
    without_replaced,
)
from hrixs.steps.values import KIND, plain_argument, unknown

F = TypeVar("F", bound=Callable[..., Any])

#: Attribute of results, a JSON text: the settings, as `hRIXS.set_params` takes them.
SETTINGS_ATTR = "settings"
#: For live spectra, which have no steps: what is needed in addition to the settings.
BESIDE_ATTR = "beside"
# Variable that a method adds to the given dataset.
_ADDED = {"centroid": "spectrum", "integrate": "spectrum", "normalize": "normalized"}
# Methods that work on results, without their settings.
_OF_RESULTS = ("aggregate", "normalize", "rixs_map")
# Methods that call another one.
_SAME_AS = {"aggregate_ds": "aggregate"}
# Settings that a dark depends on.
_OF_A_DARK = ("proposal", "detector", "data", "trust")


def recorded_method(method: F) -> F:
    """Make a method record its call and the settings in the attributes of its result.

    It can also be a function whose first parameter, `h`, is the spectrometer.
    """
    of = "hRIXS" if "." in method.__qualname__ else "h"
    name = _SAME_AS.get(method.__name__, method.__name__)

    @wraps(method)
    def call(self: Settings, *args: Any, **kwargs: Any) -> Any:
        if is_recording():
            return method(self, *args, **kwargs)
        steps, arguments = taken(method, (self, *args), kwargs, _plain)
        before = without_replaced(steps, name), arguments
        with nothing_recorded():
            result = method(self, *args, **kwargs)
        if isinstance(result, xr.Dataset) and (name not in _OF_RESULTS or is_of_known(before)):
            state = {"settings": plain_settings(self), "beside": plain_beside(self)}
            note(result, name, before, of=of, **_changed(before[0], state))
            result.attrs[SETTINGS_ATTR] = json.dumps(state["settings"])
            if name in _ADDED:
                _note_in_place(result, (*args, *kwargs.values()), _ADDED[name])
        return result

    return cast(F, call)


def recorded_dark(method: F) -> F:
    """Make a method that sets the dark record its call in the dark."""

    @wraps(method)
    def call(self: Settings, *args: Any, **kwargs: Any) -> None:
        steps, arguments = taken(method, (self, *args), kwargs, _plain)
        with nothing_recorded():
            method(self, *args, **kwargs)
        values = {name: getattr(self, name.upper()) for name in _OF_A_DARK}
        settings = {name: value for name, value in values.items() if value is not None}
        step = {"call": method.__name__, "args": arguments, "settings": settings}
        self.dark = replace(self.dark, made_by={"steps": [*steps, step]})

    return cast(F, call)


def _note_in_place(result: xr.Dataset, given: tuple[Any, ...], variable: str) -> None:
    """Record the steps in the variable that was added to the given dataset."""
    for data in given:
        if isinstance(data, xr.Dataset) and variable in data.data_vars:
            data.variables[variable].encoding[STEPS] = result.attrs[STEPS]


def _changed(steps: list[dict[str, Any]], state: Mapping[str, Any]) -> dict[str, Any]:
    """Those values of the state that differ from the ones last recorded."""
    changed = {}
    for key, value in state.items():
        last = next((step[key] for step in reversed(steps) if key in step), None)
        if json.loads(json.dumps(value)) != last:
            changed[key] = value
    return changed


def _plain(name: str, value: Any) -> Any:
    """Convert arguments to plain values; an open run to its path and its trains."""
    if isinstance(value, str | int | np.ndarray | xr.DataArray | None):
        return plain_argument(name, value)
    if isinstance(value, list | tuple) and name == "runs":
        return [_plain("run", one) for one in value]
    if isinstance(value, Run) or hasattr(value, "keys_for_source"):
        return _plain_run(value)
    if type(value).__module__.startswith("extra_data") and hasattr(value, "value"):
        # A subset, as by_index[:10] or by_id[[1001]].
        return {KIND: type(value).__name__, "of": plain_argument("", value.value)}
    return plain_argument(name, value)


def _plain_run(value: Any) -> dict[str, Any]:
    run, name = open_run(value), run_name(value)
    if not name or ", " in name or run.not_chosen or run.keys:
        return unknown(f"an open run of {name or 'some files'}, of which sources were chosen")
    # If trains are chosen, extra-data also leaves out files, so a chosen set of files does not
    # show.
    return {KIND: "run", "path": name, "trains": _spans(run.train_ids.astype(np.int64))}


def _spans(ids: NDArray[np.int64]) -> list[list[int]]:
    """First and last number of each gapless span."""
    parts = np.split(ids, np.flatnonzero(np.diff(ids) != 1) + 1) if ids.size else []
    return [[int(part[0]), int(part[-1])] for part in parts]
