"""Where the entries of one key are stored in the files of a run, and their trains.

Faults of the index are found here: an entry is used if nothing contradicts its train id.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.faults import BROKEN_FILE, Faults, named_trains
from hrixs.runs.file_index import FileEntries, hdf5_paths, read_file_index
from hrixs.runs.run_files import RunFile


@dataclass(frozen=True)
class Entries:
    """The entries of a key over all files, in ascending order of their trains.

    Attributes
    ----------
    paths
        The files that hold the key.
    dataset
        Path of the dataset in these files.
    file, row, train_id
        For each entry: index of its file in `paths`, its row there, and its train id.
    shape, dtype
        Shape and type of one entry.
    n_suspect
        Number of trains whose id the data acquisition marked as suspect.
    """

    paths: tuple[str, ...]
    dataset: str
    file: NDArray[np.int64]
    row: NDArray[np.int64]
    train_id: NDArray[np.uint64]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    n_suspect: int = 0

    def __len__(self) -> int:
        return len(self.row)

    @property
    def n_bytes(self) -> int:
        """Of one entry."""
        return math.prod(self.shape) * self.dtype.itemsize

    def select(self, which: Any) -> Entries:
        """Entries chosen by `which` (slice, mask or positions)."""
        return replace(
            self, file=self.file[which], row=self.row[which], train_id=self.train_id[which]
        )


def index_entries(
    run_files: Sequence[RunFile],
    source: str,
    key: str,
    faults: Faults,
    trust: str | None = None,
) -> Entries | None:
    """Index a key over the files that hold its source.

    Parameters
    ----------
    run_files : sequence of RunFile
        The files.
    source, key : str
        As in extra-data.
    faults : Faults
        Faults of the index, and entries left out because of them, are reported to it. Only entries
        of its trains are used.
    trust : {'index', 'records'}, optional
        Which train ids to use if those next to the records contradict the index.

    Returns
    -------
    Entries or None
        None if no file can be used.
    """
    dataset, index = hdf5_paths(source, key)
    files: list[FileEntries] = []
    without_data: list[tuple[str, NDArray[np.uint64], str]] = []
    for file in run_files:
        try:
            one = read_file_index(file.path, dataset, index, without_data, faults, trust)
        except BROKEN_FILE as error:
            faults.add(
                f"{Path(file.path).name} can't be read and is left out: {error}. It has "
                f"{named_trains(file.train_ids)}.",
                n_skipped=len(file.train_ids),
                train_ids=file.train_ids,
            )
            continue
        if one is not None:
            one.keep(~np.isin(one.train_id, file.trains_left_out))
            if faults.only is not None:
                one.keep(np.isin(one.train_id, faults.only))
            files.append(one)
    for path, train_ids, why in without_data:
        if files or why:
            faults.add(
                f"{Path(path).name} has no data or no index of {dataset}{why}: {len(train_ids)} "
                f"trains are skipped, {named_trains(train_ids)}.",
                n_skipped=len(train_ids),
                train_ids=train_ids,
            )
    if not files:
        return None
    files = _of_one_kind(files, faults)
    entries, slots, lost = _joined(files, dataset)
    entries = entries.select(_not_contradicted(entries, slots, lost, faults))
    suspect = np.unique(np.concatenate([one.suspect for one in files]))
    suspect = suspect[np.isin(suspect, entries.train_id)]
    if len(suspect):
        faults.add(
            f"{len(suspect)} trains are marked as suspect by the data acquisition, their ids may "
            f"be wrong; they are kept: {named_trains(suspect)}."
        )
    in_order = entries.select(np.argsort(entries.train_id, kind="stable"))
    return replace(in_order, n_suspect=len(suspect))


def _of_one_kind(files: list[FileEntries], faults: Faults) -> list[FileEntries]:
    """Leave out files whose entries differ in shape or dtype from those of most files."""
    kinds: Counter[Any] = Counter()
    for one in files:
        kinds[one.shape, one.dtype] += len(one.row)
    (shape, dtype), _ = kinds.most_common(1)[0]
    kept = []
    for one in files:
        if (one.shape, one.dtype) == (shape, dtype):
            kept.append(one)
        elif len(one.row):
            faults.add(
                f"{Path(one.path).name} has {len(one.row)} {faults.noun} of shape {one.shape}, "
                f"{one.dtype}, the others have {shape}, {dtype}; they are skipped: "
                f"{named_trains(one.train_id)}.",
                n_skipped=len(one.row),
                train_ids=one.train_id,
            )
    return kept


def _joined(
    files: list[FileEntries], dataset: str
) -> tuple[Entries, NDArray[np.uint64], NDArray[np.uint64]]:
    """Entries of all files in the order of the files, their positions in the index, and a table.

    The table has a column for each lost image: its train id and position.
    """
    number = np.repeat(np.arange(len(files)), [len(one.row) for one in files])
    lengths = [int(max(one.slot.max(initial=0), one.lost_slot.max(initial=0))) for one in files]
    begins = np.concatenate([[0], np.cumsum(np.array(lengths) + 1)[:-1]])
    slots = begins[number] + np.concatenate([one.slot for one in files])
    lost_slots = [begin + one.lost_slot for begin, one in zip(begins, files, strict=True)]
    lost = np.stack(
        [
            np.concatenate([one.lost_id for one in files]),
            np.concatenate(lost_slots).astype(np.uint64),
        ]
    )
    entries = Entries(
        tuple(one.path for one in files),
        dataset,
        number,
        np.concatenate([one.row for one in files]),
        np.concatenate([one.train_id for one in files]),
        files[0].shape,
        files[0].dtype,
    )
    return entries, slots.astype(np.uint64), lost


def _not_contradicted(
    entries: Entries, slots: NDArray[np.uint64], lost: NDArray[np.uint64], faults: Faults
) -> NDArray[np.bool_]:
    """Choose entries if a train id is duplicated; the tests of faulty runs show the cases."""
    keep = np.ones(len(entries), dtype=bool)
    # A lost image counts for its id, too.
    claims = np.unique(np.hstack([np.stack([entries.train_id, slots]), lost]), axis=1)
    ids, times = np.unique(claims[0], return_counts=True)
    copies: list[int] = []
    doubtful: list[int] = []
    n_lost = 0
    for train_id in ids[times > 1]:
        of_train = np.flatnonzero(entries.train_id == train_id)
        if not len(of_train):
            continue
        places = [of_train[slots[of_train] == slot] for slot in np.unique(slots[of_train])]
        if train_id not in lost[0] and _are_equal(entries, places):
            keep[np.concatenate(places[1:])] = False
            copies.append(int(train_id))
        else:
            keep[of_train] = False
            doubtful.append(int(train_id))
            n_lost += len(of_train)
    if copies:
        faults.add(
            f"{len(copies)} trains are duplicated in the run, with identical data; one copy is "
            f"used: {named_trains(copies)}.",
            about=copies,
        )
    if doubtful:
        faults.add(
            f"{len(doubtful)} train ids are duplicated in the run, with different data that "
            f"cannot be assigned to a train; {n_lost} are skipped: {named_trains(doubtful)}.",
            n_skipped=n_lost,
            train_ids=doubtful,
        )
    return keep


def _are_equal(entries: Entries, places: list[NDArray[np.int64]]) -> bool:
    """Whether the data of a train are identical in all places; unreadable data are not."""
    import h5py

    if len({len(place) for place in places}) > 1:
        return False

    def read(position: int) -> bytes:
        with h5py.File(entries.paths[entries.file[position]], "r") as file:
            return bytes(np.ascontiguousarray(file[entries.dataset][entries.row[position]]).data)

    try:
        return all(
            read(positions[0]) == read(other)
            for positions in zip(*places, strict=True)
            for other in positions[1:]
        )
    except BROKEN_FILE:
        return False
