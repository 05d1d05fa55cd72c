"""The slow data of a run: delays, energies and the like, one value for each train."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.runs.faults import BROKEN_FILE, Faults
from hrixs.runs.index import Entries, index_entries
from hrixs.runs.mnemonic_table import UNITS, Mnemonic, no_pulse_of
from hrixs.runs.parts import stored_pieces
from hrixs.runs.run_files import Run
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.hdf5_filters import load_filters, missing_filter_text

# Limit for data of which few are used: sizes stated in files are not trusted.
_MOST_ROWS_BESIDE = 100_000
_MOST_BYTES = 2**30


@dataclass(frozen=True)
class SlowData:
    """Values of one field for each train.

    Attributes
    ----------
    train_ids
        Train ids, ascending and unique.
    values
        One value for each train.
    dims, attrs
        Dimensions (without the train) and attributes of the variable.
    """

    train_ids: NDArray[np.uint64]
    values: NDArray[Any]
    dims: tuple[str, ...]
    attrs: dict[str, Any]

    def has_value(self, train_ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Mask of the trains that have a value."""
        return np.isin(train_ids, self.train_ids)

    def of_trains(self, train_ids: NDArray[np.uint64]) -> xr.Variable:
        """One value for each of these trains; NaN, or an empty text, if there is none."""
        there = self.has_value(train_ids)
        place = np.searchsorted(self.train_ids, train_ids)
        values = self.values[np.minimum(place, len(self.values) - 1)]
        if not there.all():
            values = _with_gaps(values, ~there)
        return xr.Variable(("trainId", *self.dims), values, self.attrs)


def load_slow_data(
    run: Run,
    entries: Mapping[str, Mnemonic],
    faults: Faults,
    *,
    required: Iterable[str] = (),
    trust: str | None = None,
) -> dict[str, SlowData]:
    """Read slow data of a run.

    Parameters
    ----------
    run : Run
        The run.
    entries : dict of str to Mnemonic
        Source and key of each field. Fields that the run does not have are left out with a warning.
    faults : Faults
        Faults of the slow data are reported to it.
    required : iterable of str
        Fields that must exist.
    trust : {'index', 'records'}, optional
        Which train ids to use if those next to the records contradict the index.

    Raises
    ------
    MissingDataError
        If the run does not have a required field.
    """
    found: dict[str, SlowData] = {}
    for name, entry in entries.items():
        of_field = faults.uncounted(f"values of {name}")
        source, key = entry["source"], entry["key"]
        index = index_entries(run.files_of(source, key), source, key, of_field, trust)
        if index is not None and len(index):
            data = _read(name, entry, index, of_field)
            if data is not None and len(data.values):
                found[name] = data
                continue
        if index is not None and name in set(required):
            raise MissingDataError(f"{name} has no value for any train.")
        where = f"the run has no {source} / {key}"
        if index is None and run.was_deselected(source, key):
            where = f"{source} / {key} was deselected from the open run"
        if name in set(required):
            raise MissingDataError(
                f"{name} can't be loaded: {where}. Correct its entry in hrixs.mnemonics."
            )
        warn(f"{name} is left out: {where if index is None else 'it has no value for any train'}.")
    return found


def _read(name: str, entry: Mnemonic, index: Entries, faults: Faults) -> SlowData | None:
    import h5py

    claimed = len(index) * math.prod(index.shape) * index.dtype.itemsize
    if claimed > _MOST_BYTES:
        faults.add(
            f"{name} is not read: its files state {claimed / 1e9:.3g} GB, {index.shape} for each "
            f"of {len(index)} trains, expected {_MOST_BYTES / 1e9:.3g} GB at most."
        )
        return None
    values = np.empty((len(index), *index.shape), index.dtype)
    good = np.ones(len(index), dtype=bool)
    for number, path in enumerate(index.paths):
        here = np.flatnonzero(index.file == number)
        if not len(here):
            continue
        try:
            with h5py.File(path, "r") as file:
                data = file[index.dataset]
                _require_readable(path, index.dataset, data, index.row[here])
                values[here] = _rows(data, index.row[here])
        except BROKEN_FILE as error:
            faults.add(f"{name} can't be read from {path}: {str(error).rstrip('.')}.")
            good[here] = False
    train_ids, first = np.unique(index.train_id[good], return_index=True)
    if len(train_ids) < int(good.sum()):
        warn(f"{name} has several values in some trains; the first of each train is used.")
    values = values[good][first]
    named = entry["dim"] if len(entry["dim"]) == values.ndim - 1 else None
    dims = named or [f"{name}_dim_{d}" for d in range(values.ndim - 1)]
    attrs: dict[str, Any] = {"source": entry["source"], "key": entry["key"]}
    if name in UNITS:
        attrs["units"] = UNITS[name]
    no_pulse = no_pulse_of(name, entry)
    if no_pulse is not None:
        attrs["no_pulse"] = no_pulse
    return SlowData(train_ids, values, tuple(dims), attrs)


def _require_readable(path: str, dataset: str, data: Any, rows: NDArray[np.int64]) -> None:
    """Raise OSError if a source file is missing: HDF5 would return zeros."""
    for piece in stored_pieces(path, dataset) if data.is_virtual else ():
        if isinstance(piece.stored, str) and ((rows >= piece.begin) & (rows < piece.end)).any():
            raise OSError(piece.stored)
    if data.is_virtual:
        load_filters()  # which ones its sources need is not known here
    text = missing_filter_text(data)
    if text is not None:
        raise OSError(text)


def _rows(data: Any, rows: NDArray[np.int64]) -> NDArray[Any]:
    begin, end = int(rows.min()), int(rows.max()) + 1
    if end - begin > _MOST_ROWS_BESIDE + 4 * len(rows):
        return np.stack([data[row] for row in rows])
    return np.asarray(data[begin:end][rows - begin])


def _with_gaps(values: NDArray[Any], gap: NDArray[np.bool_]) -> NDArray[Any]:
    if values.dtype.kind in "biuf":
        values = values.astype(np.result_type(values.dtype, np.float64))
        values[gap] = np.nan
    else:
        values = values.copy()
        values[gap] = "" if values.dtype.kind == "O" else np.zeros((), values.dtype)
    return values
