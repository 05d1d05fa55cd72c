"""The images of a run: their index, all at once, or added up part by part."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.index import Entries, index_entries
from hrixs.runs.mnemonic_table import Mnemonic, mnemonics
from hrixs.runs.parts import PartReader, failed_texts, plan_parts
from hrixs.runs.run import Field, Run, field_entries
from hrixs.runs.slow_data import load_slow_data
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.memory import require_memory
from hrixs.utils.threads import available_threads

_BYTES_PER_PART = 64 * 2**20

#: From the index of a run: gives the images of a mask of entries, and the entries that it has.
ReadImages: TypeAlias = Callable[
    [Entries, Faults], tuple[Callable[[NDArray[np.bool_]], Any], Entries]
]


def index_images(run: Run, camera: str, faults: Faults) -> Entries:
    """Index a run's images, and tell of the files that are lost.

    Raises
    ------
    MissingDataError
        If the mnemonic is unknown, or the run has no such camera or no image.
    """
    entry = field_entries([camera])[camera]
    files = run.files_of(entry["source"])
    if not files:
        raise MissingDataError(_no_camera_text(run, camera, entry))
    entries = index_entries(files, entry["source"], entry["key"], faults)
    if entries is None:
        raise MissingDataError(_no_camera_text(run, camera, entry))
    if len(entries) == 0:
        raise MissingDataError(
            f"the run has no image of {camera} in its {len(run.train_ids)} trains; expected one at "
            "least. Check the run number."
        )
    require_dims(camera, entries)
    return entries


def require_dims(camera: str, entries: Entries) -> tuple[str, ...]:
    """Names of the dimensions of one entry.

    Raises
    ------
    ValueError
        If `hrixs.mnemonics` names another number of dimensions, or the images are no numbers.
    """
    if entries.dtype.kind not in "biuf":
        raise ValueError(
            f"images of {camera} are of type {entries.dtype}, expected numbers. Correct the key in "
            f"hrixs.mnemonics[{camera!r}]."
        )
    dims = tuple(mnemonics[camera]["dim"])
    if len(dims) != len(entries.shape):
        raise ValueError(
            f"images of {camera} have {len(entries.shape)} dimensions, but "
            f"hrixs.mnemonics[{camera!r}]['dim'] names {list(dims)}; expected as many names."
        )
    return dims


def count_trains(run: Run, entries: Entries, camera: str, faults: Faults) -> dict[str, int]:
    """How many trains there are, with no image, and with several, which are told."""
    with_image, times = np.unique(entries.train_id, return_counts=True)
    n_trains = len(np.union1d(run.train_ids, with_image))
    several = with_image[times > 1]
    if len(several):
        faults.add(
            f"{len(several)} trains have several images of {camera}; all are kept, each with its "
            f"train's slow data: {named_trains(several)}."
        )
    return {
        "n_trains": n_trains,
        "n_trains_without_image": n_trains - len(with_image),
        "n_trains_with_several_images": len(several),
        "n_suspect": entries.n_suspect,
    }


def load_run(
    run: Run,
    camera: str,
    fields: Sequence[Field] = (),
    *,
    required: Iterable[str] = (),
    subset: Any = None,
    read: ReadImages | None = None,
) -> xr.Dataset:
    """Load a run's images and the slow data that belong to them.

    Parameters
    ----------
    run : Run
        As from `hrixs.runs.run.open_run`.
    camera : str
        Mnemonic of the camera. Each of its images becomes one entry along ``trainId``.
    fields : sequence of str or dict
        Mnemonics of the slow data, or dicts ``{name: {'source', 'key', 'dim'}}``. Those that the
        run lacks are left out with a warning.
    required : iterable of str
        The names among `fields` whose lack is an error.
    subset : slice or extra_data.by_index or extra_data.by_id, optional
        Trains to load, as for ``run.select_trains``.
    read : callable, optional
        Reads the images, or promises to; by default all into memory.

    Returns
    -------
    xarray.Dataset
        Images and slow data over ``trainId``. ``attrs`` counts the trains, the images, the trains
        without an image and with several, the images that could not be read, and those dropped
        for lack of slow data.

    Raises
    ------
    MissingDataError
        If the run lacks the camera, has no image, or lacks a required field.
    MemoryError
        If the images are to be read, and do not fit into the memory that is free.
    """
    if subset is not None:
        run = run.select_trains(subset)
    faults = Faults(only=run.train_ids if run.selected else None)
    where = field_entries([camera, *fields])
    entries = index_images(run, camera, faults)
    run.tell_lost_files([one["source"] for one in where.values()], faults)
    images, entries = (read or _read_all)(entries, faults)
    counts = count_trains(run, entries, camera, faults)
    slow = load_slow_data(
        run,
        {name: one for name, one in where.items() if name != camera},
        faults,
        required=required,
    )
    keep = np.ones(len(entries), dtype=bool)
    data_vars: dict[str, Any] = {}
    for name, data in slow.items():
        has_value = data.has_value(entries.train_id)
        if not has_value.any() and name in set(required):
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
    entry = mnemonics[camera]
    return xr.Dataset(
        {camera: (("trainId", *require_dims(camera, entries)), images(keep), {"units": "ADU"})}
        | {name: data.of_trains(kept_ids) for name, data in data_vars.items()},
        coords={"trainId": kept_ids},
        attrs={"camera": camera, "source": entry["source"], "key": entry["key"]}
        | counts
        | {
            "n_images": len(kept_ids),
            "n_images_dropped": int((~keep).sum()),
            "n_skipped": faults.n_skipped,
        },
    )


def sum_images(run: Run, camera: str) -> tuple[NDArray[np.float64], int]:
    """Sum of a run's images over everything but x and y, and how many they were.

    Memory does not grow with the run.

    Raises
    ------
    MissingDataError
        If the run lacks the camera, or has no image that can be read.
    """
    faults = Faults()
    entries = index_images(run, camera, faults)
    run.tell_lost_files([mnemonics[camera]["source"]], faults)
    total: NDArray[np.float64] | None = None
    n_images = 0
    with closing(iterate_images(entries, faults)) as parts:
        for images, _ in parts:
            stack = images.reshape(-1, *images.shape[-2:])
            part = stack.sum(axis=0, dtype=np.float64)
            total = part if total is None else total + part
            n_images += len(stack)
    if total is None:
        raise MissingDataError(f"no image of {camera} in the run can be read.")
    return total, n_images


def iterate_images(
    entries: Entries, faults: Faults
) -> Generator[tuple[NDArray[Any], NDArray[np.int64]]]:
    """Images part by part, and their numbers in the index; what can't be read is told at the end.

    Yields
    ------
    images : numpy.ndarray, shape (n, ..., x, y)
        Valid until the next part is asked for.
    numbers : numpy.ndarray of int
    """
    parts, failed = plan_parts(entries, _BYTES_PER_PART)
    with PartReader(available_threads()) as reader:
        for part in reader.read_ahead(parts):
            failed += part.failed
            if len(part.entries):
                yield part.frames, part.entries
    tell_failed(entries, failed, faults)


def tell_failed(entries: Entries, failed: list[tuple[int, str]], faults: Faults) -> None:
    """Tell of the images that could not be used, once for each file and reason."""
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
        raise MissingDataError(f"none of the {len(entries)} images in the run can be read.")
    if not good.all():
        pixels, entries = pixels[good], entries.select(good)
    return lambda keep: pixels if keep.all() else pixels[keep], entries


def _no_camera_text(run: Run, camera: str, entry: Mnemonic) -> str:
    cameras = sorted(source for source in run.sources if ":" in source)
    lost = f" Files that can't be read: {', '.join(path for path, _ in run.lost)}."
    return (
        f"the run has no camera {camera}, that is {entry['source']} / {entry['key']}. "
        f"Instrument sources in the run: {', '.join(cameras) or 'none'}.{lost if run.lost else ''} "
        f"Choose another detector, or correct hrixs.mnemonics[{camera!r}] (on the command line "
        "with --mnemonics)."
    )
