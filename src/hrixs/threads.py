"""How many threads a kernel may use."""

from __future__ import annotations

import os


def available_threads() -> int:
    """Threads this process may use: its CPU affinity, and no more than ``OMP_NUM_THREADS``."""
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    first_level = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first_level.isdigit() and int(first_level) > 0:
        available = min(available, int(first_level))
    return available


def resolve_threads(threads: int | None) -> int:
    """Threads to use for ``threads`` as the user gave it; None means all available.

    Raises
    ------
    ValueError
        If `threads` is not a positive integer.
    """
    if threads is None:
        return available_threads()
    if isinstance(threads, bool) or int(threads) != threads or not 1 <= threads < 2**31:
        raise ValueError(f"threads = {threads!r}, expected None or a whole number of 1 or more.")
    return int(threads)
