"""Finding EuXFEL runs: which files they have, and which trains."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrixs.runs import extra_data_access
from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.mnemonic_table import Mnemonic, mnemonics
from hrixs.utils.errors import MissingDataError, unknown_name

if TYPE_CHECKING:
    from extra_data import DataCollection

#: A run number, a run's folder or file, or a run that is open already.
RunLike: TypeAlias = "int | str | os.PathLike[str] | DataCollection"
#: A name in the table of mnemonics, or entries of the table's form under names of one's own.
Field: TypeAlias = "str | Mapping[str, Mnemonic]"

# What no file makes extra-data raise as it opens a run: a fault of the program.
_NEVER_OF_A_FILE = (AttributeError, TypeError, ImportError, NameError)
# Starting processes takes longer than opening so many.
_FEW_FILES = 32
_FILE_NAME = re.compile(r"([^.].*)-S(\d{5})\.h5")


@dataclass(frozen=True)
class RunFile:
    """One readable file of a run."""

    path: str
    train_ids: NDArray[np.uint64]
    sources: frozenset[str]

    @property
    def aggregator(self) -> str:
        """Its name without the sequence number."""
        return _split_name(self.path)[0]


@dataclass(frozen=True)
class Run:
    """The files of a run, as far as they can be read.

    Attributes
    ----------
    files
        In the order of their names.
    train_ids
        All trains of the run, or those that were selected, ascending.
    lost
        Files in the run's folder that can't be read: path, and why.
    selected
        Whether `train_ids` are not all.
    """

    files: tuple[RunFile, ...]
    train_ids: NDArray[np.uint64]
    lost: tuple[tuple[str, str], ...] = ()
    selected: bool = False

    @property
    def sources(self) -> frozenset[str]:
        """All sources in the files."""
        return frozenset().union(*(file.sources for file in self.files))

    def files_of(self, source: str) -> list[RunFile]:
        """Files that hold a source."""
        return [file for file in self.files if source in file.sources]

    def select_trains(self, subset: Any) -> Run:
        """Those trains only; `subset` as for ``extra_data.DataCollection.select_trains``.

        Raises
        ------
        MissingDataError
            For the number of a train that is not there.
        TypeError
            If `subset` is none.
        """
        try:
            ids = extra_data_access.chosen_trains(self.train_ids, subset)
        except IndexError as error:
            raise MissingDataError(
                f"subset = {subset!r} asks for trains that are not there; the run has "
                f"{len(self.train_ids)}."
            ) from error
        except TypeError as error:
            raise TypeError(
                f"subset = {subset!r}, expected a slice or a list of trains' numbers, "
                "extra_data.by_index or extra_data.by_id."
            ) from error
        return Run(self.files, ids, self.lost, selected=True)

    def report_lost_files(self, sources: Sequence[str], faults: Faults) -> None:
        """Tell of files that are missing or can't be read; `sources` begins with the camera's."""
        reported = set()
        for path, why in self.lost:
            aggregator, sequence = _split_name(path)
            reported.add((aggregator, sequence))
            text = f"{Path(path).name} can't be read and is left out: {why.rstrip('.')}"
            self._report(text, aggregator, sequence, sources, faults)
        for aggregator in sorted({f.aggregator for one in sources for f in self.files_of(one)}):
            unknown = []
            for sequence in self._missing_sequences(aggregator, sources):
                if (aggregator, sequence) in reported:
                    continue
                if len(self._trains_only_elsewhere(aggregator, sequence, sources)):
                    text = f"{aggregator}-S{sequence:05d}.h5 is missing"
                    self._report(text, aggregator, sequence, sources, faults)
                else:
                    unknown.append(sequence)
            if unknown:
                faults.add(
                    f"{len(unknown)} files of {aggregator} are missing, from S{unknown[0]:05d} to "
                    f"S{unknown[-1]:05d}; how many images they have is not known."
                )

    def _report(
        self, text: str, aggregator: str, sequence: int, sources: Sequence[str], faults: Faults
    ) -> None:
        lost = self._trains_only_elsewhere(aggregator, sequence, sources)
        if aggregator not in {file.aggregator for file in self.files_of(sources[0])}:
            faults.add(f"{text}.")
        elif len(lost):
            text += f"; {len(lost)} trains have no image for it, {named_trains(lost)}."
            faults.add(text, n_skipped=len(lost), train_ids=lost)
        else:
            faults.add(f"{text}; how many images it has is not known.")

    def _missing_sequences(self, aggregator: str, sources: Sequence[str]) -> list[int]:
        """Sequence numbers that an aggregator should have a file of."""
        of_aggregator = [file.path for file in self.files if file.aggregator == aggregator]
        own = {_split_name(path)[1] for path in of_aggregator}
        folders = {Path(path).parent for path in of_aggregator}
        others = {_split_name(file.path)[1] for file in self.files}

        def is_missing(sequence: int) -> bool:
            # Somebody who opened the run may have left it out.
            if any((f / f"{aggregator}-S{sequence:05d}.h5").exists() for f in folders):
                return False
            if sequence in others:
                return len(self._trains_only_elsewhere(aggregator, sequence, sources)) > 0
            return sequence < max(own)

        wanted = set(range(max(own, default=0))) | others
        return [n for n in sorted(wanted - own) if n >= 0 and is_missing(n)]

    def _trains_only_elsewhere(
        self, aggregator: str, sequence: int, sources: Sequence[str]
    ) -> NDArray[np.uint64]:
        """Trains that files of the sequence number have, but none with the aggregator's sources."""
        ids = [f.train_ids for f in self.files if _split_name(f.path)[1] == sequence]
        of_aggregator = [f for f in self.files if f.aggregator == aggregator]
        own_sources = frozenset(sources).intersection(*[f.sources for f in of_aggregator[:1]])
        own = [
            f.train_ids for f in self.files if f.aggregator == aggregator or f.sources & own_sources
        ]
        if not ids:
            return np.empty(0, dtype=np.uint64)
        of_sequence = np.intersect1d(np.concatenate(ids), self.train_ids)
        return np.setdiff1d(of_sequence, np.concatenate(own)) if own else of_sequence


