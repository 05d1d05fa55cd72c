"""A run that was opened: its images indexed once, its fields found, its faults collected."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.index import Entries, index_entries
from hrixs.runs.mnemonic_table import (
    TRUST,
    Field,
    Mnemonic,
    field_entries,
    field_name,
    known_elsewhere,
)
from hrixs.runs.run_files import Run
from hrixs.runs.slow_data import SlowData, load_slow_data
from hrixs.utils.checks import require_word
from hrixs.utils.errors import HrixsWarning, MissingDataError


@dataclass(frozen=True)
class IndexedRun:
    """The images of one camera in a run, and slow data of the same trains, not yet read.

    Attributes
    ----------
    run
        The files of the run, for the trains that were asked for.
    camera
        Mnemonic of the camera.
    fields
        Source and key of the camera and of slow data, by name.
    required
        Fields that must exist.
    entries
        The index of the images.
    dims
        Names of the dimensions of one entry.
    faults
        Faults of the run found so far.
    trust
        Which train ids to use if those next to the records contradict the index.
    whole
        The run with all of its trains.
    n_first_dropped, n_trains_dropped
        Number of first images that are not used, and of trains that have no other image.
    """

    run: Run
    camera: str
    fields: dict[str, Mnemonic]
    required: frozenset[str]
    entries: Entries
    dims: tuple[str, ...]
    faults: Faults
    trust: str | None = None
    whole: Run | None = None
    n_first_dropped: int = 0
    n_trains_dropped: int = 0

    @property
    def swapped(self) -> bool:
        """Whether frames are stored as (..., y, x).

        Raises
        ------
        ValueError
            If x and y are not the last two dimensions.
        """
        if set(self.dims[-2:]) != {"x", "y"}:
            raise ValueError(
                f"hrixs.mnemonics[{self.camera!r}]['dim'] is {list(self.dims)}, expected x and y "
                "as the last two."
            )
        return self.dims[-1] == "x"

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Pixels of the whole chip along x and y."""
        nx, ny = self.entries.shape[-2:][::-1] if self.swapped else self.entries.shape[-2:]
        return nx, ny

    def with_entries(self, entries: Entries) -> IndexedRun:
        """Return the same with fewer images."""
        return replace(self, entries=entries)

    def first(self, n_images: int) -> IndexedRun:
        """Return the same with the trains of the first images only."""
        ids = np.unique(self.entries.train_id[:n_images])
        return self.with_entries(self.entries.select(np.isin(self.entries.train_id, ids)))

    def without_first(self, n_images: int) -> IndexedRun:
        """Return the same without its first images.

        Raises
        ------
        MissingDataError
            If no image is left.
        """
        if not n_images:
            return self
        if n_images >= len(self.entries):
            raise MissingDataError(
                f"drop_first = {n_images} leaves none of {len(self.entries)} images of "
                f"{self.camera}."
            )
        kept = self.entries.select(np.arange(len(self.entries)) >= n_images)
        lost = np.setdiff1d(self.entries.train_id[:n_images], kept.train_id)
        return replace(self, entries=kept, n_first_dropped=n_images, n_trains_dropped=len(lost))

    def count_trains(self) -> dict[str, int]:
        """Numbers of trains: all, without image, with several images (these are reported)."""
        with_image, times = np.unique(self.entries.train_id, return_counts=True)
        n_trains = len(np.union1d(self.run.train_ids, with_image))
        several = with_image[times > 1]
        if len(several):
            self.faults.add(
                f"{len(several)} trains have several images of {self.camera}; all are kept, each "
                f"with its train's slow data: {named_trains(several)}."
            )
        dropped = {"n_first_images_dropped": self.n_first_dropped} if self.n_first_dropped else {}
        return dropped | {
            "n_trains": n_trains,
            "n_trains_without_image": n_trains - len(with_image) - self.n_trains_dropped,
            "n_trains_with_several_images": len(several),
            "n_suspect": self.entries.n_suspect,
        }

    def slow_data(self) -> dict[str, SlowData]:
        """Read the slow data by name; fields that the run lacks give a warning, or an error."""
        others = {name: one for name, one in self.fields.items() if name != self.camera}
        options: dict[str, Any] = {"required": self.required, "trust": self.trust}
        return load_slow_data(self.run, others, self.faults, **options)

    def slow_data_of_all(self, fields: Mapping[str, Mnemonic]) -> dict[str, SlowData]:
        """Read required fields of all trains of the run, including those that were not chosen.

        The exposure of a chosen image may have begun in a train that was not chosen.
        """
        faults = Faults(strict=self.faults.strict)
        faults.texts = self.faults.texts  # what was told of the same fields is not told again
        run = self.whole or self.run
        return load_slow_data(run, fields, faults, required=fields, trust=self.trust)

    @property
    def ends_of_run(self) -> tuple[int, int]:
        """First and last train of the run, whether chosen or not."""
        ids = (self.whole or self.run).train_ids
        return int(ids[0]), int(ids[-1])

    @property
    def trains_with_image(self) -> NDArray[np.uint64]:
        """Ids of the run's trains with an image, whether chosen or not."""
        if self.whole is None or not self.run.selected:
            return self.entries.train_id
        source, key = _place(self.fields[self.camera])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrixsWarning)  # of images that were not asked for
            files = self.whole.files_of(source, key)
            entries = index_entries(files, source, key, Faults(), self.trust)
        return self.entries.train_id if entries is None else entries.train_id

    def source_attrs(self) -> dict[str, str]:
        """Attributes that state where the images are stored."""
        entry = self.fields[self.camera]
        return {"camera": self.camera, "source": entry["source"], "key": entry["key"]}


