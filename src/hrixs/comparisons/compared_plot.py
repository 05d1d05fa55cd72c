"""Draw two spectra and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from hrixs.spectra.errors import known_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("C0", "C1")


def plot_comparison(
    results: tuple[xr.Dataset, xr.Dataset], names: tuple[str, str], difference: xr.Dataset | None
) -> Figure:
    """Draw two spectra as steps, each in its own unit, and their difference below.

    Parameters
    ----------
    results : (xarray.Dataset, xarray.Dataset)
        With ``spectrum (..., energy)``, which is summed over all other dimensions.
    names : (str, str)
        Names for the legend.
    difference : xarray.Dataset, optional
        With ``difference (energy)``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib.pyplot as plt

    n = 1 if difference is None else 2
    figure, axes = plt.subplots(
        n, 1, figsize=(8, 4.5 + 2 * (n - 1)), sharex=True, squeeze=False, layout="constrained",
        height_ratios=[3, 1.4][:n],
    )  # fmt: skip
    upper = axes[0, 0]
    both = [_sum(one) for one in results]
    units = [str(one.attrs.get("units", "")) for one in both]
    of_axis = [str(one["energy"].attrs.get("units", "")) for one in both]
    # A second axis on the right for the other unit, and one above for the other energies.
    other = upper.twinx() if units[0] != units[1] else upper
    other = other.twiny() if of_axis[0] != of_axis[1] else other
    for k, (ax, spectrum) in enumerate(zip((upper, other), both, strict=True)):
        ax.step(spectrum["energy"], spectrum, where="mid", lw=1, color=_COLOURS[k], label=names[k])
        if ax is not upper or k == 0:
            _label(ax, spectrum, _COLOURS[k] if other is not upper else "black")
    handles = [line for ax in dict.fromkeys((upper, other)) for line in ax.get_lines()]
    upper.legend(handles=handles, fontsize="small")
    upper.set_title("comparison of two settings")
    if difference is not None:
        upper.set_xlabel("")
        _draw_difference(axes[1, 0], difference)
    return figure


def _sum(result: xr.Dataset) -> xr.DataArray:
    spectrum = result["spectrum"]
    return spectrum.sum([dim for dim in spectrum.dims if dim != "energy"], keep_attrs=True)


def _label(ax: Axes, spectrum: xr.DataArray, colour: str) -> None:
    axis = spectrum["energy"]
    ax.set_xlabel(f"{axis.attrs.get('long_name', 'energy')} ({axis.attrs.get('units', '')})")
    what = "photons" if spectrum.attrs.get("units") == "photons" else "intensity"
    unit = "" if what == "photons" else f" ({spectrum.attrs.get('units', '')})"
    ax.set_ylabel(f"{what} per bin{unit}", color=colour)


def _draw_difference(ax: Axes, difference: xr.Dataset) -> None:
    values = difference["difference"]
    energy = values["energy"]
    ax.axhline(0.0, color="grey", lw=1)
    error = known_error(difference, "difference")
    if error is not None:
        ax.fill_between(
            energy, values - error, values + error, step="mid", alpha=0.35, lw=0, color="C2",
            label="± 1 standard deviation, from photons in only one",
        )  # fmt: skip
        ax.legend(fontsize="x-small")
    ax.step(energy, values, where="mid", lw=1, color="C2")
    ax.set_xlabel(f"{energy.attrs.get('long_name', 'energy')} ({energy.attrs.get('units', '')})")
    ax.set_ylabel("second - first")
