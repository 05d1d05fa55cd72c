"""Small image files of each kind, as cameras' programs and beamlines write them."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

#: Six frames of 64 x 128 pixels with a spot each.
FRAMES = np.random.default_rng(0).normal(100, 4, (6, 64, 128)).round().astype(np.uint16)
FRAMES[:, 20:22, 70:72] += np.arange(300, 306, dtype=np.uint16)[:, None, None]


def write_hdf5(path: Path | str, data: np.ndarray = FRAMES, name: str = "entry/data", **options):
    """An HDF5 file with one dataset."""
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=data, **options)


def write_filtered(path: Path | str, code: int, name: str = "entry/data") -> None:
    """Images that need a filter; what is stored can't be decompressed."""
    with h5py.File(path, "w") as file:
        file.create_group("entry")
        made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made.set_chunk((1, *FRAMES.shape[1:]))
        made.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (0, 2))
        space = h5py.h5s.create_simple(FRAMES.shape)
        stored = h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_UINT16, space, made)
        for number in range(len(FRAMES)):
            stored.write_direct_chunk((number, 0, 0), bytes(5000))


def write_virtual(path: Path, sources: list[str], name: str = "entry/data") -> None:
    """A virtual dataset of `FRAMES` in each of other files, as dataset ``data``."""
    n = len(FRAMES)
    layout = h5py.VirtualLayout((n * len(sources), *FRAMES.shape[1:]), FRAMES.dtype)
    for number, source in enumerate(sources):
        layout[n * number : n * (number + 1)] = h5py.VirtualSource(source, "data", FRAMES.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset(name, layout)


def write_sif(
    path: Path, frames: np.ndarray = FRAMES, *, n_areas: int = 1, pixels: bool = True
) -> None:
    """A file of Andor's Solis, version 65547, with stamps of 40 ms."""
    n, height, width = frames.shape
    stamps = "".join(f"{40_000 * number}\n" for number in range(n))
    ends = [0, height] if n_areas == 1 else [0, 16, height]
    areas = ""
    for begin, end in pairwise(ends):
        areas += f"65538 1 {end} {width} {begin + 1} 1 1\n"
    head = (
        "Andor Technology Multi-Channel File\n65538 1\n"
        f"65547 0 0 1 1700000000 -60 {' ' * 10}0 0.5 0.6 0.6 1 \0 0.6 1e-06 0 1 1 0 0 0 "
        f"{'0 ' * 16}0 0\nDU940\n2048 512 8\nmade.sif \n65538 0\n\n65538 {' ' * 8}0 0\n"
        "65539 0 1 0 0\n0 1 0 0\n0 1 0 0\n0\n422\n13\n13\n5\nPixel6\nCounts5\nPixel"
        f"65541 1 {height} {width} 1 {n} {n_areas} {frames.size} {height * width}\n"
        f"{areas}{stamps}0\n"
    )
    Path(path).write_bytes(head.encode() + (frames.astype("<f4").tobytes() if pixels else b""))


def write_spool(
    folder: Path, frames: np.ndarray = FRAMES, *, padding: int = 12, encoding: str = "Mono16"
) -> None:
    """A spooled acquisition of Andor's, a frame a file, whose rows are padded by some bytes."""
    folder.mkdir()
    height, width = frames.shape[1:]
    dtype = np.dtype({"Mono32": "<u4"}.get(encoding, "<u2"))
    stride = width * dtype.itemsize + padding
    settings = {
        "AOIHeight": height, "AOIWidth": width, "AOIStride": stride, "PixelEncoding": encoding,
        "ImageSizeBytes": stride * height + 40,
    }  # fmt: skip
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    (folder / "acquisitionmetadata.ini").write_text(f"[data]\n{lines}")
    write_sif(folder / "Spooled files.sifx", frames, pixels=False)
    for number, frame in enumerate(frames):
        rows = np.full((height, stride), 0xEE, np.uint8)
        rows[:, : width * dtype.itemsize] = frame.astype(dtype).view(np.uint8).reshape(height, -1)
        name = f"{number:010d}"[::-1]
        (folder / f"{name}spool.dat").write_bytes(rows.tobytes() + bytes(40))


def write_spe(
    path: Path, frames: np.ndarray = FRAMES, *, stamps: bool = True, regions: int = 1
) -> None:
    """A file of LightField, SPE 3.0: each frame may be followed by its stamps and its number."""
    dtype = np.dtype("<u2")
    n, height, width = frames.shape
    size = height * width * dtype.itemsize
    stride = size + (24 if stamps else 0)
    blocks = b""
    for number, frame in enumerate(frames.astype(dtype)):
        begin = 250_000 * number + 1000
        marks = struct.pack("<qqq", begin, begin + 100_000, number + 1)
        blocks += frame.tobytes() + (marks if stamps else b"")
    region = (
        f'<DataBlock type="Region" count="1" width="{width}" height="{height // regions}" '
        f'size="{size // regions}" stride="{size // regions}" />'
    )
    clock = 'bitDepth="64" resolution="1000000" absoluteTime="2026-05-04T10:00:00.0000000+02:00"'
    meta = (
        f'<MetaFormat><MetaBlock><TimeStamp event="ExposureStarted" {clock} />'
        f'<TimeStamp event="ExposureEnded" {clock} /><FrameTrackingNumber bitDepth="64" />'
        "</MetaBlock></MetaFormat>"
    )
    footer = (
        '<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009">'
        f'<DataFormat><DataBlock type="Frame" count="{n}" pixelFormat="MonochromeUnsigned16" '
        f'size="{size}" stride="{stride}">{region * regions}</DataBlock></DataFormat>'
        f"{meta if stamps else ''}<DataHistories><ExposureTime>250</ExposureTime></DataHistories>"
        "</SpeFormat>"
    )
    head = bytearray(4100)
    _put(head, width, height, 3, n, version=3.0)
    struct.pack_into("<Q", head, 678, 4100 + len(blocks))
    Path(path).write_bytes(bytes(head) + blocks + footer.encode())


def write_old_spe(path: Path, frames: np.ndarray = FRAMES) -> None:
    """A file of WinView, SPE 2.5, with an exposure of 1.5 s."""
    n, height, width = frames.shape
    head = bytearray(4100)
    _put(head, width, height, 3, n, version=2.5)
    struct.pack_into("<f", head, 10, 1.5)
    Path(path).write_bytes(bytes(head) + frames.astype("<u2").tobytes())


def _put(head: bytearray, width: int, height: int, code: int, n: int, *, version: float) -> None:
    for form, at, value in (
        ("<H", 42, width), ("<H", 656, height), ("<h", 108, code), ("<i", 1446, n),
        ("<f", 1992, version), ("<I", 2996, 0x01234567), ("<H", 4098, 0x5555),
    ):  # fmt: skip
        struct.pack_into(form, head, at, value)
