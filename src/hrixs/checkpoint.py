"""Results of an unfinished run on disk, so that the work can go on where it was broken off."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import time
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from hrixs.errors import warn
from hrixs.output_files import replaced_at_once
from hrixs.part_result import PartResult

_SECONDS_BETWEEN_SAVES = 1.0
_TASK = "task.json"
_LOCK = "lock"


class Checkpoint:
    """A folder that takes results as they come.

    Parameters
    ----------
    folder : path
        Made where it is not there. What another task left in it is thrown away, with a warning.
    task : dict
        All that decides the result, as JSON can hold it.
    """

    def __init__(self, folder: str | os.PathLike[str], task: dict[str, Any]) -> None:
        self.folder = Path(folder)
        self._pending: list[PartResult] = []
        self._saved_at = time.monotonic()
        text = json.dumps(task, sort_keys=True, indent=1)
        described = self.folder / _TASK
        earlier = described.read_text(encoding="utf8") if described.is_file() else None
        if earlier is not None and earlier != text:
            warn(
                f"the unfinished work in {self.folder} is another one, it differs in "
                f"{', '.join(_differences(earlier, task)) or 'its form'}; begun anew."
            )
        if earlier != text:
            self.remove()  # also parts without a task, whose that may be
            self.folder.mkdir(parents=True, exist_ok=True)
            with replaced_at_once(described) as part:
                part.write_text(text, encoding="utf8")

    def load(self) -> list[PartResult]:
        """Give the results that were saved earlier; a file that is not whole counts as none."""
        results: list[PartResult] = []
        for path in sorted(self.folder.glob("part-*.npz")):
            try:
                results += _read(path)
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                path.unlink()
        return results

    def save(self, results: list[PartResult]) -> None:
        """Take results; they are written now and then, so that this costs next to nothing.

        What could not be read is not kept: another time it may be there.
        """
        self._pending += [result for result in results if len(result.entries)]
        if time.monotonic() - self._saved_at < _SECONDS_BETWEEN_SAVES:
            return
        self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if self._pending:
            number = 1 + max((_number(path) for path in self.folder.glob("part-*.npz")), default=0)
            with replaced_at_once(self.folder / f"part-{number:06d}.npz") as part:
                _write(part, self._pending)
            self._pending = []
        self._saved_at = time.monotonic()

    def remove(self) -> None:
        """Throw all away."""
        self._pending = []
        remove_checkpoint(self.folder, but_lock=True)


@contextlib.contextmanager
def working_in(folder: Path) -> Generator[None]:
    """Hold a folder for this process, and make it where it is not there.

    Raises
    ------
    OSError
        If another process of this machine works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / _LOCK
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


def remove_checkpoint(folder: Path, *, but_lock: bool = False) -> None:
    """Remove what a checkpoint has written, and the folder where nothing else is in it."""
    for pattern in (_TASK, "part-*.npz", ".*.part", *(() if but_lock else (_LOCK,))):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def digest(*values: Any) -> str:
    """Short text that tells arrays and plain values apart."""
    total = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            total.update(f"{value.dtype}{value.shape}".encode())
            total.update(np.ascontiguousarray(value).data)
        else:
            total.update(repr(value).encode())
    return total.hexdigest()[:16]


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("part-"))


def _differences(earlier: str, task: dict[str, Any]) -> list[str]:
    try:
        before = json.loads(earlier)
    except ValueError:
        return []
    now = json.loads(json.dumps(task))
    return sorted(name for name in before | now if before.get(name) != now.get(name))


def _write(path: Path, results: list[PartResult]) -> None:
    arrays: dict[str, Any] = {}
    for number, result in enumerate(results):
        attrs = {name: _plain(value) for name, value in result.attrs.items()}
        arrays |= {
            f"{number}/entries": result.entries,
            f"{number}/spectra": result.spectra,
            f"{number}/y": result.y,
            f"{number}/attrs": np.array(json.dumps(attrs)),
        }
        arrays |= {f"{number}/photons/{name}": v for name, v in result.photons.items()}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _read(path: Path) -> list[PartResult]:
    # NumPy leaves a file open that it can't read.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        results: list[PartResult] = []
        while f"{len(results)}/attrs" in arrays:
            of = f"{len(results)}/"
            attrs = json.loads(str(arrays[of + "attrs"]))
            prefix = of + "photons/"
            results.append(
                PartResult(
                    arrays[of + "entries"],
                    arrays[of + "spectra"],
                    arrays[of + "y"],
                    [],
                    {name: _attribute(value) for name, value in attrs.items()},
                    {n.removeprefix(prefix): arrays[n] for n in arrays if n.startswith(prefix)},
                )
            )
        return results


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _attribute(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, list) else value
