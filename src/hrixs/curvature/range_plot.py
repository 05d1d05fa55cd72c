"""The part of the chip with light, drawn on the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrixs.camera.plots import plot_image
from hrixs.utils.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_range(found: Any, ax: Axes | None = None) -> Axes:
    """Draw the image with the line that was found and the ranges around it.

    Parameters
    ----------
    found : FoundRange
        As from `hrixs.auto_range`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    plot_image(found.image, ax)
    x = found.image["x"].values.astype(np.float64)
    ax.plot(x, found.fit.centre(x), color="red", lw=1, ls="--", label="line")
    begin, end = found.x_range.start, found.x_range.stop
    left = x[0] if begin is None else begin
    right = x[-1] + 1 if end is None else end
    low, high = found.y_range.start, found.y_range.stop
    corners = [left, right, right, left, left], [low, low, high, high, low]
    text = f"Y_RANGE {low}:{high}" + ("" if begin is None else f", X_RANGE {begin}:{end}")
    ax.plot(*(np.array(one) - 0.5 for one in corners), color="white", lw=1.2, label=text)
    y = found.image["y"].values
    ax.set(xlim=(x[0] - 0.5, x[-1] + 0.5), ylim=(y[0] - 0.5, y[-1] + 0.5))
    ax.legend(loc="upper left", fontsize="small", labelcolor="white", facecolor="0.25")
    ax.set_title(f"light found, {found.significance:.0f} deviations high")
    return ax
