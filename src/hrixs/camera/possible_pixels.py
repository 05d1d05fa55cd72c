"""Pixels so large that no camera gives them, and that no sum of squares can hold."""

from __future__ import annotations

import numpy as np

from hrixs.utils.typing import Floats

#: In ADU; the squares of a whole image of such pixels still have a sum.
LARGEST_PIXEL = 1e100


def refuse_impossible(pixels: Floats) -> None:
    """Refuse an image with pixels whose squares are beyond all numbers."""
    # NaN is passed over; only with infinite pixels the others must be looked at on their own.
    largest = _largest(pixels)
    if np.isinf(largest):
        largest = _largest(pixels[np.isfinite(pixels)])
    if largest > LARGEST_PIXEL:
        raise ValueError(
            f"the image has pixels of up to {largest:.3g} ADU, more than any camera gives. Check "
            "the images and the dark."
        )


def _largest(pixels: Floats) -> float:
    ends = (float(one.reduce(pixels, axis=None, initial=0.0)) for one in (np.fmin, np.fmax))
    return max(map(abs, ends))
