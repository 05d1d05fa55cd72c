"""Images in HDF5 and NeXus files, read with h5py."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.files.hdf5_candidates import (
    as_text,
    candidates,
    default_signal,
    image_names,
    is_calibration,
    is_image,
    likely,
    names_text,
    opened,
    signals,
)
from hrixs.files.hdf5_notes import exposure_of, time_of
from hrixs.files.hdf5_sources import require_sources, unwritten_text
from hrixs.files.names import in_order, numbered_alike
from hrixs.files.stored import Stored, joined
from hrixs.utils.hdf5_filters import load_filters


def is_run_file(path: str) -> bool:
    """Whether an HDF5 file is part of a run of European XFEL."""
    import h5py

    with h5py.File(path, "r") as file:
        return "INDEX/trainId" in file


def stored_images(path: str, dataset: str | None) -> Stored:
    """Describe the images in an HDF5 file.

    `dataset` may be reached through soft, external and hard links. It may be a group, or a pattern
    such as ``entry/image_*``; numbered datasets are one stack. Without it, ``default`` and
    ``signal`` of NeXus name the images; otherwise exactly one dataset must look like images.
    """
    import h5py

    load_filters()
    with h5py.File(path, "r") as file:
        if dataset is None and "INDEX/trainId" in file:
            raise ValueError(
                f"{path} is a file of a run of the European XFEL: give it, or the run's folder, to "
                "hrixs.hRIXS().from_run or to hrixs process; or name a dataset."
            )
        names = _chosen(path, file, dataset)
        parts = [_one(path, file, name) for name in names]
    if len(parts) == 1:
        return parts[0]
    return joined(path, parts, f"{len(parts)} datasets, {names[0]} to {names[-1]}")


def _chosen(path: str, file: Any, dataset: str | None) -> list[str]:
    """Names of the datasets to read, in their order."""
    if dataset is not None:
        return _named(path, file, dataset)
    signal = default_signal(file)
    if signal is not None:
        return [signal]
    found, broken = candidates(file)
    groups = likely(found)
    if len(groups) > 1:
        groups = likely(signals(file, found))
    if len(groups) == 1:
        return groups[0]
    if not found:
        text = f"{path} has no dataset that may be images: two axes or more of real numbers."
    else:
        text = f"{path} has {len(found)} datasets that may be images: {names_text(file, found)}."
    if broken:
        text += f" Broken links: {', '.join(broken[:10])}."
    raise ValueError(f"{text} Name one with --dataset (dataset=).")


def _named(path: str, file: Any, dataset: str) -> list[str]:
    import h5py

    name = dataset.strip("/")
    try:
        item = file[name] if name else file
    except (KeyError, OSError):
        item = None
    if isinstance(item, h5py.Dataset):
        return [name]
    inside = _inside(file, name, item)
    if len(inside) == 1 or (len(inside) > 1 and numbered_alike(inside)):
        return in_order(inside)
    link = file.get(name, getlink=True) if name and item is None and _parent_is_there(file, name) \
        else None  # fmt: skip
    if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
        target = getattr(link, "filename", None)
        where = f"{link.path} of {target}" if target else link.path
        missing = target and not (Path(path).parent / target).exists()
        raise ValueError(
            f"{path}: {dataset} is a link to {where}, which is not there"
            + (f": the file {target} is missing. Copy it next to {path}." if missing else ".")
        )
    what = f"has {len(inside)} datasets" if item is not None or inside else "is not in the file"
    listed = names_text(file, inside or candidates(file)[0])
    raise ValueError(f"{path}: {dataset!r} {what}, expected the name of images: {listed}.")


def _inside(file: Any, name: str, group: Any) -> list[str]:
    """Names of images in a group, or of images whose names match a pattern."""
    if group is None:
        return [one for one in image_names(file) if fnmatchcase(one, name)]
    signal = as_text(group.attrs.get("signal", ""))
    keys = [signal] if is_image(opened(group, signal or ".")) else list(group)
    names = [f"{name}/{key}".strip("/") for key in keys if is_image(opened(group, key))]
    return [one for one in names if not is_calibration(one)] or names


def _parent_is_there(file: Any, name: str) -> bool:
    try:
        return (name.rpartition("/")[0] or "/") in file
    except (KeyError, OSError):
        return False


def _one(path: str, file: Any, name: str) -> Stored:
    stored = file[name]
    if not is_image(stored):
        raise ValueError(
            f"{path}: {name} has shape {stored.shape} and type {stored.dtype}, expected images: "
            "two axes or more of real numbers."
        )
    require_sources(path, stored)
    remark = unwritten_text(path, stored)

    def read() -> NDArray[Any]:
        import h5py

        load_filters()
        with h5py.File(path, "r") as again:
            return np.asarray(again[name][()])

    return Stored(
        "HDF5",
        tuple(stored.shape),
        stored.dtype,
        read,
        name=name,
        units=as_text(stored.attrs.get("units", "")),
        exposure=exposure_of(file, stored, name),
        time=time_of(file, stored, name),
        axis=_axis_of(stored),
        remarks=(remark,) if remark else (),
    )


def _axis_of(stored: Any) -> int | None:
    """The axis that counts images, from chunks of one image each, or from NeXus attributes."""
    if stored.ndim < 3:
        return None
    if as_text(stored.attrs.get("interpretation", "")) == "image":
        return 0
    chunks: Sequence[int] = stored.chunks or ()
    single = [axis for axis, size in enumerate(chunks) if size == 1 < stored.shape[axis]]
    whole = [axis for axis, size in enumerate(chunks) if size == stored.shape[axis] > 1]
    if stored.ndim == 3 and len(single) == 1 and len(whole) == 2:
        return single[0]
    return None
