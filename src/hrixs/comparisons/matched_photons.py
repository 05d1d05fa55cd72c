"""Match photons of two results of the same images, by their positions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.comparisons.common_axis import edges_of
from hrixs.utils.provenance import first_pixel_of
from hrixs.utils.typing import Floats

#: Largest distance of matched photons, in pixels.
WITHIN = 1.0

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Positions of photons on the chip; a double hit is listed twice.

    Attributes
    ----------
    place : numpy.ndarray, shape (n, 2)
        x and y, in pixels of the full chip.
    frame : numpy.ndarray of int64, shape (n,)
        Number of the image of each photon, ascending.
    """

    place: Floats
    frame: Integers

    @classmethod
    def of(cls, table: xr.Dataset, first_frame: int = 0) -> Places:
        """Make it from a table whose first image has the number `first_frame`."""
        times = 1 + table["double"].values.astype(np.int64)
        frame = np.repeat(table["frame"].values.astype(np.int64), times) + first_frame
        place = np.repeat(np.column_stack([table["x"].values, table["y"].values]), times, axis=0)
        order = np.argsort(frame, kind="stable")
        return cls(place[order].astype(np.float64), frame[order])

    @classmethod
    def joined(cls, parts: list[Places]) -> Places:
        """Join all parts, in this order."""
        return cls(
            np.concatenate([np.empty((0, 2)), *(one.place for one in parts)]),
            np.concatenate([np.empty(0, np.int64), *(one.frame for one in parts)]),
        )

    def numbered(self, number: Integers) -> tuple[Places, Integers]:
        """Photons of images whose new number is 0 or more, with that number; and their indices."""
        frame = number[self.frame]
        kept = np.flatnonzero(frame >= 0)
        kept = kept[np.argsort(frame[kept], kind="stable")]
        return Places(self.place[kept], frame[kept]), kept

    def bins(self, spectrum: xr.DataArray, edges: Floats | None = None) -> Integers:
        """Bin of a counted spectrum for each photon; -1 for none.

        With `edges`, bins on the energy axis of the spectrum.
        """
        low, high = (float(end) for end in np.asarray(spectrum.attrs["range"]))
        first_row = (first_pixel_of(spectrum.attrs) or (0, 0))[1]
        n_bins = spectrum.sizes["energy"]
        rows = np.linspace(low - first_row, high - first_row, n_bins + 1)
        bend = Curvature.of_attrs(spectrum.attrs)(self.place[:, 0])
        at = self.place[:, 1] - first_row - bend
        if edges is not None:
            ends = edges_of(spectrum["energy"])
            at = ends[0] + (at - rows[0]) / (rows[-1] - rows[0]) * (ends[-1] - ends[0])
            rows = edges
        # A photon on an edge is in the bin of the higher rows, also if energies descend.
        number = _number(at, rows)
        return np.where((number >= 0) & (number < len(rows) - 1), number, -1).astype(np.int64)


def _number(at: Floats, edges: Floats) -> Integers:
    """Bin of each value, for ascending or descending edges."""
    if edges[0] < edges[-1]:
        return np.searchsorted(edges, at, side="right") - 1
    return len(edges) - 1 - np.searchsorted(edges[::-1], at, side="left")


def matched(first: Places, second: Places, n_frames: int) -> tuple[Integers, Integers]:
    """Indices of matched photons, in the first and in the second.

    In each image the nearest pair within `WITHIN` is matched, then the nearest of the rest, and so
    on; each photon is matched once.
    """
    borders = np.arange(n_frames + 1)
    of_first, of_second = (np.searchsorted(one.frame, borders) for one in (first, second))
    ours, theirs = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for (a, b), (c, d) in zip(pairwise(of_first), pairwise(of_second), strict=True):
        if a == b or c == d:
            continue
        i, j = _nearest(first.place[a:b], second.place[c:d])
        ours.append(i + a)
        theirs.append(j + c)
    return np.concatenate(ours), np.concatenate(theirs)


