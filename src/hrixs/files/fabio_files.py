"""EDF, CBF and other formats of detectors, read with fabio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.stored import Stored, date, library, one_an_image

# Keys of EDF (Lima and SPEC of ESRF, in s) and CBF ("0.10 s"); other headers are not read.
_TELLING = ("EDF", "CBF")
_EXPOSURES = ("exposure_time", "acq_expo_time", "count_time")
_TIMES = ("acq_frame_time", "time_of_frame", "time_of_day", "time", "date")
_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6}


def stored_images(path: str, dataset: str | None) -> Stored:
    """Describe the frames in a file that fabio opens."""
    with _opened(path) as file:
        shapes, dtypes, headers = [], [], []
        for number in range(file.nframes):
            frame = file if file.nframes == 1 else file.get_frame(number)
            shapes.append(tuple(frame.shape))
            dtypes.append(np.dtype(frame.dtype))
            headers.append(dict(frame.header))
        kind = type(file).__name__.removesuffix("Image").upper()
        if getattr(file, "incomplete_file", False):
            raise ValueError(f"{path} is cut short: its header states more data than it has.")
    if len(set(shapes)) > 1 or len(set(dtypes)) > 1:
        listed = [f"{'x'.join(map(str, s))} {d}" for s, d in zip(shapes, dtypes, strict=True)]
        raise ValueError(f"{path}: the frames are not all alike: {', '.join(listed[:20])}.")
    n = len(shapes)
    telling = headers if kind in _TELLING else [{}] * n

    def read() -> NDArray[Any]:
        with _opened(path) as again:
            if n == 1:
                return np.array(again.data).reshape(shape)
            pixels = np.empty(shape, dtypes[0])
            for number in range(n):
                pixels[number] = again.get_frame(number).data
            return pixels

    shape = (n, *shapes[0]) if n > 1 else shapes[0]
    return Stored(
        kind,
        shape,
        dtypes[0],
        read,
        exposure=one_an_image([_exposure(header) for header in telling], [1] * n),
        time=one_an_image([_time(header) for header in telling], [1] * n),
        axis=0 if n > 1 else None,
    )


def _opened(path: str) -> Any:
    return library("fabio", "EDF, CBF and other detectors'", "fabio").open(path)


def _exposure(header: Mapping[str, Any]) -> NDArray[np.float64] | None:
    lower = {key.lower(): value for key, value in header.items()}
    lower |= _pilatus(str(lower.get("_array_data.header_contents", "")))
    for key in _EXPOSURES:
        words = str(lower.get(key, "")).split()
        try:
            if words and (words[1] if len(words) > 1 else "").lower() in _UNITS:
                return np.asarray(float(words[0]) * _UNITS["".join(words[1:2]).lower()])
        except ValueError:
            continue
    return None


def _pilatus(text: str) -> dict[str, str]:
    """The lines ``# Exposure_time 0.10 s`` of a CBF header."""
    lines = (line.lstrip("# ").split(None, 1) for line in text.splitlines())
    return {words[0].lower(): words[1] for words in lines if len(words) == 2}


def _time(header: Mapping[str, Any]) -> NDArray[Any] | None:
    lower = {key.lower(): str(value) for key, value in header.items()}
    for key in _TIMES:
        try:
            return np.asarray(date(lower[key]))
        except (KeyError, ValueError):
            continue
    return None
