"""Names of files and arrays: find those that belong together, and their order."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hrixs.utils.errors import MissingDataError

_NUMBER = re.compile(r"(\d+)")
# Suffixes that runs cannot have, so that the error is about a missing file.
_PLAIN = (
    ".tif", ".tiff", ".npy", ".npz", ".edf", ".cbf", ".fits", ".sif", ".spe", ".img", ".nxs",
    ".cxi", ".hdf", ".hdf5",
)  # fmt: skip

#: Purpose of a missing file.
OF_RESULT, OF_SETTINGS = "of a result", "to load settings from"


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names by the numbers in them: ``scan_9`` before ``scan_10``."""
    return sorted(names, key=_key)


def _key(name: str) -> tuple[list[tuple[str, int]], str]:
    pieces = _NUMBER.split(name)
    words, numbers = pieces[0::2], [*pieces[1::2], "-1"]
    return [(word, int(number)) for word, number in zip(words, numbers, strict=True)], name


def numbered_alike(names: Sequence[str]) -> bool:
    """Whether names differ only in one number, like those of a series."""
    split = [_NUMBER.split(name) for name in names]
    if len(split) < 2 or len({len(pieces) for pieces in split}) > 1:
        return False
    differ = [i for i in range(len(split[0])) if len({pieces[i] for pieces in split}) > 1]
    return len(differ) == 1 and differ[0] % 2 == 1


def is_pattern(path: str) -> bool:
    """Whether `path` is a pattern such as ``scan_*.tif``, and not an existing file."""
    return glob.has_magic(path) and not Path(path).exists()


def is_plain_name(path: str) -> bool:
    """Whether a path that does not exist means a file of images, and not a run."""
    return Path(path).suffix.lower() in _PLAIN


def no_file(path: Path, use: str) -> MissingDataError:
    """The error if there is no such file; `use` is the purpose of the file."""
    return MissingDataError(f"there is no file {path} {use}.")


def files_named(path: str | Path | Sequence[str | Path]) -> list[str]:
    """Files that a path, a folder, a pattern or several paths mean, in their order.

    Files of a folder or a pattern are sorted by the numbers in their names; several paths keep the
    given order. Hidden files, and folders in a folder, are left out.

    Raises
    ------
    MissingDataError
        If there are no files.
    """
    if not isinstance(path, str | Path):
        return [file for one in path for file in files_named(one)]
    text = str(path)
    if is_pattern(text):
        found = [file for file in glob.glob(text) if Path(file).is_file()]
    elif Path(text).is_dir():
        found = [str(one) for one in Path(text).iterdir() if one.is_file()]
        found = [file for file in found if not Path(file).name.startswith(".")]
    else:
        if not Path(text).is_file():
            raise MissingDataError(f"there is no file {text}.")
        return [text]
    if not found:
        raise MissingDataError(f"there is no file in {text}.")
    return in_order(found)
