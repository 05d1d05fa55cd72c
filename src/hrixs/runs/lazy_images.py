"""The images of a run as an array that reads pixels when it is indexed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.budget import bytes_per_chunk
from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.images import report_failed
from hrixs.runs.index import Entries
from hrixs.runs.parts import Part, PartReader, plan_parts
from hrixs.utils.checks import number_of_bytes
from hrixs.utils.dask_arrays import dask_array
from hrixs.utils.errors import FaultyRunError, MissingDataError

if TYPE_CHECKING:
    import dask.array as da


class LazyImages:
    """Images of shape ``(entries, ...)``, in the order of the dimensions in the files.

    It knows where images are stored, keeps no file open, and can be sent to other processes.

    Parameters
    ----------
    entries : Entries
        The index of the images.
    parts : sequence of Part
        All entries, in their order.

    Attributes
    ----------
    shape, dtype, ndim
        Those of the whole array.
    """

    def __init__(self, entries: Entries, parts: list[Part]) -> None:
        self.shape = (len(entries), *entries.shape)
        self.dtype = entries.dtype
        self.ndim = len(self.shape)
        self._train_ids = entries.train_id
        self._parts = parts
        self._begins = np.cumsum([0, *(len(part.rows) for part in parts)])

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read images; one index for each dimension, applied independently.

        Images at equal distances in their file are mapped, and cannot be written to.

        Raises
        ------
        FaultyRunError
            If an image can't be read.
        """
        keys = list(key) if isinstance(key, tuple) else [key]
        keys += [slice(None)] * (self.ndim - len(keys))
        numbers = np.arange(self.shape[0])[keys[0]]
        # Plain slices are read as a crop; other indices of x and y are applied afterwards.
        crop = [k if _is_plain(k) else slice(None) for k in keys[-2:]]
        rest = [slice(None) if _is_plain(k) else k for k in keys[-2:]]
        pixels = self._read(np.atleast_1d(numbers), (crop[0], crop[1]))
        for axis, k in enumerate([*keys[1:-2], *rest], start=1 - self.ndim):
            if not (isinstance(k, slice) and k == slice(None)):
                at = np.asarray([k]) if isinstance(k, int | np.integer) else k
                pixels = pixels[(..., at, *[slice(None)] * (-axis - 1))]
        single = [axis for axis, k in enumerate(keys) if isinstance(k, int | np.integer)]
        return pixels.squeeze(tuple(single)) if single else pixels

    def _read(self, numbers: NDArray[np.int64], crop: tuple[slice, slice]) -> NDArray[Any]:
        of_part = np.searchsorted(self._begins, numbers, side="right") - 1
        borders = np.flatnonzero(np.diff(of_part)) + 1
        pieces = [
            self._read_part(int(of_part[piece[0]]), numbers[piece], crop)
            for piece in np.split(np.arange(len(numbers)), borders)
            if len(piece)
        ]
        if not pieces:
            whole = np.broadcast_to(np.empty((), self.dtype), self.shape[1:])
            return np.empty((0, *whole[(..., *crop)].shape), self.dtype)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _read_part(
        self, number: int, numbers: NDArray[np.int64], crop: tuple[slice, slice]
    ) -> NDArray[Any]:
        part = self._parts[number]
        rows = part.rows[numbers - self._begins[number]]
        try:
            with PartReader(1, crop) as reader:
                read = reader.read(Part(part.stored, numbers, rows))
        except OSError as error:  # the file is not there any more
            raise self._error(part, numbers, str(error)) from error
        if read.failed:
            lost, why = zip(*read.failed, strict=True)
            raise self._error(part, np.array(lost), why[0])
        return read.frames

    def _error(self, part: Part, numbers: NDArray[np.int64], why: str) -> FaultyRunError:
        return FaultyRunError(
            f"{Path(part.stored.path).name}: {named_trains(self._train_ids[numbers])} can't be "
            f"read: {why.rstrip('.')}. A lazy array can't leave images out: use process_run, or "
            "from_run without lazy, or leave the trains out with subset=."
        )


def _is_plain(key: Any) -> bool:
    return isinstance(key, slice) and key.step in (None, 1)


def lazy_reader(
    memory: int | str | None,
) -> Callable[[Entries, Faults], tuple[Callable[[NDArray[np.bool_]], da.Array], Entries]]:
    """Make a reader for `hrixs.runs.images.load_run` that reads nothing yet.

    Parameters
    ----------
    memory : int or str, optional
        Memory for the images in work, in bytes or as text, in one process with as many threads as
        dask uses here. Default ``'512MB'``, or more if a chunk of one frame needs it.

    Raises
    ------
    ImportError
        If dask is not installed.
    ValueError
        If `memory` is not a number of bytes, or too small for the images (when it reads).
    """
    dask_array()
    if memory is not None:
        number_of_bytes("memory", memory)

    def read(
        entries: Entries, faults: Faults
    ) -> tuple[Callable[[NDArray[np.bool_]], da.Array], Entries]:
        chunk_bytes = bytes_per_chunk(memory, entries)
        parts, failed = plan_parts(entries, chunk_bytes)
        report_failed(entries, failed, faults)
        good = np.ones(len(entries), dtype=bool)
        good[[number for number, _ in failed]] = False
        if not good.any():
            raise MissingDataError(faults.why_none("the run"))
        entries = entries.select(good)

        def images(keep: NDArray[np.bool_]) -> da.Array:
            if keep.all() and good.all():
                return _array(entries, parts)
            kept = entries.select(keep)
            return _array(kept, plan_parts(kept, chunk_bytes)[0])

        return images, entries

    return read


def _array(entries: Entries, parts: list[Part]) -> da.Array:
    images = LazyImages(entries, parts)
    chunks = (tuple(len(part.rows) for part in parts), *((n,) for n in entries.shape))
    return dask_array().from_array(
        images, chunks, name=False, meta=np.empty((0,) * images.ndim, images.dtype)
    )
