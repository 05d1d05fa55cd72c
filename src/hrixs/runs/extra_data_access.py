"""All that is used of extra-data beyond its documents: the only module that imports it.

==================================================  ===========================================
what                                                where it is, in 1.20 to 1.25
==================================================  ===========================================
``DataCollection.files``, ``.train_ids``            attributes, since 0.1
``RunDirectory(parallelize=)``                      documented, since 1.5
``by_id``                                           documented, since 0.1
``FileAccess(path)``: ``filename``, ``train_ids``,  not documented; ``is_voview`` is not used: it
``control_sources``, ``instrument_sources``,        came with 1.23
``file``, ``close()``
``read_machinery.select_train_ids``                 not documented; a number alone, and an array of
                                                    them, since 1.20; a mask by trainId since 1.24
``tests.mockdata``: ``write_file``,                 not documented, ships with extra-data
``base.DeviceBase``
==================================================  ===========================================

Proposals are looked up here: ``read_machinery.find_proposal`` takes a number since 1.25 only.
"""

from __future__ import annotations

import contextlib
import glob
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.errors import no_extra_data

if TYPE_CHECKING:
    from extra_data import DataCollection

# Where extra-data looks without EXTRA_DATA_DATA_ROOT.
_DATA_ROOT = "/gpfs/exfel/exp"
# The group that `python -m extra_data.voview` puts into the file that stands for a run's others.
_OVERVIEW_GROUP = ".source_files"


def require_extra_data() -> None:
    """Raise the ImportError that says what to do where extra-data can't be imported."""
    try:
        import extra_data  # noqa: F401  # is it there?
    except ImportError as error:
        raise no_extra_data(error) from error


def is_collection(run: object) -> TypeGuard[DataCollection]:
    """Whether `run` was opened with extra-data."""
    from extra_data import DataCollection

    return isinstance(run, DataCollection)


def open_folder(folder: Path, *, parallelize: bool) -> DataCollection:
    """Open a run's folder, and print nothing of the files that can't be read."""
    from extra_data import RunDirectory

    with contextlib.redirect_stderr(io.StringIO()):
        return RunDirectory(folder, parallelize=parallelize)


def accesses(collection: DataCollection) -> list[Any]:
    """The open files of a run, each an ``extra_data.FileAccess``."""
    return list(collection.files)


def train_ids(collection: DataCollection) -> NDArray[np.uint64]:
    """Trains of an open run, or those of it that were selected."""
    return np.asarray(collection.train_ids, dtype=np.uint64)


def read_access(access: Any) -> tuple[str, NDArray[np.uint64], frozenset[str]]:
    """Path, trains and sources of a file that is open."""
    ids = np.asarray(access.train_ids, dtype=np.uint64)
    sources = frozenset(access.control_sources | access.instrument_sources)
    return str(access.filename), ids, sources


def read_file(path: Path) -> tuple[str, NDArray[np.uint64], frozenset[str]]:
    """Path, trains and sources of a file, which is closed again.

    Raises whatever extra-data stumbles over where the file is broken.
    """
    from extra_data.file_access import FileAccess

    access = FileAccess(path)
    contents = read_access(access)
    access.close()
    return contents


def is_overview(access: Any) -> bool:
    """Whether a file is the virtual overview of a run's other files."""
    return _OVERVIEW_GROUP in access.file


def is_of_the_library(error: Exception) -> bool:
    """Whether extra-data lacks what is used of it, rather than that a file is broken."""
    from extra_data.file_access import FileAccess

    if isinstance(error, AttributeError):
        return isinstance(error.obj, FileAccess)
    return isinstance(error, ImportError | NameError)


def chosen_trains(ids: NDArray[np.uint64], subset: Any) -> NDArray[np.uint64]:
    """Those of the trains that `subset` chooses, as ``DataCollection.select_trains`` does.

    Raises IndexError and TypeError as that does.
    """
    from extra_data.read_machinery import select_train_ids

    return np.unique(np.asarray(select_train_ids(list(ids), subset), dtype=np.uint64))


def trains_by_id(ids: Iterable[Any]) -> Any:
    """Selection of trains by their ids, for ``subset``."""
    from extra_data import by_id

    return by_id[[int(train_id) for train_id in ids]]


def data_root() -> Path:
    """Folder of the instruments' data: ``EXTRA_DATA_DATA_ROOT``, or that of the Maxwell cluster."""
    return Path(os.environ.get("EXTRA_DATA_DATA_ROOT", _DATA_ROOT))


def find_proposal(proposal: int | str) -> Path | None:
    """Folder of a proposal, given by number, as ``'p003145'`` or by its path; None without one."""
    text = str(proposal)
    if "/" in text:
        return Path(text)
    name = f"p{int(text):06d}" if text.isdigit() else glob.escape(text)
    return next(data_root().glob(f"*/*/{name}"), None)


def mock_files() -> tuple[Any, Any]:
    """``write_file`` and ``DeviceBase``, with which runs are written.

    Raises
    ------
    ImportError
        If extra-data can't be imported, as on Windows.
    """
    try:
        from extra_data.tests.mockdata import write_file
        from extra_data.tests.mockdata.base import DeviceBase
    except ImportError as error:
        raise no_extra_data(error) from error
    return write_file, DeviceBase
