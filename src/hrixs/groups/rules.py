"""The ways to group numbers: equal ones, in steps, by gaps, between edges, by the nearest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.typing import Floats

Integers = NDArray[np.int64]

#: Share of the step without a value that makes a place for the borders of bins worth a move.
_CLEAR = 0.1
# Share of the step that means of set-points a step apart are apart at least.
_APART = 0.9


def equal(values: NDArray[Any]) -> Integers:
    """Number of each value among those that there are, ascending."""
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def in_steps(values: Floats, step: float, origin: float) -> Integers:
    """Number of the bin of width `step` that each value lies in; one is centred on `origin`."""
    return equal(np.floor((values - origin) / step + 0.5).astype(np.int64))


def best_origin(values: Floats, step: float) -> float:
    """Centre of a bin for which no border goes through values that belong together.

    It is 0, so that bins lie about whole multiples of the step; unless values lie on the borders
    then, and there is room for these elsewhere: then borders go through the middle of the widest
    room.
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
    """Groups of values that are no wider than `step`, and a step apart; None where there are none.

    So are those that jitter about set-points. No bin of this width holds two of them, and a border
    of bins might go through one.
    """
    number = by_gaps(values, step / 2)
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    low, high = (f.reduceat(values[order], starts) for f in (np.minimum, np.maximum))
    means = np.bincount(number, values) / np.bincount(number)
    apart = (np.diff(means) >= _APART * step).all()
    return number if apart and (high - low <= step).all() else None


def by_gaps(values: Floats, tolerance: float) -> Integers:
    """Number of the run of values that are no more than `tolerance` from one to the next."""
    order = np.argsort(values, kind="stable")
    number = np.concatenate([[0], np.cumsum(np.diff(values[order]) > tolerance)])
    result = np.empty(len(values), dtype=np.int64)
    result[order] = number
    return result


def between(values: Floats, edges: Floats) -> Integers:
    """Number of the bin between two edges, the last with its upper end; -1 outside of all."""
    number = np.searchsorted(edges, values, side="right") - 1
    number[values == edges[-1]] = len(edges) - 2
    number[(values < edges[0]) | (values > edges[-1])] = -1
    return number.astype(np.int64)


def nearest(values: Floats, setpoints: Floats, most: float | None = None) -> Integers:
    """Number of the set-point that is nearest, of ascending ones; -1 where it is beyond `most`."""
    middles = (setpoints[1:] + setpoints[:-1]) / 2
    number = np.searchsorted(middles, values).astype(np.int64)
    if most is not None:
        number[np.abs(values - setpoints[number]) > most] = -1
    return number
