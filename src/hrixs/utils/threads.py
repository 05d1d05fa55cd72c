"""Number of threads for the kernels, and work distributed to threads of Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hrixs.utils.checks import whole_number
from hrixs.utils.errors import heard_alike

A = TypeVar("A")
B = TypeVar("B")


def available_threads() -> int:
    """Number of threads for this process: by its CPU affinity, at most ``OMP_NUM_THREADS``.

    1 in a task of a dask.distributed worker, which has a thread for each task.
    """
    if _is_in_a_worker():
        return 1
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    first_level = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first_level.isdigit() and int(first_level) > 0:
        available = min(available, int(first_level))
    return available


def resolve_threads(threads: int | None) -> int:
    """Number of threads for the argument ``threads``; None means all available.

    Raises
    ------
    ValueError
        If `threads` is not a positive integer.
    """
    return available_threads() if threads is None else whole_number("threads", threads)


def map_in_threads(work: Callable[[A], B], over: Iterable[A], threads: int | None) -> list[B]:
    """Results of `work` for each of `over`, in order, computed on threads of Python."""
    each = list(over)
    n_threads = min(resolve_threads(threads), len(each))
    if n_threads <= 1:
        return [work(one) for one in each]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(heard_alike(work), each))


def _is_in_a_worker() -> bool:
    """Whether this is a task of a dask.distributed worker (False if that is not loaded)."""
    distributed = sys.modules.get("distributed.worker")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True
