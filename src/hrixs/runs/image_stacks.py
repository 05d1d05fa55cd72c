"""Image stacks in plain files, so that frames of another beamline's camera work too."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.utils.errors import unknown_name
from hrixs.utils.memory import require_memory

SUFFIXES = (".tif", ".tiff", ".npy", ".h5", ".hdf5", ".nxs")


def is_image_file(path: str) -> bool:
    """Whether `path` names an image stack, and not a run's folder or a run's HDF5 file."""
    if Path(path).suffix.lower() not in SUFFIXES or not Path(path).is_file():
        return False
    return Path(path).suffix.lower() not in (".h5", ".hdf5", ".nxs") or not _is_run_file(path)


def read_images(
    path: str, detector: str, *, dataset: str | None = None, transpose: bool = False
) -> xr.Dataset:
    """Read a TIFF, NumPy or HDF5 file with one image or a stack of images.

    Parameters
    ----------
    path : str
        The file. TIFF needs the package tifffile (``pip install tifffile``).
    detector : str
        Name of the images in the result, as `hRIXS.DETECTOR`.
    dataset : str, optional
        The dataset in an HDF5 file; not needed where there is only one with two dimensions or
        more.
    transpose : bool
        Exchange the images' two axes: needed where the spectral line lies along the second.

    Returns
    -------
    xarray.Dataset
        The images, dims ``(trainId, x, y)``. ``trainId`` counts from 0.

    Raises
    ------
    ValueError
        If the file does not hold images, or the HDF5 dataset can't be told.
    ImportError
        If tifffile is not installed.
    MemoryError
        If they do not fit into the memory that is free.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        # Mapped first: a header that tells of more than the file has is found before it is read.
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        _require_memory(path, stored.nbytes)
        images: NDArray[Any] = np.array(stored)
    elif suffix in (".tif", ".tiff"):
        images = _read_tif(path)
    else:
        images = _read_hdf5(path, dataset)
    if images.ndim < 2:
        raise ValueError(f"{path} holds an array of shape {images.shape}, expected images.")
    stack = images.reshape(-1, *images.shape[-2:])
    return xr.Dataset(
        {detector: (("trainId", *(("y", "x") if transpose else ("x", "y"))), stack)},
        coords={"trainId": np.arange(len(stack), dtype=np.uint64)},
        attrs={"run": str(path), "n_images": len(stack)},
    ).transpose("trainId", "x", "y")


def _read_tif(path: str) -> NDArray[Any]:
    try:
        import tifffile
    except ImportError as error:
        raise ImportError("TIFF files need the package tifffile: pip install tifffile.") from error
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        _require_memory(path, math.prod(series.shape) * series.dtype.itemsize)
        return np.asarray(series.asarray())


def _read_hdf5(path: str, name: str | None) -> NDArray[Any]:
    import h5py

    with h5py.File(path, "r") as file:
        images: list[str] = []

        def collect(key: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "iuf":
                images.append(key)

        file.visititems(collect)
        if name is None and len(images) != 1:
            raise ValueError(
                f"{path} has {len(images)} datasets that may be images: "
                f"{', '.join(images) or 'none'}. Name one with --dataset."
            )
        chosen = (name or images[0]).strip("/")
        if chosen not in images:
            raise ValueError(f"{path}: {unknown_name('dataset', chosen, images)}")
        _require_memory(path, file[chosen].size * file[chosen].dtype.itemsize)
        return np.asarray(file[chosen])


def _require_memory(path: str, n_bytes: int) -> None:
    require_memory(n_bytes, f"the images that {path} tells of", "Take a file with fewer.")


def _is_run_file(path: str) -> bool:
    import h5py

    with h5py.File(path, "r") as file:
        return "INDEX/trainId" in file
