"""Format of a file to write, by its suffix."""

from __future__ import annotations

import os
from pathlib import Path

from hrixs.utils.errors import unknown_name

#: Format for each suffix.
SUFFIXES = {
    ".nc": "netCDF",
    ".nxs": "NeXus",
    ".h5": "NeXus",
    ".hdf5": "NeXus",
    ".dat": "text",
    ".txt": "text",
    ".csv": "comma-separated text",
}


def checked_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix of a file to write, in lower case.

    Raises
    ------
    ValueError
        If it is not known.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: {unknown_name('suffix', suffix, SUFFIXES)}")
    return suffix