def index_run(
    run: Run,
    camera: str,
    fields: Sequence[Field] = (),
    *,
    required: Iterable[str] = (),
    subset: Any = None,
    strict: bool = False,
    trust: str | None = None,
) -> IndexedRun:
    """Index the images of a run once, and report missing files.

    Parameters
    ----------
    run : Run
        From `open_run`.
    camera : str or (str, str)
        Mnemonic of the camera, or its source and key.
    fields : sequence of str, (str, str) or dict
        Mnemonics of slow data, sources with their keys, or dicts ``{name: {'source', 'key',
        'dim'}}``.
    required : iterable of str
        Names of `fields` that must exist.
    subset : slice or extra_data.by_index or extra_data.by_id, optional
        Trains to take, as for ``run.select_trains``.
    strict : bool
        Raise `FaultyRunError` for the first fault.
    trust : {'index', 'records'}, optional
        Which train ids to use if those next to the images contradict the index of
        the files. By default neither, and such images are skipped.

    Raises
    ------
    MissingDataError
        If a mnemonic is unknown, or the run has no such camera or no image that can be used.
    ValueError
        If `hrixs.mnemonics` gives another number of dimensions, the images are not numbers, or
        `trust` is an unknown word.
    """
    require_word("trust", trust, TRUST)
    whole = run.with_all_trains()
    if subset is not None:
        run = run.select_trains(subset)
    faults = Faults(strict=strict, only=run.train_ids if run.selected else None)
    where = _entries(run, [camera, *fields])
    camera = field_name(camera)
    source, key = _place(where[camera])
    files = run.files_of(source, key)
    entries = index_entries(files, source, key, faults, trust) if files else None
    if entries is None and faults.texts:
        raise MissingDataError(f"{_no_camera_text(run, camera, where[camera])} "
                               f"{' '.join(faults.texts)}")  # fmt: skip
    if entries is None:
        raise MissingDataError(_no_camera_text(run, camera, where[camera]))
    if len(entries) == 0 and faults.n_skipped:
        raise MissingDataError(faults.why_none(camera))
    if len(entries) == 0:
        raise MissingDataError(
            f"the run has no image of {camera} in its {len(run.train_ids)} trains; expected at "
            f"least one. Check the run number."
        )
    dims = _dims_of(camera, where[camera], entries)
    run.report_lost_files([one["source"] for one in where.values()], faults)
    return IndexedRun(run, camera, where, frozenset(required), entries, dims, faults, trust, whole)


def _entries(run: Run, fields: Sequence[Field]) -> dict[str, Mnemonic]:
    try:
        return field_entries(fields)
    except MissingDataError:
        return field_entries(fields, known_elsewhere(run, fields))  # raises it again, with more


def _place(entry: Mnemonic) -> tuple[str, str]:
    return entry["source"], entry["key"]


def _dims_of(camera: str, entry: Mnemonic, entries: Entries) -> tuple[str, ...]:
    if entries.dtype.kind not in "biuf":
        raise ValueError(
            f"images of {camera} are of type {entries.dtype}, expected numbers. Correct the key in "
            f"hrixs.mnemonics[{camera!r}]."
        )
    dims = tuple(entry["dim"])
    if not dims and len(entries.shape) >= 2:  # given by source and key alone
        dims = (*(f"image_{k}" for k in range(len(entries.shape) - 2)), "x", "y")
    if len(dims) != len(entries.shape):
        raise ValueError(
            f"images of {camera} have {len(entries.shape)} dimensions, but "
            f"hrixs.mnemonics[{camera!r}]['dim'] names {list(dims)}; expected as many names."
        )
    return dims


def _no_camera_text(run: Run, camera: str, entry: Mnemonic) -> str:
    if run.was_deselected(*_place(entry)):
        return (
            f"camera {camera}, that is {entry['source']} / {entry['key']}, was deselected: it is "
            "in the run's files, but not in the open run that was given. Open the run with it, or "
            "give the run's number or folder."
        )
    cameras = sorted(source for source in run.sources if ":" in source)
    lost = f" Files that can't be read: {', '.join(path for path, _ in run.lost)}."
    return (
        f"the run has no camera {camera}, that is {entry['source']} / {entry['key']}. "
        f"Instrument sources in the run: {', '.join(cameras) or 'none'}.{lost if run.lost else ''} "
        f"Choose another detector, or correct hrixs.mnemonics[{camera!r}] (on the command line "
        "with --mnemonics)."
    )
