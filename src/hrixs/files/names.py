"""Names of files and of arrays: which belong together, and in which order."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from hrixs.utils.errors import MissingDataError

_NUMBER = re.compile(r"(\d+)")
# Of names that can't be those of runs, so that a missing file is a missing file.
_PLAIN = (
    ".tif", ".tiff", ".npy", ".npz", ".edf", ".cbf", ".fits", ".sif", ".spe", ".img", ".nxs",
    ".cxi", ".hdf", ".hdf5",
)  # fmt: skip

#: What a file is for that is not there.
OF_RESULT, OF_SETTINGS = "of a result", "to load settings from"


def in_order(names: Iterable[str]) -> list[str]:
    """Sort names by the numbers in them: ``scan_9`` before ``scan_10``."""
    return sorted(names, key=_key)


def _key(name: str) -> tuple[list[tuple[str, int]], str]:
    pieces = _NUMBER.split(name)
    words, numbers = pieces[0::2], [*pieces[1::2], "-1"]
    return [(word, int(number)) for word, number in zip(words, numbers, strict=True)], name


def numbered_alike(names: Sequence[str]) -> bool:
    """Whether names differ in one number alone, as those of a series do."""
    split = [_NUMBER.split(name) for name in names]
    if len(split) < 2 or len({len(pieces) for pieces in split}) > 1:
        return False
    differ = [i for i in range(len(split[0])) if len({pieces[i] for pieces in split}) > 1]
    return len(differ) == 1 and differ[0] % 2 == 1


def is_pattern(path: str) -> bool:
    """Whether `path` is a pattern such as ``scan_*.tif``, and no file of that name."""
    return glob.has_magic(path) and not Path(path).exists()


def is_plain_name(path: str) -> bool:
    """Whether a path that is not there names a file of images, and no run."""
    return Path(path).suffix.lower() in _PLAIN


def no_file(path: Path, use: str) -> MissingDataError:
    """The error where there is no such file; `use` is what it is for."""
    return MissingDataError(f"there is no file {path} {use}.")


def files_named(path: str | Path | Sequence[str | Path]) -> list[str]:
    """Files that a path, a folder, a pattern or several paths stand for, in their order.

    Those of a folder or of a pattern are in the order of the numbers in their names; several paths
    are in the order given. Hidden files and folders in a folder are left out.

    Raises
    ------
    MissingDataError
        If there are none.
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
