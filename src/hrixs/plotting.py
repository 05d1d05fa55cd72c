"""Plots. The only module that imports matplotlib, inside its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.curvature import CurvatureFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_curvature(image: NDArray[Any], fit: CurvatureFit, ax: Axes | None = None) -> Axes:
    """Draw an image with the fitted curve on it, around the line.

    Parameters
    ----------
    image : numpy.ndarray, shape (x, y)
        The image that was fitted, in ADU per frame.
    fit : CurvatureFit
        The curve.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    x = np.arange(len(image), dtype=np.float64)
    line = fit.centre(x)
    shown, extent = _for_display(image)
    low, high = np.nanpercentile(shown, [5, 99.5])
    mesh = ax.imshow(
        shown.T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, cmap="viridis"
    )
    ax.plot(x, line, color="red", lw=1, ls="--", label=_fit_label(fit))
    margin = max(20.0, 15 * fit.sigma, 0.6 * float(np.ptp(line)))
    ax.set_ylim(max(line.min() - margin, -0.5), min(line.max() + margin, image.shape[1] - 0.5))
    ax.set(xlabel="x (pixel along the line)", ylabel="y (pixel along the energy)")
    ax.set_title("mean image and fitted curvature")
    ax.legend(loc="upper left", fontsize="small")
    ax.figure.colorbar(mesh, ax=ax, label="ADU per frame")
    return ax


def plot_spectra(
    spectra: dict[str, xr.DataArray], ax: Axes | None = None, *, offset: float = 0.0
) -> Axes:
    """Draw spectra over their energy, each scaled to its own maximum so that shapes compare.

    Parameters
    ----------
    spectra : dict of str to xarray.DataArray, dims (energy,)
        Spectra by the name to show.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    offset : float
        Vertical distance between one spectrum and the next.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(layout="constrained")
    units = ""
    for k, (name, spectrum) in enumerate(spectra.items()):
        values = spectrum.values - np.nanmedian(spectrum.values)
        peak = np.nanmax(values)
        ax.plot(spectrum["energy"], values / (peak or 1.0) + k * offset, lw=1, label=name)
        units = spectrum["energy"].attrs.get("units", "")
    ax.set(xlabel=f"energy ({units})", ylabel="intensity (scaled to its maximum)")
    ax.legend(fontsize="small")
    return ax


def plot_photons_per_train(n_photons: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Draw how many photons each train brought, over the number of the train in the run.

    Parameters
    ----------
    n_photons : xarray.DataArray, dims (trainId,)
        Photons of each train.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(layout="constrained")
    first = int(n_photons["trainId"].values[0])
    train = (n_photons["trainId"].values.astype(np.int64)) - first
    ax.plot(train, n_photons.values, ".", ms=5)
    mean = float(n_photons.mean())
    ax.axhline(mean, color="grey", lw=1, label=f"mean {mean:.0f}")
    ax.set_ylim(0, 1.25 * max(float(n_photons.max()), 1.0))
    ax.set(xlabel=f"train (from {first})", ylabel="photons")
    ax.legend(fontsize="small")
    return ax


def new_figure(mosaic: list[list[str]], size: tuple[float, float]) -> tuple[Figure, dict[str, Any]]:
    """Make a figure that no window shows, for writing to a file, with axes by name."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplot_mosaic(mosaic)


def _for_display(
    image: NDArray[Any], largest: int = 512
) -> tuple[NDArray[Any], tuple[float, float, float, float]]:
    """Average pixels along x, so that faint lines show; the extent in pixels."""
    width = max(1, len(image) // largest)
    n = len(image) // width
    shown = image[: n * width].reshape(n, width, -1)
    return np.nanmean(shown, axis=1), (-0.5, n * width - 0.5, -0.5, image.shape[1] - 0.5)


def _fit_label(fit: CurvatureFit) -> str:
    return (
        f"A = {fit.curve_a:.6f} ± {fit.curve_a_err:.1g}\n"
        f"B = {fit.curve_b:.3e} ± {fit.curve_b_err:.1g}\n"
        f"FWHM {fit.fwhm:.2f} px"
    )