def _nearest(a: Floats, b: Floats) -> tuple[Integers, Integers]:
    from scipy.spatial import cKDTree

    near = cKDTree(a).sparse_distance_matrix(cKDTree(b), WITHIN, output_type="ndarray")
    near = near[np.lexsort((near["j"], near["i"], near["v"]))]
    i, j = near["i"].astype(np.int64), near["j"].astype(np.int64)
    ours, theirs = [], []
    while i.size:
        # Pairs that are the nearest for both photons, in the order of the distances.
        n = np.arange(i.size)
        best_i, best_j = np.full(len(a), i.size), np.full(len(b), i.size)
        np.minimum.at(best_i, i, n)
        np.minimum.at(best_j, j, n)
        both = (best_i[i] == n) & (best_j[j] == n)
        ours.append(i[both])
        theirs.append(j[both])
        free_i, free_j = np.ones(len(a), bool), np.ones(len(b), bool)
        free_i[i[both]] = free_j[j[both]] = False
        left = free_i[i] & free_j[j]
        i, j = i[left], j[left]
    return (
        np.concatenate([np.empty(0, np.int64), *ours]),
        np.concatenate([np.empty(0, np.int64), *theirs]),
    )


def leading(result: xr.Dataset) -> list[str]:
    """The dimensions of a result's images."""
    return [str(dim) for dim in result["spectrum"].dims if dim != "energy"]


def photons_of_both(
    results: tuple[xr.Dataset, xr.Dataset], places: tuple[Places, Places], notes: list[str]
) -> tuple[xr.Dataset, tuple[Integers, Integers]] | None:
    """Count photons in each image that both, or only one, have found; and index those of both.

    None, with a text in `notes`, if the images are not the same.
    """
    found = _images_of_both(*results)
    if found is None:
        notes.append("The images are not the same, so single photons are not compared.")
        return None
    images, shape, numbers = found
    n, dims = int(np.prod(shape, dtype=np.int64)), leading(results[0])
    mine: list[Places] = []
    order: list[Integers] = []
    for name, one, number in zip(("first", "second"), places, numbers, strict=True):
        n_alone = int(np.count_nonzero(number < 0))
        if n_alone:
            notes.append(f"{n_alone} images are only in the {name}: their photons are not matched.")
        kept, chosen = one.numbered(number)
        mine.append(kept)
        order.append(chosen)
    i, j = matched(mine[0], mine[1], n)
    both = np.bincount(mine[0].frame[i], minlength=n)
    counts = {
        "both": (both, "found by both"),
        "only_first": (np.bincount(mine[0].frame, minlength=n) - both, "found only by the first"),
        "only_second": (
            np.bincount(mine[1].frame, minlength=n) - both,
            "found only by the second",
        ),
    }
    per_image = images.assign(
        {
            name: (dims, values.reshape(shape), {"units": "photons", "long_name": text})
            for name, (values, text) in counts.items()
        }
    )
    return per_image, (order[0][i], order[1][j])


def _images_of_both(
    first: xr.Dataset, second: xr.Dataset
) -> tuple[xr.Dataset, tuple[int, ...], list[Integers]] | None:
    """Coordinates of the common images, and their numbers for the images of each."""
    dims = leading(first)
    if dims != leading(second) or not dims:
        return None
    shapes = [tuple(one.sizes[dim] for dim in dims) for one in (first, second)]
    keys = [_keys(one, dims[0]) for one in (first, second)]
    if shapes[0][1:] != shapes[1][1:] or any(len(set(one)) < len(one) for one in keys):
        return None
    place = {key: k for k, key in enumerate(keys[1])}
    ours = np.array([k for k, key in enumerate(keys[0]) if key in place], dtype=np.int64)
    theirs = np.array([place[keys[0][k]] for k in ours.tolist()], dtype=np.int64)
    if not ours.size:
        return None
    within = int(np.prod(shapes[0][1:], dtype=np.int64))
    numbers = []
    for shape, at in zip(shapes, (ours, theirs), strict=True):
        number = np.full(shape[0] * within, -1, dtype=np.int64)
        number[(at[:, None] * within + np.arange(within)).ravel()] = np.arange(at.size * within)
        numbers.append(number)
    known = first["spectrum"].isel({"energy": 0, dims[0]: ours}, drop=True)
    return known.coords.to_dataset(), (ours.size, *shapes[0][1:]), numbers


def _keys(result: xr.Dataset, dim: str) -> list[Any]:
    """Key of each image: its train and run, or else its number."""
    if dim not in result.coords:
        return list(range(result.sizes[dim]))
    ids = result[dim].values.tolist()
    if "run" in result.coords and result["run"].dims == (dim,):
        return list(zip(result["run"].values.astype(str).tolist(), ids, strict=True))
    return list(ids)
