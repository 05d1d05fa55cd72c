"""The index of one file: which entries of a dataset belong to which train."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.own_ids import agree_with_own_ids, report_unclaimed, rows_by_records

#: Larger numbers in an index are garbage.
_MOST_ENTRIES_OF_A_TRAIN = 2**16
_LAST_ROW = 2**53
_MOST_IN_A_FILE = 2**26
#: Largest number of pixels of a camera: 16384 x 16384.
_MOST_PIXELS = 2**28


@dataclass
class FileEntries:
    """The entries that the index of one file lists, and what contradicts it."""

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    row: NDArray[np.int64]
    train_id: NDArray[np.uint64]
    slot: NDArray[np.int64]  # number of the train in the file's index
    lost_id: NDArray[np.uint64]  # of trains with images that the index lists, but wrongly
    lost_slot: NDArray[np.int64]
    suspect: NDArray[np.uint64]  # ids

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Keep only these entries."""
        for name in ("row", "train_id", "slot"):
            setattr(self, name, getattr(self, name)[which])


def hdf5_paths(source: str, key: str) -> tuple[str, str]:
    """Paths of the dataset of a key, and of its index, in the EuXFEL file format."""
    if ":" not in source:
        name = key.removesuffix(".value").replace(".", "/")
        return f"CONTROL/{source}/{name}/value", f"INDEX/{source}"
    group = key.partition(".")[0]
    return f"INSTRUMENT/{source}/{key.replace('.', '/')}", f"INDEX/{source}/{group}"


