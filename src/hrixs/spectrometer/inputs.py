"""Get images from the argument of a method: a run or a dataset; runs are indexed once."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.camera.dark import DarkImage, DarkMean
from hrixs.camera.dataset import image_parts, images_of, require_finite, sum_of_images
from hrixs.camera.frames import as_frames, first_pixel, pixel_coords
from hrixs.doubt_rules.dark import dark_images
from hrixs.doubt_rules.doubt import tell
from hrixs.files.images import images_text, is_image_source, open_images
from hrixs.i0.exposure_time import exposure_in_s
from hrixs.runs.images import iterate_images, load_run, sum_images
from hrixs.runs.indexed_run import IndexedRun, index_run
from hrixs.runs.lazy_images import lazy_reader
from hrixs.runs.mnemonic_table import TRUST, Field, field_name, is_pair
from hrixs.runs.run import RunLike, open_run, run_name
from hrixs.runs.run_files import Run
from hrixs.selection.choose import number_dropped
from hrixs.selection.chosen_trains import chosen_images, only_trains, tell_absent
from hrixs.settings.attributes import Settings
from hrixs.settings.dark import Dark
from hrixs.spectrometer.incident import incident
from hrixs.spectrometer.recipe import camera_options, crop_of, cropped
from hrixs.utils.checks import require_word
from hrixs.utils.errors import HrixsWarning, MissingDataError
from hrixs.utils.provenance import PATH, run_label, runs_of, source_attrs

#: A run (number, path or open collection), loaded images, or a file of images.
RunOrData: TypeAlias = "RunLike | xr.Dataset"
#: Names or entries of slow data, one or several.
Fields: TypeAlias = "Sequence[Field] | Field"

_EXPOSURE = "hRIXS_exposure"


def index(
    h: Settings,
    run: RunLike,
    proposal: int | str | None,
    fields: Sequence[Field] = (),
    *,
    subset: Any = None,
    trains: Iterable[int] | None = None,
    drop_first: bool | int = 0,
    **options: Any,
) -> IndexedRun:
    """Open a run and index its images once; optionally only those of chosen trains."""
    if isinstance(run, str | Path) and is_image_source(run):
        # Or an error that says what is wrong with the file.
        raise ValueError(
            f"{run} is not a run: {images_text(run)}. Give it as data = hrixs.open_images(...) to "
            "centroid or integrate."
        )
    opened = opened_run(h, run, proposal)
    trust = h.TRUST if opened.trust is None else opened.trust
    if trains is not None:
        subset = only_trains(trains, subset)
    indexed = index_run(opened, h.DETECTOR, fields, subset=subset, trust=trust, **options)
    tell_absent(indexed, trains)
    return indexed.without_first(number_dropped(drop_first))


def opened_run(
    h: Settings, run: RunLike, proposal: int | str | None, data: str | None = None
) -> Run:
    """Open a run; `data` replaces the setting."""
    data = _setting_of_data(h, run) if data is None else data
    return open_run(run, h.PROPOSAL if proposal is None else proposal, data=data)


def chosen(
    h: Settings,
    run: RunOrData,
    proposal: int | str | None,
    *,
    data: str | None,
    trust: str | None,
) -> RunOrData:
    """The run with `data` and `trust` of a call; unchanged if these are not given."""
    if data is None and trust is None:
        return run
    if isinstance(run, xr.Dataset | xr.DataArray):
        raise ValueError(
            f"data = {data!r}, trust = {trust!r} were given with a dataset, whose images are read "
            "already. Leave them out, or give the run."
        )
    require_word("trust", trust, TRUST)
    opened = opened_run(h, run, proposal, data)
    asked = data or _setting_of_data(h, run)
    return replace(opened, name=run_name(run), data=asked, trust=trust)


def _setting_of_data(h: Settings, run: RunLike) -> str | None:
    """The setting `DATA`, if it applies: an open run has its data already."""
    is_closed = isinstance(run, int | np.integer | str | os.PathLike)
    return h.DATA if is_closed else None


def images_in(h: Settings, run: RunOrData) -> Any:
    """Images of a file as a dataset; other arguments unchanged."""
    if isinstance(run, str | Path) and is_image_source(run):
        return open_images(run, detector=h.DETECTOR)
    return run


def with_fields(h: Settings, extra: Fields) -> dict[str, Any]:
    """All fields to load, and the names of required ones, as options of `index`."""
    several = [extra] if isinstance(extra, str | Mapping) or is_pair(extra) else list(extra)
    groups = (field if isinstance(field, Mapping) else [field_name(field)] for field in several)
    required = [name for group in groups for name in group]
    return {"fields": [*h.FIELDS, *several], "required": required}


def with_source(
    h: Settings, result: xr.Dataset, run: RunLike, proposal: int | str | None
) -> xr.Dataset:
    """Add the run of each train to `result`, so that it is known after results are joined."""
    result.attrs |= _source_of_run(h, run, proposal)
    label = run_label(run_name(run))
    data = run.data if isinstance(run, Run) else _setting_of_data(h, run)
    result.attrs |= {} if data is None else {"data": data}
    return result.assign_coords(run=("trainId", np.full(result.sizes["trainId"], label)))


def _source_of_run(h: Settings, run: RunLike, proposal: int | str | None) -> dict[str, Any]:
    """Proposal of a run, and its path if the run is not a number."""
    name = run_name(run)
    label = run_label(name)
    told = {"proposal": str(proposal or h.PROPOSAL or "")}
    return told if name.isdecimal() or name == label else told | {f"{PATH}{label}": name}


def load(
    h: Settings,
    run: RunLike,
    proposal: int | str | None,
    extra_fields: Fields,
    *,
    lazy: bool,
    memory: int | str | None,
    **which: Any,
) -> xr.Dataset:
    """Load a run; see `hrixs.hRIXS.from_run`."""
    if memory is not None and not lazy:
        raise ValueError(
            f"memory = {memory!r} was given without lazy=True, but then all images are loaded at "
            f"once. Give lazy=True, or use process_run."
        )
    indexed = index(h, run, proposal, **with_fields(h, extra_fields), **which)
    i0 = incident(h, indexed)
    data = load_run(indexed, lazy_reader(memory) if lazy else None)
    data = with_source(h, data, run, proposal)
    if i0 is not None:
        data["I0"] = i0.of_images(data["trainId"].values)
    return data


def first_images(
    h: Settings,
    run: RunOrData,
    proposal: int | str | None,
    n_images: int,
    fields: Sequence[Field] = (),
) -> xr.Dataset:
    """The first images of a run in memory, with some fields; or the first ones of a dataset."""
    run = images_in(h, run)
    if not isinstance(run, xr.Dataset):
        return load_run(index(h, run, proposal, fields).first(n_images))
    images = images_of(run, h.DETECTOR)
    return run.isel({images.dims[0]: slice(n_images)}) if images.ndim > 2 else run


def frames_in_crop(h: Settings, data: xr.Dataset) -> tuple[xr.DataArray, Crop]:
    """Images of a dataset in the crop, in memory, with coordinates of the whole chip."""
    frames, crop = cropped(h, data)
    return frames.compute(), crop


def sum_of_run(
    h: Settings, run: RunOrData, proposal: int | str | None
) -> tuple[NDArray[np.float64], int]:
    """Sum of all images over all dimensions except x and y, and their number."""
    run = images_in(h, run)
    if isinstance(run, xr.Dataset):
        return sum_of_images(images_of(run, h.DETECTOR))
    return sum_images(index(h, run, proposal))


def set_dark(h: Settings, run: RunOrData, proposal: int | str | None, **which: Any) -> None:
    """Set the mean of the images of a run as the dark, without images that differ from the rest."""
    run = images_in(h, run)
    if isinstance(run, xr.Dataset):
        run, which = chosen_images(run, **which), {}
    dark, exposure = dark_of_run(h, run, proposal, **which)
    require_finite("the dark", dark.image, h.MASK)
    doubts = dark_images(dark.remarks(), lit=dark.lit)
    tell(doubts)
    data = run if isinstance(run, xr.Dataset) else None
    h.dark = Dark(
        dark.image,
        detector=h.DETECTOR,
        run=run_name(run) if data is None else _name_of(data),
        pixels=None if data is None else pixel_coords(images_of(data, h.DETECTOR)) or None,
        counts=dark.attrs(),
        exposure=exposure,
        noise=dark.noise,
        doubts=tuple(doubts),
    )
    h.USE_DARK = True


def _name_of(data: xr.Dataset) -> str:
    """The runs of images, or the full path of their file."""
    return str(data.attrs.get("run") or ", ".join(runs_of(data)) or "dataset")


def dark_of_run(
    h: Settings, run: RunOrData, proposal: int | str | None, **which: Any
) -> tuple[DarkImage, float | None]:
    """The dark from the images of a run, part by part; their exposure in s, if recorded."""
    if not isinstance(run, xr.Dataset):
        indexed = index(h, run, proposal, [_EXPOSURE], **which)
        mean = DarkMean(word="train", threads=h.THREADS)
        entries, swapped = indexed.entries, indexed.swapped
        with closing(iterate_images(entries, indexed.faults, swapped=swapped)) as parts:
            for images, numbers in parts:
                mean.add(images, entries.train_id[numbers])
        if not mean.n_images:
            raise MissingDataError(indexed.faults.why_none(indexed.camera))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrixsWarning)  # a dark run need not tell it
            slow = indexed.slow_data()
        known = {n: data.of_trains(entries.train_id) for n, data in slow.items()}
        return mean.result(), exposure_in_s(xr.Dataset(known))
    data = images_of(run, h.DETECTOR)
    named = data.ndim > 2 and data.dims[0] == "trainId" and "trainId" in data.coords
    mean = DarkMean(word="train" if named else "number", threads=h.THREADS)
    for part in image_parts(data):
        mean.add(as_frames(part).pixels, part["trainId"].values if named else None)
    return mean.result(), exposure_in_s(run)


def mean_image(h: Settings, run: RunOrData, proposal: int | str | None) -> xr.DataArray:
    """Mean of all images in the crop, minus the dark; NaN at masked pixels."""
    run = images_in(h, run)
    total, n_images = sum_of_run(h, run, proposal)
    crop = crop_of(h, *total.shape)
    if isinstance(run, xr.Dataset):
        crop = replace(crop, first=first_pixel(images_of(run, h.DETECTOR)) or (0, 0))
    options = camera_options(h, crop)
    image = total[crop.x, crop.y] / n_images
    if options["dark"] is not None:
        image = image - options["dark"]
    if options["mask"] is not None:
        image = np.where(options["mask"], np.nan, image)
    attrs = {"units": "ADU", "long_name": "mean image"} | source_of(h, run, proposal)
    return xr.DataArray(image, crop.pixels, ("x", "y"), attrs=attrs | {"n_images": n_images})


def source_of(h: Settings, run: RunOrData, proposal: int | str | None) -> dict[str, Any]:
    """Attributes that state the source of something made of a run or dataset."""
    if isinstance(run, xr.Dataset):
        return source_attrs(run)
    return _source_of_run(h, run, proposal) | {"run": run_label(run_name(run))}
