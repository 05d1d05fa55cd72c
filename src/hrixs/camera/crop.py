"""The crop of the chip, and whether dark, mask and images fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.frames import along_x_y
from hrixs.camera.placed import require_same_pixels
from hrixs.utils.errors import warn


@dataclass(frozen=True)
class Crop:
    """The part of an image that is used: two slices with start and stop, and the size of the image.

    `first` is the position of the first pixel on the chip, if the image is already a crop.
    """

    x: slice
    y: slice
    chip_shape: tuple[int, int]
    first: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, x_range: Any, y_range: Any, nx: int, ny: int) -> Crop:
        """Crop of a chip of `nx` x `ny` pixels by ``X_RANGE`` and ``Y_RANGE``.

        Raises
        ------
        TypeError, ValueError
            If a range is not a slice without a step, or leaves fewer than 4 pixels.
        """
        x = slice(*_bounds("X_RANGE", x_range, nx))
        y = slice(*_bounds("Y_RANGE", y_range, ny))
        return cls(x, y, (nx, ny))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of pixels of the crop along x and y."""
        return self.x.stop - self.x.start, self.y.stop - self.y.start

    @property
    def origin(self) -> tuple[int, int]:
        """Position (x, y) of the first pixel of the crop on the whole chip."""
        return self.first[0] + self.x.start, self.first[1] + self.y.start

    @property
    def ranges(self) -> dict[str, tuple[int, int]]:
        """First pixel and end of the crop on the whole chip: ``x_range`` and ``y_range``."""
        ends = [(o, o + n) for o, n in zip(self.origin, self.shape, strict=True)]
        return {"x_range": ends[0], "y_range": ends[1]}

    @property
    def pixels(self) -> dict[str, NDArray[np.int64]]:
        """Coordinates ``x`` and ``y`` of the crop, in pixels of the whole chip."""
        return {name[0]: np.arange(*ends) for name, ends in self.ranges.items()}

    def of_chip(self, name: str, image: ArrayLike | None) -> NDArray[Any] | None:
        """Crop an image of the whole chip.

        Raises
        ------
        ValueError
            If `image` does not have the size of the chip, or has coordinates of other pixels.
        """
        if image is None:
            return None
        require_same_pixels(name, image, self.first, self.chip_shape, "the images")
        pixels = pixels_of(name, image)
        if pixels.shape != self.chip_shape:
            raise ValueError(
                f"{name} has shape {pixels.shape}, expected that of the images before the crop, "
                f"{self.chip_shape}. Use one of the same camera."
            )
        return pixels[self.x, self.y]


def fitting(
    name: str,
    chip_image: ArrayLike | None,
    image: NDArray[Any],
    x_range: slice,
    y_range: slice,
    *,
    first: tuple[int, int] | None = None,
) -> NDArray[Any] | None:
    """`chip_image` itself if `image` shows the whole chip, or its crop if `image` shows the crop.

    `first` is the position of the first pixel of the image on the chip, if known.

    Raises
    ------
    ValueError
        If it is neither, by shape or coordinates.
    """
    if chip_image is None:
        return None
    chip_image = along_x_y(chip_image)
    pixels = pixels_of(name, chip_image)
    if pixels.shape == image.shape:
        require_same_pixels(name, chip_image, first, pixels.shape, "the image")
        return pixels
    crop = Crop.of(x_range, y_range, *pixels.shape)
    if crop.shape == image.shape:
        if isinstance(chip_image, xr.DataArray):
            part = chip_image[crop.x, crop.y]
            require_same_pixels(name, part, first, crop.shape, "the image")
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
        If it is not a slice, or counts from the end of the chip.
    """
    if not isinstance(y_range, slice) or not isinstance(y_range.start, int | np.integer | None):
        raise TypeError(
            f"Y_RANGE = {y_range!r}, expected a slice of rows, such as slice(700, 900)."
        )
    first = int(y_range.start or 0)
    if first < 0:
        raise ValueError(
            f"Y_RANGE = {y_range!r} counts from the end of the chip, but the energy axis needs "
            f"the first row, counted from 0. Give it, such as slice(700, 900)."
        )
    return first


def pixels_of(name: str, image: ArrayLike | None) -> NDArray[Any]:
    """`image` as an array with x before y (by name); a number or None has no dimension.

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
    return np.asarray(along_x_y(image))


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
                f"{name} = {crop!r} extends beyond the chip of {size} pixels; {start} to {stop} "
                "is used."
            )
    return start, stop