def open_run(run: RunLike, proposal: int | str | None = None) -> Run:
    """Look up a run's raw data, given by number, by path or as it is open.

    Parameters
    ----------
    run : int, path or extra_data.DataCollection
        A number is looked up under ``EXTRA_DATA_DATA_ROOT`` (on the Maxwell cluster it need not
        be set); a path is a run's folder or one HDF5 file.
    proposal : int or str, optional
        Needed with a run number.

    Raises
    ------
    MissingDataError
        If there is no such run.
    ValueError
        If a run number is given without a proposal.
    ImportError
        If extra-data can't be imported, as on Windows.
    """
    extra_data_access.require_extra_data()
    if extra_data_access.is_collection(run):
        return _of_collection(run)
    if isinstance(run, str) and run.isdigit() and not Path(run).exists():
        run = int(run)
    if isinstance(run, int | np.integer) and not isinstance(run, bool):
        return _of_folder(_folder_of_number(int(run), proposal))
    if isinstance(run, str | os.PathLike):
        path = Path(run)
        if path.is_dir():
            return _of_folder(path)
        if path.is_file():
            return _of_files([path])
        raise MissingDataError(
            f"there is no run at {path}; expected a run's folder or HDF5 file, or an image file "
            "(.tif, .npy, .h5) on the command line."
        )
    raise TypeError(
        f"run is {type(run).__name__} {run!r}, expected a run number, a path or an open "
        "DataCollection."
    )


def run_name(run: RunLike) -> str:
    """Text that tells which run it was: its number, or its path."""
    if isinstance(run, int | str | os.PathLike | np.integer):
        return str(run)
    return ", ".join(sorted({str(Path(file.filename).parent) for file in run.files}))


def field_entries(fields: Iterable[Field]) -> dict[str, Mnemonic]:
    """Where fields lie, by name.

    Raises
    ------
    MissingDataError
        For a name that is not in `hrixs.mnemonics`.
    """
    entries: dict[str, Mnemonic] = {}
    for one in fields:
        if not isinstance(one, str):
            entries.update(one)
        elif one in mnemonics:
            entries[one] = mnemonics[one]
        else:
            raise MissingDataError(unknown_name("mnemonic", one, mnemonics))
    return entries


