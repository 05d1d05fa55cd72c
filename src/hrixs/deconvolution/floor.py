"""Remaining level in sums of many frames, from the rows without light."""

from __future__ import annotations

import numpy as np

from hrixs.deconvolution.fit import Light
from hrixs.deconvolution.sampled import FloatArray

# Rows within this many errors of the floor have no light; at least this many rows are needed.
_WITHIN, _LEAST_ROWS = 2.5, 6
# First estimate of the floor: this part of the rows is below it.
_FIRST = 0.2
_MOST_ROUNDS = 20


def floor_of(light: Light) -> tuple[float, float]:
    """Photons per pixel in rows without light, and their variance; 0 and NaN if there are none.

    The level of a frame comes from a few of its pixels, and some of these have a little light. In
    sums of many frames this offset is visible; it is the same in all rows.
    """
    pixels = light.pixels.sum(axis=0)
    whole = pixels > 0.5 * pixels.max(initial=0.0)
    if whole.sum() < _LEAST_ROWS:
        return 0.0, float("nan")
    means = light.sums.sum(axis=0)[whole] / pixels[whole]
    errors = np.sqrt(light.noise.sum(axis=0)[whole]) / pixels[whole]
    floor = float(np.quantile(means, _FIRST))
    dark: FloatArray = errors
    for _ in range(_MOST_ROUNDS):
        chosen = np.abs(means - floor) < _WITHIN * errors
        dark = errors[chosen]
        if len(dark) < _LEAST_ROWS:
            return 0.0, float("nan")
        found = float(np.average(means[chosen], weights=dark**-2))
        if found == floor:
            break
        floor = found
    return floor, float(1.0 / np.sum(dark**-2.0))
