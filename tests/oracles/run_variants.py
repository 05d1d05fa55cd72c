"""Camera files of other kinds than `write_run` makes, from a run that it made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

SOURCE = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput"
PIXELS = f"INSTRUMENT/{SOURCE}/data/image/pixels"


def camera_files(folder: Path) -> list[Path]:
    """The files of the run that hold the camera."""
    return sorted(folder.glob("*-DA02-*.h5"))


def rewrite(folder: Path, change: Callable[[np.ndarray], np.ndarray], **how: Any) -> None:
    """Write the images anew, changed, as ``create_dataset`` is told."""
    for path in camera_files(folder):
        with h5py.File(path, "r+") as file:
            images = change(file[PIXELS][:])
            del file[PIXELS]
            options = {
                name: value(images.shape) if callable(value) else value
                for name, value in how.items()
            }
            file.create_dataset(PIXELS, data=images, **options)


def write_unevenly(folder: Path) -> None:
    """Images in chunks that do not lie evenly in the file."""
    for path in camera_files(folder):
        with h5py.File(path, "r+") as file:
            images = file[PIXELS][:]
            del file[PIXELS]
            shape = (0, *images.shape[1:])
            data = file.create_dataset(
                PIXELS, shape, images.dtype, maxshape=(None, *shape[1:]), chunks=(1, *shape[1:])
            )
            for number, image in enumerate(images):
                data.resize(number + 1, axis=0)
                data[number] = image
                file.create_dataset(f"filler{number}", data=np.zeros(37 * number**2 + 1))


def one_image(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A chunk of one image."""
    return (1, *shape[1:])


def three_images(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A chunk of three images."""
    return (3, *shape[1:])


def half_an_image(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A chunk of half an image."""
    return (1, shape[1] // 2, *shape[2:])


def same(images: np.ndarray) -> np.ndarray:
    """As they are."""
    return images


#: All ways in which images may lie in a file: what is done to the run's folder.
KINDS: dict[str, Callable[[Path], None]] = {
    "one image a chunk": lambda folder: None,
    "without chunks": lambda folder: rewrite(folder, same),
    "three images a chunk": lambda folder: rewrite(folder, same, chunks=three_images),
    "half an image a chunk": lambda folder: rewrite(folder, same, chunks=half_an_image),
    "unevenly": write_unevenly,
    "deflated": lambda folder: rewrite(folder, same, chunks=one_image, compression="gzip"),
    "deflated and shuffled": lambda folder: rewrite(
        folder, same, chunks=one_image, compression="gzip", shuffle=True
    ),
    "deflated, three images a chunk": lambda folder: rewrite(
        folder, same, chunks=three_images, compression="gzip"
    ),
    "with lzf": lambda folder: rewrite(folder, same, chunks=one_image, compression="lzf"),
    "with a checksum": lambda folder: rewrite(
        folder, same, chunks=one_image, compression="gzip", fletcher32=True
    ),
    "float32, deflated and shuffled": lambda folder: rewrite(
        folder, lambda i: i.astype("f4"), chunks=one_image, compression="gzip", shuffle=True
    ),
    "big-endian": lambda folder: rewrite(folder, lambda i: i.astype(">u2"), chunks=one_image),
    "big-endian, deflated and shuffled": lambda folder: rewrite(
        folder, lambda i: i.astype(">u2"), chunks=one_image, compression="gzip", shuffle=True
    ),
    "int32": lambda folder: rewrite(folder, lambda i: i.astype("i4"), chunks=one_image),
}
