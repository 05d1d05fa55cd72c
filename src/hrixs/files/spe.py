"""SPE files of Princeton Instruments, versions 2.x (WinView) and 3.0 (LightField).

A file has a header of 4100 bytes, the frames, and in version 3.0 a footer in XML with the distance
of frames: each may be followed by its time stamps. See "SPE 3.0 File Format Specification",
Princeton Instruments, 2014, and appendix C of the WinView manual.
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.stored import Stored, date

_HEADER = 4100
_OLD_TYPES = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "u1", 8: "<u4"}
_NEW_TYPES = {
    "MonochromeUnsigned16": "<u2",
    "MonochromeUnsigned32": "<u4",
    "MonochromeFloating32": "<f4",
}
# Stamps of the clock of the camera; the first one is used.
_STARTED = "ExposureStarted"


@dataclass(frozen=True)
class _Layout:
    dtype: np.dtype[Any]
    n: int
    frame: tuple[int, int]
    stride: int
    exposure: float | None = None
    clock: _Clock | None = None


@dataclass(frozen=True)
class _Clock:
    """Position of the stamp in the block of a frame, ticks per second, and start time."""

    at: int
    ticks: float
    begin: np.datetime64


def is_spe(head: bytes, suffix: str) -> bool:
    """Whether the first 4100 bytes of a file are a header of this kind."""
    if len(head) < _HEADER:
        return suffix == ".spe"
    marked = head[4098:4100] == b"\x55\x55" or head[2996:3000] == b"\x67\x45\x23\x01"
    return suffix == ".spe" or marked


def stored_images(path: str, dataset: str | None) -> Stored:
    """Describe the frames in an SPE file."""
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        head = file.read(_HEADER)
        if len(head) < _HEADER:
            raise ValueError(f"{path} is cut short: an SPE file has a header of {_HEADER} bytes.")
        footer_at = struct.unpack_from("<Q", head, 678)[0]
        is_new = struct.unpack_from("<f", head, 1992)[0] >= 2.99 and footer_at
        if is_new and footer_at >= size:
            raise ValueError(
                f"{path} is cut short: its footer begins at byte {footer_at} of {size}. Copy it "
                "again."
            )
        file.seek(footer_at)
        footer = file.read() if is_new else b""
    layout = _new(path, footer) if is_new else _old(path, head, size)
    if _HEADER + layout.n * layout.stride > (footer_at if is_new else size):
        raise ValueError(
            f"{path} is cut short: {layout.n} frames of {layout.stride} bytes are more than it has."
        )

    def blocks() -> NDArray[np.uint8]:
        raw = np.memmap(path, np.uint8, "r", _HEADER, (layout.n, layout.stride))
        return np.asarray(raw)

    def read() -> NDArray[Any]:
        n_bytes = layout.frame[0] * layout.frame[1] * layout.dtype.itemsize
        pixels = np.ascontiguousarray(blocks()[:, :n_bytes]).view(layout.dtype)
        return np.array(pixels.reshape(layout.n, *layout.frame))

    time = None
    if layout.clock is not None:
        at = layout.clock.at
        ticks = np.ascontiguousarray(blocks()[:, at : at + 8]).view("<i8")[:, 0]
        since = np.round(ticks / layout.clock.ticks * 1e9).astype("timedelta64[ns]")
        time = layout.clock.begin + since
    exposure = None if layout.exposure is None else np.asarray(layout.exposure)
    return Stored(
        "SPE", (layout.n, *layout.frame), layout.dtype, read, exposure=exposure, time=time, axis=0
    )


def _old(path: str, head: bytes, size: int) -> _Layout:
    width, height = (struct.unpack_from("<H", head, at)[0] for at in (42, 656))
    code, n = struct.unpack_from("<h", head, 108)[0], struct.unpack_from("<i", head, 1446)[0]
    if code not in _OLD_TYPES:
        raise ValueError(
            f"{path}: pixels of SPE type {code} cannot be read, only those of {list(_OLD_TYPES)}."
        )
    dtype = np.dtype(_OLD_TYPES[code])
    stride = width * height * dtype.itemsize
    if not stride or n < 1 or (size - _HEADER) % stride:
        raise ValueError(
            f"{path}: the header states {n} frames of {height} x {width} pixels, {stride} bytes "
            f"each, and {size - _HEADER} bytes follow it: the file is damaged, or of another kind."
        )
    exposure = float(struct.unpack_from("<f", head, 10)[0])
    return _Layout(dtype, n, (height, width), stride, exposure if exposure > 0 else None)


def _new(path: str, footer: bytes) -> _Layout:
    try:
        root = ET.fromstring(footer.rstrip(b"\0 \r\n"))
    except ET.ParseError as error:
        raise ValueError(f"{path}: the footer of the SPE file can't be read: {error}.") from error
    for item in root.iter():
        item.tag = item.tag.rpartition("}")[2]  # without the namespace
    frame = root.find("./DataFormat/DataBlock[@type='Frame']")
    regions = [] if frame is None else frame.findall("DataBlock[@type='Region']")
    if frame is None or len(regions) != 1:
        sizes = ", ".join(f"{one.get('height')} x {one.get('width')}" for one in regions)
        raise ValueError(
            f"{path} has {len(regions)} regions of the chip in a frame ({sizes}), expected one. "
            "Export them separately from LightField."
        )
    pixel = str(frame.get("pixelFormat"))
    if pixel not in _NEW_TYPES:
        raise ValueError(f"{path}: pixels {pixel} cannot be read, only {', '.join(_NEW_TYPES)}.")
    region, dtype = regions[0], np.dtype(_NEW_TYPES[pixel])
    height, width = int(region.get("height", 0)), int(region.get("width", 0))
    size, stride = int(frame.get("size", 0)), int(frame.get("stride", 0))
    if size != height * width * dtype.itemsize or stride < size:
        raise ValueError(
            f"{path}: a frame of {height} x {width} pixels has {height * width * dtype.itemsize} "
            f"bytes, but the footer states {size} bytes for a frame, and one every {stride} bytes. "
            "Save it again with LightField, or export it as TIFF."
        )
    clock = _clock(root, size, stride)
    n = int(frame.get("count", 0))
    return _Layout(dtype, n, (height, width), stride, _exposure(root), clock)


def _exposure(root: ET.Element) -> float | None:
    """Exposure in s; LightField stores ms."""
    times = [item.text for item in root.iter("ExposureTime") if item.text]
    return float(times[0]) / 1000 if times else None


def _clock(root: ET.Element, size: int, stride: int) -> _Clock | None:
    """Positions of stamps: after the pixels, in the order of the list in the footer."""
    block = root.find("./MetaFormat/MetaBlock")
    at = size
    for item in () if block is None else block:
        n_bytes = int(item.get("bitDepth", 64)) // 8
        if item.tag == "TimeStamp" and item.get("event") == _STARTED and n_bytes == 8:
            if at + 8 > stride or not item.get("absoluteTime"):
                return None
            try:
                begin = date(str(item.get("absoluteTime")))
                return _Clock(at, float(item.get("resolution", 0)) or 1.0, begin)
            except ValueError:
                return None
        at += n_bytes
    return None
