"""Draw a fitted line on its spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.utils.figures import (
    BAND,
    BLUE,
    GREY,
    VERMILION,
    add_legend_above,
    axis_label,
    new_figure_of_pyplot,
    set_title,
)
from hrixs.utils.provenance import source_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_line(fit: Any, spectrum: xr.DataArray, error: ArrayLike | None = None) -> Figure:
    """Draw a fitted line on its spectrum and the residuals below; see `hrixs.LineFit.plot`."""
    figure, (above, below) = new_figure_of_pyplot(2, 1, (8, 6.5), sharex=True, height_ratios=(3, 1))
    axis, values = spectrum[spectrum.dims[0]], spectrum.values
    model, used = fit.model(axis.values), (axis >= fit.window[0]) & (axis <= fit.window[1])
    counted = np.sqrt(np.maximum(values, 0.0)), np.sqrt(np.maximum(model, 1e-300))
    bars, sigma = counted if error is None else (np.asarray(error), np.asarray(error))
    above.errorbar(axis, values, bars, fmt=".", ms=5, lw=1, color=BLUE, label=f"spectrum, {BAND}")
    above.plot(axis[used], model[used], color=VERMILION, lw=2, label=f"fitted {fit.shape} line")
    residuals = (values - model)[used] / np.where(sigma > 0, sigma, np.nan)[used]
    below.plot(axis[used], residuals, ".", ms=5, color=BLUE)
    below.axhline(0.0, color=GREY, lw=1)
    margin = 0.5 * (fit.window[1] - fit.window[0])
    above.set_xlim(fit.window[0] - margin, fit.window[1] + margin)
    above.set(ylabel=f"{spectrum.attrs.get('units', 'photons')} per bin")
    set_title(above, *_texts(fit), source_text(spectrum))
    below.set(xlabel=axis_label(axis.assign_attrs(units=fit.units)), ylabel="residual (std)")
    add_legend_above(above, axis.values, np.asarray(values + bars, dtype=np.float64))
    return figure


def _texts(fit: Any) -> tuple[str, str, str]:
    """Text with the results of the fit."""
    place, _, area = repr(fit)[1:-1].partition(": ")[2].partition(", area ")
    return "fitted line", place, f"area {area}"
