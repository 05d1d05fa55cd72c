"""Which photons of two tables are the same: against the plain way, pair by pair."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from hrixs.comparisons.matched_photons import WITHIN, Places, matched


def plain(a: np.ndarray, b: np.ndarray) -> list[tuple[int, int]]:
    """The nearest pair of all, then the nearest of what is left."""
    distances = np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=-1))
    pairs = sorted((float(distances[i, j]), i, j) for i, j in np.ndindex(distances.shape))
    found: list[tuple[int, int]] = []
    for distance, i, j in pairs:
        taken = any(i == one or j == other for one, other in found)
        if distance <= WITHIN and not taken:
            found.append((i, j))
    return sorted(found)


def places(points, frame=None) -> Places:
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    frame = np.zeros(len(points), int) if frame is None else np.asarray(frame)
    return Places(points, frame)


coordinates = st.tuples(st.integers(0, 12), st.integers(0, 12))


@given(st.lists(coordinates, max_size=12), st.lists(coordinates, max_size=12))
def test_nearest_first_each_once(first, second):
    # On a grid many pairs are equally near, and many places the same. Multiples of 0.375 px are not
    # rounded, so that equally near pairs are so to the last bit.
    a, b = (places([(0.375 * x, 0.375 * y) for x, y in one]) for one in (first, second))
    i, j = matched(a, b, 1)
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == plain(a.place, b.place)


def test_only_in_the_same_image():
    a = places([(1, 1), (1, 1), (5, 5)], [0, 2, 2])
    b = places([(1, 1.5), (5, 5), (1, 1)], [0, 1, 2])
    i, j = matched(a, b, 4)
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 0), (1, 2)]


def test_a_pixel_away_is_the_same_and_more_is_not():
    a, b = places([(3, 3), (9, 9)]), places([(3, 4), (9, 10.001)])
    assert [one.tolist() for one in matched(a, b, 1)] == [[0], [0]]
    assert all(one.size == 0 for one in matched(a, places([]), 1))


def test_a_double_hit_stands_twice():
    columns = {"x": [1.0, 2.0], "y": [3.0, 4.0], "double": [True, False]}
    table = xr.Dataset({name: ("photon", values) for name, values in columns.items()})
    table = table.assign_coords(frame=("photon", [1, 0]))
    found = Places.of(table, 10)
    assert found.frame.tolist() == [10, 11, 11]
    assert found.place.tolist() == [[2, 4], [1, 3], [1, 3]]
    # One of both is matched by a single photon.
    assert [one.tolist() for one in matched(found, places([(1, 3)], [11]), 12)] == [[1], [0]]
