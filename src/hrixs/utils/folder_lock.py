"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator
from pathlib import Path

LOCK = "lock"


@contextlib.contextmanager
def working_in(folder: Path) -> Generator[None]:
    """Hold a folder for this process, and make it where it is not there.

    Raises
    ------
    OSError
        If another process of this machine works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    mine = f"{socket.gethostname()} {os.getpid()}"
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        holder = lock.read_text(encoding="utf8")
        if _is_alive(holder):
            raise OSError(
                f"another process ({holder}) is working on the same output, in {folder}. Wait for "
                "it, or write to another file."
            ) from None
        lock.write_text(mine, encoding="utf8")  # it was killed
    else:
        with os.fdopen(descriptor, "w", encoding="utf8") as file:
            file.write(mine)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()  # where nothing was begun


def _is_alive(holder: str) -> bool:
    """Whether a process of this machine holds a lock; of others it can't be told."""
    host, _, number = holder.partition(" ")
    if host != socket.gethostname() or not number.isdigit() or int(number) == os.getpid():
        return False
    if os.name == "nt":  # where a signal of 0 would end it
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
