"""Reduce the parts of a run on the workers of a dask.distributed cluster.

A worker gets the position of a part in the files, not its pixels, and returns its spectra.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from hrixs.reduction.part_result import PartResult, reduce_part
from hrixs.reduction.plan import Plan
from hrixs.runs.index import Entries
from hrixs.runs.parts import Part, PartReader
from hrixs.utils.provenance import __version__

if TYPE_CHECKING:
    from distributed import Client

# Parts per thread: one in work, and one on its way.
_IN_FLIGHT = 2
# Total parts per thread, so that no worker works alone on the last one for long.
_PARTS_A_THREAD = 4
# A file system may be unavailable for a moment.
_RETRIES = 2


def bytes_for_all(client: Client, entries: Entries, part_bytes: int) -> int:
    """Bytes of a part, such that all threads of a cluster get parts; at most `part_bytes`.

    Waits for the first worker.

    Raises
    ------
    TypeError
        If `client` is not a client, or is asynchronous.
    """
    n_parts = _PARTS_A_THREAD * _n_threads(client)
    frame_bytes = entries.dtype.itemsize
    for extent in entries.shape:
        frame_bytes *= extent
    frames = -(-len(entries) // n_parts)
    return min(part_bytes, frames * frame_bytes)


def reduce_on(
    client: Client, plan: Plan, threads: int
) -> Callable[[list[Part]], Generator[list[PartResult]]]:
    """Make a function that reduces parts on a cluster, for `hrixs.reduction.reduce.reduce_run`.

    Raises
    ------
    RuntimeError
        If a worker has no hrixs, or a different version: its tasks would be lost without a
        warning.

    Parameters
    ----------
    client : distributed.Client
        Client of the cluster. Its workers must see the files, under the same paths.
    plan : Plan
        The work to do. It is sent once.
    threads : int
        Threads of each task; a worker runs as many tasks at a time as it has threads.
    """
    _require_this_version(client)
    # The workers get the numbers of the entries, and need no index.
    small = replace(plan, entries=plan.entries.select(slice(0)))

    def reduce(parts: list[Part]) -> Generator[list[PartResult]]:
        import dask
        from distributed import as_completed

        # A task, not scattered data: if a worker dies, only the results of tasks can be made
        # again.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "10GB"}):
            shared = client.submit(_as_it_is, small, pure=False)
        left = iter(parts)
        under_way: dict[Any, Part] = {}
        done = as_completed(loop=client.loop)
        try:
            while True:
                for part in _some(left, _IN_FLIGHT * _n_threads(client) - len(under_way)):
                    task = client.submit(
                        _reduce, part, shared, threads, pure=False, retries=_RETRIES
                    )
                    under_way[task] = part
                    done.add(task)
                if not under_way:
                    return
                task = next(done)
                part = under_way.pop(task)
                yield _result(task, part)
        finally:
            client.cancel([*under_way, shared])

    return reduce


def _some(left: Iterable[Part], n: int) -> Iterable[Part]:
    from itertools import islice

    return islice(left, max(0, n))


def _as_it_is(plan: Plan) -> Plan:
    return plan


def _reduce(part: Part, plan: Plan, threads: int) -> list[PartResult]:
    """Read and reduce a part, in a worker."""
    with PartReader(threads, plan.crop, swapped=plan.swapped) as reader:
        mine = replace(plan, analysis=plan.analysis.with_threads(threads))
        return reduce_part(reader.read(part), mine)


def _result(task: Any, part: Part) -> list[PartResult]:
    """Return the results of a finished task, or raise its error.

    Raises
    ------
    RuntimeError
        If workers died during the task, or it was cancelled.
    """
    from distributed import CancelledError, KilledWorker

    where = f"{len(part.rows)} images of {part.stored.path}"
    try:
        return list(task.result())
    except KilledWorker as error:
        raise RuntimeError(
            f"{where} cannot be reduced on the cluster: several workers died while reducing them. "
            f"Give a smaller memory=, or workers with more memory; see also their logs. {error}"
        ) from error
    except CancelledError as error:
        raise RuntimeError(
            f"{where} were not reduced: the cluster was closed, or the task was cancelled. Start "
            "it again."
        ) from error
    except Exception as error:
        error.add_note(f"This happened on a worker of the cluster, with {where}.")
        raise


def _require_this_version(client: Client) -> None:
    try:
        versions = set(client.run(version, "hrixs").values())
    except PackageNotFoundError as error:
        raise RuntimeError(
            "workers of the cluster have no hrixs. Start them in the environment of this process."
        ) from error
    if versions - {__version__}:
        raise RuntimeError(
            f"workers of the cluster have hrixs {', '.join(sorted(versions))}, but this process "
            f"has {__version__}. Start them in the environment of this process."
        )


def _n_threads(client: Client) -> int:
    """Total threads of the workers of a cluster; waits for the first worker."""
    from distributed import Client

    if not isinstance(client, Client) or client.asynchronous:
        kind = "an asynchronous" if isinstance(client, Client) else type(client).__name__
        raise TypeError(
            f"client is {kind} {client!r}, expected a synchronous dask.distributed.Client, as "
            "from Client(cluster)."
        )
    n_threads = int(sum(client.nthreads().values()))
    if not n_threads:
        client.wait_for_workers(1)
        n_threads = int(sum(client.nthreads().values()))
    return max(1, n_threads)
