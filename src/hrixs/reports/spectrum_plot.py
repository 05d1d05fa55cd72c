"""The sum of the spectra, and the elastic line with its fit, drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.energy.line import LineFit
from hrixs.reports.contents import Figure
from hrixs.reports.spectra_of import Spectra
from hrixs.reports.svg_plot import LINES, drawn
from hrixs.spectra.plots import plot_spectra


def spectrum_figure(spectra: Spectra) -> Figure:
    """Draw the sum of all spectra."""
    total = spectra.total

    def draw(ax: Any) -> None:
        plot_spectra({"sum": total}, ax)
        if total.dims == ("energy_loss",):
            ax.axvline(0.0, color="grey", lw=0.8, ls=":")

    return drawn(draw, "The spectrum, in steps, with its errors.")


def line_figure(total: xr.DataArray, fit: LineFit) -> Figure:
    """Draw the fitted line on the spectrum around it."""
    axis = total[total.dims[0]].values
    margin = 0.6 * (fit.window[1] - fit.window[0])
    near = (axis >= fit.window[0] - margin) & (axis <= fit.window[1] + margin)
    used = (axis >= fit.window[0]) & (axis <= fit.window[1])

    def draw(ax: Any) -> None:
        plot_spectra({"spectrum": total.isel({total.dims[0]: np.flatnonzero(near)})}, ax)
        ax.plot(axis[used], fit.model(axis[used]), color=LINES[4], lw=1.6, label="fit")
        ax.legend(fontsize="small")

    return drawn(draw, "The line with its fit.", "The line and what was fitted to it.", size=(7.4, 2.9))
