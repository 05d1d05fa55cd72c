"""Incident intensity of the exposures of a run, by the settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from hrixs.i0.of_run import RunI0, i0_of_run
from hrixs.runs.indexed_run import IndexedRun
from hrixs.settings.attributes import Settings
from hrixs.utils.checks import whole_number


def incident(h: Settings, indexed: IndexedRun) -> RunI0 | None:
    """Read the incident intensity `I0` of all trains of a run; None if it is not set."""
    if h.I0 is None:
        return None
    trains = None if h.I0_TRAINS is None else whole_number("I0_TRAINS", h.I0_TRAINS)
    return i0_of_run(indexed, h.I0, trains=trains, shift=_shift(h.I0_SHIFT))


def _shift(value: Any) -> int:
    if isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_):
        return int(value)
    raise ValueError(
        f"I0_SHIFT = {value!r}, expected a whole number of trains: 0 where an exposure ends with "
        "the image's train, -1 where it ends with the one before."
    )
