"""Results of finished runs on disk, identified by everything that affects them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.reduction.checkpoint import remove_checkpoint
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.runs.run import RunLike
from hrixs.settings.attributes import Settings
from hrixs.spectrometer.inputs import opened_run, with_fields
from hrixs.utils.atomic_files import write_netcdf
from hrixs.utils.provenance import __version__, digest

_RESULT = "finished.nc"
_KEY = "finished_task"
# Attributes that do not affect the result.
_NOT_OF_SPECTRA = ("aggregators", "curvature_fit", "THREADS")
_OF_THE_WAY = ("memory", "threads", "progress", "client", "checkpoint")


def task_of(h: Settings, run: RunLike, options: dict[str, Any]) -> str:
    """A text that differs if the result of a run would differ."""
    how = {name: value for name, value in options.items() if name not in _OF_THE_WAY}
    opened = opened_run(h, run, how.get("proposal"), how.get("data"))
    stats = [os.stat(file.path) for file in opened.files]
    files = [
        (file.path, stat.st_size, stat.st_mtime_ns, sorted(file.sources))
        for file, stat in zip(opened.files, stats, strict=True)
    ]
    wanted = with_fields(h, how.get("extra_fields", ()))
    # All attributes of the object, so that no new one can be forgotten.
    state = {name: one for name, one in vars(h).items() if name not in _NOT_OF_SPECTRA}
    return digest(
        __version__,
        sorted(how.items(), key=lambda item: item[0]),
        files,
        opened.train_ids,
        sorted((source, sorted(keys)) for source, keys in opened.keys.items()),
        [(field, mnemonics.get(field)) for field in wanted["fields"] if isinstance(field, str)],
        repr(wanted),
        *(one for name in sorted(state) for one in (name, *_told_apart(state[name]))),
    )


def load_finished(folder: Path, task: str) -> xr.Dataset | None:
    """The result that was saved for this task; None if there is no readable one."""
    path = folder / _RESULT
    if not path.is_file():
        return None
    try:
        with xr.open_dataset(path, engine="h5netcdf") as saved:
            if saved.attrs.get(_KEY) != task:
                return None
            result = saved.load()
    except (OSError, ValueError, KeyError):
        return None
    del result.attrs[_KEY]
    return result


def save_finished(folder: Path, task: str, result: xr.Dataset) -> None:
    """Save the result of a finished run; it replaces the parts that it was made of."""
    folder.mkdir(parents=True, exist_ok=True)
    write_netcdf(result.assign_attrs({_KEY: task}), folder / _RESULT)
    remove_checkpoint(folder)


def _told_apart(value: Any) -> tuple[Any, ...]:
    """A value in a form for `digest`; arrays with all numbers, which their text would omit."""
    if isinstance(value, Mapping):  # a dataset, too
        return tuple(one for name in value for one in (str(name), *_told_apart(value[name])))
    if isinstance(value, list | tuple):
        return ("several", *(one for item in value for one in _told_apart(item)))
    if isinstance(value, np.ndarray | xr.DataArray):
        return (np.asarray(value),)
    if is_dataclass(value) and not isinstance(value, type):
        return _told_apart({one.name: getattr(value, one.name) for one in fields(value)})
    return (repr(value),)
