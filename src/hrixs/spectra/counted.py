"""Make spectra from a photon table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.utils.checks import require_photon_table, whole_number
from hrixs.utils.provenance import first_pixel_of, frames_of_attrs, provenance
from hrixs.utils.typing import Floats


def photon_spectrum(
    photons: xr.Dataset,
    *,
    bins: int,
    range: tuple[float, float],
    curvature: CurveLike = (0.0, 0.0),
) -> xr.DataArray:
    """Count the photons of a table in bins along the energy: one spectrum per frame.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table, as from `find_photons`.
    bins : int
        Number of equal bins.
    range : (float, float)
        Lower and upper end in rows, in the same pixels as ``y`` of the table; without the upper
        end.
    curvature : Curvature or (float, float)
        The curve of the lines: a photon is counted at ``y - curvature(x)``. With ``(CURVE_A,
        CURVE_B)`` that is ``y - (CURVE_B * x + CURVE_A) * x``.

    Returns
    -------
    xarray.DataArray
        Photons in each bin (a double hit counts as two), with the leading dims of the frames and
        ``y`` (bin centres, pixels). A frame without photons has zeros. ``attrs`` have the numbers
        of photons inside and outside `range`.

    Raises
    ------
    ValueError
        If `bins` is below 1 or `range` is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import find_photons, photon_spectrum
    >>> frame = np.zeros((16, 16))
    >>> frame[5:7, 8:10] = 30
    >>> photon_spectrum(find_photons(frame, threshold=50), bins=4, range=(0, 16)).values
    array([0, 0, 1, 0])
    """
    require_photon_table(photons, "x", "y", "frame", "double")
    low, high = (float(end) for end in range)
    bins = whole_number("bins", bins)
    curve = Curvature.of(curvature)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"range = {range!r}, expected two finite numbers, the lower one first.")
    # Bins are in pixels of the crop, so its position on the chip does not change counts.
    first_row = (first_pixel_of(photons.attrs) or (0, 0))[1]
    return histogram(
        photons,
        np.linspace(low - first_row, high - first_row, bins + 1),
        curve,
        first_row=first_row,
        attrs={"range": (low, high), **curve.attrs()},
    )


def histogram(
    photons: xr.Dataset,
    edges: Floats,
    curve: Curvature,
    *,
    first_row: int = 0,
    moved: int = 0,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Count the photons of a table in bins with these edges.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table.
    edges : numpy.ndarray
        Evenly spaced edges, in rows from the corner of the frames, relative to the curve.
    curve : Curvature
        The curve, for columns as in the table.
    first_row : int
        Row of the corner of the frames; included in ``y`` of the table, but not in `edges`.
    moved : int
        Shift added to the rows of the spectrum.
    attrs
        Attributes that describe the bins.
    """
    columns = {name: photons.variables[name].values for name in ("x", "y", "double")}
    bins = len(edges) - 1
    position = columns["y"] - first_row - curve(columns["x"])
    number, inside = _bin_of(position, edges)
    weight = np.where(columns["double"], 2.0, 1.0)
    dims, shape, coords = _frames_of(photons)
    n_frames = math.prod(shape)
    counts = np.bincount(
        _frame_in_table(photons)[inside] * bins + number[inside],
        weights=weight[inside],
        minlength=n_frames * bins,
    ).astype(np.int64)
    centres = first_row + (edges[:-1] + edges[1:]) / 2
    n_inside = float(weight[inside].sum())
    told = dict(photons.attrs) | provenance(
        photons.attrs.get("algorithm", "photon_spectrum"),
        bins=bins,
        **attrs or {},
        n_photons=n_inside,
        n_outside=float(weight.sum()) - n_inside,  # whole numbers
    )
    for name in ("frame_dims", "frame_shape", "first_frame"):
        told.pop(name, None)
    y = ("y", centres + moved, {"units": "px", "long_name": "position along the energy"})
    return xr.DataArray(
        counts.reshape(*shape, bins),
        dims=(*dims, "y"),
        coords=coords | {"y": y},
        name="spectrum",
        attrs=told | {"units": "photons", "long_name": "photons"},
    )


def _bin_of(position: Floats, edges: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Bin of each position, and whether it is inside: exact by the edges, without the upper one.

    Edges are evenly spaced, so the bin can be computed and then corrected for rounding, which is
    several times as fast as a search.
    """
    bins = len(edges) - 1
    place = (position - edges[0]) * (bins / (edges[-1] - edges[0]))
    near = (place > -1) & (place < bins + 1)
    number = np.where(near, place, 0.0).astype(np.int64).clip(0, bins - 1)
    number -= position < edges[number]
    number += position >= edges[number + 1]
    return number, near & (number >= 0) & (number < bins)


def _frames_of(
    photons: xr.Dataset,
) -> tuple[Sequence[str], tuple[int, ...], dict[str, Any]]:
    """Dims, shape and coordinates of the frames that a table was made from."""
    if "frames" not in photons.sizes:
        return ("frame",), (int(photons.variables["frame"].values.max(initial=-1)) + 1,), {}
    dims, shape = frames_of_attrs(photons.attrs) or (["frame"], (photons.sizes["frames"],))
    of_frames = {
        str(name).removeprefix("frames_"): coord
        for name, coord in photons.coords.items()
        if coord.dims == ("frames",)
    }
    _require_one_table(photons, int(np.prod(shape, dtype=np.int64)), of_frames)
    coords: dict[str, Any] = {}
    for name, coord in of_frames.items():
        values = coord.values.reshape(shape)
        if name in dims:
            along = tuple(slice(None) if dim == name else slice(1) for dim in dims)
            coords[name] = (name, values[along].ravel(), coord.attrs)
        else:
            coords[name] = (tuple(dims), values, coord.attrs)
    return dims, shape, coords


def _frame_in_table(photons: xr.Dataset) -> NDArray[np.int64]:
    """For each photon, the index of its frame among those of the table."""
    first = int(photons.attrs.get("first_frame", 0))
    return np.asarray(photons.variables["frame"].values - first, dtype=np.int64)


def _require_one_table(
    photons: xr.Dataset, n_frames: int, of_frames: dict[str, xr.DataArray]
) -> None:
    """Raise ValueError if photons would be counted into wrong frames."""
    whole = photons.sizes["frames"] == n_frames
    whole &= all(photons[name].dims == ("frames",) for name in ("threshold",) if name in photons)
    for name, coord in of_frames.items():
        if whole and name != "frame" and name in photons.coords:
            whole = bool((coord.values[_frame_in_table(photons)] == photons[name].values).all())
    if not whole:
        raise ValueError(
            "the frames of the photon table do not match: it was cut along 'frames', or tables of "
            "several calls were joined whose frame numbers all begin at 0. Select photons along "
            "'photon', and make the spectra of each table separately."
        )
