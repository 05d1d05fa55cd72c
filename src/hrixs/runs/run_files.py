"""The files of a run: their trains, and the sources that are read from each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs import extra_data_access
from hrixs.runs.faults import Faults, named_trains
from hrixs.utils.errors import MissingDataError

#: File names of a run: aggregator and sequence number.
FILE_NAME = re.compile(r"([^.].*)-S(\d{5})\.h5")


@dataclass(frozen=True)
class RunFile:
    """One readable file of a run.

    Attributes
    ----------
    path, train_ids
        Path and trains of the file.
    sources
        Sources that are read from it.
    trains_left_out
        Trains of the file that were deselected when the run was opened.
    """

    path: str
    train_ids: NDArray[np.uint64]
    sources: frozenset[str]
    trains_left_out: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    @property
    def aggregator(self) -> str:
        """Name of the file without the sequence number."""
        return split_name(self.path)[0]


@dataclass(frozen=True)
class Run:
    """The readable files of a run.

    Attributes
    ----------
    files
        Files in the order of their names.
    train_ids
        Ids of all trains of the run, or of the selected ones, ascending.
    lost
        Unreadable files in the folder of the run: path and reason.
    selected
        Whether trains were selected, so that `train_ids` are not all.
    given
        Whether the user opened the run, and may have left out sources or files.
    not_chosen
        Sources in the files that are not read.
    name
        Number or folder of the run, as a name for results.
    data
        The data that were asked for (raw, proc, all).
    trust
        Which train ids to use if those next to the records contradict the index; None: as given
        when the run is indexed.
    keys
        Keys that are left, for sources with deselected keys.
    aliases
        Names for sources and keys from the alias file of the beamline.
    """

    files: tuple[RunFile, ...]
    train_ids: NDArray[np.uint64]
    lost: tuple[tuple[str, str], ...] = ()
    selected: bool = False
    name: str = ""
    data: str | None = None
    trust: str | None = None
    given: bool = False
    not_chosen: frozenset[str] = frozenset()
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def sources(self) -> frozenset[str]:
        """All sources in the files."""
        return frozenset().union(*(file.sources for file in self.files))

    def files_of(self, source: str, key: str | None = None) -> list[RunFile]:
        """Files from which a source is read; empty if the key was deselected."""
        if key is not None and not self._has_key(source, key):
            return []
        return [file for file in self.files if source in file.sources]

    def was_deselected(self, source: str, key: str) -> bool:
        """Whether the run has a source, although it was deselected."""
        if source in self.sources:
            return not self._has_key(source, key)
        beside = {path for file in self.files for path in Path(file.path).parent.glob("*.h5")}
        return source in self.not_chosen or (
            self.given and any(source in extra_data_access.sources_of(path) for path in beside)
        )

    def _has_key(self, source: str, key: str) -> bool:
        keys = self.keys.get(source)
        return keys is None or not keys.isdisjoint({key, f"{key}.value"})

    def select_trains(self, subset: Any) -> Run:
        """The same run with some of its trains; `subset` as for ``DataCollection.select_trains``.

        Raises
        ------
        MissingDataError
            If a train does not exist, or none is left.
        TypeError, ValueError
            If `subset` is invalid.
        """
        try:
            ids = extra_data_access.chosen_trains(self.train_ids, subset)
        except IndexError as error:
            raise MissingDataError(
                f"subset = {subset!r} asks for trains that are not there; the run has "
                f"{len(self.train_ids)}."
            ) from error
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"subset = {subset!r}, expected a slice or a list of trains' numbers, "
                f"extra_data.by_index or extra_data.by_id: {error}."
            ) from error
        if not len(ids):
            raise MissingDataError(
                f"subset = {subset!r} takes none of the run's {named_trains(self.train_ids)}."
            )
        return replace(self, train_ids=ids, selected=True)

    def with_all_trains(self) -> Run:
        """The same run with all trains of its files, without a selection."""
        if not self.selected:
            return self
        none = np.empty(0, dtype=np.uint64)
        files = tuple(replace(file, trains_left_out=none) for file in self.files)
        ids = np.unique(np.concatenate([file.train_ids for file in files]))
        return replace(self, files=files, train_ids=ids, selected=False)

    def report_lost_files(self, sources: Sequence[str], faults: Faults) -> None:
        """Report missing and unreadable files; `sources` begins with that of the camera."""
        reported = set()
        for path, why in self.lost:
            aggregator, sequence = split_name(path)
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
        """Sequence numbers of the files that an aggregator should have."""
        of_aggregator = [file.path for file in self.files if file.aggregator == aggregator]
        own = {split_name(path)[1] for path in of_aggregator}
        folders = {Path(path).parent for path in of_aggregator}
        others = {split_name(file.path)[1] for file in self.files}

        def is_missing(sequence: int) -> bool:
            # The user who opened the run may have left it out.
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
        """Trains in files of a sequence number for which the aggregator has no file."""
        ids = [f.train_ids for f in self.files if split_name(f.path)[1] == sequence]
        of_aggregator = [f for f in self.files if f.aggregator == aggregator]
        own_sources = frozenset(sources).intersection(*[f.sources for f in of_aggregator[:1]])
        own = [
            f.train_ids for f in self.files if f.aggregator == aggregator or f.sources & own_sources
        ]
        if not ids:
            return np.empty(0, dtype=np.uint64)
        of_sequence = np.intersect1d(np.concatenate(ids), self.train_ids)
        return np.setdiff1d(of_sequence, np.concatenate(own)) if own else of_sequence


def split_name(path: str) -> tuple[str, int]:
    """Aggregator and sequence number of a file; -1 for other names."""
    match = FILE_NAME.fullmatch(Path(path).name)
    return (match[1], int(match[2])) if match else (Path(path).name, -1)
