"""Spectra, counts and differences drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hrixs.spectra.errors import error_of
from hrixs.utils.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    ax = ax or new_axes()
    label = "energy"
    for k, (name, spectrum) in enumerate(spectra.items()):
        values = spectrum.values - np.nanmedian(spectrum.values)
        peak = np.nanmax(values)
        (axis,) = (spectrum[dim] for dim in spectrum.dims)
        ax.plot(axis, values / (peak or 1.0) + k * offset, lw=1, label=name)
        label = f"{axis.attrs.get('long_name', axis.name)} ({axis.attrs.get('units', '')})"
    ax.set(xlabel=label, title="spectra")
    ax.set_ylabel("intensity, scaled" + (" and shifted" if offset else ""))
    ax.legend(fontsize="small")
    return ax


def plot_per_train(values: xr.DataArray, ax: Axes | None = None, label: str = "photons") -> Axes:
    """Draw one value for each train, over the number of the train in the run.

    Parameters
    ----------
    values : xarray.DataArray, dims (trainId,)
        For example the photons of each train.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    label : str
        What the values are.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes()
    first = int(values["trainId"].values[0])
    mean = float(values.mean())
    ax.plot(values["trainId"].values.astype(np.int64) - first, values.values, ".", ms=5)
    ax.axhline(mean, color="grey", lw=1, label=f"mean {mean:.4g}")
    ax.set_ylim(min(0.0, float(values.min())), 1.25 * float(values.max()) or 1.0)
    ax.set(xlabel=f"train (from {first})", ylabel=label, title=f"{label} per train")
    ax.legend(loc="lower right", fontsize="small")
    return ax


def plot_difference(
    difference: xr.Dataset, ax: Axes | None = None, *, relative: bool = False
) -> Axes:
    """Draw the difference of two spectra over their energy, in a band of one standard deviation.

    Parameters
    ----------
    difference : xarray.Dataset
        As from `hrixs.difference`, over ``energy`` alone.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    relative : bool
        Whether to draw the relative difference, in percent.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are other dimensions besides ``energy``.
    """
    name = "relative_difference" if relative else "difference"
    values, error = difference[name], error_of(difference, name)
    if values.dims not in (("energy",), ("energy_loss",)):
        raise ValueError(
            f"the difference has dimensions {values.dims}, expected ('energy',) or "
            "('energy_loss',). Select one first, for example with isel(hRIXS_delay=0)."
        )
    ax = ax or new_axes()
    scale = 100.0 if relative else 1.0
    energy = difference[values.dims[0]]
    ax.axhline(0.0, color="grey", lw=1)
    low, high = scale * (values - error), scale * (values + error)
    ax.fill_between(energy, low, high, step="mid", alpha=0.35, lw=0, label="± 1 standard deviation")
    ax.step(energy, scale * values, where="mid", lw=1)
    units = "%" if relative else values.attrs.get("units", "")
    what = "relative difference" if relative else "difference"
    along = energy.attrs.get("long_name", "energy")
    ax.set(xlabel=f"{along} ({energy.attrs.get('units', '')})", ylabel=f"{what} ({units})")
    ax.set_title(f"{what}, pumped and unpumped")
    ax.legend(fontsize="small")
    return ax
