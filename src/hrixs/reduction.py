"""A long run to its spectra, part by part, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.analysis import Analysis
from hrixs.camera.frames import as_frames
from hrixs.part_result import PartResult, add_counts, reduce_part
from hrixs.runs.budget import Budget
from hrixs.runs.faults import Faults
from hrixs.runs.images import tell_failed
from hrixs.runs.index import Entries
from hrixs.runs.parts import Part, PartReader, plan_parts
from hrixs.utils.errors import MissingDataError
from hrixs.utils.progress import Progress

#: Reduces parts, in any order: the parts to do, and what to do with each.
ReduceParts = Callable[[list[Part]], Iterable[list[PartResult]]]


@dataclass(frozen=True)
class Plan:
    """What is to be done with a run's images.

    Attributes
    ----------
    entries
        The index of the images.
    crop
        Pixels of x and y to use.
    swapped
        Whether the frames lie in the files as (..., y, x).
    analysis
        What is done with them.
    energies
        Photon energy of each entry, in eV; NaN where it is not known.
    photons
        Whether to keep the photon table.
    """

    entries: Entries
    crop: tuple[slice, slice]
    swapped: bool
    analysis: Analysis
    energies: NDArray[np.float64] | None = None
    photons: bool = False

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Entries that can be analysed at all."""
        if self.energies is None:
            return np.ones(len(self.entries), dtype=bool)
        return np.isfinite(self.energies) & (self.energies > 0)


def reduce_run(
    plan: Plan,
    faults: Faults,
    *,
    budget: Budget,
    progress: bool = True,
    done: Iterable[PartResult] = (),
    save: Callable[[list[PartResult]], None] | None = None,
    reduce_parts: ReduceParts | None = None,
) -> xr.Dataset:
    """Reduce the images of a run.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    faults : Faults
        Takes the images that can't be used.
    budget : Budget
        As from `share_out`.
    progress : bool
        Whether to show a bar.
    done : iterable of PartResult
        What was done earlier, and is not done again.
    save : callable, optional
        Takes results as they come.
    reduce_parts : callable, optional
        In place of this process.

    Returns
    -------
    xarray.Dataset
        Over dim ``entry``: ``spectrum (entry, ..., y)``; with the photons' columns ``photon_*``
        over dim ``photon`` where these are asked for. Coordinate ``entry``: the entries that could
        be used.

    Raises
    ------
    NonFinitePixelsError, TooManyPhotonsError, MissingDataError
        If no image could be used: what was wrong with the first.
    """
    collected = _Collected(plan)
    for result in done:
        collected.add(result)
    left = np.flatnonzero(plan.wanted & ~collected.seen)
    parts, failed = plan_parts(plan.entries, budget.part_bytes, left)
    collected.failed += failed
    if faults.strict:
        tell_failed(plan.entries, collected.failed, faults)
    here = reduce_parts or (lambda todo: reduce_here(todo, plan, budget.inflating))
    n_done = int(collected.seen.sum())
    with Progress(int(plan.wanted.sum()), wanted=progress, done=n_done) as bar:
        for results in here(parts):
            for result in results:
                collected.add(result)
                bar.add(len(result.entries) + len(result.failed), result.attrs.get("n_photons"))
                if faults.strict:
                    tell_failed(plan.entries, result.failed, faults)
            if save is not None:
                save(results)
    if not collected.good.any():
        _raise_why(plan, parts)
    if not faults.strict:
        tell_failed(plan.entries, collected.failed, faults)
    return collected.dataset()


def reduce_here(parts: list[Part], plan: Plan, inflating: int) -> Generator[list[PartResult]]:
    """Reduce parts in this process, the next one being read meanwhile."""
    with (
        PartReader(inflating, plan.crop, swapped=plan.swapped) as reader,
        closing(reader.read_ahead(parts)) as read_parts,
    ):
        for read in read_parts:
            yield reduce_part(read, plan.analysis, plan.energies, photons=plan.photons)


