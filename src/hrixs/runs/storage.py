"""Read frames from an HDF5 file.

Uncompressed frames are mapped into memory, which needs no copy and no lock of HDF5. Deflated frames
are decompressed in several threads. All others are read by HDF5.
"""

from __future__ import annotations

import importlib
import mmap
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.faults import BROKEN_FILE
from hrixs.utils.hdf5_filters import load_filters, missing_filter_text


def _fastest_zlib() -> Any:
    try:  # twice as fast
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


_zlib = _fastest_zlib()

# Larger datasets are read row by row: sizes stated in files are not trusted.
_MOST_ROWS = 2**24
#: ``HRIXS_MAP_FILES=0``: copy frames instead of mapping them.
_MAP_FILES = "HRIXS_MAP_FILES"

#: Frames that could not be read: position among the requested ones, and reason.
Failed = list[tuple[int, str]]


@dataclass(frozen=True)
class Stored:
    """Where the frames of one file are stored.

    Attributes
    ----------
    path, dataset
        The file, and the path of the dataset with the frames.
    shape, dtype
        Shape and type of one frame, or of a stack of frames such as the cells of a train.
    offset, size
        Position and size of each row, in bytes; offset -1: HDF5 must read it. None: HDF5 reads all.
    deflated, shuffled
        The filters that were applied.
    elsewhere
        Whether this file is not a file of the run, but one that is linked from it.
    """

    path: str
    dataset: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: NDArray[np.int64] | None = None
    size: NDArray[np.int64] | None = None
    deflated: bool = False
    shuffled: bool = False
    elsewhere: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame, decompressed."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def stride(self, rows: NDArray[np.int64]) -> int | None:
        """Distance of these rows in bytes if they can be mapped, else None."""
        if self.offset is None or self.deflated or os.environ.get(_MAP_FILES) == "0":
            return None
        offsets = self.offset[rows]
        if (offsets < 0).any():
            return None
        steps = np.unique(np.diff(offsets))
        if len(steps) == 0:
            return self.frame_bytes
        return int(steps[0]) if len(steps) == 1 and steps[0] >= self.frame_bytes else None


