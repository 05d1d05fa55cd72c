"""FITS files, read with astropy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.stored import Stored, date, joined, library, shape_text

# Common keywords for the exposure, in s.
_EXPOSURES = ("EXPTIME", "EXPOSURE", "XPOSURE", "EXP_TIME")


def stored_images(path: str, dataset: str | None) -> Stored:
    """Describe the images in a FITS file.

    Extensions of equal shape, type and name are one stack. `dataset` is the name or number of an
    extension, if there are others.
    """
    with _Opened(path) as file:
        parts = {
            number: _one(path, number, unit)
            for number, unit in enumerate(file)
            if unit.is_image and len(unit.shape) > 1 and 0 not in unit.shape
        }
        names = {number: str(file[number].name) for number in parts}
    chosen = list(parts)
    if dataset is not None:
        if dataset.isdigit():
            chosen = [number for number in parts if number == int(dataset)]
        else:
            chosen = [number for number in parts if names[number].upper() == dataset.upper()]
    images = [parts[number] for number in chosen]
    listed = ", ".join(
        f"{number} {names[number]} {shape_text(part)}".replace("  ", " ")
        for number, part in parts.items()
    )
    if not images:
        if dataset is None or not listed:
            raise ValueError(f"{path} has no image: its extensions are tables, or empty.")
        raise ValueError(f"{path} has no image {dataset!r}, expected one of: {listed}.")
    if len(images) == 1:
        return images[0]
    alike = {(parts[number].shape, parts[number].dtype, names[number]) for number in chosen}
    if len(alike) > 1 or len(images[0].shape) > 2:
        raise ValueError(
            f"{path} has {len(images)} extensions that may be images: {listed}. Name one with "
            "--dataset, by its name or number."
        )
    return joined(path, images, f"{len(images)} extensions")


def _one(path: str, number: int, unit: Any) -> Stored:
    # In the type of the stored numbers with their scale: FITS has no uint16.
    scaled = unit.section[tuple(slice(0, 1) for _ in unit.shape)]
    header = unit.header

    def read() -> NDArray[Any]:
        with _Opened(path) as again:
            return np.array(again[number].data)

    return Stored(
        "FITS",
        tuple(unit.shape),
        np.dtype(scaled.dtype),
        read,
        name="",
        units=str(header.get("BUNIT", "")),
        exposure=_exposure(header),
        time=_time(header) if len(unit.shape) == 2 else None,
    )


class _Opened:
    """A FITS file; warnings about a truncated file become errors."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fits = library("astropy.io.fits", "FITS", "astropy")

    def __enter__(self) -> Any:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            self._file = self._fits.open(self._path, memmap=False)
            len(self._file)  # reads all headers
        for one in told:
            if "truncated" in str(one.message).lower():
                self._file.close()
                raise ValueError(f"{self._path} is cut short: {one.message}")
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _exposure(header: Mapping[str, Any]) -> NDArray[np.float64] | None:
    for key in _EXPOSURES:
        try:
            return np.asarray(float(header[key]))
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _time(header: Mapping[str, Any]) -> NDArray[Any] | None:
    text = str(header.get("DATE-OBS", ""))
    if "T" not in text and header.get("TIME-OBS"):
        text = f"{text}T{header['TIME-OBS']}"
    try:
        return np.asarray(date(text))
    except ValueError:
        return None
