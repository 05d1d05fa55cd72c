"""Make results again by the steps recorded in their attributes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hrixs.deconvolution.result import deconvolve
from hrixs.energy.drift import align
from hrixs.energy.loss import energy_loss
from hrixs.files.event_list import read_events
from hrixs.files.images import open_images
from hrixs.groups.grouped import aggregate
from hrixs.level.background import subtract_background
from hrixs.photons.placement import fits_clouds
from hrixs.photons.table import photon_table
from hrixs.runs import extra_data_access
from hrixs.scans.elastic import align_elastic
from hrixs.scans.joining import concat
from hrixs.scans.maps import cut, rixs_map
from hrixs.selection.choose import select
from hrixs.settings.state import (
    AGGREGATING,
    AGGREGATORS,
    DARK,
    LostFunctionError,
    aggregator_of_plain,
    set_plain,
)
from hrixs.spectra.pump_probe import difference
from hrixs.steps.values import KIND, MOST_VALUES, PLACES, argument_of_plain, is_recorded
from hrixs.utils.errors import MissingDataError, warn

if TYPE_CHECKING:
    from hrixs.settings.dark import Dark

Step = Mapping[str, Any]

#: Methods of the class and functions that a step can name; files cannot call anything else.
METHODS = ("from_run", "process_run", "process_runs", "centroid", "integrate", "count",
           "aggregate", "aggregate_ds", "normalize", "rixs_map")  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (
        *(open_images, read_events, photon_table, select, aggregate, concat, deconvolve),
        *(align, align_elastic, energy_loss, subtract_background, difference, rixs_map, cut),
    )
}
# Methods that always fit photons.
_FITTING = ("resolve", "best")


class Replay:
    """Repeat steps one after the other.

    Parameters
    ----------
    spectrometer : function
        Makes an `hRIXS` from a proposal and a camera.
    moved : dict, optional
        New folders by their old paths; or runs by their numbers.
    of_h : dict of functions, optional
        Functions by name whose first argument is an `hRIXS`.
    """

    def __init__(
        self,
        spectrometer: Callable[..., Any],
        moved: Mapping[str, str] | None = None,
        of_h: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self._spectrometer = spectrometer
        self._of_h = of_h or {}
        self._moved = {
            _run_or_folder(old): os.path.abspath(new) for old, new in (moved or {}).items()
        }
        self._darks: dict[str, Dark] = {}

    def result(self, steps: Sequence[Step]) -> Any:
        """Return the result of the steps.

        Raises
        ------
        ValueError
            If a step, or one of its arguments, could not be recorded.
        MissingDataError
            If a run or a file does not exist any more.
        """
        data: Any = None
        state: dict[str, Mapping[str, Any]] = {}
        for number, step in enumerate(steps, 1):
            state |= {key: step[key] for key in ("settings", "beside") if key in step}
            try:
                data = self._done(step, data, state)
            except Exception as raised:
                lost = isinstance(raised.__cause__, LostFunctionError)
                error = raised.__cause__ if lost and raised.__cause__ else raised
                error = _with_hint(error, step.get("args", {}))
                error.add_note(f"In step {number} of {len(steps)}, {step.get('call')}.")
                raise error from error.__cause__
        return data

    def spectrometer(self, state: Mapping[str, Mapping[str, Any]], *, dark: bool = True) -> Any:
        """An `hRIXS` with the recorded settings, and the dark that was used."""
        settings, beside = state.get("settings", {}), state.get("beside", {})
        h = self._spectrometer()
        set_plain(h, settings, beside)
        for name, known in beside.get(AGGREGATORS, {}).items():
            h.aggregators[name] = aggregator_of_plain(name, known)
        if dark and settings.get("use_dark") and DARK in beside:
            h.dark = self.dark(beside[DARK])
        return h

    def _done(self, step: Step, data: Any, state: Mapping[str, Mapping[str, Any]]) -> Any:
        name = str(step.get("call"))
        if name == "given":
            raise ValueError(
                "the images or spectra came from a dataset in memory without recorded calls, so "
                "hrixs cannot make them again. Start with from_run, process_run or open_images."
            )
        plain = step.get("args", {})
        if name == "assign":
            plain = {**plain, "variables": _kept(plain["variables"])}
        arguments = {key: self._argument(key, value) for key, value in plain.items()}
        given = () if data is None else (data,)
        if step.get("of") == "hRIXS" and name in METHODS:
            _require_noise(state.get("settings", {}), arguments)
            return getattr(self.spectrometer(state), name)(*given, **arguments)
        if step.get("of") == "h" and name in self._of_h:
            return self._of_h[name](self.spectrometer(state), *given, **arguments)
        if name in FUNCTIONS:
            return FUNCTIONS[name](*given, **arguments)
        if name in _CHANGES and isinstance(data, xr.Dataset):
            return _CHANGES[name](data, **arguments)
        raise ValueError(
            f"this version of hrixs does not know the step {name!r}. Use the version that made "
            "the result: attrs['hrixs_version'] of its spectrum."
        )

    def dark(self, known: Mapping[str, Any]) -> Dark:
        """Make the dark again."""
        digest = str(known.get("digest"))
        if digest in self._darks:
            return self._darks[digest]
        made_by = known.get("made_by")
        if made_by is None:
            raise MissingDataError(
                f"the dark (run {known.get('run')}) was an image in memory, and results do not "
                "store images. Load a settings file, which stores it, or call load_dark."
            )
        *before, load = made_by["steps"]
        h = self._spectrometer()
        for name, value in load["settings"].items():
            setattr(h, name.upper(), value)
        given = () if not before else (self.result(before),)
        try:
            h.load_dark(*given, **{k: self._argument(k, v) for k, v in load["args"].items()})
        except MissingDataError as error:
            raise _with_hint(error, load["args"]) from error.__cause__
        if str(known.get("run", "")).isdecimal():
            h.dark = replace(h.dark, run=known["run"])  # its path may have changed
        if h.dark.digest != digest:
            warn(
                f"the dark, run {known.get('run')}, differs from the original: its files or the "
                "version of hrixs have changed."
            )
        self._darks[digest] = h.dark
        return self._darks[digest]

    def _argument(self, name: str, plain: Any) -> Any:
        """Prepare an argument of a call: make results again, open runs, replace moved paths."""
        if isinstance(plain, dict) and plain.get(KIND) == "result":
            return self.result(plain["steps"])
        if isinstance(plain, dict) and plain.get(KIND) == "run":
            return self._open_run(plain)
        if isinstance(plain, dict) and plain.get(KIND) in ("by_index", "by_id"):
            return extra_data_access.subset_of(plain[KIND], argument_of_plain(plain["of"]))
        if isinstance(plain, dict) and plain.get(KIND) == "function":
            return AGGREGATING[plain["of"]]
        if isinstance(plain, dict) and plain.get(KIND) == "dict":
            return {self._argument("", k): self._argument("", v) for k, v in plain["of"]}
        if isinstance(plain, list):
            return [self._argument(name, one) for one in plain]
        if name in PLACES and isinstance(plain, str | int):
            return self._place(plain)
        return argument_of_plain(plain)

    def _open_run(self, plain: Mapping[str, Any]) -> Any:
        """Open a run that was given as an open run."""
        run = extra_data_access.open_folder(
            Path(str(self._place(plain["path"]))), parallelize=False
        )
        ids = [one for first, last in plain["trains"] for one in range(first, last + 1)]
        return run.select_trains(extra_data_access.trains_by_id(ids))

    def _place(self, path: str | int) -> str | int:
        if isinstance(path, int):
            return self._moved.get(str(path), path)
        for old, new in self._moved.items():
            if path == old or path.startswith(old + os.sep):
                return new + path[len(old) :]
        return path


def _require_noise(settings: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raise MissingDataError if photons were fitted with an image of the noise: it is not stored.

    Other calls do not need the noise; a warning then says that the setting is not set.
    """
    fits = fits_clouds(settings.get("position")) or arguments.get("method") in _FITTING
    noise = settings.get("read_noise")
    if fits and isinstance(noise, Mapping) and "digest" in noise:
        raise MissingDataError(
            f"READ_NOISE was an image of {' x '.join(map(str, noise['shape']))} pixels, and "
            "results do not store images. Load a settings file, which stores it (h = "
            "hRIXS.load(file)), or set it (h = hRIXS.from_result(result), h.READ_NOISE = image). "
            "Then make the calls that hrixs.how_made(result) shows."
        )


