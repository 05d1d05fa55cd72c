"""Check that data fit into the memory before it is allocated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
#: Folder, files and name of the file cache, for both versions of control groups of Linux.
_VERSIONS = {
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": (
        "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
    ),
}  # fmt: skip


def available_memory() -> int | None:
    """Bytes that can be allocated without swapping; None if the system does not say (not Linux).

    This is the free memory of the machine, or what limits of a batch job or a container leave.
    """
    of_machine = _of_machine()
    return min([*_of_groups(), *([] if of_machine is None else [of_machine])], default=None)


def require_memory(n_bytes: int, what: str, advice: str) -> None:
    """Raise an error if `what`, of `n_bytes`, does not fit into the memory.

    Raises
    ------
    MemoryError
        With the `advice` in its text.
    """
    available = available_memory()
    if available is not None and n_bytes > available:
        raise MemoryError(
            f"{what} would take {n_bytes / 1e9:.3g} GB, but only {available / 1e9:.3g} GB of "
            f"memory are free. {advice}"
        )


def _of_machine() -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return None


def _of_groups() -> Iterator[int]:
    """Bytes that each limit leaves, for the control group of the process and those above it."""
    try:
        groups = [line.split(":", 2) for line in _OWN_GROUPS.read_text().splitlines()]
    except OSError:
        return
    for _, kind, name in groups:
        if kind not in _VERSIONS:
            continue
        folder, *names = _VERSIONS[kind]
        top = _GROUPS / folder
        own = top / name.strip("/")
        for group in (own, *own.parents):
            left = _of_group(group, *names)
            if left is not None:
                yield left
            if group == top:
                break


def _of_group(group: Path, limit: str, used: str, cache: str) -> int | None:
    try:
        most = int((group / limit).read_text())  # "max" where there is no limit
        taken = int((group / used).read_text())
        counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, most - taken + int(counts[cache]))  # the cache gives way
    except (OSError, KeyError, ValueError):
        return None
