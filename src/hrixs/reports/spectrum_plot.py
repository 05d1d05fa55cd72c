"""Draw the sum of the spectra, and the elastic line with its fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.energy.line import LineFit
from hrixs.reports.contents import Figure
from hrixs.reports.spectra_of import Spectra
from hrixs.reports.svg_plot import drawn
from hrixs.spectra.plots import plot_spectra
from hrixs.utils.figures import VERMILION, add_legend


def spectrum_figure(spectra: Spectra) -> Figure:
    """Draw the sum of all spectra."""
    n_images = spectra.n_images
    name = "sum" if spectra.counted else "mean"
    name = "spectrum" if spectra.counted and spectra.error is None else name
    name += f" of {n_images} images" if n_images is not None and n_images != 1 else ""

    def draw(ax: Any) -> None:
        plot_spectra({name: spectra.summed}, ax)
        left, right = ax.get_xlim()
        if spectra.total.dims == ("energy_loss",) and left < 0 < right:
            ax.axvline(0.0, color="grey", lw=0.8, ls=":")

    return drawn(draw, "The spectrum, as steps, with its errors.")


def line_figure(summed: xr.Dataset, fit: LineFit) -> Figure:
    """Draw the fitted line on the spectrum around it."""
    (dim,) = summed["spectrum"].dims
    axis = summed[dim].values
    margin = 0.6 * (fit.window[1] - fit.window[0])
    near = (axis >= fit.window[0] - margin) & (axis <= fit.window[1] + margin)
    used = (axis >= fit.window[0]) & (axis <= fit.window[1])
    part = summed.isel({dim: np.flatnonzero(near)})

    def draw(ax: Any) -> None:
        plot_spectra({"spectrum": part}, ax)
        ax.plot(axis[used], fit.model(axis[used]), color=VERMILION, label="fit")
        add_legend(ax, loc="upper left")

    return drawn(draw, "The line with its fit.", "The line and the fitted curve.")
