"""SIF files and spooled acquisitions of Andor; headers are read with sif_parser."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.stored import Stored, library

_ENCODINGS = {"Mono16": "<u2", "Mono32": "<u4"}


def stored_sif(path: str, dataset: str | None) -> Stored:
    """Describe the frames in an .sif file; pixels are float32."""
    if Path(path).suffix.lower() == ".sifx":
        raise ValueError(
            f"{path} is the header of a spooled acquisition, whose images are in *spool.dat files "
            "next to it. Give the folder with all of them and the .ini file."
        )
    with _Reader(path) as file:
        try:
            mapped, info = _sif().np_open(file, lazy="memmap")
        except ValueError:
            _require_one_area(path, _header(Path(path)))
            raise
        shape = tuple(mapped.shape)
        del mapped
    _require_one_area(path, info)

    def read() -> NDArray[Any]:
        with _Reader(path) as again:
            return np.array(_sif().np_open(again, lazy="memmap")[0])

    return Stored(
        "Andor SIF", shape, np.dtype("f4"), read,
        exposure=_exposure(info), time=_times(info, shape[0]), axis=0,
    )  # fmt: skip


def _require_one_area(path: str, info: Mapping[str, Any]) -> None:
    """Raise an error if a frame has areas of different sizes; sif_parser knows only the last."""
    width, height = info["size"]
    if width * height != info["ImageLength"]:
        raise ValueError(
            f"{path} has {info['NumberOfSubImages']} areas of the chip in a frame, of different "
            "sizes, expected one. Read out one area, or export them separately."
        )


def is_spool(path: str) -> bool:
    """Whether a folder is a spooled acquisition of Andor."""
    folder = Path(path)
    return folder.is_dir() and any(folder.glob("*.sifx")) and any(folder.glob("*spool.dat"))


def stored_spool(path: str, dataset: str | None) -> Stored:
    """Describe the frames of a spooled acquisition, cut to the width of the area.

    Rows in the files may be longer than the area (``AOIStride``, in bytes).
    """
    folder = Path(path)
    settings = _settings(path, folder)
    encoding = settings["PixelEncoding"]
    if encoding not in _ENCODINGS:
        raise ValueError(
            f"{path} has pixels of the encoding {encoding}, expected {' or '.join(_ENCODINGS)}. "
            "Save it with 16 bits per pixel, or export it as TIFF."
        )
    dtype = np.dtype(_ENCODINGS[encoding])
    stride, width, height = (int(settings[f"AOI{one}"]) for one in ("Stride", "Width", "Height"))
    n_bytes = int(settings.get("ImageSizeBytes", stride * height))
    if stride < width * dtype.itemsize or n_bytes < stride * height:
        raise ValueError(f"{path}: rows of {stride} bytes can't hold {width} pixels of {encoding}.")
    # The number in a file name is written with its digits reversed.
    files = sorted(folder.glob("*spool.dat"), key=lambda file: _number(file.name))
    in_each = [file.stat().st_size // n_bytes for file in files]
    info = _header(next(iter(sorted(folder.glob("*.sifx")))))
    n = int(info["NumberOfFrames"])
    if sum(in_each) < n or 0 in in_each:
        raise ValueError(
            f"{path} has {sum(in_each)} images in {len(files)} spool files, and its header "
            f"states {n}: files are missing, or cut short."
        )

    def read() -> NDArray[Any]:
        pixels = np.empty((n, height, width), dtype)
        begin = 0
        for file, number in zip(files, in_each, strict=True):
            raw = np.fromfile(file, np.uint8, number * n_bytes).reshape(number, n_bytes)
            rows = raw[: n - begin, : stride * height].reshape(-1, height, stride)
            cut = np.ascontiguousarray(rows[:, :, : width * dtype.itemsize])
            pixels[begin : begin + len(cut)] = cut.view(dtype)
            begin += len(cut)
        return pixels

    return Stored(
        "Andor spool", (n, height, width), dtype, read,
        exposure=_exposure(info), time=_times(info, n), axis=0,
    )  # fmt: skip


class _Reader(io.BufferedReader):
    """A file whose end raises an error: otherwise sif_parser would search forever."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size and not data:
            raise EOFError("the header ends too early")
        return data


def _sif() -> Any:
    return library("sif_parser", "Andor SIF", "sif_parser")


def _header(path: Path) -> Mapping[str, Any]:
    """The header of a spool, whose images are in other files."""
    with warnings.catch_warnings(), _Reader(path) as file:
        warnings.simplefilter("ignore")  # that there are no images
        info: Mapping[str, Any] = _sif().np_open(file, ignore_corrupt=True)[1]
    return info


def _settings(path: str, folder: Path) -> dict[str, str]:
    found = sorted(folder.glob("*.ini"))
    lines = found[0].read_text(encoding="utf-8-sig", errors="replace").splitlines() if found else []
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    settings = {key.strip(): value.strip() for key, value in pairs}
    wanted = ("AOIHeight", "AOIWidth", "AOIStride", "PixelEncoding")
    missing = [key for key in wanted if key not in settings]
    if missing:
        raise ValueError(
            f"{path}: an Andor spool describes its pixels in an .ini file, which "
            f"{'lacks ' + ', '.join(missing) if found else 'is missing'}."
        )
    return settings


def _number(name: str) -> int:
    return int("0" + "".join(filter(str.isdigit, name))[::-1])


def _exposure(info: Mapping[str, Any]) -> NDArray[np.float64] | None:
    value = float(info.get("ExposureTime", 0.0))
    return np.asarray(value) if value > 0 else None


def _times(info: Mapping[str, Any], n: int) -> NDArray[Any] | None:
    """Time of each frame; stamps are in us from the start, in 32 bits."""
    stamps = [info.get(f"timestamp_of_{number}") for number in range(n)]
    if None in stamps or not info.get("ExperimentTime"):
        return None
    since = np.unwrap(np.array(stamps, dtype=np.float64), period=2.0**32)
    if n > 1 and not (np.diff(since) > 0).all():
        return None
    begin = np.datetime64(int(info["ExperimentTime"]), "s").astype("datetime64[ns]")
    return np.asarray(begin + (since * 1000).astype("timedelta64[ns]"))
