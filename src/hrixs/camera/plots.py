"""Draw frames and masks as images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import along_x_y, first_pixel
from hrixs.utils.figures import add_colours, new_axes, set_title
from hrixs.utils.provenance import source_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The two directions of a frame.
X_LABEL, Y_LABEL = "x (pixel along the line)", "y (pixel along the energy)"


def plot_image(image: xr.DataArray | NDArray[Any], ax: Axes | None = None) -> Axes:
    """Draw an image, averaged along the line so that faint lines are visible (see colour bar).

    Parameters
    ----------
    image : array_like, shape (x, y)
        In ADU per frame, if it has no unit of its own. Coordinates of the full chip, and attributes
        that name the run, are shown.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Masked pixels are grey. Colours end at 5 % and 99.5 % of the values; arrows at the colour
        bar show that values are beyond.
    """
    ax = ax or new_axes()
    image = along_x_y(image)
    attrs = image.attrs if isinstance(image, xr.DataArray) else {}
    width = max(1, len(image) // 256)
    n = len(image) // width
    blocks = np.asarray(image, dtype=np.float64)[: n * width].reshape(n, width, -1)
    known = np.isfinite(blocks)
    with np.errstate(invalid="ignore"):  # a block that is masked as a whole stays empty
        shown = np.where(known, blocks, 0.0).sum(axis=1) / known.sum(axis=1)
    x0, y0 = first_pixel(image) or (0, 0)
    low, high = np.nanpercentile(shown, [5, 99.5])
    mesh = ax.imshow(
        shown.T,
        origin="lower",
        aspect="auto",
        extent=(x0 - 0.5, x0 + n * width - 0.5, y0 - 0.5, y0 + image.shape[1] - 0.5),
        vmin=low,
        vmax=high,
        cmap="viridis",
    )
    ax.set_facecolor("0.75")
    ax.set(xlabel=X_LABEL, ylabel=Y_LABEL)
    set_title(ax, str(attrs.get("long_name", "image")), _source(image))
    units = str(attrs.get("units", "ADU"))
    per_frame = f"{units} per frame" if units == "ADU" else units
    mean = f", mean of {width} columns" if width > 1 else ""
    add_colours(ax, mesh, f"{per_frame}{mean}", extend=beyond(shown, low, high))
    return ax


def _source(image: xr.DataArray | NDArray[Any]) -> str:
    return source_text(image) if isinstance(image, xr.DataArray) else ""


def beyond(shown: NDArray[np.float64], low: float, high: float) -> str:
    """Sides on which values are beyond the colours, by the names of `matplotlib`."""
    sides = bool((shown < low).any()), bool((shown > high).any())
    names = {(True, True): "both", (True, False): "min", (False, True): "max"}
    return names.get(sides, "neither")


def plot_mask(mask: xr.DataArray | NDArray[Any], ax: Axes | None = None) -> Axes:
    """Draw a mask so that single bad pixels are visible: a point is bad if any of its pixels is.

    Parameters
    ----------
    mask : array_like of bool, shape (x, y)
        True for bad pixels, from `hrixs.bad_pixels`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    mask = along_x_y(mask)
    bad = np.asarray(mask, dtype=bool)
    step = max(1, max(bad.shape) // 512)
    padded = np.pad(bad, [(0, -size % step) for size in bad.shape])
    nx, ny = (size // step for size in padded.shape)
    shown = padded.reshape(nx, step, ny, step).any(axis=(1, 3))
    x0, y0 = first_pixel(mask) or (0, 0)
    ax.imshow(
        shown.T, origin="lower", aspect="auto", cmap="gray_r", interpolation="nearest",
        vmin=0, vmax=1,
        extent=(x0 - 0.5, x0 + nx * step - 0.5, y0 - 0.5, y0 + ny * step - 0.5),
    )  # fmt: skip
    ax.set(xlabel=X_LABEL, ylabel=Y_LABEL)
    ax.spines[:].set_visible(True)
    shown_as = f"a point is {step} x {step} pixels, black if any is bad" if step > 1 else ""
    title = f"{int(bad.sum())} bad pixels, {100 * bad.mean():.2g} %"
    set_title(ax, title, shown_as, _source(mask))
    return ax
