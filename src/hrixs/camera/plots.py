"""A frame drawn as an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import along_x_y, first_pixel
from hrixs.utils.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_image(image: xr.DataArray | NDArray[Any], ax: Axes | None = None) -> Axes:
    """Draw an image, averaged along the line so that faint lines show.

    Parameters
    ----------
    image : array_like, shape (x, y)
        In ADU per frame; with coordinates that tell its place on the full chip, that is shown.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    image = along_x_y(image)
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
    ax.set(xlabel="x (pixel along the line)", ylabel="y (pixel along the energy)")
    ax.set_title("mean image")
    ax.figure.colorbar(mesh, ax=ax, label="ADU per frame")
    return ax


def plot_mask(mask: xr.DataArray | NDArray[Any], ax: Axes | None = None) -> Axes:
    """Draw a mask of bad pixels, so that single ones show: a point of the plot is bad if any is.

    Parameters
    ----------
    mask : array_like of bool, shape (x, y)
        True where a pixel is bad, as from `hrixs.bad_pixels`.
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
    ax.set(xlabel="x (pixel along the line)", ylabel="y (pixel along the energy)")
    ax.set_title(f"{int(bad.sum())} bad pixels, {100 * bad.mean():.2g} %")
    return ax
