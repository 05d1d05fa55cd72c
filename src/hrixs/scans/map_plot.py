"""Draw maps over incident energy or delay: intensities or differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from hrixs.utils.errors import MissingDataError, unknown_name
from hrixs.utils.figures import (
    add_colours,
    add_legend,
    add_legend_on_image,
    axis_label,
    bin_edges,
    new_axes,
    set_title,
)
from hrixs.utils.provenance import source_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# How the colour follows the values.
_SCALES = ("linear", "sqrt", "log")


def plot_map(data: xr.Dataset, ax: Axes | None = None, *, scale: str = "linear") -> Axes:
    """Draw a map: the energy (loss) of the photons to the right, incident energy or delay upwards.

    Parameters
    ----------
    data : xarray.Dataset
        As from `rixs_map`, or as from `difference` of spectra over a delay: with ``normalized`` or
        ``difference`` over two dimensions; or groups of `aggregate`, with ``spectrum``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    scale : {'linear', 'sqrt', 'log'}
        How the colour follows the values; the label of the colours shows it if it is not linear.
        Differences are always linear, with white at 0.

    Returns
    -------
    matplotlib.axes.Axes
        The elastic line of a RIXS map is drawn as a thin line. Parts that no spectrum covers are
        grey.

    Examples
    --------
    >>> axes = plot_map(hrixs.rixs_map(scan, normalize="I0"), scale="sqrt")  # doctest: +SKIP
    """
    from matplotlib.colors import LogNorm, Normalize, PowerNorm

    if scale not in _SCALES:
        raise ValueError(unknown_name("scale", scale, _SCALES))
    name = "difference" if "difference" in data else "normalized"
    if name not in data and "spectrum" in data and "trainId" not in data["spectrum"].dims:
        name = "spectrum"  # of groups
    values = data.get(name)
    if values is None or values.ndim != 2:
        shape = "nothing" if values is None else f"dimensions {values.dims}"
        raise MissingDataError(
            f"{name} has {shape}, expected a map of two, as from rixs_map or difference. Select "
            "first."
        )
    over, along = (str(dim) for dim in values.dims)
    if along not in ("energy", "energy_loss"):
        over, along = along, over
    values = values.transpose(over, along)
    ax = ax or new_axes()
    top = float(values.max())
    norm: Any = Normalize(min(0.0, float(values.min())), top)
    if name == "difference":
        top = float(abs(values).max())
        norm, scale = Normalize(-top, top), "linear"
    elif scale == "sqrt":
        norm = PowerNorm(0.5, vmin=0.0, vmax=top)
    elif scale == "log":
        least = float(values.where(values > 0).min())
        norm = LogNorm(vmin=max(least, 1e-4 * top), vmax=top, clip=True)
    x, y = data[along], data[over]
    borders = bin_edges(x.values), bin_edges(y.values)
    colours = "RdBu_r" if name == "difference" else "viridis"
    image = ax.pcolormesh(*borders, values.values, cmap=colours, norm=norm)
    ax.set_facecolor("0.75")
    shown = "" if scale == "linear" else f", {scale} scale"
    what = "pumped - unpumped, " if name == "difference" else ""
    low = norm.vmin is not None and float(values.min()) < float(norm.vmin)
    label = f"{what}{values.attrs.get('units', '')}{shown}"
    add_colours(ax, image, label, extend="min" if low else "neither")
    line: dict[str, Any] = {
        "color": "0.4" if name == "difference" else "white",
        "lw": 1.2,
        "ls": ":",
    }
    if along == "energy_loss":
        ax.axvline(0.0, label="elastic line", **line)
    elif along == "energy" and x.attrs.get("units") == y.attrs.get("units"):
        limits = ax.get_xlim(), ax.get_ylim()
        ax.axline((float(y[0]), float(y[0])), slope=1, label="elastic line", **line)
        ax.set(xlim=limits[0], ylim=limits[1])
    ax.set(xlabel=axis_label(x), ylabel=axis_label(y))
    titles = {"difference": "difference, pumped and unpumped", "spectrum": "spectra of groups"}
    set_title(ax, titles.get(name, "RIXS map"), source_text(data))
    if name == "difference":
        add_legend(ax)
    else:
        add_legend_on_image(ax)
    return ax
