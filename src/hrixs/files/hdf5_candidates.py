"""Datasets of an HDF5 file that may be its images, the most likely first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hrixs.files.names import in_order, numbered_alike

# Names of arrays of the size of an image that describe the camera.
_CALIBRATION = re.compile(
    r"flat_?field|mask|dark|pedestal|gain|correction|\bbad|background|noise|countrate|efficiency"
    r"|calib|trimbit|lookup",
    re.IGNORECASE,
)
_DEEPEST, _MOST_LISTED = 12, 20
# Smallest number of pixels along a side of an image: lists of positions are not images.
_LEAST = 4


def is_image(item: Any) -> bool:
    """Whether a dataset may be an image or a stack."""
    import h5py

    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
        return False
    wide = [size for size in item.shape if size >= _LEAST or size == 0]
    return len(wide) >= 2


def candidates(file: Any) -> tuple[list[str], list[str]]:
    """Names of datasets that may be images, the most likely first; broken links.

    A dataset with several names is listed once, by its most informative name.
    """
    found: dict[tuple[int, int], list[str]] = {}
    broken: list[str] = []
    for name, item in _all_items(file, broken):
        if is_image(item):
            found.setdefault(_identity(item), []).append(name)
    names = [min(same, key=_name_rank) for same in found.values()]
    ordered = in_order(names)
    return sorted(ordered, key=lambda name: _unlikely(name, file[name])), broken


def image_names(file: Any) -> list[str]:
    """All names of all datasets that may be images."""
    return [name for name, item in _all_items(file, []) if is_image(item)]


def likely(names: Sequence[str]) -> list[list[str]]:
    """Datasets without calibration data; datasets of a series are grouped."""
    images = [name for name in names if not is_calibration(name)] or list(names)
    groups: dict[str, list[str]] = {}
    for name in images:
        groups.setdefault(re.sub(r"\d+$", "#", name), []).append(name)
    return [
        part
        for group in groups.values()
        for part in ([in_order(group)] if numbered_alike(group) else [[one] for one in group])
    ]


def is_calibration(name: str) -> bool:
    """Whether a name means dark images, masks, flat fields or similar."""
    return _CALIBRATION.search(name) is not None


def default_signal(file: Any) -> str | None:
    """The dataset that ``default`` and ``signal`` of a NeXus file name.

    See "Find the plottable data" of the NeXus manual, version 3 of the method.
    """
    group, path = file, ""
    for _ in range(_DEEPEST):
        step = as_text(group.attrs.get("default", ""))
        below = opened(group, step) if step else None
        if below is None or not hasattr(below, "keys"):
            break
        group, path = below, f"{path}/{step.strip('/')}" if not step.startswith("/") else step
    signal = as_text(group.attrs.get("signal", "")) if path else ""
    if signal and is_image(opened(group, signal)):
        return f"{path}/{signal}".strip("/")
    return None


def signals(file: Any, names: Sequence[str]) -> list[str]:
    """Names that are the ``signal`` of a NeXus group, or have the attribute ``signal``."""
    told = set()
    for name in names:
        if as_text(file[name].attrs.get("signal", "")) == "1":
            told.add(name)
    by_identity = {_identity(file[name]): name for name in names}
    for _, group in _groups(file, set()):
        item = opened(group, as_text(group.attrs.get("signal", "")) or ".")
        if is_image(item):
            told.add(by_identity.get(_identity(item), ""))
    return sorted(told - {""})


def names_text(file: Any, names: Sequence[str]) -> str:
    """Names with shape and type."""
    listed = [
        f"{name} ({'x'.join(map(str, file[name].shape))} {file[name].dtype})"
        for name in names[:_MOST_LISTED]
    ]
    more = len(names) - len(listed)
    return ", ".join(listed + ([f"and {more} more"] if more else [])) or "none"


def as_text(value: Any) -> str:
    """An attribute as text, whether bytes, text or an array of one of them."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _unlikely(name: str, item: Any) -> tuple[bool, bool, int]:
    """Key for sorting, the most likely first."""
    return is_calibration(name), 0 in item.shape, -min(item.ndim, 3)


def _name_rank(name: str) -> tuple[bool, int, int, str]:
    """Key to choose among names of a dataset: not one of a calibration, and the shortest."""
    return is_calibration(name), name.count("/"), len(name), name


def _identity(item: Any) -> tuple[int, int]:
    import h5py

    info = h5py.h5o.get_info(item.id)
    return int(info.fileno), int(info.addr)


def opened(group: Any, name: str) -> Any:
    """The object that `name` leads to, or None."""
    try:
        return group[name]
    except (KeyError, OSError, ValueError, RuntimeError):
        return None


def _groups(group: Any, passed: set[tuple[int, int]], path: str = "") -> Iterator[tuple[str, Any]]:
    """All groups that can be reached from one through links; each once."""
    here = _identity(group)
    if here in passed or path.count("/") > _DEEPEST:
        return
    passed.add(here)
    yield path, group
    for key in group:
        item = opened(group, key)
        if hasattr(item, "keys"):
            yield from _groups(item, passed, f"{path}/{key}".strip("/"))


def _all_items(file: Any, broken: list[str]) -> Iterator[tuple[str, Any]]:
    """All datasets of a file with all names, without those through a group visited before."""
    for path, group in _groups(file, set()):
        for key in group:
            name = f"{path}/{key}".strip("/")
            item = opened(group, key)
            if item is None:
                broken.append(_link_text(group, key, name))
            elif not hasattr(item, "keys"):
                yield name, item


def _link_text(group: Any, key: str, name: str) -> str:
    link = group.get(key, getlink=True)
    file = getattr(link, "filename", None)
    target = getattr(link, "path", "")
    return f"{name} -> {f'{file}: ' if file else ''}{target}"
