"""Read the frames of a run part by part, in limited memory, one part ahead of the work."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.faults import BROKEN_FILE
from hrixs.runs.index import Entries
from hrixs.runs.storage import Failed, Stored, map_frames, read_frames, stored_frames
from hrixs.utils.virtual_datasets import DEEPEST, source_rows

#: Smallest number of frames that are mapped together; fewer are copied into one stack.
_FEW = 4


@dataclass(frozen=True)
class Piece:
    """Consecutive frames of a dataset that are stored in one file.

    Attributes
    ----------
    begin, end
        First row in the dataset, and the row after the last one.
    stored
        Where they are stored; or a text why they are missing.
    first
        Row of the first frame in that file.
    """

    begin: int
    end: int
    stored: Stored | str
    first: int


def stored_pieces(path: str, dataset: str, *, depth: int = 0) -> list[Piece]:
    """Look up where the frames of a dataset are stored; a virtual dataset points to other files.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    import h5py

    with h5py.File(path, "r") as file:
        data = file[dataset]
        if not data.is_virtual or depth > DEEPEST:
            return [Piece(0, len(data), stored_frames(path, dataset), 0)]
        sources, absent = source_rows(data)
        n_rows = len(data)
    gone = np.zeros(n_rows, dtype=bool)
    pieces: list[Piece] = []
    for why, rows in absent.items():
        pieces += [Piece(begin, end, why, 0) for begin, end in _stretches(rows & ~gone)]
        gone |= rows
    if sources is None:
        here = stored_frames(path, dataset)
        pieces += [Piece(begin, end, here, begin) for begin, end in _stretches(~gone)]
    for source in sources or ():
        for one in stored_pieces(source.path, source.dataset, depth=depth + 1):
            shift = source.begin - source.first
            begin = max(source.begin, one.begin + shift)
            end = min(source.end, one.end + shift)
            if begin < end:
                pieces.append(Piece(begin, end, one.stored, one.first + begin - shift - one.begin))
    return sorted(pieces, key=lambda piece: piece.begin)


def _stretches(rows: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of each range of rows that are True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], rows.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


@dataclass(frozen=True)
class Part:
    """Frames of one file, next to each other in the index. Small, to be sent to other processes.

    Attributes
    ----------
    entries
        Their numbers in the index.
    rows
        Rows of the frames in the file.
    """

    stored: Stored
    entries: NDArray[np.int64]
    rows: NDArray[np.int64]

    def divided(self, n: int) -> list[Part]:
        """Split into the first `n` frames and the rest, if there is any."""
        return [
            replace(self, entries=self.entries[some], rows=self.rows[some])
            for some in (slice(n), slice(n, None))
            if len(self.entries[some])
        ]


@dataclass(frozen=True)
class ReadPart:
    """The frames that were read for a part.

    Attributes
    ----------
    frames : numpy.ndarray, shape (n, ..., x, y)
        Cropped; valid until `buffers` - 1 more parts are requested.
    entries : numpy.ndarray of int
        Their numbers in the index.
    failed : list of (int, str)
        Index numbers of the frames that cannot be read, and the reasons.
    """

    frames: NDArray[Any]
    entries: NDArray[np.int64]
    failed: Failed


