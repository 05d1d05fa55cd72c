"""Figures and axes of matplotlib in one style, and their labels."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.utils.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure

#: Colours that colour-blind people can distinguish (M. Okabe and K. Ito, 2008), and a light grey.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
GREY = "0.45"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
#: Legend of a band around a curve.
BAND = "± 1 standard deviation"
# Sizes of letters relative to the labels of axes, in points; readable from the back of a room.
_LABELS, _TICKS, _LEGEND = 14.0, 12.0, 11.0
# Width of the line or point before a text of the legend, in letters.
_HANDLE = 6
# Mean width of a letter / its height.
_LETTER = 0.53


def look() -> Any:
    """Settings of matplotlib for figures of this package, for `matplotlib.rc_context`."""
    from cycler import cycler

    return {
        "font.size": _TICKS,
        "axes.labelsize": _LABELS,
        "axes.titlesize": _LABELS,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 1.5,
    }


def new_figure(mosaic: Any, size: tuple[float, float]) -> tuple[Figure, dict[str, Any]]:
    """Make a figure without a window, to be written to a file, with axes by name."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(look()):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplot_mosaic(mosaic)
    for ax in axes.values():
        ax.tick_params(labelsize=_TICKS)  # ticks are made when they are drawn
    return figure, axes


def new_figure_of_pyplot(
    rows: int, columns: int, size: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    """Make a figure of pyplot, with axes as returned by `matplotlib.pyplot.subplots`."""
    import matplotlib.pyplot as plt

    with plt.rc_context(look()):
        figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", **options)
    for ax in np.atleast_1d(axes).flat:
        ax.tick_params(labelsize=_TICKS)
    return figure, axes


def new_axes() -> Axes:
    """Make a figure of pyplot with one axes; return the axes."""
    ax: Axes = new_figure_of_pyplot(1, 1, (8, 5))[1]
    return ax


def set_title(ax: Axes, what: str, *sources: str) -> None:
    """Write a title above axes, and the source of the data below it, in lines that fit."""
    size = float(ax.title.get_fontsize()) if not ax.get_title() else _LABELS
    n_letters = max(20, int(_size_in_points(ax)[0] / (_LETTER * size)))
    lines = [line for text in (what, *sources) if text for line in textwrap.wrap(text, n_letters)]
    ax.set_title("\n".join(lines))


def name_figure(figure: Figure, what: str, *sources: str) -> None:
    """Write a title above a figure of several axes."""
    text = "\n".join(one for one in (what, *sources) if one)
    figure.suptitle(text, fontsize=_LABELS)


def add_legend(ax: Axes, **options: Any) -> None:
    """Add a legend with letters that fit the labels; none if nothing has a label."""
    if ax.get_legend_handles_labels()[0]:
        size = _legend_size(ax)
        ax.legend(**{"fontsize": size, "framealpha": 0.85, "edgecolor": "none"} | options)


def add_legend_above(ax: Axes, x: Floats, y: Floats) -> None:
    """Add a legend in an upper corner without points (x, y); extend the axis if both have some.

    Points that are not finite are ignored. The vertical axis must be linear.
    """
    handles, labels = ax.get_legend_handles_labels()
    if not labels:
        return
    size, (width, height) = _legend_size(ax), _size_in_points(ax)
    n_letters = max(16, int(0.9 * width / (_LETTER * size)) - _HANDLE)
    lines = [_wrapped(label, n_letters) for label in labels]
    longest = max(len(line) for label in lines for line in label)
    wide = min(1.0, (longest + _HANDLE) * _LETTER * size / width)
    tall = min(0.6, (sum(map(len, lines)) + 1) * 1.55 * size / height)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    at, up = (x - left) / (right - left), (y - bottom) / (top - bottom)
    free = 1.0 - tall
    under = {
        side: up[near & np.isfinite(up)].max(initial=0.0)
        for side, near in (("upper right", at > 1 - wide), ("upper left", at < wide))
    }
    side = next((one for one, highest in under.items() if highest < free), None)
    if side is None:
        side = min(under, key=lambda one: float(under[one]))
        ax.set_ylim(bottom, bottom + (top - bottom) * 1.03 * float(under[side]) / free)
    texts = ["\n".join(label) for label in lines]
    add_legend(ax, loc=side, handles=handles, labels=texts)


def draw_curve(ax: Axes, x: Any, y: Any, label: str) -> None:
    """Draw a dashed line that is visible on dark and bright images, also without colours."""
    from matplotlib.patheffects import Normal, Stroke

    outlined = [Stroke(linewidth=3.2, foreground="black"), Normal()]
    ax.plot(x, y, color="white", lw=1.6, ls=(0, (4, 3)), label=label, path_effects=outlined)


def add_legend_on_image(ax: Axes, rows: Any = ()) -> None:
    """Add a legend on an image, in a corner away from lines in these rows.

    The rows are given from left to right; a rising line leaves the upper left free.
    """
    low, high = ax.get_ylim()
    at = (np.asarray(rows, dtype=np.float64)[:1].mean() - low) / (high - low) if len(rows) else 0.0
    corner = "upper left" if at < 0.6 else "lower left"
    add_legend(ax, labelcolor="white", facecolor="0.2", framealpha=0.8, loc=corner)


def _wrapped(label: str, n_letters: int) -> list[str]:
    """Break a label into lines, not within brackets."""
    kept = re.sub(r"\([^)]*\)", lambda found: found[0].replace(" ", "\xa0"), label)
    lines = textwrap.wrap(kept, n_letters, subsequent_indent="   ")
    return [line.replace("\xa0", " ") for line in lines]


def _legend_size(ax: Axes) -> float:
    return float(ax.xaxis.label.get_fontsize()) * _LEGEND / _LABELS


def _size_in_points(ax: Axes) -> tuple[float, float]:
    figure: Any = getattr(ax.figure, "figure", ax.figure)  # of a part of a figure the whole
    width, height = (8.0, 5.0) if figure is None else figure.get_size_inches()
    place = ax.get_position()
    return 72 * float(width) * place.width, 72 * float(height) * place.height


def add_colours(ax: Axes, mesh: Any, label: str, *, extend: str = "neither") -> Colorbar:
    """Add a colour bar next to axes; `extend` as in matplotlib."""
    bar = ax.figure.colorbar(mesh, ax=ax, extend=extend)
    size = float(ax.xaxis.label.get_fontsize())
    bar.set_label(label, size=size)
    bar.ax.tick_params(labelsize=size * _TICKS / _LABELS)
    return bar


def bin_edges(centres: ArrayLike) -> Floats:
    """Borders in the middle between centres, which need not have equal distances.

    Examples
    --------
    >>> from hrixs.utils.figures import bin_edges
    >>> bin_edges([3.0, 2.0, 0.0])
    array([ 3.5,  2.5,  1. , -1. ])
    """
    at = np.asarray(centres, dtype=np.float64)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])


def axis_label(axis: xr.DataArray) -> str:
    """Label of an axis with its unit: ``energy (eV)``; an axis in px is called row of the chip.

    Examples
    --------
    >>> import xarray as xr
    >>> from hrixs.utils.figures import axis_label
    >>> energy = xr.DataArray([530.0], dims="energy", name="energy")
    >>> axis_label(energy.assign_attrs(units="eV")), axis_label(energy.assign_attrs(units="px"))
    ('energy (eV)', 'row of the chip (px)')
    """
    units = axis.attrs.get("units", "")
    if axis.name == "energy" and units == "px":
        return "row of the chip (px)"
    name = str(axis.attrs.get("long_name", axis.name)).replace("_", " ")
    return f"{name} ({units})" if units else name
