"""Lock a folder for one process at a time, also if several machines see the folder."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from collections.abc import Generator
from pathlib import Path

from hrixs.utils.atomic_files import replaced_at_once

_LOCK = "lock"
_TAKEOVER = "takeover"
# Folders that this process has locked, and the thread.
_held: dict[Path, int] = {}


@contextlib.contextmanager
def working_in(folder: Path) -> Generator[None]:
    """Lock a folder for this process; it is made if it does not exist.

    Parameters
    ----------
    folder : path
        Removed at the end if it is empty. The thread that holds the lock may lock it again.

    Raises
    ------
    OSError
        If another process holds the lock, or may hold it (a process on another machine cannot be
        checked). Nothing in the folder is changed then.
    """
    path = folder.resolve()
    if _held.get(path) == threading.get_ident():
        yield
        return
    mine = f"{socket.gethostname()} {os.getpid()}"
    while True:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            if _is_no_folder(path):
                raise
            continue  # it was there, and one that has just ended took it along
        try:
            _write_new(path / _LOCK, mine)
            break
        except FileNotFoundError:  # likewise
            continue
        except FileExistsError:
            if _take_over(path, mine):
                break
    _held[path] = threading.get_ident()
    try:
        yield
    finally:
        del _held[path]
        (path / _LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.rmdir()


def _is_no_folder(path: Path) -> bool:
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _take_over(folder: Path, mine: str) -> bool:
    """Take over the lock of a process of this machine that has ended; False if it is gone."""
    try:
        _require_ended(folder)
        # If several processes find this out at the same time, one goes on.
        _write_new(folder / _TAKEOVER, mine)
        try:
            _require_ended(folder)
            with replaced_at_once(folder / _LOCK) as part:
                part.write_text(mine, encoding="utf8")
        finally:
            (folder / _TAKEOVER).unlink()
    except FileNotFoundError:
        return False
    except FileExistsError:
        raise OSError(
            f"another process is about to work on the same output, in {folder}. Wait for it, or "
            f"write to another file. If there is none, remove {folder / _TAKEOVER}."
        ) from None
    return True


def _require_ended(folder: Path) -> None:
    """Raise an error unless the process that holds the lock is known to have ended."""
    holder = (folder / _LOCK).read_text(encoding="utf8")
    host, _, number = holder.partition(" ")
    here = socket.gethostname()
    # A process that has not written its name yet is still running. On Windows this cannot be
    # checked: signal 0 would end the process.
    unknown = not number.isdigit() or os.name == "nt"
    if host == here and not unknown and not _is_alive(int(number), folder):
        return
    if host == here and not unknown:
        what = "is working on the same output"
    else:
        what = f"may be working on the same output, which {here} cannot determine"
    raise OSError(
        f"another process ({holder or 'of no name yet'}) {what}, in {folder}. Wait for it, or "
        f"write to another file. If no process {number or 'of hrixs'} works there on "
        f"{host or here}, remove {folder / _LOCK} and start again."
    )


def _is_alive(number: int, folder: Path) -> bool:
    """Whether a process with this number runs on this machine; it may be a different one."""
    if number == os.getpid():  # in a container all have the same one
        return folder in _held
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _write_new(path: Path, text: str) -> None:
    """Create a file that does not exist; of several processes and machines, only one succeeds."""
    with path.open("x", encoding="utf8") as file:
        file.write(text)