def read_file_index(
    path: str,
    dataset: str,
    index: str,
    without_data: list[tuple[str, NDArray[np.uint64], str]],
    faults: Faults,
    trust: str | None = None,
) -> FileEntries | None:
    """Read the index of a dataset in one file, and check each entry.

    Parameters
    ----------
    path : str
        The file.
    dataset, index : str
        Paths from `hdf5_paths`.
    without_data : list
        The file, its trains and a reason are added to it if the file has the index, but not the
        dataset.
    faults : Faults
        Faults of the index are reported to it.
    trust : {'index', 'records'}, optional
        Which train ids to use if those next to the records contradict the index; by default
        neither.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    import h5py

    name = Path(path).name
    with h5py.File(path, "r") as file:
        if "INDEX/trainId" not in file:
            raise OSError("it has no INDEX/trainId")
        train_ids = _column(file["INDEX/trainId"])
        if index not in file:
            without_data.append((path, train_ids, ""))
            return None
        first, count = _first_and_count(file[index])
        train_ids, first, count = _of_one_length(name, train_ids, first, count, faults)
        n = len(train_ids)
        if not _leads_somewhere(file, dataset):
            without_data.append((path, train_ids[count > 0], _dangling(file, dataset)))
            return None
        data = file[dataset]
        _require_possible(data)
        flags = _suspect_flags(file, n)
        own = file.get(f"{index.replace('INDEX/', 'INSTRUMENT/', 1)}/trainId")
        own_ids = _column(own) if isinstance(own, h5py.Dataset) else None
        by_records = trust == "records" and own_ids is not None and own_ids[: len(data)].any()
        has_records = dataset.startswith("INSTRUMENT/")  # others have no ids beside them
        if trust == "records" and not by_records and has_records and len(data):
            faults.add(
                f"{name}: its {faults.noun} have no train ids of their own; the index is used."
            )
        if by_records:
            assert own_ids is not None
            rows = rows_by_records(name, own_ids[: len(data)], train_ids, first, count, faults)
        else:
            rows = _rows_of_trains(name, train_ids, first, count, len(data), faults)
            if own_ids is not None:
                report_unclaimed(name, own_ids[: len(data)], first, count, rows[3], faults)
        suspect = train_ids[flags & (count > 0)]
        row, ids, slot, lost_id, lost_slot = rows
        shape = tuple(data.shape[1:])
        one = FileEntries(path, shape, data.dtype, row, ids, slot, lost_id, lost_slot, suspect)
    if not by_records:
        compared = (one.row, one.train_id, own_ids, train_ids)
        one.train_id, keep = agree_with_own_ids(name, *compared, faults, trust)
        one.keep(keep)
    has_data = count > 0
    known = train_ids[has_data & (train_ids > 0)]
    if (np.diff(known.astype(np.int64)) < 0).any():
        faults.add(
            f"{name}: its train ids are not in ascending order; its data are sorted by them."
        )
    return one


def _dangling(file: Any, dataset: str) -> str:
    """Text on a broken link of a dataset or of its groups; empty if no link is broken."""
    import h5py

    parts = dataset.split("/")
    for n in range(1, len(parts) + 1):
        path = "/".join(parts[:n])
        if _leads_somewhere(file, path):
            continue
        link = file.get(path, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            return f", which is a link to {link.path} of {link.filename}, which is not there"
        if isinstance(link, h5py.SoftLink):
            return f", which is a link to {link.path}, which is not there"
        return ""
    return ""


def _leads_somewhere(file: Any, path: str) -> bool:
    try:
        return file.get(path) is not None
    except (OSError, RuntimeError):
        return False


def _require_possible(data: Any) -> None:
    """Check the size that a file states for an entry, before memory is allocated for it."""
    if math.prod(data.shape[1:]) > _MOST_PIXELS:
        shape = " x ".join(map(str, data.shape[1:]))
        raise OSError(f"the file states {shape} values for each entry, which is impossible")


def _column(data: Any) -> NDArray[np.uint64]:
    """Read one whole number for each train or entry, after a check of their stated number."""
    if data.ndim != 1 or data.dtype.kind not in "iu" or len(data) > _MOST_IN_A_FILE:
        raise OSError(f"{data.name} has shape {data.shape}, {data.dtype}, which can't be an index")
    return np.asarray(data[:], dtype=np.uint64)


def _first_and_count(group: Any) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    first = _column(group["first"])
    if "count" in group:
        return first, _column(group["count"])
    # The oldest files store the last row, and whether there is any.
    last, status = _column(group["last"]), _column(group["status"])
    return first, (last - first + np.uint64(1)) * status


def _of_one_length(
    name: str,
    train_ids: NDArray[np.uint64],
    first: NDArray[np.uint64],
    count: NDArray[np.uint64],
    faults: Faults,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    n = min(len(train_ids), len(first), len(count))
    lost_ids, lost = train_ids[n:][train_ids[n:] > 0], np.flatnonzero(count[n:])
    if len(lost_ids) or len(lost):
        n_lost = max(len(lost_ids), len(lost))
        faults.add(
            f"{name}: its index has {len(train_ids)} train ids, {len(first)} first rows and "
            f"{len(count)} numbers of {faults.noun}, expected equally many; {n_lost} trains are "
            "skipped: "
            f"{named_trains(lost_ids)}.",
            n_skipped=n_lost,
            train_ids=lost_ids,
        )
    return train_ids[:n], first[:n], count[:n]


def _suspect_flags(file: Any, n: int) -> NDArray[np.bool_]:
    flags = np.zeros(n, dtype=bool)
    if "INDEX/flag" in file:
        given = file["INDEX/flag"][:n] == 0
        version = file.get("METADATA/dataFormatVersion")
        # In this version the flag is the number of the source of the id; 0 is the time server.
        if version is not None and version[0] == b"1.1":
            given = ~given
        flags[: len(given)] = given
    return flags


def _rows_of_trains(
    name: str,
    train_ids: NDArray[np.uint64],
    first: NDArray[np.uint64],
    count: NDArray[np.uint64],
    n_rows: int,
    faults: Faults,
) -> tuple[NDArray[Any], ...]:
    """Rows that the index gives to trains, without missing rows and rows given twice.

    Also train and position in the index of each, and those of the trains that lose a row.
    """
    has_any = count > 0
    garbage = has_any & ((count > _MOST_ENTRIES_OF_A_TRAIN) | (first > _LAST_ROW))
    if garbage.any():
        faults.add(
            f"{name}: the index has no valid position for {int(garbage.sum())} trains, "
            f"which are skipped: "
            f"{named_trains(train_ids[garbage])}.",
            n_skipped=int(garbage.sum()),
            train_ids=train_ids[garbage],
        )
    use = np.flatnonzero(has_any & ~garbage)
    counts = count[use].astype(np.int64)
    if counts.sum() > _MOST_IN_A_FILE:
        raise OSError(f"its index states {counts.sum()} {faults.noun}, which is impossible")
    slot = np.repeat(use, counts)
    begin = np.repeat(first[use].astype(np.int64), counts)
    row = begin + np.arange(len(slot)) - np.repeat(np.cumsum(counts) - counts, counts)
    outside = row >= n_rows
    if outside.any():
        faults.add(
            f"{name} has {n_rows} {faults.noun}, fewer than its index states: "
            f"{int(outside.sum())} are skipped, of {named_trains(train_ids[slot[outside]])}.",
            n_skipped=int(outside.sum()),
            train_ids=train_ids[slot[outside]],
        )
    lost_outside = slot[outside]
    row, slot = row[~outside], slot[~outside]
    _, inverse, times = np.unique(row, return_inverse=True, return_counts=True)
    twice = times[inverse] > 1
    if twice.any():
        n_lost = len(np.unique(row[twice]))
        faults.add(
            f"{name}: the index gives {n_lost} {faults.noun} to several trains; they are skipped: "
            f"{named_trains(train_ids[slot[twice]])}.",
            n_skipped=n_lost,
            train_ids=train_ids[slot[twice]],
        )
    lost = np.unique(np.concatenate([np.flatnonzero(garbage), lost_outside, slot[twice]]))
    row, slot = row[~twice], slot[~twice]
    return row, train_ids[slot], slot, train_ids[lost], lost