def plan_parts(
    entries: Entries, bytes_per_part: int, wanted: NDArray[np.int64] | None = None
) -> tuple[list[Part], Failed]:
    """Divide the entries of an index into parts of limited size, with at least one frame each.

    Parameters
    ----------
    entries : Entries
        The index.
    bytes_per_part : int
        Largest size of a part; a single frame may be larger.
    wanted : numpy.ndarray of int, optional
        Numbers of the entries to read; by default all.

    Returns
    -------
    parts : list of Part
    failed : list of (int, str)
        Index numbers of the frames whose file cannot be read, and the reasons.
    """
    parts: list[Part] = []
    failed: Failed = []
    pieces: dict[int, list[Piece] | str] = {}
    numbers = np.arange(len(entries)) if wanted is None else wanted
    borders = np.flatnonzero(np.diff(entries.file[numbers])) + 1
    for run in np.split(numbers, borders):
        if not len(run):
            continue
        number = int(entries.file[run[0]])
        if number not in pieces:
            path = entries.paths[number]
            try:
                found = stored_pieces(path, entries.dataset)
                pieces[number] = [_told_as_elsewhere(piece, path) for piece in found]
            except BROKEN_FILE as error:
                pieces[number] = str(error)
        known = pieces[number]
        if isinstance(known, str):
            failed += [(int(entry), known) for entry in run]
            continue
        for where, together, rows in _by_piece(known, run, entries.row[run]):
            if isinstance(where, str):
                failed += [(int(entry), where) for entry in together]
                continue
            most = max(1, bytes_per_part // max(1, where.frame_bytes))
            for few in np.array_split(np.arange(len(together)), -(-len(together) // most)):
                parts += _mappable(where, together[few], rows[few])
    return parts, failed


def _told_as_elsewhere(piece: Piece, path: str) -> Piece:
    """The piece; its faults name the file, if this is not a file of the run."""
    stored = piece.stored
    if isinstance(stored, str) or stored.path == path:
        return piece
    return replace(piece, stored=replace(stored, elsewhere=True))


def _by_piece(
    pieces: list[Piece], entries: NDArray[np.int64], rows: NDArray[np.int64]
) -> Iterator[tuple[Stored | str, NDArray[np.int64], NDArray[np.int64]]]:
    """Neighbouring entries that are in one piece, with their rows there."""
    begins = np.array([piece.begin for piece in pieces])
    which = np.searchsorted(begins, rows, side="right") - 1
    for together in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(which)) + 1):
        piece = pieces[int(which[together[0]])]
        yield piece.stored, entries[together], rows[together] - piece.begin + piece.first


def _mappable(stored: Stored, entries: NDArray[np.int64], rows: NDArray[np.int64]) -> list[Part]:
    """One part, or several parts with frames at equal distances if these are enough."""
    if stored.offset is None or stored.deflated or stored.stride(rows) is not None:
        return [Part(stored, entries, rows)]
    steps = np.diff(stored.offset[rows])
    borders = np.flatnonzero(np.diff(steps) != 0) + 2
    pieces = np.split(np.arange(len(rows)), borders)
    if len(rows) < _FEW * len(pieces):
        return [Part(stored, entries, rows)]
    return [Part(stored, entries[piece], rows[piece]) for piece in pieces if len(piece)]


class PartReader:
    """Reads parts: frames at equal distances are mapped, others are copied to reused buffers.

    Parameters
    ----------
    threads : int
        Number of frames that are decompressed at a time.
    crop : (slice, slice)
        Pixels of x and y to read.
    swapped : bool
        Whether frames are stored as (..., y, x).
    buffers : int
        Number of parts that are valid at the same time.
    """

    def __init__(
        self,
        threads: int,
        crop: tuple[slice, slice] = (slice(None), slice(None)),
        *,
        swapped: bool = False,
        buffers: int = 2,
    ) -> None:
        self._swapped = swapped
        self._crop = crop[::-1] if swapped else crop
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hrixs-inflate")
        self._n_buffers = buffers
        self._buffers: list[NDArray[Any]] = []

    def read(self, part: Part) -> ReadPart:
        """Read one part."""
        read = self._read(part)
        return replace(read, frames=read.frames.swapaxes(-1, -2)) if self._swapped else read

    def _read(self, part: Part) -> ReadPart:
        stride = part.stored.stride(part.rows)
        if stride is not None:
            try:
                frames = map_frames(part.stored, part.rows, stride, self._crop)
            except OSError:
                pass  # what is there is read frame by frame
            else:
                return ReadPart(frames, part.entries, [])
        out = self._buffer(part)
        failed = read_frames(part.stored, part.rows, out, self._pool)
        good = np.ones(len(part.rows), dtype=bool)
        good[[number for number, _ in failed]] = False
        frames = out[(..., *self._crop)]
        where = f" (in {part.stored.path})" if part.stored.elsewhere else ""
        return ReadPart(
            frames if good.all() else frames[good],
            part.entries[good],
            [(int(part.entries[number]), f"{why}{where}") for number, why in failed],
        )

    def read_ahead(self, parts: Iterable[Part]) -> Generator[ReadPart]:
        """Read parts one by one; the next one is read while the last one is processed."""
        with ThreadPoolExecutor(1, thread_name_prefix="hrixs-read") as reader:
            ahead = None
            for part in parts:
                following = reader.submit(self.read, part)
                if ahead is not None:
                    yield ahead.result()
                ahead = following
            if ahead is not None:
                yield ahead.result()

    def let_go(self, read: ReadPart) -> None:
        """Release the buffers; whoever uses what was read keeps its memory."""
        kept = [one for one in self._buffers if not np.may_share_memory(one, read.frames)]
        self._buffers[:] = kept

    def close(self) -> None:
        """End the threads and release the memory."""
        self._pool.shutdown(cancel_futures=True)
        self._buffers.clear()

    def __enter__(self) -> PartReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _buffer(self, part: Part) -> NDArray[Any]:
        """The next buffer; the others are in work."""
        wanted = (len(part.rows), *part.stored.shape)
        old = self._buffers.pop(0) if len(self._buffers) == self._n_buffers else None
        if (
            old is None
            or old.dtype != part.stored.dtype
            or old.shape[1:] != wanted[1:]
            or len(old) < wanted[0]
        ):
            old = np.empty(wanted, part.stored.dtype)
        self._buffers.append(old)
        return old[: wanted[0]]


def failed_texts(entries: Entries, failed: Failed) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """For each file and reason: a text, and the index numbers of its frames."""
    groups: dict[tuple[str, str], list[int]] = {}
    for entry, why in sorted(failed):
        name = Path(entries.paths[int(entries.file[entry])]).name
        groups.setdefault((name, why), []).append(entry)
    for (name, why), numbers in groups.items():
        yield f"{name}: {why}", np.array(numbers, dtype=np.int64)
