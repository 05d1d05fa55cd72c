"""The images of a run: their index, all at once, or added up part by part."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.index import Entries
from hrixs.runs.indexed_run import IndexedRun
from hrixs.runs.parts import PartReader, failed_texts, plan_parts
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.memory import require_memory
from hrixs.utils.threads import available_threads

_BYTES_PER_PART = 64 * 2**20

#: Function of an indexed run and a mask of entries; returns the images and the entries read.
ReadImages: TypeAlias = Callable[
    [Entries, Faults], tuple[Callable[[NDArray[np.bool_]], Any], Entries]
]


def load_run(indexed: IndexedRun, read: ReadImages | None = None) -> xr.Dataset:
    """Load a run's images and the slow data that belong to them.

    Parameters
    ----------
    indexed : IndexedRun
        From `hrixs.runs.indexed_run.index_run`. Each image becomes one entry along ``trainId``.
        Fields that the run does not have are left out with a warning.
    read : callable, optional
        Function that reads the images, now or lazily; by default all into memory.

    Returns
    -------
    xarray.Dataset
        Images and slow data over ``trainId``; ``x`` and ``y`` are pixels of the whole chip.
        ``attrs`` has the numbers of trains, images, trains without an image and with several,
        images that could not be read, and images dropped because they have no slow data.

    Raises
    ------
    MissingDataError
        If no image can be used, or a required field is missing.
    MemoryError
        If the images do not fit into the free memory.
    """
    camera, faults = indexed.camera, indexed.faults
    images, entries = (read or _read_all)(indexed.entries, faults)
    indexed = indexed.with_entries(entries)
    counts = indexed.count_trains()
    slow = indexed.slow_data()
    keep = np.ones(len(entries), dtype=bool)
    data_vars: dict[str, Any] = {}
    for name, data in slow.items():
        has_value = data.has_value(entries.train_id)
        if not has_value.any() and name in indexed.required:
            raise MissingDataError(f"{name} has no value for any train with an image.")
        if not has_value.any():
            warn(f"{name} is left out: it has no value for any train with an image.")
            continue
        if not has_value.all():
            warn(
                f"{int((~has_value).sum())} of {len(entries)} images have no value of {name} "
                "and are dropped."
            )
        keep &= has_value
        data_vars[name] = data
    if not keep.any():
        raise MissingDataError(
            f"no image of {camera} has values of all of {', '.join(data_vars)}; load fewer fields."
        )
    kept_ids = entries.train_id[keep]
    pixels = {
        dim: (dim, np.arange(size), {"units": "px"})
        for dim, size in zip(indexed.dims, entries.shape, strict=True)
        if dim in ("x", "y")
    }
    return xr.Dataset(
        {camera: (("trainId", *indexed.dims), images(keep), {"units": "ADU"})}
        | {name: data.of_trains(kept_ids) for name, data in data_vars.items()},
        coords={"trainId": kept_ids} | pixels,
        attrs=indexed.source_attrs()
        | counts
        | {
            "n_images": len(kept_ids),
            "n_images_dropped": int((~keep).sum()),
            "n_skipped": faults.n_skipped,
        },
    )


def sum_images(indexed: IndexedRun) -> tuple[NDArray[np.float64], int]:
    """Sum of the images of a run over all dimensions except x and y, and their number.

    The memory does not grow with the number of images.

    Raises
    ------
    MissingDataError
        If no image can be read.
    """
    total: NDArray[np.float64] | None = None
    n_images = 0
    entries, swapped = indexed.entries, indexed.swapped
    with closing(iterate_images(entries, indexed.faults, swapped=swapped)) as parts:
        for images, _ in parts:
            stack = images.reshape(-1, *images.shape[-2:])
            part = stack.sum(axis=0, dtype=np.float64)
            total = part if total is None else total + part
            n_images += len(stack)
    if total is None:
        raise MissingDataError(indexed.faults.why_none(indexed.camera))
    return total, n_images


def iterate_images(
    entries: Entries, faults: Faults, *, swapped: bool = False
) -> Generator[tuple[NDArray[Any], NDArray[np.int64]]]:
    """Images part by part, and their numbers in the index; unreadable ones are reported at the end.

    Yields
    ------
    images : numpy.ndarray, shape (n, ..., x, y)
        Valid until the next part is requested.
    numbers : numpy.ndarray of int
    """
    parts, failed = plan_parts(entries, _BYTES_PER_PART)
    with PartReader(available_threads(), swapped=swapped) as reader:
        for part in reader.read_ahead(parts):
            failed += part.failed
            if len(part.entries):
                yield part.frames, part.entries
    report_failed(entries, failed, faults)


def report_failed(entries: Entries, failed: list[tuple[int, str]], faults: Faults) -> None:
    """Report the images that could not be read, once for each file and reason."""
    for text, numbers in failed_texts(entries, failed):
        ids = entries.train_id[numbers]
        faults.add(
            f"{len(numbers)} images are skipped, of {named_trains(ids)}: {text.rstrip('.')}.",
            n_skipped=len(numbers),
            train_ids=ids,
        )


def _read_all(
    entries: Entries, faults: Faults
) -> tuple[Callable[[NDArray[np.bool_]], Any], Entries]:
    shape = (len(entries), *entries.shape)
    require_memory(
        math.prod(shape) * entries.dtype.itemsize,
        f"the run's {len(entries)} images",
        "Take fewer with subset, leave them in their files with lazy=True, or use process_run.",
    )
    pixels = np.empty(shape, entries.dtype)
    good = np.zeros(len(entries), dtype=bool)
    with closing(iterate_images(entries, faults)) as parts:
        for images, numbers in parts:
            pixels[numbers] = images
            good[numbers] = True
    if not good.any():
        raise MissingDataError(faults.why_none("the run"))
    if not good.all():
        pixels, entries = pixels[good], entries.select(good)
    return lambda keep: pixels if keep.all() else pixels[keep], entries
