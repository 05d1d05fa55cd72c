"""The only module that imports extra-data; the table lists what is used of it.

==================================================  ===========================================
what                                                where it is, in 1.20 to 1.25
==================================================  ===========================================
``DataCollection.files``, ``.train_ids``            attributes, since 0.1
``.selection``, ``.inc_suspect_trains``,            attributes, not documented
``SourceData.files``
``DataCollection._aliases``                         not documented; only for help in an error
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
import operator
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.errors import no_extra_data

if TYPE_CHECKING:
    from extra_data import DataCollection

# The folder in which extra-data looks without EXTRA_DATA_DATA_ROOT.
_DATA_ROOT = "/gpfs/exfel/exp"
# The group in an overview file, which `python -m extra_data.voview` makes.
_OVERVIEW_GROUP = ".source_files"


def require_extra_data() -> None:
    """Raise an ImportError that says what to do if extra-data cannot be imported."""
    try:
        import extra_data  # noqa: F401  # is it there?
    except ImportError as error:
        raise no_extra_data(error) from error


def is_collection(run: object) -> TypeGuard[DataCollection]:
    """Whether `run` was opened with extra-data."""
    from extra_data import DataCollection

    return isinstance(run, DataCollection)


def open_folder(folder: Path, *, parallelize: bool) -> DataCollection:
    """Open the folder of a run, without the messages of extra-data on unreadable files."""
    from extra_data import RunDirectory

    with contextlib.redirect_stderr(io.StringIO()):
        return RunDirectory(folder, parallelize=parallelize)


def accesses(collection: DataCollection) -> list[Any]:
    """The open files of a run, each an ``extra_data.FileAccess``."""
    return list(collection.files)


def train_ids(collection: DataCollection) -> NDArray[np.uint64]:
    """Train ids of an open run, or of the trains that were selected."""
    return np.asarray(collection.train_ids, dtype=np.uint64)


def chosen_sources(collection: DataCollection) -> dict[str, frozenset[str]]:
    """For each file of an open run, the sources that are read from it.

    In a collection of raw and processed files, a source in both is read from one of them.
    """
    chosen: dict[str, set[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of old names of sources
        for source in collection.all_sources:
            for access in collection[source].files:
                chosen.setdefault(str(access.filename), set()).add(source)
    return {path: frozenset(sources) for path, sources in chosen.items()}


def chosen_keys(collection: DataCollection) -> dict[str, frozenset[str]]:
    """Selected keys of the sources in which some keys were deselected."""
    return {source: frozenset(keys) for source, keys in collection.selection.items() if keys}


def trains_left_out(collection: DataCollection, access: Any) -> NDArray[np.uint64]:
    """Suspect trains of a file, if the run was opened without suspect trains."""
    if getattr(collection, "inc_suspect_trains", True):
        return np.empty(0, dtype=np.uint64)
    ids, valid = np.asarray(access.train_ids), np.asarray(access.valid_train_ids)
    return np.setdiff1d(ids, valid).astype(np.uint64)


def aliases(collection: DataCollection) -> dict[str, tuple[str, str]]:
    """Short names of sources and keys from the alias file of an open run."""
    given = getattr(collection, "_aliases", {})
    return {name: value for name, value in given.items() if isinstance(value, tuple)}


def aliases_beside(paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Like `aliases`, from the alias file of the proposal, as `extra_data.open_run` reads it."""
    from extra_data import H5File

    for path in paths:
        given = Path(path).absolute().parents
        names = given[2] / "usr" / "extra-data-aliases.yml" if len(given) > 2 else None
        if names is not None and names.is_file():
            with contextlib.suppress(Exception):  # whatever is wrong with it
                return aliases(H5File(path).with_aliases(names))
    return {}


def read_access(access: Any) -> tuple[str, NDArray[np.uint64], frozenset[str]]:
    """Path, trains and sources of an open file."""
    ids = np.asarray(access.train_ids, dtype=np.uint64)
    sources = frozenset(access.control_sources | access.instrument_sources)
    return str(access.filename), ids, sources


def read_file(path: Path) -> tuple[str, NDArray[np.uint64], frozenset[str]]:
    """Open a file, return path, trains and sources, and close it.

    Raises any error of extra-data if the file is broken.
    """
    from extra_data.file_access import FileAccess

    access = FileAccess(path)
    contents = read_access(access)
    access.close()
    return contents


