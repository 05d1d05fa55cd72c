"""Draw the image with crop, curve and mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.camera.frames import along_x_y, first_pixel
from hrixs.camera.plots import plot_image
from hrixs.reports.contents import Figure
from hrixs.reports.svg_plot import HALF, drawn

_MASK, _CURVE, _CROP = "#ff2fd6", "#ff4d3d", "#ffffff"
# Cells of a drawn mask along the longer side, so that single bad pixels are visible.
_CELLS = 256


def whole_figure(
    image: xr.DataArray, crop: tuple[tuple[int, int], tuple[int, int]] | None,
    curve: Curvature | None, row: float | None, mask: NDArray[np.bool_] | None,
) -> Figure:  # fmt: skip
    """Draw a whole image with the crop as a rectangle, the curve and the mask."""

    def draw(ax: Any) -> None:
        plot_image(image, ax)
        limits = ax.get_xlim(), ax.get_ylim()
        _draw_mask(ax, image, mask)
        if crop is not None:
            (left, right), (low, high) = crop
            x, y = [left, right, right, left, left], [low, low, high, high, low]
            ax.plot(np.array(x) - 0.5, np.array(y) - 0.5, color=_CROP, lw=1.4)
        _draw_curve(ax, image, curve, row)
        ax.set(xlim=limits[0], ylim=limits[1])

    return drawn(draw, "The mean image with crop, curve and mask.", size=HALF)


def crop_figure(
    image: xr.DataArray, crop: tuple[tuple[int, int], tuple[int, int]],
    curve: Curvature | None, row: float | None, mask: NDArray[np.bool_] | None,
) -> Figure:  # fmt: skip
    """Draw the part of an image inside the crop."""
    x0, y0 = first_pixel(image) or (0, 0)
    (left, right), (low, high) = crop
    part = along_x_y(image).isel(
        x=slice(max(left - x0, 0), right - x0), y=slice(max(low - y0, 0), high - y0)
    )
    if "x" not in part.coords:
        part = part.assign_coords(
            x=np.arange(max(left, x0), max(left, x0) + part.sizes["x"]),
            y=np.arange(max(low, y0), max(low, y0) + part.sizes["y"]),
        )
    return whole_figure(part, None, curve, row, mask)


def _draw_curve(ax: Any, image: xr.DataArray, curve: Curvature | None, row: float | None) -> None:
    if curve is None or row is None:
        return
    x0, _ = first_pixel(image) or (0, 0)
    x = x0 + np.arange(image.sizes["x"], dtype=np.float64)
    ax.plot(x, row + curve(x), color=_CURVE, lw=1.6, ls=(0, (5, 4)))


def _draw_mask(ax: Any, image: xr.DataArray, mask: NDArray[np.bool_] | None) -> None:
    """Draw the bad pixels of the chip that are in the image, in cells so that each is visible."""
    from matplotlib.colors import ListedColormap

    if mask is None or not mask.any():
        return
    x0, y0 = first_pixel(image) or (0, 0)
    nx, ny = (image.sizes[dim] for dim in ("x", "y"))
    bad = mask[x0 : x0 + nx, y0 : y0 + ny]
    step = max(1, max(bad.shape, default=1) // _CELLS)
    padded = np.pad(bad, [(0, -size % step) for size in bad.shape])
    cells = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    shown = np.where(cells.any(axis=(1, 3)), 1.0, np.nan)
    ends = (x0 - 0.5, x0 + padded.shape[0] - 0.5, y0 - 0.5, y0 + padded.shape[1] - 0.5)
    ax.imshow(
        shown.T, origin="lower", aspect="auto", interpolation="nearest", extent=ends,
        cmap=ListedColormap([_MASK]),
    )  # fmt: skip
