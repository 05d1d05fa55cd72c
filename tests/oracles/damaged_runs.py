"""Ways to damage a run that `hrixs.simulation.write_run` wrote with its defaults: one a function.

Rows of the index and images are counted within one file. Nothing here knows how runs are read.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

SOURCE = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput"
INDEX = f"INDEX/{SOURCE}/data"
DATA = f"INSTRUMENT/{SOURCE}/data"
PIXELS = f"{DATA}/image/pixels"
OWN_IDS = f"{DATA}/trainId"
SCAN = "SCS_HRIXS_ACQ/MDL/SCAN"
MONO = "SA3_XTD10_MONO/MDL/PHOTON_ENERGY"


def camera_file(folder: Path, sequence: int) -> Path:
    return folder / f"RAW-R0001-DA02-S{sequence:05d}.h5"


def slow_file(folder: Path, sequence: int) -> Path:
    return folder / f"RAW-R0001-DA01-S{sequence:05d}.h5"


# Files that can't be read.


def truncate(path: Path) -> None:
    """End the file in its middle, as a full disk or a broken copy does."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def keep_only_the_head(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def fill_with_garbage(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove_train_ids(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["INDEX/trainId"]


def remove(path: Path) -> None:
    path.unlink()


UNREADABLE = (truncate, keep_only_the_head, fill_with_garbage, empty, remove_train_ids)


def remove_pixels(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file[PIXELS]


def remove_camera_index(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file[INDEX]


# Pixels.


def cut_pixels(path: Path, keep: int) -> None:
    """Keep the first `keep` images only; the index stays as it was."""
    with h5py.File(path, "r+") as file:
        file[PIXELS].resize(keep, axis=0)


def replace_pixels(path: Path, images: ArrayLike, **storage: Any) -> None:
    """Put other images in place, one in a chunk; `storage` as for ``create_dataset``."""
    images = np.asarray(images)
    with h5py.File(path, "r+") as file:
        del file[PIXELS]
        shape = images.shape[1:]
        file.create_dataset(
            PIXELS, data=images, maxshape=(None, *shape), chunks=(1, *shape), **storage
        )


def compress(path: Path) -> None:
    """Store the same images with gzip and shuffle, one in a chunk."""
    with h5py.File(path) as file:
        images = file[PIXELS][:]
    replace_pixels(path, images, compression="gzip", shuffle=True)


def flip_bytes_of_chunk(path: Path, image: int) -> None:
    """Invert eight bytes in the middle of the image's chunk."""
    with h5py.File(path) as file:
        pixels = file[PIXELS]
        chunks = [pixels.id.get_chunk_info(n) for n in range(pixels.id.get_num_chunks())]
    chunk = next(chunk for chunk in chunks if chunk.chunk_offset[0] == image)
    with path.open("r+b") as raw:
        raw.seek(chunk.byte_offset + chunk.size // 2)
        eight = raw.read(8)
        raw.seek(-len(eight), 1)
        raw.write(bytes(byte ^ 0xFF for byte in eight))


def cut_chunk_short(path: Path, image: int) -> None:
    """Keep the first half of the image's compressed bytes."""
    with h5py.File(path, "r+") as file:
        chunk = file[PIXELS].id
        filter_mask, stored = chunk.read_direct_chunk((image, 0, 0))
        chunk.write_direct_chunk((image, 0, 0), stored[: len(stored) // 2], filter_mask)


def set_pixel(path: Path, image: int, x: int, y: int, value: float) -> None:
    with h5py.File(path, "r+") as file:
        file[PIXELS][image, x, y] = value


def set_image(path: Path, image: int, pixels: ArrayLike) -> None:
    with h5py.File(path, "r+") as file:
        file[PIXELS][image] = pixels


# The index: which images belong to which train.


def point(path: Path, row: int, *, first: int | None = None, count: int | None = None) -> None:
    """Set one train's entry of the camera's index."""
    with h5py.File(path, "r+") as file:
        for name, value in (("first", first), ("count", count)):
            if value is not None:
                file[f"{INDEX}/{name}"][row] = np.uint64(value)


def swap_trains(path: Path, one: int, other: int) -> None:
    """Exchange two trains with all that is theirs, as if they had come in the wrong order."""
    with h5py.File(path, "r+") as file:
        for dataset in _growing(file):
            if not dataset.name.endswith(("/first", "/count")):
                _exchange(dataset, one, other)


def swap_entries(path: Path, one: int, other: int) -> None:
    """The same, with images and values left in their places: only the index is out of order."""
    with h5py.File(path, "r+") as file:
        for dataset in _growing(file, ("INDEX",)):
            _exchange(dataset, one, other)


def give_images_to(path: Path, row: int, to: int) -> None:
    """Let the image of train `row` belong to the train `to` just before it, wholly and rightly."""
    with h5py.File(path, "r+") as file:
        counts = file[f"{INDEX}/count"][:]
        counts[to], counts[row] = counts[to] + counts[row], 0
        file[f"{INDEX}/count"][:] = counts
        if OWN_IDS in file:
            file[OWN_IDS][row] = file["INDEX/trainId"][to]


def pad(path: Path, rows: int) -> None:
    """Append zeros to everything that grows with the trains, as the DAQ's blocks do."""
    with h5py.File(path, "r+") as file:
        for dataset in _growing(file):
            dataset.resize(len(dataset) + rows, axis=0)


# Train ids, and what is said about them.


def set_train_id(path: Path, row: int, value: int) -> None:
    """Set the id in ``INDEX/trainId``; the images' own ids stay."""
    with h5py.File(path, "r+") as file:
        file["INDEX/trainId"][row] = value


def set_own_id(path: Path, image: int, value: int) -> None:
    """Set the id that stands beside the image; ``INDEX/trainId`` stays."""
    with h5py.File(path, "r+") as file:
        file[OWN_IDS][image] = value


def remove_own_ids(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file[OWN_IDS]


def copy_file(path: Path, sequence: int) -> Path:
    """Copy a file to another sequence number: all its trains are there twice."""
    other = path.with_name(f"{path.stem[:-5]}{sequence:05d}.h5")
    shutil.copy(path, other)
    return other


def set_flag(path: Path, row: int, value: int = 0) -> None:
    """By default: say that the train is suspect."""
    with h5py.File(path, "r+") as file:
        file["INDEX/flag"][row] = value


def make_format_1_1(path: Path) -> None:
    """In format 1.1 a flag is 0 where a train is good."""
    with h5py.File(path, "r+") as file:
        file["METADATA/dataFormatVersion"][0] = b"1.1"
        file["INDEX/flag"][:] = 1 - file["INDEX/flag"][:]


# Slow data.


def forget_slow(path: Path, row: int, source: str) -> None:
    """Take a control source's value of one train away: the later values move up."""
    with h5py.File(path, "r+") as file:
        index = file[f"INDEX/{source}"]
        index["count"][row] = 0
        index["first"][row + 1 :] = index["first"][row + 1 :] - 1
        for column in _growing(file, (f"CONTROL/{source}",)):
            left = np.delete(column[:], row)
            column.resize(len(left), axis=0)
            column[:] = left


def _growing(
    file: h5py.File, groups: tuple[str, ...] = ("INDEX", "CONTROL", "INSTRUMENT")
) -> list[h5py.Dataset]:
    """All datasets that get a row with each train or image."""
    found: list[h5py.Dataset] = []
    for group in groups:
        if group in file:
            file[group].visititems(
                lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None
            )
    return found


def _exchange(dataset: h5py.Dataset, one: int, other: int) -> None:
    rows = dataset[:]
    rows[[one, other]] = rows[[other, one]]
    dataset[:] = rows