def _with_hint(error: BaseException, plain: Mapping[str, Any]) -> BaseException:
    """The error of a missing run or file, with what to type if it was moved."""
    places = [one for name in PLACES if name in plain for one in _places_in(plain[name])]
    told = str(error)
    missing = [one for one in places if one in told]
    if not isinstance(error, MissingDataError) or not missing or "moved=" in told:
        return error
    old = missing[0] if missing[0].isdecimal() else os.path.dirname(missing[0])
    new = "/new/r" + missing[0].zfill(4) if missing[0].isdecimal() else "/new/folder"
    return MissingDataError(
        f"{told} If it was moved, give its new place: moved={{{old!r}: {new!r}}}, or type hrixs "
        f"replay --moved {old}={new}."
    )


def _run_or_folder(old: Any) -> str:
    """A run number, or the full path of a folder."""
    return str(int(old)) if str(old).isdecimal() else os.path.abspath(old)


def _places_in(plain: Any) -> list[str]:
    """Runs and files that arguments name, as typed or as full paths."""
    if isinstance(plain, list):
        return [one for value in plain for one in _places_in(value)]
    if isinstance(plain, dict):
        return [str(plain["path"])] if plain.get(KIND) == "run" else []
    return [str(plain)] if isinstance(plain, str | int) else []


