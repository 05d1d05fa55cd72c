"""What every output carries in ``attrs``: the settings and the version that made it."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any

import numpy as np

__version__ = version("hrixs")


def slice_text(crop: slice) -> str:
    """`crop` as it is typed on the command line: ``700:900``."""
    start, stop = ("" if end is None else str(end) for end in (crop.start, crop.stop))
    return f"{start}:{stop}"


#: Of the charge of photons and of frames: sums, in ADU and ADU squared, which add up from part to
#: part; and their ratio, with its error.
CHARGES = ("charge_of_photons", "charge_above", "charge_above_var")
RATIO = ("charge_ratio", "charge_ratio_err")


def _storable(value: Any) -> Any:
    """Return `value` in a form that netCDF can hold: number, text or array."""
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, tuple | list):
        return np.asarray(value)
    return value


#: Begin of the attribute that tells a run's path, by the run's label.
PATH = "path_of_"


def run_label(name: str) -> str:
    """Short text for a run in tables and figures: ``'r0145'`` for a number, of a path its end."""
    if name.isdecimal():
        return f"r{int(name):04d}"
    return ", ".join(PurePath(one).name for one in name.split(", ")) or name


def runs_of(data: Any) -> list[str]:
    """Labels of the runs that a dataset's trains are of, or that its attributes tell."""
    if "run" in data.coords:
        return [str(one) for one in np.unique(data["run"].values)]
    return [run_label(str(data.attrs["run"]))] if data.attrs.get("run") else []


def provenance(algorithm: str, **settings: Any) -> dict[str, Any]:
    """Attributes for an output of `algorithm` made with `settings`."""
    attrs = {"algorithm": algorithm, "hrixs_version": __version__}
    return attrs | {name: _storable(value) for name, value in settings.items()}


def rows_of_crop(attrs: Mapping[Hashable, Any]) -> tuple[int, int] | None:
    """First row of the chip and end of the crop, as the attribute ``y_range`` tells them."""
    return _two_numbers(attrs.get("y_range"))


def first_pixel_of(attrs: Mapping[Hashable, Any]) -> tuple[int, int] | None:
    """Place (x, y) of the frames' first pixel on the full chip, as ``first_pixel`` tells it."""
    return _two_numbers(attrs.get("first_pixel"))


def frames_attrs(dims: Sequence[str], shape: Sequence[int]) -> dict[str, Any]:
    """What ``attrs`` of a photon table say of the frames: their leading dimensions."""
    return {"frame_dims": list(dims), "frame_shape": np.array(shape, dtype=np.int64)}


def frames_of_attrs(attrs: Mapping[Hashable, Any]) -> tuple[list[str], tuple[int, ...]] | None:
    """Leading dimensions and shape of a photon table's frames, or None where it does not tell.

    A file gives back one name or number for a list of one.
    """
    if "frame_dims" not in attrs or "frame_shape" not in attrs:
        return None
    dims = [str(dim) for dim in np.atleast_1d(attrs["frame_dims"])]
    return dims, tuple(int(size) for size in np.atleast_1d(attrs["frame_shape"]))


def _two_numbers(value: Any) -> tuple[int, int] | None:
    given = np.asarray(value)
    if given.shape != (2,) or given.dtype.kind not in "iuf":
        return None
    return int(given[0]), int(given[1])


def digest(*values: Any) -> str:
    """Short text that tells arrays and plain values apart."""
    total = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            total.update(f"{value.dtype}{value.shape}".encode())
            total.update(np.ascontiguousarray(value).data)
        else:
            total.update(repr(value).encode())
    return total.hexdigest()[:16]
