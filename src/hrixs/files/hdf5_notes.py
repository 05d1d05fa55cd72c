"""Exposure and times of images in an HDF5 file."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.time_units import SECONDS
from hrixs.files.hdf5_candidates import as_text, opened
from hrixs.files.stored import date

# Names in NeXus, DECTRIS, ESRF, areaDetector; the unit of areaDetector is s by definition.
_EXPOSURES = ("count_time", "exposure_time", "exposure", "acquire_time", "AcquireTime")
_IN_SECONDS = ("AcquireTime",)
_TIMES = ("frame_start_time", "timestamp", "timestamps", "time", "epoch")
# areaDetector: seconds since 1990 and nanoseconds.
_SECONDS, _NANOSECONDS = "NDArrayEpicsTSSec", "NDArrayEpicsTSnSec"


def exposure_of(file: Any, stored: Any, name: str) -> NDArray[np.float64] | None:
    """Exposure of the images in s; None if the file does not state it with its unit."""
    for group in _beside(file, stored, name):
        for key in _EXPOSURES:
            values = _numbers(group, key)
            if values is None:
                continue
            unit = as_text(group[key].attrs.get("units", "s" if key in _IN_SECONDS else ""))
            if unit in SECONDS:
                return np.asarray(np.squeeze(values) * SECONDS[unit])
    return None


def time_of(file: Any, stored: Any, name: str) -> NDArray[Any] | None:
    """Time of each image; None if the file does not state it for each."""
    if stored.ndim < 3:
        return None
    for group in _beside(file, stored, name):
        seconds, nanoseconds = _numbers(group, _SECONDS), _numbers(group, _NANOSECONDS)
        if seconds is not None and nanoseconds is not None and seconds.size == stored.shape[0]:
            since = seconds.ravel().astype("timedelta64[s]") + nanoseconds.ravel().astype(
                "timedelta64[ns]"
            )
            return np.asarray(np.datetime64("1990-01-01", "ns") + since)
        for key in _TIMES:
            times = _dates(group, key, stored.shape[0])
            if times is not None:
                return times
    return None


def _beside(file: Any, stored: Any, name: str) -> list[Any]:
    """Groups that may describe the images: their own, and those of their camera."""
    import h5py

    groups = []
    with suppress(KeyError):  # where the dataset lies behind a link into another file
        groups.append(stored.parent)
    parts = name.split("/")[:-1]
    paths = ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    for path in paths:
        below = ("", "NDAttributes", "instrument/NDAttributes", "instrument/detector")
        groups += [opened(file, f"{path}/{one}".rstrip("/")) for one in below]
    return [group for group in groups if isinstance(group, h5py.Group)]


def _numbers(group: Any, key: str) -> NDArray[np.float64] | None:
    import h5py

    try:
        item = opened(group, key)
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.ndim <= 2:
            values = np.asarray(item[()], dtype=np.float64)
            return values if values.size and np.isfinite(values).all() else None
    except OSError:
        pass
    return None


def _dates(group: Any, key: str, n: int) -> NDArray[Any] | None:
    """Times of each image: texts of ISO 8601, or seconds since 1970."""
    import h5py

    item = opened(group, key)
    if not isinstance(item, h5py.Dataset) or item.shape != (n,):
        return None
    if item.dtype.kind in "OS":
        try:
            return np.array([date(as_text(one)) for one in item[()]])
        except (OSError, ValueError):
            return None
    values = _numbers(group, key)
    since_1970 = values is not None and key in ("epoch", "timestamp", "timestamps")
    if not since_1970 or values is None or values.min() < 6e8:
        return None
    return np.round(values * 1e9).astype("datetime64[ns]")