def frames_of(
    plan: Plan, wanted: NDArray[np.int64]
) -> Generator[tuple[NDArray[Any], NDArray[np.float64] | None]]:
    """Read the frames of some entries one by one, and their photon energies.

    Those that can't be read or analysed are left out here: they are told of when it is their turn.
    """
    with PartReader(1, plan.crop, swapped=plan.swapped) as reader:
        for part in plan_parts(plan.entries, 0, wanted)[0]:
            read = reader.read(part)
            for frames, entry in zip(read.frames, read.entries, strict=True):
                energy = None if plan.energies is None else plan.energies[entry]
                if plan.analysis.can_use(frames, energy):
                    yield frames, energy


def _raise_why(plan: Plan, parts: list[Part]) -> None:
    """Analyse frames again, with the errors that were counted only."""
    with PartReader(1, plan.crop, swapped=plan.swapped) as reader:
        for part in parts:
            read = reader.read(part)
            if len(read.entries):
                frame = as_frames(read.frames[0])
                energy = None if plan.energies is None else plan.energies[read.entries[0]]
                plan.analysis.spectra(frame, energy)
    raise MissingDataError(
        f"none of the {len(plan.entries)} images of the run can be used. Look at the warnings, or "
        "give strict=True for the first fault."
    )


class _Collected:
    """Results as they come, brought into the order of the entries."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.good = np.zeros(len(plan.entries), dtype=bool)
        self.seen = np.zeros(len(plan.entries), dtype=bool)
        self.failed: list[tuple[int, str]] = []
        self.attrs: dict[str, Any] = {}
        self._spectra: NDArray[np.float64] | None = None
        self._y: NDArray[np.float64] | None = None
        self._tables: dict[int, dict[str, NDArray[Any]]] = {}

    def add(self, result: PartResult) -> None:
        self.failed += result.failed
        self.seen[[entry for entry, _ in result.failed]] = True
        if not len(result.entries):
            return
        if self._spectra is None:
            shape = (len(self.good), *result.spectra.shape[1:])
            self._spectra = np.empty(shape)
            self._y = result.y
            self.attrs = dict(result.attrs)
        else:
            self.attrs = add_counts(self.attrs, result.attrs)
        self._spectra[result.entries] = result.spectra
        self.good[result.entries] = True
        self.seen[result.entries] = True
        if result.photons:
            self._split(result)

    def _split(self, result: PartResult) -> None:
        """Keep the photons by entry, ``frame`` counting within the entry."""
        frames_per_entry = int(np.prod(result.spectra.shape[1:-1], dtype=np.int64))
        entry, within = np.divmod(result.photons["frame"], frames_per_entry)
        borders = np.searchsorted(entry, np.arange(len(result.entries) + 1))
        columns = result.photons | {"frame": within}
        for number, begin, end in zip(result.entries, borders[:-1], borders[1:], strict=True):
            self._tables[int(number)] = {name: v[begin:end] for name, v in columns.items()}

    def dataset(self) -> xr.Dataset:
        assert self._spectra is not None
        numbers = np.flatnonzero(self.good)
        for place, number in enumerate(numbers):  # in place: a copy may be large
            if place != number:
                self._spectra[place] = self._spectra[number]
        spectra = self._spectra[: len(numbers)]
        dims = ("entry", *(f"within_{d}" for d in range(spectra.ndim - 2)), "y")
        data: dict[str, Any] = {"spectrum": (dims, spectra, self.attrs)}
        if self._plan.analysis.counts_photons:
            data["n_photons"] = (dims[:-1], spectra.sum(axis=-1))
        return xr.Dataset(
            data | self._photon_columns(numbers, spectra),
            coords={"entry": numbers, "y": ("y", self._y)},
        )

    def _photon_columns(
        self, numbers: NDArray[np.int64], spectra: NDArray[np.float64]
    ) -> dict[str, Any]:
        if not self._tables:
            return {}
        frames_per_entry = int(np.prod(spectra.shape[1:-1], dtype=np.int64))
        tables = [self._tables[int(number)] for number in numbers]
        columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
        counts = [len(table["frame"]) for table in tables]
        columns["frame"] = columns["frame"] + frames_per_entry * np.repeat(
            np.arange(len(numbers)), counts
        )
        return {f"photon_{name}": ("photon", values) for name, values in columns.items()}
