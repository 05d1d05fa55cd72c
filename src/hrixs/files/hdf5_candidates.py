"""Which datasets of an HDF5 file may be its images, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hrixs.files.names import in_order, numbered_alike

# Arrays of the size of an image that say something about the camera.
_CALIBRATION = re.compile(
    r"flat_?field|mask|dark|pedestal|gain|correction|bad_?pixel|background|noise|countrate|efficiency"
    r"|calib|trimbit|lookup",
    re.IGNORECASE,
)
_DEEPEST, _MOST_LISTED = 12, 20


def is_image(item: Any) -> bool:
    """Whether a dataset may be an image or a stack."""
    import h5py

    return isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "biuf"


def candidates(file: Any) -> tuple[list[str], list[str]]:
    """Names of datasets that may be images, the likeliest first, and links that lead nowhere.

    A dataset that is reached by several names is there once, by the name that tells most of it.
    """
    found: dict[tuple[int, int], list[str]] = {}
    broken: list[str] = []
    for name, item in _all_items(file, "", set(), broken):
        if is_image(item):
            found.setdefault(_identity(item), []).append(name)
    names = [min(same, key=_name_rank) for same in found.values()]
    ordered = in_order(names)
    return sorted(ordered, key=lambda name: _unlikely(name, file[name])), broken


def likely(names: Sequence[str]) -> list[list[str]]:
    """Datasets that are no calibration, those of a series together."""
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
    """Whether a name is one of dark images, masks, flat fields and their like."""
    return _CALIBRATION.search(name) is not None


def default_signal(file: Any) -> str | None:
    """The dataset to which ``default`` and ``signal`` of a NeXus file lead.

    See "Find the plottable data" of the NeXus manual, version 3 of the method.
    """
    group, path = file, ""
    for _ in range(_DEEPEST):
        step = as_text(group.attrs.get("default", ""))
        below = _opened(group, step) if step else None
        if below is None or not hasattr(below, "keys"):
            break
        group, path = below, f"{path}/{step.strip('/')}" if not step.startswith("/") else step
    signal = as_text(group.attrs.get("signal", "")) if path else ""
    if signal and is_image(_opened(group, signal)):
        return f"{path}/{signal}".strip("/")
    return None


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
    """A key by which the likeliest come first."""
    return is_calibration(name), 0 in item.shape, -min(item.ndim, 3)


def _name_rank(name: str) -> tuple[bool, int, int, str]:
    """By which of its names a dataset is called: not one of a calibration, and the shortest."""
    return is_calibration(name), name.count("/"), len(name), name


def _identity(item: Any) -> tuple[int, int]:
    import h5py

    info = h5py.h5o.get_info(item.id)
    return int(info.fileno), int(info.addr)


def _opened(group: Any, name: str) -> Any:
    """What `name` leads to, or None."""
    try:
        return group[name]
    except (KeyError, OSError, ValueError, RuntimeError):
        return None


def _all_items(
    group: Any, path: str, passed: set[tuple[int, int]], broken: list[str]
) -> Iterator[tuple[str, Any]]:
    """Every object that is reached from a group, through links of any kind; no circle twice."""
    here = _identity(group)
    if here in passed or path.count("/") > _DEEPEST:
        return
    passed.add(here)
    for key in group:
        name = f"{path}/{key}".strip("/")
        item = _opened(group, key)
        if item is None:
            broken.append(_link_text(group, key, name))
        elif hasattr(item, "keys"):
            yield from _all_items(item, name, passed, broken)
        else:
            yield name, item


def _link_text(group: Any, key: str, name: str) -> str:
    link = group.get(key, getlink=True)
    file = getattr(link, "filename", None)
    target = getattr(link, "path", "")
    return f"{name} -> {f'{file}: ' if file else ''}{target}"
