"""Ways to group numbers: equal values, steps, gaps, edges, nearest set-points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.typing import Floats

Integers = NDArray[np.int64]

#: Borders of bins are moved to a gap of at least this share of the step.
_CLEAR = 0.1
# Smallest distance of means of set-points that are a step apart, as a share of the step.
_APART = 0.9


def equal(values: NDArray[Any]) -> Integers:
    """Index of each value among the different values, ascending."""
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def in_steps(values: Floats, step: float, origin: float) -> Integers:
    """Number of the bin of width `step` of each value; one bin is centred on `origin`."""
    return equal(np.floor((values - origin) / step + 0.5).astype(np.int64))


def best_origin(values: Floats, step: float) -> float:
    """Centre of a bin such that no border separates values that belong together.

    It is 0, so that bins are centred on whole multiples of the step. If values are at these borders
    and there is a gap elsewhere, borders go through the middle of the widest gap.
    """
    phase = np.sort(np.mod(values / step, 1.0))
    gaps = np.diff(np.append(phase, phase[0] + 1.0))
    widest = int(gaps.argmax())
    beside_border = float(np.abs(phase - 0.5).min())
    if gaps[widest] < _CLEAR or beside_border >= gaps[widest] / 4:
        return 0.0
    border = phase[widest] + gaps[widest] / 2
    return float(np.mod(border + 0.5, 1.0) * step)


def apart_by_steps(values: Floats, step: float) -> Integers | None:
    """Groups that are no wider than `step` and at least a step apart; None if there are none.

    Values that jitter about set-points form such groups. No bin of this width can hold two of them,
    but a border of a bin could cut one.
    """
    number = by_gaps(values, step / 2)
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    low, high = (f.reduceat(values[order], starts) for f in (np.minimum, np.maximum))
    means = np.bincount(number, values) / np.bincount(number)
    apart = (np.diff(means) >= _APART * step).all()
    return number if apart and (high - low <= step).all() else None


def by_gaps(values: Floats, tolerance: float) -> Integers:
    """Number of the group of each value; neighbours in a group differ by at most `tolerance`."""
    order = np.argsort(values, kind="stable")
    number = np.concatenate([[0], np.cumsum(np.diff(values[order]) > tolerance)])
    result = np.empty(len(values), dtype=np.int64)
    result[order] = number
    return result


def between(values: Floats, edges: Floats) -> Integers:
    """Number of the bin between two edges; the last includes its upper edge; -1 is outside."""
    number = np.searchsorted(edges, values, side="right") - 1
    number[values == edges[-1]] = len(edges) - 2
    number[(values < edges[0]) | (values > edges[-1])] = -1
    return number.astype(np.int64)


def nearest(values: Floats, setpoints: Floats, most: float | None = None) -> Integers:
    """Number of the nearest of ascending set-points; -1 if it is further than `most`."""
    middles = (setpoints[1:] + setpoints[:-1]) / 2
    number = np.searchsorted(middles, values).astype(np.int64)
    if most is not None:
        number[np.abs(values - setpoints[number]) > most] = -1
    return number