def sources_of(path: Path) -> frozenset[str]:
    """Sources in a file; empty if it cannot be read."""
    try:
        return read_file(path)[2]
    except Exception:  # whatever extra-data stumbles over
        return frozenset()


def files_behind(path: Path) -> list[Path]:
    """The file, or the files of which it is an overview."""
    from extra_data.file_access import FileAccess

    try:
        access = FileAccess(path)
        files = files_of_overview(access) if is_overview(access) else [path]
        access.close()
    except Exception:  # why it can't be read is told when it is its turn
        return [path]
    return files


def is_overview(access: Any) -> bool:
    """Whether a file is the virtual overview of a run's other files."""
    return _OVERVIEW_GROUP in access.file


def files_of_overview(access: Any) -> list[Path]:
    """Names of the files that an overview contains, whether they exist or not.

    The overview may be in another folder, together with overviews of other runs.
    """
    import h5py

    file = access.file
    names = [name.decode() for name in file[f"{_OVERVIEW_GROUP}/names"][:]]
    known: dict[str, Path] = {}
    for section, sources in (
        ("CONTROL", access.control_sources),
        ("INSTRUMENT", access.instrument_sources),
    ):
        for source in sources:
            group = file.get(f"{section}/{source}")
            paths = group.attrs.get("source_files", []) if isinstance(group, h5py.Group) else []
            known.update({Path(path).name: Path(path) for path in map(str, paths)})
    own = Path(access.filename).parent
    folder = next(iter(known.values())).parent if known else own
    found = [known.get(name, folder / name) for name in names]
    # The run was moved together with its overview.
    return [own / one.name if not one.exists() and (own / one.name).exists() else one
            for one in found]  # fmt: skip


def is_of_the_library(error: Exception) -> bool:
    """Whether an error shows that extra-data lacks something, and not that a file is broken."""
    from extra_data.file_access import FileAccess

    if isinstance(error, AttributeError):
        return isinstance(error.obj, FileAccess)
    return isinstance(error, ImportError | NameError)


def chosen_trains(ids: NDArray[np.uint64], subset: Any) -> NDArray[np.uint64]:
    """The trains that `subset` chooses, as in ``DataCollection.select_trains``.

    ``by_id[a:b]`` gives all with a <= id < b, also if a or b is not a train of the run (extra-data
    raises a TypeError then). Other errors are those of extra-data.
    """
    from extra_data import by_id
    from extra_data.read_machinery import select_train_ids

    if isinstance(subset, by_id) and isinstance(subset.value, slice):
        ends = subset.value
        try:
            begin = 0 if ends.start is None else np.searchsorted(ids, _train_id(ends.start))
            end = len(ids) if ends.stop is None else np.searchsorted(ids, _train_id(ends.stop))
        except TypeError as error:
            raise TypeError(
                f"the ends are {ends.start!r} and {ends.stop!r}, expected train ids"
            ) from error
        return np.asarray(ids[begin : end : ends.step])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that none is there is an error here
        chosen = select_train_ids(list(ids), subset)
    return np.unique(np.asarray(chosen, dtype=np.uint64))


def _train_id(value: Any) -> np.uint64:
    return np.uint64(max(0, operator.index(value)))


def subset_of(kind: str, which: Any) -> Any:
    """``by_index[which]`` or ``by_id[which]``."""
    import extra_data

    return {"by_index": extra_data.by_index, "by_id": extra_data.by_id}[kind][which]


def trains_by_id(ids: Iterable[Any]) -> Any:
    """Make a selection of trains by their ids, for ``subset``."""
    from extra_data import by_id

    return by_id[[int(train_id) for train_id in ids]]


def data_root() -> Path:
    """Folder of all data: ``EXTRA_DATA_DATA_ROOT``, or the one on the Maxwell cluster."""
    return Path(os.environ.get("EXTRA_DATA_DATA_ROOT", _DATA_ROOT))


def find_proposal(proposal: int | str) -> Path | None:
    """Folder of a proposal, by number, ``'p003145'`` or path; None if there is none."""
    text = str(proposal)
    if "/" in text:
        return Path(text)
    name = f"p{int(text):06d}" if text.isdigit() else glob.escape(text)
    return next(data_root().glob(f"*/*/{name}"), None)


def mock_files() -> tuple[Any, Any]:
    """Import ``write_file`` and ``DeviceBase``, which write runs.

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
