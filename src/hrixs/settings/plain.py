"""Settings as plain values, numbers, text and lists, and back: for JSON, TOML and ``attrs``."""

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
#: Settings that are images, or may be.
IMAGES = ("MASK", "READ_NOISE")


def is_image(name: str, value: Any) -> bool:
    """Whether the setting is one that may be an image, and is."""
    if name not in IMAGES or isinstance(value, xr.Dataset):
        return False
    try:
        return np.ndim(value) > 0
    except ValueError:  # lists of several lengths
        return False


def plain(name: str, value: Any) -> Any:
    """The value of a setting as a number, text, list or dict.

    Raises
    ------
    TypeError
        If it is none that the setting can have.
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
    raise TypeError(f"{name} = {said} can't be kept: it is no number, text, range or image.")


def of_plain(name: str, value: Any) -> Any:
    """What a plain value stands for: a range for ``'700:900'``, an image for its text.

    What stands for nothing is given back as it is, for whoever uses the setting to refuse.
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
    """A mask of bad pixels as text, with its shape, and its place where that is known."""
    image = along_x_y(mask)
    bad = np.asarray(pixels_of("MASK", image)).astype(bool)
    packed = zlib.compress(np.packbits(bad).tobytes(), level=1)
    told: dict[str, Any] = {"shape": list(bad.shape), "bad": base64.b64encode(packed).decode()}
    first = first_pixel(image)
    return told if first is None else told | {"first_pixel": list(first)}


def mask_of_plain(told: Mapping[str, Any]) -> NDArray[np.bool_] | xr.DataArray:
    """The mask of a text as from `plain_mask`.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        nx, ny = (int(size) for size in told["shape"])
        bits = np.frombuffer(_unpacked(told["bad"], nx * ny), dtype=np.uint8)
        bad = np.unpackbits(bits, count=nx * ny).astype(bool).reshape(nx, ny)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"MASK can't be read from its text: {error}.") from error
    mask: NDArray[np.bool_] | xr.DataArray = placed(bad, told.get("first_pixel"))
    return mask


def placed(image: NDArray[Any], first: Any) -> Any:
    """`image` with the chip's pixels as coordinates, where its first one is known."""
    if first is None:
        return image
    pixels = {
        d: int(f) + np.arange(n) for d, f, n in zip(FRAME_DIMS, first, image.shape, strict=True)
    }
    return xr.DataArray(image, pixels, FRAME_DIMS)


def plain_image(image: Any) -> dict[str, Any]:
    """What tells an image apart from others, where it is too large to be kept as text."""
    pixels = np.asarray(pixels_of("READ_NOISE", image), dtype=np.float64)
    return {"shape": list(pixels.shape), "digest": digest(pixels)}


def _unpacked(text: str, n_bits: int) -> bytes:
    """The bits of a mask, and no more of them than it has pixels."""
    if not 0 < n_bits < 2**31:
        raise ValueError(f"{n_bits} pixels")
    n_bytes = -(-n_bits // 8)
    unpacker = zlib.decompressobj()
    bits = unpacker.decompress(base64.b64decode(text), n_bytes + 1)
    if len(bits) != n_bytes:
        raise ValueError(f"{len(bits)} bytes of bits, expected {n_bytes}")
    return bits


def _field(one: Any) -> Field | Any:
    """A source with its key, which is a list in files, as a tuple."""
    return tuple(one) if isinstance(one, list) else one
