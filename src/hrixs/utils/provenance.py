"""The ``attrs`` of every output: settings and version that made it, and its source."""

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
    """`crop` in the form of the command line: ``700:900``."""
    start, stop = ("" if end is None else str(end) for end in (crop.start, crop.stop))
    step = "" if crop.step in (None, 1) else f":{crop.step}"
    return f"{start}:{stop}{step}"


#: Attributes of the charge of photons and frames: sums in ADU and ADU squared, which are added from
#: part to part; their ratio and its error.
CHARGES = ("charge_of_photons", "charge_above", "charge_above_var")
RATIO = ("charge_ratio", "charge_ratio_err")


def _storable(value: Any) -> Any:
    """Return `value` in a form that netCDF can store: number, text or array."""
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, tuple | list):
        return np.asarray(value)
    return value


#: Begin of the name of attributes with the path of a run; the label of the run follows.
PATH = "path_of_"


def run_label(name: str) -> str:
    """Short text for a run in tables and figures: ``'r0145'`` for a number, the end of a path."""
    if name.isdecimal():
        return f"r{int(name):04d}"
    return ", ".join(PurePath(one).name for one in name.split(", ")) or name


def runs_of(data: Any) -> list[str]:
    """Labels of the runs of a dataset, from its trains or its attributes."""
    if "run" in data.coords:
        return [str(one) for one in np.unique(data["run"].values)]
    return [run_label(str(data.attrs["run"]))] if data.attrs.get("run") else []


#: Begin of a text on counted images: ``48 images of r0145``.
_IMAGES = re.compile(r"(\d+) images?( of ([^;]+))?")
# Folder of a proposal in a path, named by its number.
_PROPOSAL_FOLDER = re.compile(r"[/\\]p(\d{6})[/\\]")
# Other attributes on the source of a result.
_SOURCE = ("proposal", "differs")
# Largest number of runs that are named one by one.
_MOST_NAMED = 4


def source_text(data: Any, *, images: bool = True) -> str:
    """Source of a result or an image: ``p003145, r0145, 48 images``; for figures and tables.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        A result of this package, a spectrum or an image of it.
    images : bool
        Whether to state the number of images.

    Returns
    -------
    str
        Proposal, runs, and images, if they are known from attributes and coordinates; ``''`` if
        nothing is known. The number of images is left out if it is uncertain, for example for a sum
        over some of them.

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
    """Source of several results: each proposal and run once, without numbers of images."""
    texts = [source_text(one, images=False) for one in given]
    return ", ".join(dict.fromkeys(part for text in texts for part in text.split(", ") if part))


def source_attrs(data: Any) -> dict[str, Any]:
    """Attributes that state the source, for something made of a result or of images."""
    runs = runs_of(data) or [run for run in _runs_text(data).split(", ") if run]
    told = {name: data.attrs[name] for name in _SOURCE if data.attrs.get(name)}
    paths = {name: value for name, value in data.attrs.items() if str(name).startswith(PATH)}
    return told | paths | ({"run": ", ".join(runs)} if runs else {})


def _proposals(data: Any) -> list[str]:
    """Proposals from the attributes, or from the paths of the runs."""
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
    """Number of images that are in it now; None if unknown."""
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
        # Attributes are kept if images are chosen or averaged; the counted images show it.
        if told and "n_photons" in one.attrs and one.chunks is None:
            still = float(one.sum()) == float(one.attrs["n_photons"])
            return sum(int(number) for number, *_ in told) if still else None
    is_spectrum = any(name in one.dims for one in variables for name in along[:2])
    known = data.attrs.get("n_images")
    return None if is_spectrum or known is None else int(known)


def _variables(data: Any) -> list[Any]:
    """Variables that state the number of images: the spectra of a dataset, or the array itself."""
    if not hasattr(data, "data_vars"):
        return [data]
    return [data[name] for name in ("spectrum", "normalized", "difference") if name in data]


def provenance(algorithm: str, **settings: Any) -> dict[str, Any]:
    """Attributes for an output of `algorithm` made with `settings`."""
    attrs = {"algorithm": algorithm, "hrixs_version": __version__}
    return attrs | {name: _storable(value) for name, value in settings.items()}


def rows_of_crop(attrs: Mapping[Hashable, Any]) -> tuple[int, int] | None:
    """First row and end of the crop, from the attribute ``y_range``."""
    return _two_numbers(attrs.get("y_range"))


def first_pixel_of(attrs: Mapping[Hashable, Any]) -> tuple[int, int] | None:
    """Position (x, y) of the first pixel on the full chip, from the attribute ``first_pixel``."""
    return _two_numbers(attrs.get("first_pixel"))


def frames_attrs(dims: Sequence[str], shape: Sequence[int]) -> dict[str, Any]:
    """``attrs`` of a photon table on its frames: their leading dimensions."""
    return {"frame_dims": list(dims), "frame_shape": np.array(shape, dtype=np.int64)}


def frames_of_attrs(attrs: Mapping[Any, Any]) -> tuple[list[str], tuple[int, ...]] | None:
    """Leading dimensions and shape of the frames of a photon table; None if not stated.

    A file returns a single name or number for a list of one.
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
    """Short text that differs for different arrays and values."""
    total = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            total.update(f"{value.dtype}{value.shape}".encode())
            total.update(np.ascontiguousarray(value).data)
        else:
            total.update(repr(value).encode())
    return total.hexdigest()[:16]
