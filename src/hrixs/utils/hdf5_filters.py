"""Compression filters of HDF5: load them if they are installed, otherwise name them."""

from __future__ import annotations

from typing import Any

# Numbers in the list of registered filter plugins of The HDF Group.
_NAMES = {
    32000: "LZF",
    32001: "Blosc",
    32002: "MAFISC",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32018: "FCIDECOMP",
    32024: "SZ3",
    32026: "Blosc2",
    32028: "Sperr",
    307: "BZip2",
}


def load_filters() -> bool:
    """Register the filters of the package hdf5plugin; False if it is not installed."""
    try:
        import hdf5plugin  # noqa: F401  # importing it registers them
    except ImportError:
        return False
    return True


def missing_filter_text(dataset: Any) -> str | None:
    """Text on a filter that `dataset` needs and HDF5 does not have, and what to install; or None.

    The filters of hdf5plugin are loaded first, if they are needed.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset; nothing is read from it.
    """
    import h5py

    filters = dataset.id.get_create_plist()
    for position in range(filters.get_nfilters()):
        code, *_, stored = filters.get_filter(position)
        if h5py.h5z.filter_avail(code) or (load_filters() and h5py.h5z.filter_avail(code)):
            continue
        name = _NAMES.get(code) or stored.decode(errors="replace") or "a filter"
        remedy = "pip install hdf5plugin"
        if load_filters():
            remedy = "hdf5plugin does not bring it either. Write the file without it (h5repack)"
        return (
            f"{dataset.name} is compressed with {name} (HDF5 filter {code}), which is not loaded: "
            f"{remedy}."
        )
    return None
