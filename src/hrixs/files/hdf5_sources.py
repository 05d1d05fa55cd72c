"""Check that an HDF5 dataset is complete: HDF5 reads missing parts as zeros."""

from __future__ import annotations

from math import ceil, prod
from typing import Any

from hrixs.utils.hdf5_filters import missing_filter_text
from hrixs.utils.virtual_datasets import absent_text


def require_sources(path: str, dataset: Any) -> None:
    """Raise an error if a source of a virtual dataset, or a filter to decompress it, is missing.

    Parameters
    ----------
    path : str
        The file, for the error.
    dataset : h5py.Dataset
        The dataset; nothing is read from it.

    Raises
    ------
    ValueError
        With the name of the missing source or filter.
    """
    lacking = missing_filter_text(dataset)
    if lacking is not None:
        raise ValueError(f"{path}: {lacking}")
    absent = absent_text(dataset) if dataset.is_virtual else None
    if absent is not None:
        raise ValueError(
            f"{path}: {dataset.name} is a virtual dataset, and {absent}. HDF5 would "
            f"give zeros for such images. Copy what is missing next to {dataset.file.filename}, or "
            "read the images that are there with h5py."
        )


def unwritten_text(path: str, dataset: Any) -> str:
    """Text on parts of a dataset that were never written; empty if all were."""
    if not dataset.chunks or dataset.is_virtual:
        return ""
    n_all = prod(ceil(n / size) for n, size in zip(dataset.shape, dataset.chunks, strict=True))
    n_written = int(dataset.id.get_num_chunks())
    if n_written >= n_all:
        return ""
    return (
        f"{path}: {n_all - n_written} of the {n_all} chunks of {dataset.name} were never written "
        f"and are read as {dataset.fillvalue}: was the scan interrupted?"
    )
