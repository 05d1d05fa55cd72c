"""The parabola that spectral lines follow on the detector."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.float64])


def parabola(x: Number, curve_a: float, curve_b: float) -> Number:
    """``(curve_b * x + curve_a) * x``: how far a line has moved at `x`, in pixels.

    Examples
    --------
    >>> parabola(2.0, 3.0, 0.5)
    8.0
    """
    return (curve_b * x + curve_a) * x
