"""Find EuXFEL runs, their files and their trains."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hrixs.runs import extra_data_access
from hrixs.runs.mnemonic_table import DATA
from hrixs.runs.run_files import FILE_NAME, Run, RunFile, split_name
from hrixs.utils.checks import require_word
from hrixs.utils.errors import MissingDataError, no_run_at, run_without_proposal, warn

if TYPE_CHECKING:
    from extra_data import DataCollection

#: A run number, the folder or file of a run, or an open run.
RunLike: TypeAlias = "int | str | os.PathLike[str] | DataCollection | Run"

# Errors that a broken file does not cause in extra-data: faults of the program.
_NEVER_OF_A_FILE = (AttributeError, TypeError, ImportError, NameError)
# Opening this number of files is faster than starting processes.
_FEW_FILES = 32


def open_run(run: RunLike, proposal: int | str | None = None, *, data: str | None = None) -> Run:
    """Open a run, given by its number, its path, or as an open extra-data collection.

    Parameters
    ----------
    run : int, path or extra_data.DataCollection
        A number is looked up in ``EXTRA_DATA_DATA_ROOT`` (which need not be set on the Maxwell
        cluster). A path is the folder of a run or one HDF5 file. From a collection, its selected
        sources and trains are read, each source from the files that the collection uses.
    proposal : int or str, optional
        Needed with a run number.
    data : {'raw', 'proc', 'all'}, optional
        Raw data, processed data or both; a source that is in both is read from ``proc``, as by
        `extra_data.open_run`. Default: ``'raw'`` for a number, and the data at the path for a path.

    Raises
    ------
    MissingDataError
        If there is no such run.
    ValueError
        If a run number is given without a proposal, or `data` with something that is neither a
        number nor the folder of a run in ``raw`` or ``proc``.
    ImportError
        If extra-data can't be imported, as on Windows.
    """
    require_word("data", data, DATA)
    if isinstance(run, Run):
        return run
    extra_data_access.require_extra_data()
    if extra_data_access.is_collection(run):
        if data is not None:
            raise ValueError(
                f"data = {data!r} was given with an open run, which has its data already. Open it "
                f"with extra_data.open_run(proposal, run, data={data!r}), or give its number."
            )
        return _of_collection(run)
    if isinstance(run, str) and run.isdigit() and not Path(run).exists():
        run = int(run)
    if isinstance(run, int | np.integer) and not isinstance(run, bool):
        number, of_proposal = int(run), _folder_of_proposal(int(run), proposal)
        if data == "all":
            return _united(of_proposal, f"r{number:04d}")
        return _of_folder(_folder_of_number(number, proposal, of_proposal, data or DATA[0]))
    if isinstance(run, str | os.PathLike):
        return _of_path(Path(run), data)
    raise TypeError(
        f"run is {type(run).__name__} {run!r}, expected a run number, a path or an open "
        "DataCollection."
    )


def _of_path(path: Path, data: str | None) -> Run:
    if data is not None:
        folder = next((one for one in (path.absolute(), path.resolve())
                       if one.parent.name in ("raw", "proc")), None)  # fmt: skip
        if folder is None:
            raise ValueError(
                f"data = {data!r} was given with {path}, which is not a run's folder in a folder "
                "raw or proc. Leave data out to read what is there, or give the run's number."
            )
        if data == "all":
            return _united(folder.parents[1], folder.name)
        path = folder.parents[1] / data / folder.name
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_files(extra_data_access.files_behind(path))
    raise no_run_at(path)


def run_name(run: RunLike) -> str:
    """Text that names the run: its number, or its full path."""
    if isinstance(run, int | np.integer):
        return str(run)
    if isinstance(run, str | os.PathLike):
        text = os.fspath(run)
        return text if text.isdecimal() and not Path(text).exists() else os.path.abspath(text)
    if isinstance(run, Run):
        return run.name
    folders = set()
    for access in extra_data_access.accesses(run):
        overview = extra_data_access.is_overview(access)
        of = extra_data_access.files_of_overview(access) if overview else [Path(access.filename)]
        folders |= {str(path.parent) for path in of}
    return ", ".join(sorted(folders))


def _folder_of_proposal(number: int, proposal: int | str | None) -> Path:
    if proposal is None:
        raise run_without_proposal(number)
    folder = extra_data_access.find_proposal(proposal)
    if folder is None:
        raise _no_run(number, proposal, "there is no folder of the proposal")
    return folder


def _folder_of_number(
    number: int, proposal: int | str | None, of_proposal: Path, data: str
) -> Path:
    folder = of_proposal / data / f"r{number:04d}"
    if not folder.is_dir():
        raise _no_run(number, proposal, f"there is no folder {folder}")
    return folder


def _no_run(number: int, proposal: int | str | None, why: str) -> MissingDataError:
    return MissingDataError(
        f"run {number} of proposal {proposal} can't be opened: {why}. Looked under "
        f"{extra_data_access.data_root()}, which EXTRA_DATA_DATA_ROOT sets; the path of a run's "
        "folder can be given as well."
    )


def _united(of_proposal: Path, name: str) -> Run:
    """Open raw and processed data of a run; a source in both is read from the processed data."""
    folders = [of_proposal / kind / name for kind in ("raw", "proc")]
    there = [folder for folder in folders if folder.is_dir()]
    if not there:
        raise MissingDataError(f"there is no run at {folders[0]}, nor at {folders[1]}.")
    runs = [_of_folder(folder) for folder in there]
    if len(runs) < len(folders):
        lacking = next(folder for folder in folders if folder not in there)
        warn(f"data = 'all', but there is no folder {lacking}: only {there[0]} is read.")
        return runs[0]
    raw, proc = runs
    rest = [replace(file, sources=file.sources - proc.sources) for file in raw.files]
    return Run(
        _sorted([file for file in rest if file.sources] + list(proc.files)),
        np.union1d(raw.train_ids, proc.train_ids),
        raw.lost + proc.lost,
    )


def _of_folder(folder: Path) -> Run:
    paths = _run_files(folder)
    try:
        parallelize = len(paths) > _FEW_FILES
        collection = extra_data_access.open_folder(folder, parallelize=parallelize)
    except Exception as error:
        # Duplicated trains, or no readable file: each file is opened by itself then.
        opened = _of_files(paths)
        if isinstance(error, _NEVER_OF_A_FILE) and not opened.lost:
            raise
        return opened
    opened = _of_collection(collection, whole=True)
    for access in extra_data_access.accesses(collection):
        access.close()
    return opened


def _of_collection(collection: DataCollection, *, whole: bool = False) -> Run:
    chosen = extra_data_access.chosen_sources(collection)
    files: list[RunFile] = []
    lost: list[tuple[str, str]] = []
    there: set[str] = set()
    for access in extra_data_access.accesses(collection):
        path, ids, sources = extra_data_access.read_access(access)
        there |= sources
        wanted = chosen.get(path, frozenset())
        left_out = extra_data_access.trains_left_out(collection, access)
        if extra_data_access.is_overview(access):
            opened, unread, _ = _read_files(extra_data_access.files_of_overview(access))
            lost += unread
            files += [
                replace(one, sources=one.sources & wanted, trains_left_out=left_out)
                for one in opened
            ]
        else:
            files.append(RunFile(path, ids, sources & wanted, left_out))
    if not files:
        why = "; ".join(f"{path}: {why}" for path, why in lost)
        raise MissingDataError(
            f"the open run has no file that can be read: {why}."
            if lost
            else "all sources of the open run were deselected, the camera too. Open it with the "
            "camera, or give the run's number or folder."
        )
    in_order = _sorted(files)
    train_ids = extra_data_access.train_ids(collection)
    of_files = np.unique(np.concatenate([file.train_ids for file in files]))
    return Run(
        in_order,
        train_ids,
        (*lost, *_lost_siblings(in_order, whole=whole)),
        selected=len(np.setdiff1d(of_files, train_ids)) > 0,
        given=not whole,
        not_chosen=frozenset(there).difference(*(file.sources for file in in_order)),
        keys=extra_data_access.chosen_keys(collection),
        aliases=extra_data_access.aliases(collection),
    )


def _of_files(paths: Iterable[Path]) -> Run:
    files, lost, first_error = _read_files(paths)
    if not files:
        text = "; ".join(f"{Path(path).name}: {why}" for path, why in lost) or "no .h5 file in it"
        raise MissingDataError(
            f"the run can't be opened, because none of its files can be read: {text}."
        ) from first_error
    ids = np.unique(np.concatenate([file.train_ids for file in files]))
    return Run(_sorted(files), ids, tuple(lost))


def _read_files(
    paths: Iterable[Path],
) -> tuple[list[RunFile], list[tuple[str, str]], Exception | None]:
    """Readable files, unreadable files, and the first error."""
    files, lost = [], []
    first_error: Exception | None = None
    for path in paths:
        try:
            files.append(RunFile(*extra_data_access.read_file(path)))
        except Exception as error:  # whatever extra-data stumbles over
            lost.append((str(path), _why(error)))
            first_error = first_error or error
    return files, lost, first_error


def _why(error: Exception) -> str:
    """Text why a file cannot be read; raises the error if the file is not the cause."""
    if extra_data_access.is_of_the_library(error):
        raise error
    # The texts of other errors mean little without their names.
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _sorted(files: Iterable[RunFile]) -> tuple[RunFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _run_files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*.h5") if path.name.lower() != "overview.h5")
    found = [path for path in found if FILE_NAME.fullmatch(path.name)] or found
    if not found:
        raise MissingDataError(f"{folder} can't be opened as a run: there is no .h5 file in it.")
    return found


def _lost_siblings(files: tuple[RunFile, ...], *, whole: bool) -> tuple[tuple[str, str], ...]:
    """Unreadable files in the folder of a run.

    For a collection opened by the user, only files of aggregators with several files in it.
    """
    import h5py

    known = {os.path.abspath(file.path) for file in files}
    aggregators = [file.aggregator for file in files]
    lost = []
    for folder in sorted({Path(path).parent for path in known}):
        for path in sorted(folder.glob("*.h5")):
            name, _ = split_name(str(path))
            # Other files in the folder are not part of the run.
            if not FILE_NAME.fullmatch(path.name) or os.path.abspath(path) in known:
                continue
            if not (whole or aggregators.count(name) > 1):
                continue
            try:
                with h5py.File(path, "r") as file:
                    if "INDEX/trainId" not in file:
                        lost.append((str(path), "it has no INDEX/trainId"))
                    elif whole:
                        lost.append((str(path), _why_not(path)))
            except OSError as error:
                lost.append((str(path), str(error)))
    return tuple(lost)


def _why_not(path: Path) -> str:
    """Reason why extra-data left out a file."""
    try:
        extra_data_access.read_file(path)
    except Exception as error:
        return _why(error)
    return "extra-data can't open it"
