"""A Gaussian line that follows a parabola, on a constant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def line_model(
    p: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Value at pixels, for amplitude, row at column 0, width, tilt, bend and background."""
    amplitude, y0, sigma, curve_a, curve_b, background = p
    t = (y - y0 - (curve_b * x + curve_a) * x) / sigma
    return np.asarray(amplitude * np.exp(-0.5 * t * t) + background)


def line_jacobian(
    p: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Derivatives of the value by these parameters, shape (pixels, 6)."""
    amplitude, y0, sigma, curve_a, curve_b, _ = p
    t = (y - y0 - (curve_b * x + curve_a) * x) / sigma
    shape = np.exp(-0.5 * t * t)
    by_centre = amplitude * shape * t / sigma
    return np.stack(
        [shape, by_centre, by_centre * t, by_centre * x, by_centre * x * x, np.ones_like(x)], axis=1
    )
