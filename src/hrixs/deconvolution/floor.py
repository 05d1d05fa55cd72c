"""What is left of the level in sums of many frames, by the rows without light."""

from __future__ import annotations

import numpy as np

from hrixs.deconvolution.fit import Light
from hrixs.deconvolution.sampled import FloatArray

# Rows are without light that lie within so many of their errors of the floor, and so many tell it.
_WITHIN, _LEAST_ROWS = 2.5, 6
# Where the floor is looked for first: this part of the rows lies below.
_FIRST = 0.2
_MOST_ROUNDS = 20


def floor_of(light: Light) -> tuple[float, float]:
    """Photons a pixel of the rows without light, and their variance; 0 and NaN where none are.

    A frame's own level is told by a few of its pixels, among them some with a little light: in sums
    of many frames that is seen, and it is the same in all rows.
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
