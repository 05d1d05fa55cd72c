"""Convert settings to plain values (numbers, text, lists) and back, for JSON, TOML and attrs."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import pixels_of
from hrixs.camera.frames import FRAME_DIMS, along_x_y, first_pixel
from hrixs.runs.mnemonic_table import Field
from hrixs.settings.table import SETTINGS
from hrixs.utils.provenance import digest, slice_text

_RANGE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*")
_KINDS = {setting.name: setting.kind for setting in SETTINGS}
#: Settings that can be images.
IMAGES = ("MASK", "READ_NOISE")


def is_image(name: str, value: Any) -> bool:
    """Whether the value of a setting is an image."""
    if name not in IMAGES or isinstance(value, xr.Dataset):
        return False
    try:
        return np.ndim(value) > 0
    except ValueError:  # lists of different lengths
        return False


def plain(name: str, value: Any) -> Any:
    """Convert the value of a setting to a number, text, list or dict.

    Raises
    ------
    TypeError
        If the setting cannot have this value.
    """
    if isinstance(value, slice):
        return slice_text(value)
    if is_image(name, value):
        return plain_mask(value) if name == "MASK" else plain_image(value)
    if isinstance(value, xr.DataArray | np.ndarray | np.generic) and np.ndim(value) == 0:
        value = np.asarray(value).item()
    if isinstance(value, list | tuple):
        return [plain(name, one) for one in value]
    if isinstance(value, Mapping) and not isinstance(value, xr.Dataset):
        return {str(key): plain(name, one) for key, one in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    said = " ".join(repr(value).split())[:80]
    raise TypeError(f"{name} = {said} cannot be stored: expected a number, text, range or image.")


def of_plain(name: str, value: Any) -> Any:
    """Convert a plain value back: ``'700:900'`` to a range, the text of an image to the image.

    Other values are returned unchanged; the code that uses the setting checks them.
    """
    kind = _KINDS.get(name)
    if isinstance(value, str) and kind in ("range", "pedestal"):
        match = _RANGE.fullmatch(value)
        if match is None:
            return value
        start, stop = (int(end) if end not in ("", "-") else None for end in match.groups())
        return slice(start, stop)
    if name == "MASK" and isinstance(value, Mapping) and "bad" in value:
        return mask_of_plain(value)
    if name == "FIELDS" and isinstance(value, list | tuple):
        return [_field(one) for one in value]
    return value


def plain_mask(mask: Any) -> dict[str, Any]:
    """Convert a mask of bad pixels to text, with its shape, and its position if known."""
    image = along_x_y(mask)
    bad = np.asarray(pixels_of("MASK", image)).astype(bool)
    packed = zlib.compress(np.packbits(bad).tobytes(), level=1)
    told: dict[str, Any] = {"shape": list(bad.shape), "bad": base64.b64encode(packed).decode()}
    first = first_pixel(image)
    return told if first is None else told | {"first_pixel": list(first)}


def mask_of_plain(told: Mapping[str, Any]) -> NDArray[np.bool_] | xr.DataArray:
    """Convert the text from `plain_mask` back to a mask.

    Raises
    ------
    ValueError
        If the text is not a mask.
    """
    try:
        nx, ny = (int(size) for size in told["shape"])
        bits = np.frombuffer(_unpacked(told["bad"], nx * ny), dtype=np.uint8)
        bad = np.unpackbits(bits, count=nx * ny).astype(bool).reshape(nx, ny)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"MASK cannot be read from its text: {error}.") from error
    mask: NDArray[np.bool_] | xr.DataArray = placed(bad, told.get("first_pixel"))
    return mask


def placed(image: NDArray[Any], first: Any) -> Any:
    """Give `image` the pixel numbers of the chip as coordinates, if its first pixel is known."""
    if first is None:
        return image
    pixels = {
        d: int(f) + np.arange(n) for d, f, n in zip(FRAME_DIMS, first, image.shape, strict=True)
    }
    return xr.DataArray(image, pixels, FRAME_DIMS)


def plain_image(image: Any) -> dict[str, Any]:
    """Digest of an image that is too large to be stored as text."""
    pixels = np.asarray(pixels_of("READ_NOISE", image), dtype=np.float64)
    return {"shape": list(pixels.shape), "digest": digest(pixels)}


def _unpacked(text: str, n_bits: int) -> bytes:
    """Unpack the bits of a mask; their number must be that of its pixels."""
    if not 0 < n_bits < 2**31:
        raise ValueError(f"{n_bits} pixels")
    n_bytes = -(-n_bits // 8)
    unpacker = zlib.decompressobj()
    bits = unpacker.decompress(base64.b64decode(text), n_bytes + 1)
    if len(bits) != n_bytes:
        raise ValueError(f"{len(bits)} bytes of bits, expected {n_bytes}")
    return bits


def _field(one: Any) -> Field | Any:
    """A source with its key as a tuple; in files it is a list."""
    return tuple(one) if isinstance(one, list) else one
