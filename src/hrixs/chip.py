"""What belongs to the chip: the crop, the dark and the mask, and how they fit the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.frames import as_frames
from hrixs.utils.checks import positive_energies, require_dataset
from hrixs.utils.errors import MissingDataError, warn


@dataclass(frozen=True)
class Crop:
    """The part of the chip that is used: two slices with start and stop, and the chip's size."""

    x: slice
    y: slice
    chip_shape: tuple[int, int]

    @classmethod
    def of(cls, x_range: Any, y_range: Any, nx: int, ny: int) -> Crop:
        """Crop of a chip of `nx` x `ny` pixels by ``X_RANGE`` and ``Y_RANGE``.

        Raises
        ------
        TypeError, ValueError
            If one is not a slice without a step, or leaves fewer than 4 pixels.
        """
        x = slice(*_bounds("X_RANGE", x_range, nx))
        y = slice(*_bounds("Y_RANGE", y_range, ny))
        return cls(x, y, (nx, ny))

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of the crop along x and y."""
        return self.x.stop - self.x.start, self.y.stop - self.y.start

    @property
    def pixels(self) -> dict[str, NDArray[np.int64]]:
        """Coordinates ``x`` and ``y`` of the crop, in pixels of the whole chip."""
        ranges = {"x": self.x, "y": self.y}
        return {name: np.arange(of.start, of.stop) for name, of in ranges.items()}

    def of_chip(self, name: str, image: ArrayLike | None) -> NDArray[Any] | None:
        """Crop an image of the whole chip.

        Raises
        ------
        ValueError
            If `image` is not of the whole chip.
        """
        if image is None:
            return None
        pixels = pixels_of(name, image)
        if pixels.shape != self.chip_shape:
            raise ValueError(
                f"{name} has shape {pixels.shape}, expected that of the images before the crop, "
                f"{self.chip_shape}. Use one of the same camera."
            )
        return pixels[self.x, self.y]


def fitting(
    name: str, chip_image: ArrayLike | None, image: NDArray[Any], x_range: slice, y_range: slice
) -> NDArray[Any] | None:
    """`chip_image` if `image` is of the whole chip, its crop if `image` is of the crop.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if chip_image is None:
        return None
    pixels = pixels_of(name, chip_image)
    if pixels.shape == image.shape:
        return pixels
    crop = Crop.of(x_range, y_range, *pixels.shape)
    if crop.shape == image.shape:
        return pixels[crop.x, crop.y]
    raise ValueError(
        f"the image has shape {image.shape}, expected that of {name}, {pixels.shape}, or of its "
        f"crop by X_RANGE and Y_RANGE, {crop.shape}."
    )


def first_row(y_range: Any) -> int:
    """Row of the chip at which a crop by ``Y_RANGE`` begins, for a chip of any size.

    Raises
    ------
    TypeError, ValueError
        If it is no slice, or counts from the end of the chip.
    """
    if not isinstance(y_range, slice) or not isinstance(y_range.start, int | np.integer | None):
        raise TypeError(f"Y_RANGE = {y_range!r}, expected a slice of rows, as slice(700, 900).")
    first = int(y_range.start or 0)
    if first < 0:
        raise ValueError(
            f"Y_RANGE = {y_range!r} counts from the end of the chip, expected the row at which it "
            "begins, counted from 0, for an energy axis over the chip's rows."
        )
    return first


def one_image(image: xr.DataArray | ArrayLike) -> NDArray[Any]:
    """`image` as an array of two dimensions, x and y.

    Raises
    ------
    ValueError
        If it has not two dimensions.
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
        If the images lack the dims x and y, or there are none.
    """
    require_dataset(
        data,
        "a run as from from_run (for arrays there are hrixs.find_photons and integrate_frames)",
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
    """Sum over all dims but x and y, and how many images that are.

    Raises
    ------
    TypeError
        If the images are no real numbers.
    """
    if images.dtype.kind not in "biuf":
        raise TypeError(
            f"{images.name!r} has dtype {images.dtype}, expected real numbers. Convert it first."
        )
    leading = [dim for dim in images.dims if dim not in ("x", "y")]
    total = images.sum(leading, dtype=np.float64, skipna=False).values
    return total, images.size // total.size


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
    return positive_energies(np.asarray(energies.values, dtype=np.float64))


def pixels_of(name: str, image: ArrayLike | None) -> NDArray[Any]:
    """`image` as an array; one number, or None, has no dimension.

    Raises
    ------
    TypeError
        If it is a dataset.
    """
    if isinstance(image, xr.Dataset):
        raise TypeError(
            f"{name} is a Dataset, expected an array. Take its variable, for example "
            "dataset['MaranaX']."
        )
    return np.asarray(image)


def _bounds(name: str, crop: Any, size: int) -> tuple[int, int]:
    """First pixel and end of a crop of `size` pixels, by the rules of slices."""
    if not isinstance(crop, slice):
        raise TypeError(f"{name} = {crop!r}, expected a slice, for example slice(700, 900).")
    if crop.step not in (None, 1):
        raise ValueError(f"{name} = {crop!r} has a step, expected a slice without one.")
    try:
        start, stop, _ = crop.indices(size)
    except TypeError as error:
        raise TypeError(f"{name} = {crop!r}, expected whole numbers or None.") from error
    if stop - start < 4:
        raise ValueError(
            f"{name} = {crop!r} leaves {max(stop - start, 0)} of {size} pixels, expected at least "
            "4. Check it against the size of the chip."
        )
    for end in (crop.start, crop.stop):
        if end is not None and not -size <= end <= size:
            warn(
                f"{name} = {crop!r} reaches past the chip of {size} pixels; {start} to {stop} "
                "is used."
            )
    return start, stop
