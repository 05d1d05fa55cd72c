"""Convert frames, dark and mask to a form that the core reads without a copy."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.placed import require_same_pixels, require_usable_mask
from hrixs.utils.threads import resolve_threads

#: Dimensions of one frame: `x` along the spectral line, `y` along the energy.
FRAME_DIMS = ("x", "y")

_CORE_DTYPES = tuple(np.dtype(t) for t in ("u1", "u2", "i2", "u4", "i4", "f4", "f8"))
# Each dtype holds all values of the one that it replaces.
_WIDER = {np.dtype("?"): "u1", np.dtype("i1"): "i2", np.dtype("f2"): "f4"}
_LARGEST_EXACT = 2**53


@dataclass(frozen=True)
class Frames:
    """A stack of frames as the core reads it, with the names of its leading dimensions."""

    pixels: NDArray[Any]
    dims: tuple[str, ...]
    coords: Mapping[Hashable, xr.Variable]
    labelled: bool
    #: Number of the first frame in the whole run, for texts of errors.
    first_frame: int = 0
    #: Position (x, y) of the first pixel on the full chip; None if unknown.
    first_pixel: tuple[int, int] | None = None

    @property
    def origin(self) -> tuple[int, int]:
        """Origin of x and y of the pixels: `first_pixel`, or ``(0, 0)``."""
        return self.first_pixel or (0, 0)

    @property
    def leading_shape(self) -> tuple[int, ...]:
        """Shape of the leading dimensions; ``()`` for one frame."""
        return self.pixels.shape[:-2]

    @property
    def frame_shape(self) -> tuple[int, int]:
        """``(nx, ny)`` of one frame, in pixels."""
        return self.pixels.shape[-2], self.pixels.shape[-1]

    def __len__(self) -> int:
        return int(np.prod(self.leading_shape, dtype=np.int64))


def as_frames(frames: xr.DataArray | ArrayLike | Frames) -> Frames:
    """Check `frames` and convert them to a form that the core can read; without a copy if possible.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        Any number of leading dimensions. A DataArray with dims ``x`` and ``y`` is transposed; its
        coordinates ``x`` and ``y`` are the positions of its pixels on the full chip.

    Raises
    ------
    TypeError
        If the dtype cannot be converted without loss.
    ValueError
        If there are fewer than two dimensions, or fewer than 4 x 4 pixels.
    """
    if isinstance(frames, Frames):
        return frames
    if isinstance(frames, xr.Dataset):
        raise TypeError(
            "frames is an xarray.Dataset, expected an array. Give one of its variables, "
            f"for example data[{next(iter(frames.data_vars), 'name')!r}]."
        )
    dims: tuple[str, ...] = ()
    coords: dict[Hashable, xr.Variable] = {}
    labelled = isinstance(frames, xr.DataArray)
    begin = first_pixel(frames)
    if isinstance(frames, xr.DataArray):
        if set(FRAME_DIMS) <= set(frames.dims):
            frames = frames.transpose(..., *FRAME_DIMS)
        dims = tuple(str(dim) for dim in frames.dims[:-2])
        coords = {
            name: coord.variable
            for name, coord in frames.coords.items()
            if coord.dims and set(coord.dims) <= set(dims)
        }
    pixels = _readable(np.asanyarray(frames.data if isinstance(frames, xr.DataArray) else frames))
    if pixels.ndim < 2:
        raise ValueError(f"frames has shape {pixels.shape}, expected (..., x, y).")
    if min(pixels.shape[-2:]) < 4:
        raise ValueError(
            f"frames has shape {pixels.shape}: {pixels.shape[-2]} x {pixels.shape[-1]} pixels per "
            f"frame, expected at least 4 x 4. Check the crop and the order of the axes (..., x, y)."
        )
    if not dims:
        dims = ("frame",) if pixels.ndim == 3 else tuple(f"dim_{d}" for d in range(pixels.ndim - 2))
    return Frames(pixels, dims, coords, labelled, first_pixel=begin)


def along_x_y(image: Any) -> Any:
    """An xarray image with x before y; other arrays as they are."""
    if isinstance(image, xr.DataArray) and set(image.dims) == set(FRAME_DIMS):
        return image.transpose(*FRAME_DIMS)
    return image


def first_pixel(frames: Any) -> tuple[int, int] | None:
    """Position (x, y) of the first pixel on the full chip, from coordinates ``x`` and ``y``.

    Returns
    -------
    (int, int) or None
        An axis whose coordinates are not consecutive whole numbers begins at 0. None if no axis has
        such coordinates.

    Examples
    --------
    >>> first_pixel(xr.DataArray(np.zeros((4, 5)), {"x": np.arange(300, 304)}, ("x", "y")))
    (300, 0)
    """
    if not isinstance(frames, xr.DataArray):
        return None
    begins = [_first_of(frames.coords[dim]) if dim in frames.coords else None for dim in FRAME_DIMS]
    if begins[0] is None and begins[1] is None:
        return None
    return begins[0] or 0, begins[1] or 0


def pixel_coords(frames: Any) -> dict[str, xr.Variable]:
    """Coordinates ``x`` and ``y`` of frames, for an image of the same pixels."""
    if not isinstance(frames, xr.DataArray):
        return {}
    return {
        dim: frames.coords[dim].variable
        for dim in FRAME_DIMS
        if dim in frames.coords and frames.coords[dim].dims == (dim,)
    }


def _first_of(pixels: xr.DataArray) -> int | None:
    """The first of consecutive whole numbers."""
    at = pixels.values
    if at.ndim != 1 or not at.size or at.dtype.kind not in "iuf":
        return None
    numbers = at.astype(np.float64)
    whole = bool(np.isfinite(numbers[0])) and float(numbers[0]).is_integer()
    return int(numbers[0]) if whole and (numbers == numbers[0] + np.arange(at.size)).all() else None


def as_dark(
    dark: xr.DataArray | ArrayLike | None, frames: Frames
) -> NDArray[np.float32 | np.float64] | None:
    """Dark image of the shape of frames, as float32 if this holds its dtype, otherwise float64."""
    if dark is None:
        return None
    image = _chip_image("dark", dark, frames)
    image = _readable(image, "dark")
    return image.astype(np.result_type(image, np.float32), copy=False)


def as_mask(
    mask: xr.DataArray | ArrayLike | None, frames: Frames, *, usable: bool = True
) -> NDArray[np.uint8] | None:
    """Mask of the shape of frames as bytes (not zero: bad pixel), or None.

    Raises
    ------
    TypeError
        If it is not of type bool.
    ValueError
        If it has another shape, or coordinates of other pixels; with `usable`, also if it masks
        more than half of the pixels.
    """
    if mask is None:
        return None
    image = _chip_image("mask", mask, frames)
    if image.dtype != np.bool_:
        raise TypeError(
            f"mask has dtype {image.dtype}, expected bool: True where a pixel is bad. "
            "Convert it, for example with mask != 0."
        )
    if usable:
        require_usable_mask("mask", image)
    return image.view(np.uint8)


def camera_of_core(
    frames: Frames, *, dark: Any = None, mask: Any = None, threads: int | None = None
) -> dict[str, Any]:
    """Dark, mask and threads in the form that the core needs for these frames."""
    return {
        "dark": as_dark(dark, frames),
        "mask": as_mask(mask, frames),
        "threads": resolve_threads(threads),
    }


def as_noise(noise: xr.DataArray | ArrayLike, frames: Frames) -> NDArray[np.float64]:
    """Noise of each pixel: a float64 image of the shape of frames; NaN: pixel is not used.

    Raises
    ------
    ValueError
        If it has another shape, or a value that is not positive.
    """
    image = _chip_image("read_noise", noise, frames)
    image = _readable(image, "read_noise").astype(np.float64, copy=False)
    n_bad = int(np.count_nonzero((image <= 0) | np.isinf(image)))
    if n_bad:
        raise ValueError(
            f"read_noise has {n_bad} pixels that are zero, negative or infinite, expected a "
            "positive number of ADU in each, or NaN where a pixel is not to be used."
        )
    return image


def _chip_image(name: str, image: xr.DataArray | ArrayLike, frames: Frames) -> NDArray[Any]:
    """An image of the same pixels as frames, x before y (by name)."""
    require_same_pixels(name, image, frames.first_pixel, frames.frame_shape)
    if isinstance(image, xr.Dataset):
        raise TypeError(f"{name} is a Dataset, expected an array: give its variable.")
    image = along_x_y(image)
    pixels = np.asanyarray(image.data if isinstance(image, xr.DataArray) else image)
    if pixels.shape != frames.frame_shape:
        raise ValueError(
            f"{name} has shape {pixels.shape}, expected that of a frame, {frames.frame_shape}. "
            "Crop both in the same way."
        )
    return pixels


def _readable(array: NDArray[Any], name: str = "frames") -> NDArray[Any]:
    """Return `array` if the core can read it without a copy, otherwise a copy that it can read."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost. Give {name}.data, and the bad "
            "pixels as mask=, an (x, y) array that is True where a pixel is bad."
        )
    array = np.asarray(array)
    native = array.dtype.newbyteorder("=")
    if native not in _CORE_DTYPES:
        array = _without_loss(array, name)
        native = array.dtype.newbyteorder("=")
    even = all(stride % array.itemsize == 0 for stride in array.strides)
    if array.dtype != native or not array.dtype.isnative or not array.flags.aligned or not even:
        array = array.astype(native, order="C", copy=True)
    return array


def _without_loss(array: NDArray[Any], name: str) -> NDArray[Any]:
    native = array.dtype.newbyteorder("=")
    if native in _WIDER:
        return array.astype(_WIDER[native])
    if native.kind in "iu":
        if array.size and (int(array.max()) > _LARGEST_EXACT or int(array.min()) < -_LARGEST_EXACT):
            raise TypeError(
                f"{name} has dtype {array.dtype} with values above 2**53, which float64 can't "
                "hold exactly. Check the data, and convert them to float64 if that is meant."
            )
        return array.astype(np.float64)
    raise TypeError(
        f"{name} has dtype {array.dtype}, expected real numbers: "
        f"{', '.join(str(t) for t in _CORE_DTYPES)}. Convert it first."
    )
