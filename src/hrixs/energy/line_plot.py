"""A fitted line drawn on its spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
