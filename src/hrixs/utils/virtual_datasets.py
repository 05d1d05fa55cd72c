"""Where the rows of a virtual HDF5 dataset come from: HDF5 gives zeros for what is not there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SourceRows:
    """Rows of a virtual dataset that one dataset gives, whole and in its order.

    Attributes
    ----------
    begin, end
        The rows, without the last.
    path, dataset
        Where they lie.
    first
        The row there of the first.
    """

    begin: int
    end: int
    path: str
    dataset: str
    first: int


def source_rows(data: Any) -> tuple[list[SourceRows] | None, dict[str, NDArray[np.bool_]]]:
    """Tell where the rows of a virtual dataset come from.

    Parameters
    ----------
    data : h5py.Dataset
        Along the first axis are rows.

    Returns
    -------
    pieces : list of SourceRows or None
        None where rows are put together in another way, which is left to HDF5.
    absent : dict of str to numpy.ndarray of bool, shape (rows,)
        For each reason why something of a row is not there, the rows.
    """
    pieces: list[SourceRows] = []
    absent: dict[str, NDArray[np.bool_]] = {}
    given = np.zeros(len(data), dtype=np.int64)
    plain = True
    for source in data.virtual_sources():
        for begin, end, path, name in _blocks(source, len(data)):
            given[begin:end] += 1
            found = _found(data.file.filename, path)
            n_there, frame = (0, None) if found is None else _rows_in(found, name, data.file)
            first = _first_row(source, data.shape) if "%b" not in source.file_name else None
            whole = first is not None and frame == (data.shape[1:], data.dtype)
            until = begin
            if found is not None and frame is not None:
                until = min(end, begin + n_there - (first or 0)) if whole else end
            if until < end:
                why = f"its data are in {name} of {path}, which is not there"
                absent.setdefault(why, np.zeros(len(data), dtype=bool))[until:end] = True
            plain &= whole or until == begin
            if whole and until > begin and found is not None and first is not None:
                pieces.append(SourceRows(begin, until, found, name, first))
    if (given == 0).any():
        absent["no file gives its data"] = given == 0
    return (pieces if plain and (given < 2).all() else None), absent


def _blocks(source: Any, n_rows: int) -> list[tuple[int, int, str, str]]:
    """Rows, file and dataset of a mapping; several where names count their blocks (``%b``)."""
    path, name = source.file_name, source.dset_name
    if "%b" in path or "%b" in name:
        start, stride, _, block = (int(one[0]) for one in source.vspace.get_regular_hyperslab())
        begins = range(start, n_rows, stride)
        return [
            (begin, min(begin + block, n_rows), _numbered(path, k), _numbered(name, k))
            for k, begin in enumerate(begins)
        ]
    try:
        lowest, highest = source.vspace.get_select_bounds()
    except (RuntimeError, ValueError):  # it grows without end
        return [(0, n_rows, path, name)]
    return [(int(lowest[0]), min(int(highest[0]) + 1, n_rows), path, name)]


def _numbered(text: str, number: int) -> str:
    return text.replace("%b", str(number)).replace("%%", "%")


def _first_row(source: Any, shape: tuple[int, ...]) -> int | None:
    """Row of the source that the mapping begins with, where it takes whole rows, each once."""
    first = None
    for space in (source.vspace, source.src_space):
        try:
            lowest, highest = space.get_select_bounds()
        except (RuntimeError, ValueError):
            return None
        extent = [int(high) - int(low) + 1 for low, high in zip(lowest, highest, strict=True)]
        whole = tuple(extent[1:]) == shape[1:] and not any(lowest[1:])
        if not whole or space.get_select_npoints() != np.prod(extent):
            return None
        first = int(lowest[0])
    return first


def _rows_in(path: str, name: str, here: Any) -> tuple[int, tuple[Any, Any] | None]:
    """Rows of a dataset, and the shape and dtype of one; None where it is not there."""
    import h5py

    try:
        if os.path.samefile(path, here.filename):
            return _kind_of(here.get(name))
        with h5py.File(path, "r") as file:
            return _kind_of(file.get(name))
    except (OSError, RuntimeError, KeyError):
        return 0, None


def _kind_of(data: Any) -> tuple[int, tuple[Any, Any] | None]:
    import h5py

    if not isinstance(data, h5py.Dataset) or not data.ndim:
        return 0, None
    return len(data), (data.shape[1:], data.dtype)


def _found(here: str, name: str) -> str | None:
    """The file of a source, looked for where HDF5 does."""
    if name == ".":
        return here
    folder = Path(here).parent
    prefix = os.environ.get("HDF5_VDS_PREFIX", "").replace("${ORIGIN}", str(folder))
    folders = [Path(prefix)] if prefix else []
    folders += [folder, Path()]
    tried = [Path(name)] if Path(name).is_absolute() else []
    # An absolute name that is not there is looked for by its last part, too.
    last = Path(name).name if tried else name
    tried += [one / last for one in folders]
    return next((str(one) for one in tried if one.is_file()), None)