def stored_frames(path: str, dataset: str) -> Stored:
    """Look up where the frames of a dataset are stored; a link leads to another file.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    import h5py

    with h5py.File(path, "r") as file:
        data = file[dataset]
        # Positions of chunks refer to the file that holds the dataset.
        path, dataset = data.file.filename, data.name
        shape, dtype = tuple(data.shape[1:]), data.dtype
        plain = Stored(path, dataset, shape, dtype)
        filters = [data.id.get_create_plist().get_filter(k)[0] for k in range(_n_filters(data))]
        by_hdf5 = data.is_virtual or data.external or dtype.kind not in "iuf"
        known = filters in (
            [],
            [h5py.h5z.FILTER_DEFLATE],
            [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE],
        )
        # If the file has a user block, offsets may count from its end.
        by_hdf5 |= not hasattr(os, "pread") or not 0 < len(data) <= _MOST_ROWS
        if by_hdf5 or not known or data.file.userblock_size:
            return plain
        frame_bytes = plain.frame_bytes
        if data.chunks is None:
            begin = data.id.get_offset()
            if begin is None:
                return plain
            offset = begin + np.arange(len(data), dtype=np.int64) * frame_bytes
            return Stored(path, dataset, shape, dtype, offset, np.full(len(data), frame_bytes))
        if data.chunks[1:] != shape or (filters and data.chunks[0] != 1):
            return plain
        offset, size = _chunks(data, frame_bytes, deflated=bool(filters))
        return Stored(
            *(path, dataset, shape, dtype, offset, size),
            deflated=bool(filters),
            shuffled=len(filters) == 2,
        )


def map_frames(
    stored: Stored, rows: NDArray[np.int64], stride: int, crop: tuple[slice, slice]
) -> NDArray[Any]:
    """Map frames, read only, cropped in x and y; `stride` is from `Stored.stride`.

    The memory map is closed with the array. Memory pages outside the crop are not read.

    Raises
    ------
    OSError
        If the file is too short.
    """
    assert stored.offset is not None
    begin = int(stored.offset[rows[0]])
    n_bytes = (len(rows) - 1) * stride + stored.frame_bytes
    aligned = begin - begin % mmap.ALLOCATIONGRANULARITY
    with open(stored.path, "rb") as file:
        # Reading a map beyond the end of the file would kill the process.
        if os.fstat(file.fileno()).st_size < begin + n_bytes:
            raise OSError(f"the file ends before the data, at byte {begin + n_bytes}")
        window = mmap.mmap(
            file.fileno(), begin + n_bytes - aligned, access=mmap.ACCESS_READ, offset=aligned
        )
    in_frame = np.empty(stored.shape, stored.dtype).strides
    whole = np.ndarray(
        (len(rows), *stored.shape),
        stored.dtype,
        buffer=window,
        offset=begin - aligned,
        strides=(stride, *in_frame),
    )
    frames = whole[(..., *crop)]
    # Reading one value of every page loads all pages here, and not during the work.
    rows_a_page = max(1, mmap.PAGESIZE // frames.strides[-2])
    columns_a_page = max(1, mmap.PAGESIZE // frames.itemsize)
    frames[..., ::rows_a_page, ::columns_a_page].max(initial=0)
    return frames


def read_frames(
    stored: Stored, rows: NDArray[np.int64], out: NDArray[Any], pool: ThreadPoolExecutor
) -> Failed:
    """Read frames into `out`, several at a time if that is faster.

    Returns
    -------
    list of (int, str)
        The frames that cannot be read; their places in `out` must not be used.
    """
    if stored.offset is None:
        return _read_by_hdf5(stored, rows, range(len(rows)), out)
    failed: Failed = []
    left: list[int] = []
    try:
        file = open(stored.path, "rb")  # noqa: SIM115  # what fails within is another error
    except OSError as error:
        return [(number, str(error)) for number in range(len(rows))]
    with file:

        def read_one(number: int) -> str | None:
            try:
                _read_bytes(stored, int(rows[number]), file.fileno(), out[number])
            except (OSError, ValueError, EOFError, _zlib.error) as error:
                return str(error)
            return None

        at_once: list[int] = []
        for number, row in enumerate(rows):
            there = row < len(stored.offset) and stored.offset[row] >= 0
            (at_once if there else left).append(number)
        for number, why in zip(at_once, pool.map(read_one, at_once), strict=True):
            if why is not None:
                failed.append((number, why))
    return sorted(failed + _read_by_hdf5(stored, rows, left, out))


def _read_bytes(stored: Stored, row: int, descriptor: int, out: NDArray[Any]) -> None:
    assert stored.offset is not None
    assert stored.size is not None
    size = int(stored.size[row])
    packed = os.pread(descriptor, size, int(stored.offset[row]))
    if len(packed) < size:
        raise OSError(f"the file ends within the data, after {len(packed)} of {size} bytes")
    if not stored.deflated:
        out[...] = np.frombuffer(packed, stored.dtype).reshape(stored.shape)
        return
    inflater = _zlib.decompressobj()
    content = inflater.decompress(packed, stored.frame_bytes + 1)
    if len(content) != stored.frame_bytes or not inflater.eof:
        raise ValueError(f"it does not decompress to the {stored.frame_bytes} bytes of a frame")
    if not stored.shuffled:
        out[...] = np.frombuffer(content, stored.dtype).reshape(stored.shape)
        return
    _unshuffle(np.frombuffer(content, np.uint8), stored, out)


def _unshuffle(content: NDArray[np.uint8], stored: Stored, out: NDArray[Any]) -> None:
    """Undo the shuffle filter, which sorts the bytes of numbers by their position."""
    places = content.reshape(stored.dtype.itemsize, *stored.shape)
    if stored.dtype == np.uint16 and stored.dtype.isnative and sys.byteorder == "little":
        # Shifts are eight times faster than moving single bytes.
        np.copyto(out, places[1])
        np.left_shift(out, 8, out=out)
        np.bitwise_or(out, places[0], out=out)
        return
    out[...] = np.moveaxis(places, 0, -1).copy().view(stored.dtype)[..., 0]


def _read_by_hdf5(
    stored: Stored, rows: NDArray[np.int64], numbers: Sequence[int] | range, out: NDArray[Any]
) -> Failed:
    import h5py

    failed: Failed = []
    if not len(numbers):
        return failed
    try:
        with h5py.File(stored.path, "r") as file:
            data = file[stored.dataset]
            if data.is_virtual:
                load_filters()  # which ones its sources need is not known here
            lacking = missing_filter_text(data)
            if _read_together(data, rows, numbers, out):
                return failed
            for number in numbers:
                try:
                    data.read_direct(out, np.s_[rows[number]], np.s_[number])
                except BROKEN_FILE as error:
                    failed.append((number, lacking or str(error)))
    except BROKEN_FILE as error:
        return [(number, str(error)) for number in numbers]
    return failed


def _read_together(
    data: Any, rows: NDArray[np.int64], numbers: Sequence[int] | range, out: NDArray[Any]
) -> bool:
    """Read all frames at once, to decompress a chunk with several once; False if it fails."""
    wanted = rows[list(numbers)]
    if len(numbers) < len(out) or (np.diff(wanted) != 1).any():
        return False
    try:
        data.read_direct(out, np.s_[int(wanted[0]) : int(wanted[-1]) + 1])
    except BROKEN_FILE:
        return False
    return True


def _n_filters(data: Any) -> int:
    return int(data.id.get_create_plist().get_nfilters())


def _chunks(
    data: Any, frame_bytes: int, *, deflated: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Offset and size of each row; offset -1 if a chunk is missing or has other filters."""
    offset = np.full(len(data), -1, dtype=np.int64)
    size = np.zeros(len(data), dtype=np.int64)
    rows_of_chunk = data.chunks[0]
    in_chunk = np.arange(rows_of_chunk, dtype=np.int64) * frame_bytes

    def note(chunk: Any) -> None:
        begin = int(chunk.chunk_offset[0])
        end = min(begin + rows_of_chunk, len(data))
        if chunk.filter_mask != 0 or chunk.byte_offset is None or begin >= end:
            return
        offset[begin:end] = chunk.byte_offset + in_chunk[: end - begin]
        size[begin:end] = chunk.size if deflated else frame_bytes

    _for_each_chunk(data, note)
    return offset, size


def _for_each_chunk(data: Any, note: Callable[[Any], None]) -> None:
    if hasattr(data.id, "chunk_iter"):
        data.id.chunk_iter(note)
    else:  # HDF5 before 1.14 goes through all chunks for each
        for number in range(data.id.get_num_chunks()):
            note(data.id.get_chunk_info(number))
