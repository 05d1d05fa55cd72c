"""Reduce a long run to spectra, part by part, in limited memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from queue import SimpleQueue
from threading import Semaphore
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.doubt_rules.doubt import Doubt, tell
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.collect import Collected
from hrixs.reduction.first_images import settled
from hrixs.reduction.part_result import Handed, PartResult, reduce_part
from hrixs.reduction.plan import Plan
from hrixs.runs.budget import Budget
from hrixs.runs.faults import Faults
from hrixs.runs.images import report_failed
from hrixs.runs.parts import Part, PartReader, plan_parts
from hrixs.utils.errors import MissingDataError, heard_alike
from hrixs.utils.progress import Progress
from hrixs.utils.threads import resolve_threads

# First images that are read together, and kept while they are checked.
_TOGETHER, _FEW = 4, 8
# Parts of a run that are reduced at the same time.
_AT_A_TIME = 2

#: Reduces parts in any order.
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
    look: bool = False,
) -> xr.Dataset:
    """Reduce the images of a run.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    faults : Faults
        Collects the unusable images.
    budget : Budget
        As from `share_out`.
    progress : bool
        Whether to show a bar.
    done : iterable of PartResult
        Results from earlier, which are not made again.
    save : callable, optional
        Called with results as they come.
    reduce_parts : callable, optional
        Reduces parts elsewhere than in this process.
    look : bool
        Whether the first images are still to be checked: the analysis is `decided`.

    Returns
    -------
    xarray.Dataset
        Over dim ``entry``: ``spectrum (entry, ..., y)``; with the photon columns ``photon_*`` over
        dim ``photon`` if requested. Coordinate ``entry``: the usable entries. Only the photon
        table if no spectra are requested.

    Raises
    ------
    NonFinitePixelsError, TooManyPhotonsError, MissingDataError
        If no image could be used: the reason for the first one.
    """
    collected = Collected(plan)
    for result in done:
        collected.add(result)
    left = np.flatnonzero(plan.wanted & ~collected.seen)
    parts, failed = plan_parts(plan.entries, budget.part_bytes, left)
    collected.failed += failed
    if faults.strict:
        report_failed(plan.entries, collected.failed, faults)
    with closing(Look(plan)) if look else nullcontext() as looking:
        if looking is not None and reduce_parts is None:
            parts = looking.divided(parts)
        here = reduce_parts or (lambda todo: reduce_here(todo, plan, budget.inflating, looking))
        n_done = int(collected.seen.sum())
        with Progress(int(plan.wanted.sum()), wanted=progress, done=n_done) as bar:
            for results in here(parts):
                for result in results:
                    collected.add(result)
                    n_new = len(result.entries) + len(result.failed)
                    bar.add(n_new, result.attrs.get("n_photons"))
                    if faults.strict:
                        report_failed(plan.entries, result.failed, faults)
                if save is not None:
                    save(results)
        if not collected.good.any():
            _raise_of_the_first(plan, parts)
        if looking is not None:
            collected.settle(looking.end())
    if not faults.strict:
        report_failed(plan.entries, collected.failed, faults)
    if not collected.good.any():
        raise MissingDataError(faults.why_none("the run"))
    return collected.dataset() if plan.spectra else collected.table()


def reduce_here(
    parts: list[Part], plan: Plan, inflating: int, look: Look | None = None
) -> Generator[list[PartResult]]:
    """Reduce parts in this process, two at a time; `look` gets the first.

    While kernels work on one part, the other is read and handled in Python. With one part the
    threads of the kernels would wait for that, and use a processor while waiting.
    """
    threads = resolve_threads(plan.analysis.camera["threads"])
    each = replace(plan, analysis=plan.analysis.with_threads(-(-threads // _AT_A_TIME)))
    working = Semaphore(min(threads, _AT_A_TIME))
    free: SimpleQueue[PartReader] = SimpleQueue()

    def reduced(part: Part, hand: Handed | None) -> list[PartResult]:
        reader = free.get()
        try:
            read = reader.read(part)
            if hand is not None:
                reader.let_go(read)
            with working:
                return reduce_part(read, each, hand)
        finally:
            free.put(reader)

    with ExitStack() as held:
        for _ in range(_AT_A_TIME):
            inflating_each = -(-inflating // _AT_A_TIME)
            reader = PartReader(inflating_each, plan.crop, swapped=plan.swapped, buffers=1)
            free.put(held.enter_context(reader))
        pool = held.enter_context(ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="hrixs-part"))
        held.callback(pool.shutdown, cancel_futures=True)
        hand = None if look is None else look.begin
        under_way: deque[Future[list[PartResult]]] = deque()
        for part in parts:
            under_way.append(pool.submit(heard_alike(reduced), part, hand))
            hand = None
            if len(under_way) > _AT_A_TIME:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


class _FirstFrame(NamedTuple):
    entry: int
    frames: NDArray[Any]
    energy: float | None


class FirstFrames:
    """The first usable frames of a run, one by one, with their photon energies.

    Frames that cannot be read or analysed are left out; they are reported when it is their turn.

    Attributes
    ----------
    entries
        Numbers of the entries that can be analysed.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.entries = plan.wanted.nonzero()[0]
        # They are used several times; decompressing them again would take longer.
        self._kept: dict[int, list[_FirstFrame]] = {}

    def parts(self, n: int, after: int = 0) -> Generator[tuple[NDArray[Any], float | None]]:
        """Frames of the first `n` of `entries`, without the first `after`."""
        n = min(n, len(self.entries))
        for begin in range(after, n, _TOGETHER):
            few = self._kept.get(begin)
            if few is None:
                few = self._read(self.entries[begin : begin + _TOGETHER])
            if begin < _FEW:
                self._kept[begin] = few
            last = self.entries[n - 1]
            yield from ((one.frames, one.energy) for one in few if one.entry <= last)

    def _read(self, entries: NDArray[np.int64]) -> list[_FirstFrame]:
        """Read frames together, into separate memory."""
        plan, analysis = self._plan, self._plan.analysis
        threads = resolve_threads(analysis.camera["threads"])
        found: list[_FirstFrame] = []
        for part in plan_parts(plan.entries, len(entries) * plan.entries.n_bytes, entries)[0]:
            with PartReader(threads, plan.crop, swapped=plan.swapped) as reader:
                read = reader.read(part)
            few = [
                _FirstFrame(entry, frames, plan.energy_of(entry))
                for frames, entry in zip(read.frames, read.entries.tolist(), strict=True)
            ]
            if few and not analysis.can_use(
                read.frames, plan.energies_of(read.entries, read.frames)
            ):
                few = [one for one in few if analysis.can_use(one.frames, one.energy)]
            found += few
        return found


