"""Sources of the rows of a virtual HDF5 dataset; HDF5 returns zeros for missing sources."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.hdf5_filters import missing_filter_text

#: Depth to which virtual datasets that are sources of others are followed.
DEEPEST = 8


@dataclass(frozen=True)
class SourceRows:
    """Rows of a virtual dataset that come from one dataset, whole and in order.

    Attributes
    ----------
    begin, end
        First row, and the row after the last one.
    path, dataset
        File and dataset of the source.
    first
        Row in the source of the first one.
    """

    begin: int
    end: int
    path: str
    dataset: str
    first: int


@dataclass(frozen=True)
class _Found:
    """A source: its rows, shape and type of a row, and why parts cannot be read."""

    path: str
    n_rows: int
    kind: tuple[Any, Any]
    why: str | None


def source_rows(
    data: Any, *, depth: int = 0
) -> tuple[list[SourceRows] | None, dict[str, NDArray[np.bool_]]]:
    """Find the sources of the rows of a virtual dataset.

    Parameters
    ----------
    data : h5py.Dataset
        The dataset; its first axis counts rows.
    depth : int
        Depth of virtual datasets that are sources of others; at most eight are followed.

    Returns
    -------
    pieces : list of SourceRows or None
        None if rows are combined in another way, which is left to HDF5.
    absent : dict of str to numpy.ndarray of bool, shape (rows,)
        For each reason why parts of a row are missing, the rows. If `pieces` are given, their own
        files show what is missing in them.
    """
    pieces: list[SourceRows] | None = []
    absent: dict[str, NDArray[np.bool_]] = {}
    given = np.zeros(len(data), dtype=np.int64)

    def miss(why: str, begin: int, end: int) -> None:
        absent.setdefault(why, np.zeros(len(data), dtype=bool))[begin:end] = True

    for source in data.virtual_sources():
        first = None if "%b" in source.file_name + source.dset_name else _first_row(source, data)
        for begin, end, path, name in _blocks(source, data):
            given[begin:end] += 1
            found = _look_up(data, path, name, depth)
            if found is None:
                miss(f"its data are in {name} of {path}, which is not there", begin, end)
            elif first is None or found.kind != (data.shape[1:], data.dtype):
                pieces = None
                if found.why is not None:
                    miss(found.why, begin, end)
            else:
                if found.why is not None and depth:  # all that a source lacks is asked of it
                    miss(found.why, begin, end)
                until = max(begin, min(end, begin + found.n_rows - first))
                if until < end:
                    miss(f"{name} of {path} ends before its data", until, end)
                if pieces is not None and begin < until:
                    pieces.append(SourceRows(begin, until, found.path, name, first))
    if (given == 0).any():
        absent["no file gives its data"] = given == 0
    if (given > 1).any():
        pieces = None
    return pieces, absent


def absent_text(data: Any) -> str | None:
    """Text why parts of a virtual dataset or its sources are missing; None if all exist.

    Parameters
    ----------
    data : h5py.Dataset
    """
    return next(iter(source_rows(data, depth=1)[1]), None)


def _blocks(source: Any, data: Any) -> list[tuple[int, int, str, str]]:
    """Rows, file and dataset of a mapping; several if names count blocks (``%b``)."""
    path, name, n_rows = source.file_name, source.dset_name, len(data)
    if "%b" in path or "%b" in name:
        start, stride, _, block = (int(one[0]) for one in source.vspace.get_regular_hyperslab())
        begins = range(start, n_rows, stride)
        return [
            (begin, min(begin + block, n_rows), _numbered(path, k), _numbered(name, k))
            for k, begin in enumerate(begins)
        ]
    bounds = _bounds(source.vspace)
    if bounds is None:
        return [(0, n_rows, path, name)]
    return [(int(bounds[0][0]), min(int(bounds[1][0]) + 1, n_rows), path, name)]


def _numbered(text: str, number: int) -> str:
    return text.replace("%b", str(number)).replace("%%", "%")


def _bounds(space: Any) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Lowest and highest index of a selection; None for all, or for one without an end."""
    import h5py

    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return None
    try:
        lowest, highest = space.get_select_bounds()
    except (RuntimeError, ValueError):
        return None
    return lowest, highest


def _first_row(source: Any, data: Any) -> int | None:
    """First row of the source in a mapping, if it takes whole rows, each once; otherwise None."""
    import h5py

    first = 0
    for space in (source.vspace, source.src_space):
        bounds = _bounds(space)
        if space.get_select_type() == h5py.h5s.SEL_ALL:
            first = 0
        elif bounds is None:
            return None
        else:
            lowest, highest = bounds
            extent = [int(high) - int(low) + 1 for low, high in zip(lowest, highest, strict=True)]
            whole = tuple(extent[1:]) == data.shape[1:] and not any(lowest[1:])
            if not whole or space.get_select_npoints() != np.prod(extent):
                return None
            first = int(lowest[0])
    return first


def _look_up(data: Any, path: str, name: str, depth: int) -> _Found | None:
    """Open a source of a virtual dataset; None if it does not exist."""
    import h5py

    found = _found(data.file.filename, path)
    if found is None:
        return None
    try:
        if path == "." or os.path.samefile(found, data.file.filename):
            return _kind_of(found, data.file.get(name), depth)
        with h5py.File(found, "r") as file:
            return _kind_of(found, file.get(name), depth)
    except (OSError, RuntimeError, KeyError):
        return None


def _kind_of(path: str, source: Any, depth: int) -> _Found | None:
    import h5py

    if not isinstance(source, h5py.Dataset) or not source.ndim:
        return None
    absent: dict[str, NDArray[np.bool_]] = {}
    if source.is_virtual and depth < DEEPEST:
        absent = source_rows(source, depth=depth + 1)[1]
    kind = (source.shape[1:], source.dtype)
    return _Found(path, len(source), kind, next(iter(absent), missing_filter_text(source)))


def _found(here: str, name: str) -> str | None:
    """The file of a source, searched in the same places as HDF5 does."""
    if name == ".":
        return here
    folder = Path(here).parent
    prefix = os.environ.get("HDF5_VDS_PREFIX", "").replace("${ORIGIN}", str(folder))
    folders = [Path(prefix)] if prefix else []
    folders += [folder, Path(), Path(here).resolve().parent]
    tried = [Path(name)] if Path(name).is_absolute() else []
    # If an absolute name does not exist, its last part is searched, too.
    last = Path(name).name if tried else name
    tried += [one / last for one in folders]
    return next((str(one) for one in tried if one.is_file()), None)
