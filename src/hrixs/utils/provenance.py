"""What every output carries in ``attrs``: the settings and the version that made it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any

import numpy as np

__version__ = version("hrixs")


def slice_text(crop: slice) -> str:
    """`crop` as it is typed on the command line: ``700:900``."""
    start, stop = ("" if end is None else str(end) for end in (crop.start, crop.stop))
    step = "" if crop.step in (None, 1) else f":{crop.step}"
    return f"{start}:{stop}{step}"


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


#: Begin of a text of what is counted: ``48 images of r0145``.
_IMAGES = re.compile(r"(\d+) images?( of ([^;]+))?")
# Folder of a proposal in a path, which is named by its number.
_PROPOSAL_FOLDER = re.compile(r"[/\\]p(\d{6})[/\\]")
# What else tells of what a result is.
_SOURCE = ("proposal", "differs")
# Runs that are named one by one.
_MOST_NAMED = 4


def source_text(data: Any, *, images: bool = True) -> str:
    """What a result or an image is of: ``p003145, r0145, 48 images``; for figures and tables.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        A result of this package, a spectrum or an image of it.
    images : bool
        Whether to tell how many images it is of.

    Returns
    -------
    str
        Proposal, runs, and images, as far as attributes and coordinates tell them; ``''`` where
        they tell nothing. Images are not told where it is not known how many are left, for example
        of a sum over some of them.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs.utils.provenance import source_text
    >>> data = xr.Dataset(
    ...     {"spectrum": (("trainId", "energy"), np.ones((48, 10), int))},
    ...     {"run": ("trainId", np.full(48, "r0145"))}, {"proposal": "3145"})
    >>> source_text(data), source_text(data.isel(trainId=slice(5)))
    ('p003145, r0145, 48 images', 'p003145, r0145, 5 images')
    """
    told = [*_proposals(data), _runs_text(data)]
    n_images = _number_of_images(data) if images else None
    if n_images is not None:
        told.append(f"{n_images} image{'' if n_images == 1 else 's'}")
    elif images and np.ndim(data.coords.get("trainId", [])) == 0:
        told.append(f"train {int(data.coords['trainId'])}")
    return ", ".join(one for one in told if one)


def joined_sources(given: Iterable[Any]) -> str:
    """Of what several results are, each proposal and run once; without their images."""
    texts = [source_text(one, images=False) for one in given]
    return ", ".join(dict.fromkeys(part for text in texts for part in text.split(", ") if part))


def source_attrs(data: Any) -> dict[str, Any]:
    """Attributes that tell of what something is that was made of a result or of images."""
    runs = runs_of(data) or [run for run in _runs_text(data).split(", ") if run]
    told = {name: data.attrs[name] for name in _SOURCE if data.attrs.get(name)}
    paths = {name: value for name, value in data.attrs.items() if str(name).startswith(PATH)}
    return told | paths | ({"run": ", ".join(runs)} if runs else {})


def _proposals(data: Any) -> list[str]:
    """Those that the attributes tell, or the paths of the runs."""
    attrs = data.attrs
    differing = json.loads(str(attrs.get("differs", "{}"))).get("proposal", {})
    given = [str(one) for one in (attrs.get("proposal", ""), *differing.values())]
    paths = [str(value) for name, value in attrs.items() if str(name).startswith(PATH)]
    found = [number for path in paths for number in _PROPOSAL_FOLDER.findall(path)]
    known = [one for one in given if one] or found
    return list(dict.fromkeys(f"p{int(one):06d}" if one.isdecimal() else one for one in known))


def _runs_text(data: Any) -> str:
    runs = runs_of(data)
    if not runs and "frames_run" in data.coords:  # of a photon table
        runs = [str(one) for one in np.unique(data["frames_run"].values)]
    if not runs:
        counted = [_IMAGES.findall(str(one.attrs.get("counts_of", ""))) for one in _variables(data)]
        texts = [text for found in counted for *_, text in found]
        runs = [run for text in texts for run in text.split(", ") if run]
    if not runs:  # of results whose images are together
        runs = [str(name)[len(PATH) :] for name in data.attrs if str(name).startswith(PATH)]
    named = [one for run in runs for one in run_label(run).split(", ")]
    named = list(dict.fromkeys(named))
    if len(named) > _MOST_NAMED:
        return f"{named[0]} to {named[-1]} ({len(named)} runs)"
    return ", ".join(named)


def _number_of_images(data: Any) -> int | None:
    """How many images are in it now, or None where that is not known."""
    variables = _variables(data)
    along = ("energy", "energy_loss", "x", "y")
    for one in variables:
        if "trainId" in one.dims or "frame" in one.dims:
            return int(np.prod([size for dim, size in one.sizes.items() if dim not in along]))
    if "photon" in data.sizes:
        of_frames = frames_of_attrs(data.attrs)
        return None if of_frames is None else int(np.prod(of_frames[1]))
    if variables and "counts" in getattr(data, "variables", {}):
        return int(data["counts"].sum())  # of groups
    for one in variables:
        told = _IMAGES.findall(str(one.attrs.get("counts_of", "")))
        # Attributes stay where images were chosen or averaged; what was counted tells it.
        if told and "n_photons" in one.attrs and one.chunks is None:
            still = float(one.sum()) == float(one.attrs["n_photons"])
            return sum(int(number) for number, *_ in told) if still else None
    is_spectrum = any(name in one.dims for one in variables for name in along[:2])
    known = data.attrs.get("n_images")
    return None if is_spectrum or known is None else int(known)


def _variables(data: Any) -> list[Any]:
    """The variables that tell of images: a dataset's spectra, or the array itself."""
    if not hasattr(data, "data_vars"):
        return [data]
    return [data[name] for name in ("spectrum", "normalized", "difference") if name in data]


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


def frames_of_attrs(attrs: Mapping[Any, Any]) -> tuple[list[str], tuple[int, ...]] | None:
    """Leading dimensions and shape of a photon table's frames, or None where it does not say it.

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
