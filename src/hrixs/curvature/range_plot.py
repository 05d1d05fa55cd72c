"""Draw the part of the chip with light on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hrixs.camera.plots import plot_image
from hrixs.curvature.image_fit import CurvatureFit
from hrixs.utils.figures import ORANGE, add_legend_on_image, draw_curve, new_axes, set_title
from hrixs.utils.provenance import source_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_range(
    image: xr.DataArray,
    fit: CurvatureFit,
    x_range: slice,
    y_range: slice,
    ax: Axes | None = None,
) -> Axes:
    """Draw an image with the line found, and the ranges around it.

    Parameters
    ----------
    image : xarray.DataArray, dims (x, y)
        With coordinates, in pixels of the chip.
    fit : CurvatureFit
        The line.
    x_range, y_range : slice
        From `hrixs.FoundRange`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    plot_image(image, ax)
    x, y = (image[name].values.astype(np.float64) for name in ("x", "y"))
    draw_curve(ax, x, fit.centre(x), "line")
    begin, end, low, high = x_range.start, x_range.stop, y_range.start, y_range.stop
    left = x[0] if begin is None else begin
    right = x[-1] + 1 if end is None else end
    corners = [left, right, right, left, left], [low, low, high, high, low]
    text = f"Y_RANGE {low}:{high}" + ("" if begin is None else f", X_RANGE {begin}:{end}")
    ax.plot(*(np.array(one) - 0.5 for one in corners), color=ORANGE, lw=2, label=text)
    ax.set(xlim=(x[0] - 0.5, x[-1] + 0.5), ylim=(y[0] - 0.5, y[-1] + 0.5))
    add_legend_on_image(ax, np.array([0.5 * (low + high)]))
    set_title(ax, "light, with its line and the ranges found", source_text(image))
    return ax
