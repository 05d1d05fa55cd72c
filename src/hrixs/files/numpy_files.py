"""Arrays saved by NumPy: .npy and .npz."""

from __future__ import annotations

import re
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.names import in_order, numbered_alike
from hrixs.files.stored import Stored, joined, shape_text
from hrixs.utils.errors import unknown_name


def stored_npy(path: str, dataset: str | None) -> Stored:
    """Describe the array in an .npy file."""
    # Mapped first: a header that states more than the file has is found before reading.
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        _explain_objects(path, error)
        raise

    def read() -> NDArray[Any]:
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))

    return Stored("NumPy", mapped.shape, mapped.dtype, read)


def stored_npz(path: str, dataset: str | None) -> Stored:
    """Describe the images in an .npz file: one array, or several numbered images.

    `dataset` is the name of the array.
    """
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        parts = [_member(path, archive, name) for name in names]
    known = {part.name: part for part in parts}
    if dataset is not None:
        if dataset not in known:
            raise ValueError(f"{path}: {unknown_name('array', dataset, known)}")
        return known[dataset]
    images = {
        name: part
        for name, part in known.items()
        if len(part.shape) >= 2 and part.dtype.kind in "biuf"
    }
    if len(images) == 1:
        return next(iter(images.values()))
    ordered = in_order(images)
    flat = all(len(part.shape) == 2 for part in images.values())
    if images and flat and numbered_alike(ordered) and len({p.shape for p in images.values()}) == 1:
        name = f"{len(images)} arrays, {ordered[0]} to {ordered[-1]}"
        return joined(path, [images[one] for one in ordered], name)
    listed = ", ".join(shape_text(part) for part in parts) or "none"
    raise ValueError(
        f"{path} has {len(images)} arrays that may be images: {listed}. Name one with --dataset."
    )


def _member(path: str, archive: zipfile.ZipFile, member: str) -> Stored:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(file)
    name = re.sub(r"\.npy$", "", member)

    def read() -> NDArray[Any]:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays[name])

    return Stored("NumPy", tuple(shape), dtype, read, name=name)


def _explain_objects(path: str, error: ValueError) -> None:
    if any(word in str(error) for word in ("allow_pickle", "Python objects", "Object arrays")):
        raise ValueError(
            f"{path} holds Python objects, expected an array of numbers. Save it again with "
            "np.save(name, np.asarray(images, dtype=...))."
        ) from error