def _folder_of_number(number: int, proposal: int | str | None) -> Path:
    if proposal is None:
        raise ValueError(
            f"run {number} was given without a proposal; expected hRIXS(proposal), proposal= "
            "(on the command line --proposal), or the path of the run's folder."
        )
    of_proposal = extra_data_access.find_proposal(proposal)
    why = "there is no folder of the proposal"
    if of_proposal is not None:
        folder = of_proposal / "raw" / f"r{number:04d}"
        if folder.is_dir():
            return folder
        why = f"there is no folder {folder}"
    raise MissingDataError(
        f"run {number} of proposal {proposal} can't be opened: {why}. Looked under "
        f"{extra_data_access.data_root()}, which EXTRA_DATA_DATA_ROOT sets; the path of a run's "
        "folder can be given as well."
    )


def _of_folder(folder: Path) -> Run:
    paths = _run_files(folder)
    try:
        parallelize = len(paths) > _FEW_FILES
        collection = extra_data_access.open_folder(folder, parallelize=parallelize)
    except Exception as error:
        # Trains that stand twice, or no file that can be read: each file by itself then.
        opened = _of_files(paths)
        if isinstance(error, _NEVER_OF_A_FILE) and not opened.lost:
            raise
        return opened
    opened = _of_collection(collection, whole=True)
    for access in extra_data_access.accesses(collection):
        access.close()
    return opened


def _of_collection(collection: DataCollection, *, whole: bool = False) -> Run:
    accesses = extra_data_access.accesses(collection)
    if any(map(extra_data_access.is_overview, accesses)):
        # An overview file stands for all others of its folder.
        opened = _of_files(_run_files(Path(accesses[0].filename).parent))
        files, lost = opened.files, opened.lost
    else:
        files = _sorted(RunFile(*extra_data_access.read_access(one)) for one in accesses)
        lost = _lost_siblings(files, whole=whole)
    train_ids = extra_data_access.train_ids(collection)
    of_files = np.unique(np.concatenate([file.train_ids for file in files]))
    return Run(files, train_ids, lost, selected=len(np.setdiff1d(of_files, train_ids)) > 0)


def _of_files(paths: Iterable[Path]) -> Run:
    files, lost = [], []
    first_error: Exception | None = None
    for path in paths:
        try:
            files.append(RunFile(*extra_data_access.read_file(path)))
        except Exception as error:  # whatever extra-data stumbles over
            lost.append((str(path), _why(error)))
            first_error = first_error or error
    if not files:
        text = "; ".join(f"{Path(path).name}: {why}" for path, why in lost) or "no .h5 file in it"
        raise MissingDataError(
            f"the run can't be opened, no file in it can be read: {text}."
        ) from first_error
    ids = np.unique(np.concatenate([file.train_ids for file in files]))
    return Run(_sorted(files), ids, tuple(lost))


def _why(error: Exception) -> str:
    """Why a file can't be read; raises the error where the file is not to blame."""
    if extra_data_access.is_of_the_library(error):
        raise error
    # The text of others tells little without their names.
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _sorted(files: Iterable[RunFile]) -> tuple[RunFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _run_files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*.h5") if path.name.lower() != "overview.h5")
    found = [path for path in found if _FILE_NAME.fullmatch(path.name)] or found
    if not found:
        raise MissingDataError(f"{folder} can't be opened as a run: there is no .h5 file in it.")
    return found


def _lost_siblings(files: tuple[RunFile, ...], *, whole: bool) -> tuple[tuple[str, str], ...]:
    """Files beside those of a run that can't be read.

    Of a collection that somebody opened, only those of an aggregator of which it has several.
    """
    import h5py

    known = {os.path.abspath(file.path) for file in files}
    aggregators = [file.aggregator for file in files]
    lost = []
    for folder in sorted({Path(path).parent for path in known}):
        for path in sorted(folder.glob("*.h5")):
            name, _ = _split_name(str(path))
            # Others than the run's own files are none of it.
            if not _FILE_NAME.fullmatch(path.name) or os.path.abspath(path) in known:
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
    """What extra-data stumbles over in a file that it has left out."""
    try:
        extra_data_access.read_file(path)
    except Exception as error:
        return _why(error)
    return "extra-data can't open it"


def _split_name(path: str) -> tuple[str, int]:
    """Aggregator and sequence number of a file, -1 for names of another kind."""
    match = _FILE_NAME.fullmatch(Path(path).name)
    return (match[1], int(match[2])) if match else (Path(path).name, -1)
