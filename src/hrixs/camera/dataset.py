"""Images in a dataset: find them, sum them, and get their photon energies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.crop import pixels_of
from hrixs.camera.frames import as_frames
from hrixs.utils.checks import positive_energies, require_dataset
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.errors import MissingDataError


def one_image(image: xr.DataArray | ArrayLike) -> NDArray[Any]:
    """`image` as an array of two dimensions, x and y.

    Raises
    ------
    ValueError
        If it does not have two dimensions.
    """
    pixels = as_frames(image).pixels
    if pixels.ndim != 2:
        raise ValueError(f"the image has shape {pixels.shape}, expected one frame, (x, y).")
    return pixels


def images_of(data: xr.Dataset, detector: str) -> xr.DataArray:
    """Images of a dataset, with dims ``(..., x, y)``.

    Raises
    ------
    TypeError
        If `data` is not a dataset.
    MissingDataError
        If it has no images of the detector.
    ValueError
        If the images do not have the dims x and y, or there are no images.
    """
    require_dataset(
        data,
        "a run loaded with from_run (for arrays there are hrixs.find_photons and integrate_frames)",
    )
    if detector not in data and "photon" in data.dims:
        raise MissingDataError(
            "a photon table is given, which has no images: count(photons) makes its spectra, "
            "find_curvature(photons, method='photons') fits its curve."
        )
    if detector not in data:
        raise MissingDataError(
            f"the dataset has no images {detector!r}, only {', '.join(map(str, data)) or 'nothing'}"
            ". Load them with from_run, or set DETECTOR to the images' name."
        )
    images = data[detector]
    if not {"x", "y"} <= set(images.dims):
        raise ValueError(f"{detector!r} has dimensions {images.dims}, expected (trainId, x, y).")
    if images.size == 0:
        raise ValueError(f"{detector!r} has shape {images.shape}: there is no image in it.")
    return images.transpose(..., "x", "y")


def require_finite(name: str, image: NDArray[np.float64], mask: ArrayLike | None) -> None:
    """Raise ValueError if pixels that are not masked are NaN or infinite."""
    bad = ~np.isfinite(image)
    if mask is not None and (bad_pixels := pixels_of("MASK", mask)).shape == image.shape:
        bad &= ~bad_pixels.astype(bool)
    if bad.any():
        raise ValueError(
            f"{name} has {int(bad.sum())} pixels that are NaN or infinite, expected none. Mark "
            "them in MASK first, an array of the chip's shape that is True where a pixel is bad."
        )


def sum_of_images(images: xr.DataArray) -> tuple[NDArray[np.float64], int]:
    """Sum over all dims except x and y, and the number of images.

    Raises
    ------
    TypeError
        If the images are not real numbers.
    """
    _require_real(images)
    leading = [dim for dim in images.dims if dim not in ("x", "y")]
    total = images.sum(leading, dtype=np.float64, skipna=False).values
    return total, images.size // total.size


def _require_real(images: xr.DataArray) -> None:
    if images.dtype.kind not in "biuf":
        raise TypeError(
            f"{images.name!r} has dtype {images.dtype}, expected real numbers. Convert it first."
        )


def image_parts(images: xr.DataArray) -> Iterator[xr.DataArray]:
    """Yield images: those in memory as a whole, lazy ones chunk by chunk along the first dimension.

    Raises
    ------
    TypeError
        If the images are not real numbers.
    """
    _require_real(images)
    if images.ndim == 2 or not is_lazy(images):
        yield images
        return
    begin = 0
    for size in images.chunks[0] if images.chunks else ():
        yield images.isel({images.dims[0]: slice(begin, begin + size)}).compute()
        begin += size


def energies_of(data: xr.Dataset, frames: xr.DataArray) -> NDArray[np.float64]:
    """Photon energy ``nrj`` of each frame, in eV, in the shape of the frames' leading dims.

    Raises
    ------
    MissingDataError
        If the dataset has no ``nrj``.
    ValueError
        If an energy is not a positive number.
    """
    if "nrj" not in data.variables:
        raise MissingDataError(
            "the dataset has no photon energy 'nrj', which method 'manual' needs. Load it with "
            "from_run, or set it in eV: data['nrj'] = 530.0"
        )
    leading = frames.isel(x=0, y=0, drop=True)
    energies = data["nrj"].broadcast_like(leading).transpose(*leading.dims)
    return positive_energies(numbers_of_energy(energies))


def numbers_of_energy(energies: xr.DataArray) -> NDArray[np.float64]:
    """Photon energies as floats.

    Raises
    ------
    ValueError
        If they are text, or anything else that is not a number.
    """
    try:
        return np.asarray(energies.values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"'nrj' has values of dtype {energies.dtype}, expected photon energies in eV. Set them "
            "as numbers: data['nrj'] = ('trainId', [530.0, ...])"
        ) from None
