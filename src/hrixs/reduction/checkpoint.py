"""Store results of an unfinished run on disk, so that interrupted work can continue."""

from __future__ import annotations

import contextlib
import json
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.reduction.part_result import PartResult
from hrixs.utils.atomic_files import replaced_at_once
from hrixs.utils.errors import warn

_SECONDS_BETWEEN_SAVES = 1.0
_TASK = "task.json"


class Checkpoint:
    """A folder that stores results as they come.

    Parameters
    ----------
    folder : path
        Path of the folder; made if it does not exist. Results of a different task in it are
        deleted, with a warning.
    task : dict
        Everything that decides the result, as JSON values.

    Raises
    ------
    ValueError
        If the stored results are from a different version of hrixs.
    """

    def __init__(self, folder: str | os.PathLike[str], task: dict[str, Any]) -> None:
        self.folder = Path(folder)
        self._pending: list[PartResult] = []
        self._saved_at = time.monotonic()
        text = json.dumps(task, sort_keys=True, indent=1)
        described = self.folder / _TASK
        earlier = described.read_text(encoding="utf8") if described.is_file() else None
        if earlier is not None and earlier != text:
            _require_version(self.folder, earlier, task)
            warn(
                f"the unfinished work in {self.folder} was a different one: "
                f"{', '.join(_differences(earlier, task)) or 'its form'} differs. It is deleted, "
                "and the work starts from the beginning."
            )
        if earlier != text:
            self.remove()  # also parts whose task is unknown
            self.folder.mkdir(parents=True, exist_ok=True)
            with replaced_at_once(described) as part:
                part.write_text(text, encoding="utf8")

    def load(self) -> list[PartResult]:
        """Return the stored results; incomplete files are ignored."""
        results: list[PartResult] = []
        for path in sorted(self.folder.glob("part-*.npz")):
            try:
                results += _read(path)
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                path.unlink()
        return results

    def save(self, results: list[PartResult]) -> None:
        """Add results; they are written from time to time, so this is fast.

        Images that could not be read are not stored, so they are tried again next time.
        """
        self._pending += [result for result in results if len(result.entries)]
        if time.monotonic() - self._saved_at < _SECONDS_BETWEEN_SAVES:
            return
        self.flush()

    def flush(self) -> None:
        """Write the remaining results."""
        if self._pending:
            number = 1 + max((_number(path) for path in self.folder.glob("part-*.npz")), default=0)
            with replaced_at_once(self.folder / f"part-{number:06d}.npz") as part:
                _write(part, self._pending)
            self._pending = []
        self._saved_at = time.monotonic()

    def remove(self) -> None:
        """Delete everything."""
        self._pending = []
        remove_checkpoint(self.folder)


def remove_checkpoint(folder: Path) -> None:
    """Delete the files of a checkpoint, and the folder if it is then empty."""
    for pattern in (_TASK, "part-*.npz", ".*.part"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("part-"))


def _require_version(folder: Path, earlier: str, task: dict[str, Any]) -> None:
    """Raise an error if a different version did the work: names of columns may differ."""
    try:
        version = json.loads(earlier)["version"]
    except (ValueError, KeyError, TypeError):
        return
    if version != task.get("version", version):
        raise ValueError(
            f"the unfinished work in {folder} was done by hrixs {version}, but this is hrixs "
            f"{task['version']}. Finish it with that version, or delete the folder to start from "
            "the beginning."
        )


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
        arrays |= {f"{number}/evidence/{name}": v for name, v in result.evidence.items()}
        arrays |= {f"{number}/mended/{name}": v for name, v in result.mended.items()}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def _read(path: Path) -> list[PartResult]:
    # NumPy does not close a file that it cannot read.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        results: list[PartResult] = []
        while f"{len(results)}/attrs" in arrays:
            of = f"{len(results)}/"
            attrs = json.loads(str(arrays[of + "attrs"]))
            results.append(
                PartResult(
                    arrays[of + "entries"],
                    arrays[of + "spectra"],
                    arrays[of + "y"],
                    [],
                    {name: _attribute(value) for name, value in attrs.items()},
                    _group(arrays, of + "photons/"),
                    _group(arrays, of + "evidence/"),
                    _group(arrays, of + "mended/"),
                )
            )
        return results


def _group(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {n.removeprefix(prefix): arrays[n] for n in arrays if n.startswith(prefix)}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _attribute(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, list) else value
