"""What an HDF5 dataset is read from: all must be there, as HDF5 reads zeros in its place."""

from __future__ import annotations

import os
from math import ceil, prod
from pathlib import Path
from typing import Any

from hrixs.utils.hdf5_filters import missing_filter_text

_DEEPEST = 8


def require_sources(path: str, dataset: Any, depth: int = 0) -> None:
    """Raise where a source of a virtual dataset is missing, or a filter that decompresses it.

    Parameters
    ----------
    path : str
        The file, for the error.
    dataset : h5py.Dataset
        Of which nothing is read.

    Raises
    ------
    ValueError
        With the name of what is missing.
    """
    import h5py

    text = missing_filter_text(dataset)
    if text is not None:
        raise ValueError(f"{path}: {text}")
    if not dataset.is_virtual or depth > _DEEPEST:
        return
    here = dataset.file.filename
    opened: set[tuple[str, str]] = set()
    for source in dataset.virtual_sources():
        wanted = (source.file_name.replace("%b", "0"), source.dset_name.replace("%b", "0"))
        if wanted in opened:
            continue
        opened.add(wanted)
        if wanted[0] == ".":
            _require_inside(path, dataset, dataset.file, wanted[1], depth)
            continue
        found = _found(here, wanted[0])
        if found is None:
            raise ValueError(
                f"{path}: {dataset.name} is put together from other files, and {wanted[0]} is not "
                f"there: HDF5 would give zeros for its images. Copy it beside {here}."
            )
        with h5py.File(found, "r") as file:
            _require_inside(path, dataset, file, wanted[1], depth)


def unwritten_text(path: str, dataset: Any) -> str:
    """Say how much of a dataset was never written, which HDF5 reads as zeros; empty if all was."""
    if not dataset.chunks or dataset.is_virtual:
        return ""
    n_all = prod(ceil(n / size) for n, size in zip(dataset.shape, dataset.chunks, strict=True))
    n_written = int(dataset.id.get_num_chunks())
    if n_written >= n_all:
        return ""
    return (
        f"{path}: {n_all - n_written} of the {n_all} chunks of {dataset.name} were never written "
        f"and are read as {dataset.fillvalue}: was the scan broken off?"
    )


def _require_inside(path: str, dataset: Any, file: Any, name: str, depth: int) -> None:
    import h5py

    try:
        source = file[name]
    except (KeyError, OSError):
        source = None
    if not isinstance(source, h5py.Dataset):
        raise ValueError(
            f"{path}: {dataset.name} is put together from {name} of {file.filename}, which is not "
            "there: HDF5 would give zeros for its images."
        )
    require_sources(path, source, depth + 1)


def _found(here: str, name: str) -> Path | None:
    """Where HDF5 looks for a source, in its order."""
    prefix = os.environ.get("HDF5_VDS_PREFIX", "").replace("${ORIGIN}", str(Path(here).parent))
    folders = [Path(prefix)] if prefix else []
    folders += [Path(here).parent, Path(), Path(here).resolve().parent]
    tried = [Path(name)] if Path(name).is_absolute() else []
    # An absolute name that is not there is looked for by its last part, too.
    last = Path(name).name if Path(name).is_absolute() else name
    tried += [folder / last for folder in folders]
    return next((one for one in tried if one.is_file()), None)
