"""How memory is divided between the images that are processed at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrixs.runs.index import Entries
from hrixs.utils.checks import number_of_bytes
from hrixs.utils.dask_arrays import dask_threads

if TYPE_CHECKING:
    pass


#: Peak memory of a long run above the import, without its result.
MEMORY = "512MB"


# Larger parts are not faster, and the progress bar moves in jumps.
_MOST_BYTES_PER_PART = 96 * 10**6


# Two parts in work, and one that is about to be released.
_PARTS_AT_A_TIME = 3
# The first images, which are examined meanwhile, and what threads keep need as much as a part.
_SHARES = 4


# Memory of HDF5, threads and tables.
_BESIDE_FRAMES = 32 * 10**6


# Bytes a pixel of a dark, of what the kernels make of it, and of a frame in float64.
_BYTES_PER_PIXEL = 24


@dataclass(frozen=True)
class Budget:
    """How memory is divided.

    Attributes
    ----------
    part_bytes
        Bytes of the frames that are read at a time.
    inflating
        Number of frames that are decompressed at a time.
    """

    part_bytes: int
    inflating: int


def share_out(
    memory: int | str | None, entries: Entries, threads: int, *, copied: float = 0.0
) -> Budget:
    """Divide `memory`; the default is ``'512MB'``, or more if images of this size need it.

    A part that is processed needs `copied` times its bytes in addition.

    Raises
    ------
    ValueError
        If `memory` is too small for images of this size, or not a number of bytes.
    """
    frame = int(np.prod(entries.shape, dtype=np.int64)) * entries.dtype.itemsize
    pixels = int(np.prod(entries.shape[-2:], dtype=np.int64))
    beside = _BESIDE_FRAMES + _BYTES_PER_PIXEL * pixels
    # A decompressed frame exists twice for a moment.
    least = beside + (_PARTS_AT_A_TIME + 1) * frame
    available = number_of_bytes("memory", MEMORY if memory is None else memory)
    if memory is None:
        available = max(available, least)
    if available < least:
        raise ValueError(
            f"memory = {memory!r} is too little for images of {frame / 1e6:.3g} MB, expected "
            f"{-(-least // 10**6)} MB or more."
        )
    for_frames = available - beside
    inflating = max(1, min(threads, for_frames // frame // 2 - _PARTS_AT_A_TIME))
    part_bytes = (for_frames - inflating * frame) // _SHARES
    if copied:  # of both parts that are worked on
        part_bytes = int(part_bytes * _SHARES / (_SHARES + 2 * copied))
    return Budget(min(part_bytes, _MOST_BYTES_PER_PART), inflating)


# A chunk in work, and one that is read ahead.
_CHUNKS_A_THREAD = 2


def bytes_per_chunk(memory: int | str | None, entries: Entries) -> int:
    """Bytes of a chunk of frames with which all threads of dask together stay within `memory`.

    Each thread holds two chunks, one in work and one that is read ahead, and 24 bytes for each
    pixel of one frame; 32 MB are reserved.

    Raises
    ------
    ValueError
        If `memory` is too small for one frame a chunk.
    """
    threads = dask_threads()
    frame = max(1, int(np.prod(entries.shape, dtype=np.int64)) * entries.dtype.itemsize)
    pixels = int(np.prod(entries.shape[-2:], dtype=np.int64))
    beside = _BESIDE_FRAMES + threads * _BYTES_PER_PIXEL * pixels
    least = beside + threads * _CHUNKS_A_THREAD * frame
    available = max(number_of_bytes("memory", MEMORY), least)
    if memory is not None:
        available = number_of_bytes("memory", memory)
    if available < least:
        raise ValueError(
            f"memory = {memory!r} is too little for images of {frame / 1e6:.1f} MB with {threads} "
            f"threads of dask, expected {-(-least // 10**6)} MB or more. Give more, or dask fewer "
            "threads: dask.config.set(num_workers=1)."
        )
    return (available - beside) // (threads * _CHUNKS_A_THREAD)
