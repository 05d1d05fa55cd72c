"""A long run to its spectra, part by part, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import as_frames
from hrixs.reduction.collect import Collected
from hrixs.reduction.part_result import PartResult, reduce_part
from hrixs.reduction.plan import Plan
from hrixs.runs.budget import Budget
from hrixs.runs.faults import Faults
from hrixs.runs.images import report_failed
from hrixs.runs.parts import Part, PartReader, plan_parts
from hrixs.utils.errors import MissingDataError
from hrixs.utils.progress import Progress

#: Reduces parts, in any order: the parts to do, and what to do with each.
ReduceParts = Callable[[list[Part]], Iterable[list[PartResult]]]


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
        be used. The photon table alone where no spectra are asked for.

    Raises
    ------
    NonFinitePixelsError, TooManyPhotonsError, MissingDataError
        If no image could be used: what was wrong with the first.
    """
    collected = Collected(plan)
    for result in done:
        collected.add(result)
    left = np.flatnonzero(plan.wanted & ~collected.seen)
    parts, failed = plan_parts(plan.entries, budget.part_bytes, left)
    collected.failed += failed
    if faults.strict:
        report_failed(plan.entries, collected.failed, faults)
    here = reduce_parts or (lambda todo: reduce_here(todo, plan, budget.inflating))
    n_done = int(collected.seen.sum())
    with Progress(int(plan.wanted.sum()), wanted=progress, done=n_done) as bar:
        for results in here(parts):
            for result in results:
                collected.add(result)
                bar.add(len(result.entries) + len(result.failed), result.attrs.get("n_photons"))
                if faults.strict:
                    report_failed(plan.entries, result.failed, faults)
            if save is not None:
                save(results)
    if not collected.good.any():
        _raise_of_the_first(plan, parts)
    if not faults.strict:
        report_failed(plan.entries, collected.failed, faults)
    if not collected.good.any():
        raise MissingDataError(faults.why_none("the run"))
    return collected.dataset() if plan.spectra else collected.table()


def reduce_here(parts: list[Part], plan: Plan, inflating: int) -> Generator[list[PartResult]]:
    """Reduce parts in this process, the next one being read meanwhile."""
    with (
        PartReader(inflating, plan.crop, swapped=plan.swapped) as reader,
        closing(reader.read_ahead(parts)) as read_parts,
    ):
        for read in read_parts:
            yield reduce_part(read, plan)


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


def _raise_of_the_first(plan: Plan, parts: list[Part]) -> None:
    """Analyse frames again, with the errors that were counted only."""
    with PartReader(1, plan.crop, swapped=plan.swapped) as reader:
        for part in parts:
            read = reader.read(part)
            if len(read.entries):
                frame = as_frames(read.frames[0])
                energy = None if plan.energies is None else plan.energies[read.entries[0]]
                plan.analysis.spectra(plan.analysis.mended(frame)[0], energy)
