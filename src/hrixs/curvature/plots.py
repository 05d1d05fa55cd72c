"""Draw a fitted curve on the image or on the photons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.camera.frames import along_x_y, first_pixel
from hrixs.camera.plots import X_LABEL, Y_LABEL, plot_image
from hrixs.curvature.image_fit import CurvatureFit
from hrixs.curvature.photon_fit import PhotonCurvatureFit
from hrixs.utils.figures import add_colours, add_legend_on_image, draw_curve, new_axes, set_title
from hrixs.utils.provenance import source_text
from hrixs.utils.statistics import FWHM

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_curvature(
    image: xr.DataArray | NDArray[Any],
    fit: CurvatureFit | PhotonCurvatureFit,
    ax: Axes | None = None,
) -> Axes:
    """Draw an image around the line, with the fitted curve.

    Parameters
    ----------
    image : array_like, shape (x, y)
        The image that was fitted, in ADU per frame.
    fit : CurvatureFit or PhotonCurvatureFit
        The curve.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    image = along_x_y(image)
    x0, y0 = first_pixel(image) or (0, 0)
    x = x0 + np.arange(len(image), dtype=np.float64)
    line = fit.centre(x)
    plot_image(image, ax)
    draw_curve(ax, x, line, "fitted curvature")
    margin = max(20.0, 15 * fit.fwhm / FWHM, 0.6 * float(np.ptp(line)))
    last = y0 + image.shape[1] - 0.5
    ax.set_ylim(max(line.min() - margin, y0 - 0.5), min(line.max() + margin, last))
    attrs = image.attrs if isinstance(image, xr.DataArray) else {}
    what = f"{attrs.get('long_name', 'image')} and fitted curvature"
    source = source_text(image) if isinstance(image, xr.DataArray) else ""
    set_title(ax, what, *_fit_texts(fit), source)
    add_legend_on_image(ax, line)
    return ax


def plot_photon_curvature(
    photons: xr.Dataset,
    fit: PhotonCurvatureFit,
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram of positions around the line, with the fitted curve.

    Parameters
    ----------
    photons : xarray.Dataset
        The photon table that was fitted.
    fit : PhotonCurvatureFit
        The curve.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    x, y = _places(photons)
    columns = np.linspace(x.min(), x.max(), 512)
    line = fit.centre(columns)
    margin = max(20.0, 6 * fit.fwhm, 0.6 * float(np.ptp(line)))
    low, high = max(line.min() - margin, y.min()), min(line.max() + margin, y.max())
    _draw_histogram(ax, x, y, low, high)
    draw_curve(ax, columns, line, "fitted curvature")
    set_title(ax, "photons and fitted curvature", *_fit_texts(fit), source_text(photons))
    add_legend_on_image(ax, line)
    return ax


def plot_photons(
    photons: xr.Dataset, ax: Axes | None = None, *, curvature: CurveLike | None = None
) -> Axes:
    """Draw a histogram of positions over the whole part of the chip that has photons.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    curvature : Curvature or (float, float), optional
        A curve to draw through the row with most photons.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    x, y = _places(photons)
    low, high = (float(y.min()), float(y.max())) if y.size else (0.0, 1.0)
    _draw_histogram(ax, x, y, low, high)
    what, line = "photons", np.empty(0)
    if curvature is not None and y.size:
        curve = Curvature.of(curvature)
        straight = y - curve(x)
        counts, edges = np.histogram(straight, max(1, min(2000, int(np.ptp(straight)))))
        row = edges[int(np.argmax(counts))] + 0.5 * (edges[1] - edges[0])
        columns = np.linspace(x.min(), x.max(), 512)
        line = row + curve(columns)
        draw_curve(ax, columns, line, "curvature")
        what = "photons and the curvature"
    set_title(ax, what, source_text(photons))
    add_legend_on_image(ax, line)
    return ax


def _places(photons: xr.Dataset) -> NDArray[np.float64]:
    places = np.stack([photons[name].values for name in ("x", "y")]).astype(np.float64)
    return places[:, np.isfinite(places).all(axis=0)]


def _draw_histogram(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], low: float, high: float
) -> None:
    """Numbers of photons in cells of columns and rows between `low` and `high`."""
    n_rows = max(1, min(150, int(np.ceil(high - low))))
    first, last = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
    edges = np.linspace(first, max(last, first + 1.0), 65), np.linspace(low, high, n_rows + 1)
    counts, *_ = np.histogram2d(x, y, bins=edges)
    most = max(1.0, float(np.percentile(counts, 99.8)))
    mesh = ax.pcolormesh(*edges, counts.T, vmin=0.0, vmax=most, cmap="viridis", rasterized=True)
    ax.set(xlabel=X_LABEL, ylabel=Y_LABEL)
    cell = f"{np.diff(edges[0])[0]:.0f} x {np.diff(edges[1])[0]:.2g} px"
    beyond = "max" if counts.max() > most else "neither"
    add_colours(ax, mesh, f"photons in {cell}", extend=beyond)


def _fit_texts(fit: CurvatureFit | PhotonCurvatureFit) -> tuple[str, str]:
    b = f"B = {fit.curve_b:.2e} ± {fit.curve_b_err:.1g}"
    return (
        f"A = {fit.curve_a:.6f} ± {fit.curve_a_err:.1g}",
        f"{b}, line {fit.fwhm:.2f} px FWHM",
    )
