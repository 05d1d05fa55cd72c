"""The plot of pixel phases. Imports matplotlib inside its function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from hrixs.utils.figures import (
    BLUE,
    GREY,
    VERMILION,
    add_colours,
    add_legend,
    name_figure,
    new_figure_of_pyplot,
    set_title,
)
from hrixs.utils.provenance import source_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"x": BLUE, "y": VERMILION}


def plot_phases(table: xr.Dataset) -> Figure:
    """Draw phase histograms, the bias they imply, and the phases of y by blocks of columns.

    Parameters
    ----------
    table : xarray.Dataset
        The numbers of `phase_uniformity`.

    Returns
    -------
    matplotlib.figure.Figure
        With three axes, in this order.
    """
    figure, axes = new_figure_of_pyplot(1, 3, (17, 5.5))
    _draw_histograms(axes[0], table)
    _draw_bias(axes[1], table)
    _draw_blocks(axes[2], table)
    name_figure(figure, "phases of photons inside the pixel", source_text(table))
    return figure


def _draw_histograms(ax: Axes, table: xr.Dataset) -> None:
    mean = table.attrs["n_singles"] / table.sizes["phase"]
    shift = {"x": -0.15, "y": 0.15}  # of a bin, so that error bars are next to each other
    for name, colour in _COLOURS.items():
        of_axis = table.sel(axis=name)
        ax.errorbar(
            table["phase"] + shift[name] / table.sizes["phase"],
            of_axis["counts"] / mean,
            of_axis["counts_err"] / mean,
            fmt="o",
            ms=4,
            lw=1,
            color=colour,
            label=f"{name} ± 1 std, p = {float(of_axis['p_value']):.2g}",
        )
    ax.axhline(1, color=GREY, lw=1, label="no bias")
    ax.set(xlabel="phase in the pixel (px)", ylabel="photons / mean", xlim=(-0.5, 0.5))
    set_title(ax, f"phases of {table.attrs['n_singles']} single photons")
    ax.margins(y=0.35)  # room for the legend
    add_legend(ax, loc="upper center")


def _draw_bias(ax: Axes, table: xr.Dataset) -> None:
    least = table.attrs["least_seen"]
    ax.axhspan(-least / 2, least / 2, color="0.9", label=f"not detectable: below {least:.3f} px")
    for name, colour in _COLOURS.items():
        of_axis = table.sel(axis=name)
        label = f"{name}: {float(of_axis['bias_pp']):.3f} px peak to peak"
        ax.plot(table["edge"], of_axis["bias"], color=colour, label=label)
    top = max(2.2 * least, 2.2 * float(np.abs(table["bias"]).max()))
    ax.set(xlabel="phase in the pixel (px)", ylabel="bias of the position (px)", xlim=(-0.5, 0.5))
    ax.set(ylim=(-top, top))
    set_title(ax, "bias from the phases")
    add_legend(ax, loc="upper right")


def _draw_blocks(ax: Axes, table: xr.Dataset) -> None:
    counts = table["block_counts"].values
    # Wider bins: there are fewer photons in a block.
    n = counts.shape[1]
    first = np.linspace(0, n, min(n, 10) + 1).astype(np.int64)
    mean = counts.mean(axis=1, keepdims=True) * np.diff(first)
    shown = np.add.reduceat(counts, first[:-1], axis=1) / mean
    reach = max(0.1, float(np.abs(shown - 1).max()))
    mesh = ax.pcolormesh(
        table["edge"].values[first],
        np.arange(len(counts) + 1) - 0.5,
        shown,
        vmin=1 - reach,
        vmax=1 + reach,
        cmap="RdBu_r",
    )
    ax.set_yticks(np.arange(len(counts)), [f"{middle:.0f}" for middle in table["block"].values])
    ax.set(xlabel="phase of y (px)", ylabel="middle of the block (column)", xlim=(-0.5, 0.5))
    set_title(ax, f"y by blocks, equal with p = {table.attrs['blocks_p_value']:.2g}")
    add_colours(ax, mesh, "photons / mean")
