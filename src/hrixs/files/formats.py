"""Formats of images, recognised by the first bytes of a file and not only by its name."""

from __future__ import annotations

import bz2
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrixs.files import fabio_files, fits, hdf5, numpy_files, sif, spe, tif
from hrixs.files.stored import Stored

_HEAD = 4100
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HDF5 = b"\x89HDF\r\n\x1a\n"
# Formats that fabio recognises by their first bytes, if these are enough; shorter ones with their
# suffixes.
_FABIO = (b"###CBF", b"R-AXIS", b"ESPERANTO FORMAT", b"FORMAT :", b"M\0\0\0A\0\0\0S\0\0\0K")
_FABIO_SHORT = {b"OD": (".img",), b"IM": (".img",), b"\xd2\x04": (".mar", ".mar2300", ".mar3450")}
_HEADER_WORDS = (b"dim_1", b"header_bytes", b"size1")


@dataclass(frozen=True)
class Format:
    """A format: how it is recognised, and what reads it."""

    name: str
    suffixes: tuple[str, ...]
    package: str
    holds: Callable[[bytes, Path], bool]
    read: Callable[[str, str | None], Stored]


def _is_hdf5(head: bytes, path: Path) -> bool:
    if head.startswith(_HDF5):
        return True
    if path.suffix.lower() not in (".h5", ".hdf5", ".hdf", ".nxs", ".cxi"):
        return False
    import h5py

    return bool(h5py.is_hdf5(path))  # behind a block of the user's own


def _is_zip_of_arrays(head: bytes, path: Path) -> bool:
    return head.startswith(b"PK\3\4") and (path.suffix.lower() == ".npz" or b".npy" in head[:200])


def _is_fabio(head: bytes, path: Path) -> bool:
    suffixes = [one.lower() for one in path.suffixes]
    if head.lstrip(b"\r\n")[:1] == b"{":
        return any(word in head.lower() for word in _HEADER_WORDS)
    short = any(
        head.startswith(begin) and set(ends) & set(suffixes) for begin, ends in _FABIO_SHORT.items()
    )
    return head.startswith(_FABIO) or short


#: In the order in which they are tried.
FORMATS = (
    Format("HDF5, NeXus", (".h5", ".hdf5", ".hdf", ".nxs", ".cxi"), "", _is_hdf5,
           hdf5.stored_images),
    Format("TIFF", (".tif", ".tiff"), "tifffile", lambda head, _: head.startswith(_TIFF),
           tif.stored_images),
    Format("NumPy", (".npy",), "", lambda head, _: head.startswith(b"\x93NUMPY"),
           numpy_files.stored_npy),
    Format("NumPy, several arrays", (".npz",), "", _is_zip_of_arrays, numpy_files.stored_npz),
    Format("FITS", (".fits", ".fit", ".fts"), "astropy",
           lambda head, _: head.startswith(b"SIMPLE  ="), fits.stored_images),
    Format("Andor SIF", (".sif",), "sif_parser",
           lambda head, _: head.startswith(b"Andor Technology Multi-Channel File"),
           sif.stored_sif),
    Format("EDF, CBF, others of fabio", (".edf", ".cbf", ".img"), "fabio", _is_fabio,
           fabio_files.stored_images),
    Format("Princeton SPE", (".spe",), "", lambda head, path: spe.is_spe(head, path.suffix.lower()),
           spe.stored_images),
)  # fmt: skip
#: The format of a folder that is one acquisition.
SPOOL = Format("Andor spool", (), "sif_parser", lambda *_: False, sif.stored_spool)
_PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}
# These packages read compressed files themselves.
_UNPACK = ("fabio", "astropy")


def format_of(path: str) -> Format | None:
    """The format of a file, or of a folder with one acquisition; None if unknown.

    Raises
    ------
    ValueError
        If the file is compressed, and the reader cannot decompress it.
    """
    if Path(path).is_dir():
        return SPOOL if sif.is_spool(path) else None
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    inner = Path(path)
    packed = next((opener for begin, opener in _PACKED.items() if head.startswith(begin)), None)
    if packed is not None:
        inner = inner.with_suffix("")
        with packed(path, "rb") as file:
            try:
                head = file.read(_HEAD)
            except (OSError, EOFError):
                return None
    for one in FORMATS:
        if one.holds(head, inner):
            if packed is not None and one.package not in _UNPACK:
                raise ValueError(f"{path} is packed: unpack it first (gunzip, bunzip2).")
            return one
    return None


def suffixes_text() -> str:
    """Suffixes of all formats, with what to install for some of them."""
    listed = ", ".join(
        " ".join(one.suffixes) + (f" (pip install {one.package})" if one.package else "")
        for one in FORMATS
    )
    return f"images are read from {listed}, and from Andor's spooled folders"


def unknown_text(path: str) -> str:
    """Text on a file of unknown format."""
    empty = not Path(path).stat().st_size
    what = "is empty" if empty else "is none of these by its first bytes"
    return f"{path}: {suffixes_text()}; this file {what}."


def is_run_name(path: str) -> bool:
    """Whether a file has a name like the files of runs: ``RAW-R0145-DA02-S00000.h5``."""
    return re.search(r"-R\d{4,}-.*\.h5$", Path(path).name) is not None
