"""TIFF files, read with tifffile."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.stored import Stored, joined, library, shape_text

# Of TIFF 6.0: where row 0 and column 0 of what is stored lie in the picture.
_ORIENTATIONS = {
    2: "top right", 3: "bottom right", 4: "bottom left", 5: "left top", 6: "right top",
    7: "right bottom", 8: "left bottom",
}  # fmt: skip
# Tags of EPICS areaDetector's NDFileTIFF: seconds since 1990 and nanoseconds; attributes as text.
_SECONDS, _NANOSECONDS, _FIRST_TEXT = 65002, 65003, 65010
_EPICS_EPOCH = np.datetime64("1990-01-01", "ns")


def stored_images(path: str, dataset: str | None) -> Stored:
    """Describe the images in a TIFF file.

    All series of equal shape and type are one stack: programs write a series for each frame, or one
    for a whole stack. `dataset` is the number of a series, for files with different series.
    """
    tifffile = library("tifffile", "TIFF", "tifffile")
    with tifffile.TiffFile(path) as file:
        size = Path(path).stat().st_size
        series = list(file.series)
        _require_last_page(path, file)
        parts = [_one(path, file, one, number, size) for number, one in enumerate(series)]
    alike = len({(part.shape, part.dtype) for part in parts}) == 1
    if dataset is not None and not alike:
        if not (dataset.isdigit() and int(dataset) < len(parts)):
            raise ValueError(
                f"{path}: series {dataset!r} was given, expected 0 to {len(parts) - 1}: "
                f"{_listed(parts)}"
            )
        return parts[int(dataset)]
    if not parts:
        raise ValueError(f"{path} is a TIFF file without an image.")
    if not alike:
        raise ValueError(
            f"{path} has {len(parts)} series of unlike images: {_listed(parts)} Choose one with "
            "--dataset and its number."
        )
    if len(parts) == 1:
        return parts[0]
    if parts[0].doubt:
        raise ValueError(f"{path} {parts[0].doubt}")
    return joined(path, parts, "")


def _one(path: str, file: Any, series: Any, number: int, size: int) -> Stored:
    page = series.keyframe
    pages = list(series.pages)
    if any(one is None for one in pages):
        missing = sum(one is None for one in pages)
        raise ValueError(f"{path} lacks {missing} of the {len(pages)} pages that it lists.")
    _require_whole(path, series, pages, size)
    photometric = int(page.photometric)
    if photometric == 3:
        raise ValueError(
            f"{path} holds colours of a palette, not counts of a camera. Save the camera's own "
            "values."
        )
    remarks = []
    orientation = page.tags.valueof("Orientation", 1)
    if int(orientation) in _ORIENTATIONS:
        remarks.append(
            f"{path} says that its first pixel is the picture's {_ORIENTATIONS[int(orientation)]} "
            "(orientation tag): pixels are taken in the order in which they are stored."
        )
    if photometric == 0:
        remarks.append(f"{path} says that 0 is white: values are taken as they are stored.")

    def read() -> NDArray[Any]:
        tifffile = library("tifffile", "TIFF", "tifffile")
        with tifffile.TiffFile(path) as again:
            return np.asarray(again.series[number].asarray())

    return Stored(
        "TIFF",
        tuple(series.shape),
        np.dtype(series.dtype),
        read,
        name="" if len(file.series) == 1 else f"series {number}",
        exposure=_exposure(page),
        time=_times(pages),
        doubt=_samples_doubt(series, page),
        remarks=tuple(remarks),
    )


def _samples_doubt(series: Any, page: Any) -> str:
    """Text why pixels of several samples, such as colours, are not images of a camera."""
    n = int(page.samplesperpixel)
    if n < 2:
        return ""
    axis = series.axes.find("S")
    colours = {3: ": RGB", 4: ": RGBA or CMYK"}.get(n, "")
    return (
        f"has {n} samples per pixel{colours}, shape {tuple(series.shape)}: that is a picture, not "
        "counts of a camera. Save one value per pixel (tifffile: photometric='minisblack'), or, if "
        f"each sample is an image, give --stack-axis {axis} (stack_axis={axis})."
    )


def _require_whole(path: str, series: Any, pages: Sequence[Any], size: int) -> None:
    if series.dataoffset is not None:
        end = series.dataoffset + series.nbytes
    else:
        end = max(
            (at + length for page in pages for at, length in _segments(page)),
            default=0,
        )
    if end > size:
        raise ValueError(
            f"{path} is cut short: it has {size} bytes, and its images end at byte {end}. Copy it "
            "again."
        )


def _require_last_page(path: str, file: Any) -> None:
    """Raise an error if the last page points to another one that is cut off."""
    at = max((page.offset for page in file.pages), default=0)
    if not at:
        return
    tiff, handle = file.tiff, file.filehandle
    handle.seek(at)
    n_tags = struct.unpack(tiff.tagnoformat, handle.read(tiff.tagnosize))[0]
    handle.seek(at + tiff.tagnosize + n_tags * tiff.tagsize)
    pointer = handle.read(tiff.offsetsize)
    following = struct.unpack(tiff.offsetformat, pointer)[0] if pointer else -1
    if following:
        raise ValueError(
            f"{path} is cut short: more pages follow the {len(file.pages)} that can be read. "
            "Copy it again."
        )


def _segments(page: Any) -> list[tuple[int, int]]:
    return list(zip(page.dataoffsets, page.databytecounts, strict=False))


def _exposure(page: Any) -> NDArray[np.float64] | None:
    value = page.tags.valueof("ExposureTime")  # a fraction, in s
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        return np.asarray(value[0] / value[1])
    for tag in page.tags:
        found = re.match(r"AcquireTime:([\d.eE+-]+)$", str(tag.value))
        if tag.code >= _FIRST_TEXT and found:
            return np.asarray(float(found[1]))
    # Detectors of DECTRIS: "# Exposure_time 0.10 s" in the description.
    found = re.search(r"Exposure_time\s+([\d.eE+-]+)\s*s", str(page.description))
    return np.asarray(float(found[1])) if found else None


def _times(pages: Sequence[Any]) -> NDArray[Any] | None:
    """Time of each page, if all pages state it."""
    if _time(pages[0]) is None:
        return None
    times = [_time(page.aspage()) for page in pages]
    return None if None in times else np.array(times, "datetime64[ns]")


def _time(page: Any) -> np.datetime64 | None:
    seconds, nanoseconds = (page.tags.valueof(code) for code in (_SECONDS, _NANOSECONDS))
    if isinstance(seconds, int) and isinstance(nanoseconds, int):
        since = np.timedelta64(int(seconds), "s") + np.timedelta64(int(nanoseconds), "ns")
        return np.datetime64(_EPICS_EPOCH + since)
    taken = page.datetime
    return None if taken is None else np.datetime64(taken, "ns")


def _listed(parts: list[Stored]) -> str:
    return f"{', '.join(shape_text(part) for part in parts[:20])}."
