"""Plots. The only module that imports matplotlib, inside its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.plots import plot_image
from hrixs.curvature import CurvatureFit
from hrixs.photon_curvature import PhotonCurvatureFit
from hrixs.utils.figures import _first_pixel, _new_axes
from hrixs.utils.statistics import FWHM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_curvature(
    image: xr.DataArray | NDArray[Any],
    fit: CurvatureFit | PhotonCurvatureFit,
    ax: Axes | None = None,
) -> Axes:
    """Draw an image with the fitted curve on it, around the line.

    Parameters
    ----------
    image : array_like, shape (x, y)
        The image that was fitted, in ADU per frame; with coordinates, these are shown.
    fit : CurvatureFit or PhotonCurvatureFit
        The curve.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes()
    x0, y0 = _first_pixel(image)
    x = np.arange(len(image), dtype=np.float64)
    line = y0 + fit.centre(x)
    plot_image(image, ax)
    ax.plot(x0 + x, line, color="red", lw=1, ls="--", label=_fit_label(fit))
    margin = max(20.0, 15 * fit.fwhm / FWHM, 0.6 * float(np.ptp(line)))
    last = y0 + image.shape[1] - 0.5
    ax.set_ylim(max(line.min() - margin, y0 - 0.5), min(line.max() + margin, last))
    ax.set_title("mean image and fitted curvature")
    ax.legend(loc="upper left", fontsize="small")
    return ax


def plot_photon_curvature(
    photons: xr.Dataset,
    fit: PhotonCurvatureFit,
    ax: Axes | None = None,
    *,
    first: tuple[int, int] = (0, 0),
) -> Axes:
    """Draw where photons lie, as a histogram, with the fitted curve on it, around the line.

    Parameters
    ----------
    photons : xarray.Dataset
        The photon table that was fitted.
    fit : PhotonCurvatureFit
        The curve.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    first : (int, int)
        First pixel (x, y) of the crop on the chip.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes()
    places = np.stack([photons[name].values for name in ("x", "y")])
    x, y = places[:, np.isfinite(places).all(axis=0)] + np.array(first)[:, None]
    columns = np.linspace(x.min(), x.max(), 512)
    line = first[1] + fit.centre(columns - first[0])
    margin = max(20.0, 6 * fit.fwhm, 0.6 * float(np.ptp(line)))
    low, high = max(line.min() - margin, y.min()), min(line.max() + margin, y.max())
    n_rows = min(150, int(np.ceil(high - low)))
    edges = np.linspace(x.min(), x.max(), 65), np.linspace(low, high, n_rows + 1)
    counts, *_ = np.histogram2d(x, y, bins=edges)
    most = max(1.0, float(np.percentile(counts, 99.8)))
    mesh = ax.pcolormesh(*edges, counts.T, vmin=0.0, vmax=most, cmap="viridis", rasterized=True)
    ax.plot(columns, line, color="red", lw=1, ls="--", label=_fit_label(fit))
    ax.set(xlabel="x (pixel along the line)", ylabel="y (pixel along the energy)")
    ax.set_title("photons and fitted curvature")
    ax.legend(loc="upper left", fontsize="small")
    cell = f"{np.diff(edges[0])[0]:.0f} x {np.diff(edges[1])[0]:.2g} px"
    ax.figure.colorbar(mesh, ax=ax, label=f"photons in {cell}")
    return ax


def plot_line(fit: Any, spectrum: xr.DataArray, error: ArrayLike | None = None) -> Figure:
    """Draw a fitted line on its spectrum and the residuals below; see `hrixs.LineFit.plot`."""
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, sharex=True, figsize=(8, 6), layout="constrained", height_ratios=(3, 1)
    )
    axis, values = spectrum[spectrum.dims[0]], spectrum.values
    model, used = fit.model(axis.values), (axis >= fit.window[0]) & (axis <= fit.window[1])
    counted = np.sqrt(np.maximum(values, 0.0)), np.sqrt(np.maximum(model, 1e-300))
    bars, sigma = counted if error is None else (np.asarray(error), np.asarray(error))
    above.errorbar(axis, values, bars, fmt=".", ms=4, lw=1, color="C0", label="spectrum")
    above.plot(axis[used], model[used], color="red", lw=1.5, label=repr(fit)[1:-1])
    residuals = (values - model)[used] / np.where(sigma > 0, sigma, np.nan)[used]
    below.plot(axis[used], residuals, ".", ms=4, color="C0")
    below.axhline(0.0, color="grey", lw=1)
    margin = 0.5 * (fit.window[1] - fit.window[0])
    above.set_xlim(fit.window[0] - margin, fit.window[1] + margin)
    above.set(ylabel=f"{spectrum.attrs.get('units', 'photons')} per bin", title="fitted line")
    name = axis.attrs.get("long_name", axis.name)
    below.set(xlabel=f"{name} ({fit.units})", ylabel="residual (std)")
    above.set_ylim(top=1.2 * above.get_ylim()[1])  # room for the legend
    above.legend(loc="upper left", fontsize="small")
    return figure


def _fit_label(fit: CurvatureFit | PhotonCurvatureFit) -> str:
    return (
        f"A = {fit.curve_a:.6f} ± {fit.curve_a_err:.1g}\n"
        f"B = {fit.curve_b:.3e} ± {fit.curve_b_err:.1g}\n"
        f"FWHM {fit.fwhm:.2f} px"
    )