def _assign(data: xr.Dataset, *, variables: Mapping[str, Any], coords: Sequence[str]) -> xr.Dataset:
    new = {name: one.variable for name, one in variables.items()}
    data = data.assign({name: one for name, one in new.items() if name not in coords})
    return data.assign_coords({name: one for name, one in new.items() if name in coords})


def _kept(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Own variables of the user with stored values; others are left out with a warning."""
    kept = [pair for pair in variables["of"] if is_recorded(pair[1])]
    lost = [pair[0] for pair in variables["of"] if not is_recorded(pair[1])]
    if lost:
        warn(
            f"values of {', '.join(lost)} were not recorded: they are more than {MOST_VALUES}, or "
            "neither real numbers nor text. Later steps are repeated without them."
        )
    return {**variables, "of": kept}


def _sel(data: xr.Dataset, **which: Any) -> xr.Dataset:
    for dim, values in which.items():
        wanted = np.asarray(values)
        others = wanted[~np.isin(wanted, data[dim].values)] if dim in data.indexes else wanted
        if others.size:
            raise MissingDataError(
                f"{others.size} of {wanted.size} images, {dim} {others[0]} the first, do not come "
                "from a recorded call. Perhaps results were joined by xarray. Join them with "
                "hrixs.concat, or give their runs to process_runs."
            )
    return data.sel(which)


def _drop_vars(data: xr.Dataset, *, names: Sequence[str]) -> xr.Dataset:
    return data.drop_vars(list(names))


def _assign_attrs(data: xr.Dataset, *, attrs: Mapping[str, Any]) -> xr.Dataset:
    return data.assign_attrs(attrs)


_CHANGES: dict[str, Callable[..., xr.Dataset]] = {
    "assign_attrs": _assign_attrs,
    "assign": _assign, "sel": _sel, "drop_vars": _drop_vars
}  # fmt: skip