class Look:
    """A check of the first images of a run, in parallel to the work, for which they decide nothing.

    Parameters
    ----------
    plan : Plan
        Its analysis is `decided`.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._first = FirstFrames(plan)
        self._told: list[Doubt] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hrixs-look")
        self._seen: Future[Analysis] | None = None

    def divided(self, parts: list[Part]) -> list[Part]:
        """Make the first part as small as what is checked, if it begins the run."""
        if not self._begins(parts[0].entries if parts else np.empty(0, np.int64)):
            return parts
        return [*parts[0].divided(_TOGETHER), *parts[1:]]

    def begin(
        self, entries: NDArray[np.int64], frames: Frames, energy: Any, photons: xr.Dataset | None
    ) -> None:
        """Check the first usable frames of the run; `photons` are theirs."""
        if self._seen is None and self._begins(entries):
            look = heard_alike(self._look)
            self._seen = self._thread.submit(look, entries, frames, energy, photons)

    def end(self) -> Analysis:
        """The analysis with what the first images have shown, with warnings."""
        if self._seen is None:  # the first images were not reduced here
            return settled(self._plan.analysis, len(self._first.entries), self._first.parts)
        seen = self._seen.result()
        tell(self._told)
        return seen

    def close(self) -> None:
        """Wait until the check has ended."""
        self._thread.shutdown(cancel_futures=True)

    def _begins(self, entries: NDArray[np.int64]) -> bool:
        return bool(len(entries)) and entries[0] == self._first.entries[0]

    def _look(
        self, entries: NDArray[np.int64], frames: Frames, energy: Any, photons: xr.Dataset | None
    ) -> Analysis:
        known = int(np.searchsorted(self._first.entries, entries[-1])) + 1

        def parts(n: int) -> Iterator[tuple[Any, Any]]:
            few = int(np.searchsorted(entries, self._first.entries[:n][-1], side="right"))
            yield (
                replace(frames, pixels=frames.pixels[:few]),
                None if energy is None else energy[:few],
            )
            yield from self._first.parts(n, after=known)

        # The other threads are busy.
        analysis = self._plan.analysis.with_threads(1)
        n_entries = len(self._first.entries)
        seen = settled(analysis, n_entries, parts, photons=photons, tell=self._told.extend)
        return replace(seen, camera=self._plan.analysis.camera)


def _raise_of_the_first(plan: Plan, parts: list[Part]) -> None:
    """Analyse frames again, to raise the errors that were only counted."""
    with PartReader(1, plan.crop, swapped=plan.swapped) as reader:
        for part in parts:
            read = reader.read(part)
            if len(read.entries):
                frame = as_frames(read.frames[0])
                energy = None if plan.energies is None else plan.energies[read.entries[0]]
                plan.analysis.spectra(plan.analysis.mended(frame)[0], energy)
