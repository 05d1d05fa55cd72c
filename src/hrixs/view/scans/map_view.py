"""The figure of a map: incident energy or another variable over the energy or its loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from bokeh.events import SelectionGeometry, Tap
from bokeh.models import (
    BoxAnnotation,
    BoxSelectTool,
    ColorBar,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    PanTool,
    Range1d,
    ResetTool,
    SaveTool,
    Slope,
    Span,
    WheelZoomTool,
)
from bokeh.palettes import viridis
from bokeh.plotting import figure as new_figure

from hrixs.utils.figures import axis_label, bin_edges
from hrixs.utils.typing import Floats
from hrixs.view.look import IMAGE, Look
from hrixs.view.scans.choice import COUNTS, MapMade
from hrixs.view.screen import shown

#: How the colour follows the values.
SCALES = ("linear", "sqrt")
# Colours of the square root: many, so that small values have different ones.
_N_COLOURS = 2048
# Bins that are drawn side by side at most: about the pixels of the frame.
_MOST_BINS = 430
_EMPTY: dict[str, Any] = {
    name: [] for name in ("image", "x", "y", "dw", "dh", "step", "n", "of")
}  # fmt: skip


class MapView:
    """A large figure of a map, in the place of the image.

    Parameters
    ----------
    look : Look
    on_cut : callable
        Called with both ends of a part of the map, ``(x0, x1), (y0, y1)``, that was dragged over;
        with a point that was clicked, both ends are equal.
    """

    def __init__(self, look: Look, *, on_cut: Callable[[Any, Any], None]) -> None:
        self.figure = new_figure(
            width=IMAGE[0], height=IMAGE[1], tools="", name="map", sizing_mode="stretch_width",
            x_range=Range1d(0, 1), y_range=Range1d(0, 1),
            x_axis_label="energy loss (eV)", y_axis_label="incident energy (eV)",
        )  # fmt: skip
        figure = self.figure
        missing = "#505050" if look.dark else "#c0c0c0"
        self.colours = LinearColorMapper(palette=palette("linear"), nan_color=missing)
        self._source = ColumnDataSource(dict(_EMPTY))
        drawn = figure.image(
            "image", "x", "y", "dw", "dh", source=self._source, color_mapper=self.colours
        )
        self.bar = ColorBar(
            color_mapper=self.colours, width=9, title="", padding=2, title_standoff=6,
            background_fill_color=look.paper, major_label_text_color=look.text,
            title_text_color=look.text, title_text_font_style="normal",
        )  # fmt: skip
        figure.add_layout(self.bar, "right")
        line: dict[str, Any] = {"line_color": "#ffffff", "line_dash": "dotted", "line_width": 1.4}
        self._no_loss = Span(location=0.0, dimension="height", visible=False, **line)
        self._elastic = Slope(gradient=1.0, y_intercept=0.0, visible=False, **line)
        self._cut = BoxAnnotation(
            fill_color=None, line_color=look.crop, line_alpha=1.0, line_width=1.6, visible=False
        )
        for one in (self._no_loss, self._elastic, self._cut):
            figure.add_layout(one)
        self._hover = HoverTool(renderers=[drawn])
        select, wheel = BoxSelectTool(renderers=[]), WheelZoomTool()
        select.description = "Drag over a part of the map to cut it"
        figure.add_tools(select, PanTool(), wheel, ResetTool(), SaveTool(), self._hover)
        figure.toolbar.active_drag, figure.toolbar.active_scroll = select, wheel
        look.finish(figure)
        self._made: MapMade | None = None

        def dragged(event: Any) -> None:
            at = [event.geometry.get(name) for name in ("x0", "x1", "y0", "y1")]
            if event.final and None not in at:
                on_cut((min(at[:2]), max(at[:2])), (min(at[2:]), max(at[2:])))

        figure.on_event(SelectionGeometry, dragged)
        figure.on_event(Tap, lambda event: on_cut((event.x, event.x), (event.y, event.y)))
        for name in ("start", "end"):
            figure.x_range.on_change(name, self._view_moved)

    def show(self, made: MapMade | None, of: str = "") -> None:
        """Draw a map; None removes it."""
        before, self._made = self._made, made
        if made is None:
            self._source.data = dict(_EMPTY)
            self._no_loss.visible = self._elastic.visible = self._cut.visible = False
            return
        figure, (x, y) = self.figure, axes(made)
        whole = _borders(x), _borders(y)
        if before is None or any(map(_differ, whole, map(_borders, axes(before)))):
            self._set_ranges(*whole)
        is_loss, is_energy = x.name == "energy_loss", x.name == "energy"
        self._no_loss.visible = is_loss
        self._elastic.visible = is_energy and x.attrs.get("units") == y.attrs.get("units") == "eV"
        line = ", dotted: elastic line" if is_loss or self._elastic.visible else ""
        kind = "RIXS map" if made.choice.is_rixs else f"groups by {made.choice.over}"
        counts = made.data[COUNTS].values
        steps = f"{len(y)} step{'s' * (len(y) > 1)}"
        figure.title.text = f"{kind} of {of}: {steps}, {int(counts.sum())} images{line}"
        figure.xaxis.axis_label, figure.yaxis.axis_label = axis_label(x), axis_label(y)
        self.bar.title = unit_text(made.data["normalized"])
        self._hover.tooltips = [
            (str(y.attrs.get("long_name", y.name)), f"@step{{0.0000}} {y.attrs.get('units', '')}"),
            (str(x.attrs.get("long_name", x.name)), f"$x{{0.0000}} {x.attrs.get('units', '')}"),
            ("images", "@n"),
            ("value", "@image{0.0000} @of"),
        ]
        values = made.data["normalized"].values
        known = values[np.isfinite(values)]
        low, high = (0.0, 1.0) if not known.size else (min(0.0, known.min()), known.max())
        self.colours.update(low=float(low), high=float(max(high, np.nextafter(low, np.inf))))
        self._draw()

    def scale(self, name: str) -> None:
        """Let the colour follow the values, or their square root."""
        self.colours.palette = palette(name)

    def show_cut(self, along: str | None, ends: tuple[float, float] = (0.0, 0.0)) -> None:
        """Mark the steps or bins that are cut; None removes the mark."""
        self._cut.visible = along is not None and self._made is not None
        if along is None or self._made is None:
            return
        x, y = axes(self._made)
        axis = x if along == x.name else y
        if ends[0] == ends[1]:  # the nearest step or bin, as in `cut`
            nearest = int(np.abs(axis.values - ends[0]).argmin())
            borders = sorted(_borders(axis)[nearest : nearest + 2].tolist())
            ends = (borders[0], borders[1])
        if along == x.name:
            self._cut.update(left=ends[0], right=ends[1], bottom=None, top=None)
        else:
            self._cut.update(left=None, right=None, bottom=ends[0], top=ends[1])

    def _set_ranges(self, x: Floats, y: Floats) -> None:
        for one, ends in ((self.figure.x_range, x), (self.figure.y_range, y)):
            low, high = float(ends.min()), float(ends.max())
            one.update(reset_start=low, reset_end=high)
            one.update(start=low, end=high)

    def _view_moved(self, attr: str, old: Any, new: Any) -> None:
        if self._made is not None and len(axes(self._made)[0]) > _MOST_BINS:
            self._draw()

    def _draw(self) -> None:
        """Draw each step as a row, with no more bins than the screen has pixels."""
        if self._made is None:
            return
        x, y = axes(self._made)
        values = self._made.data["normalized"].transpose(y.name, x.name).values
        borders = _borders(x)
        if borders[0] > borders[-1]:
            borders, values = borders[::-1], values[:, ::-1]
        width = float(borders[1] - borders[0])
        ends = borders[0], borders[-1]
        if len(x) > _MOST_BINS:
            ends = self.figure.x_range.start, self.figure.x_range.end
        seen = [(float(end) - borders[0]) / width - 0.5 for end in ends]
        n_rows = len(y)
        part = shown(values.T, (seen[0], seen[1]), (-0.5, n_rows - 0.5), (_MOST_BINS, n_rows))
        begin, end = part.begin[0], part.end[0]  # the last of several bins may be beyond the map
        at = _borders(y)
        counts = np.asarray(self._made.data[COUNTS].values)
        self._source.data = {
            "image": [row[None] for row in part.pixels.T],
            "x": [float(borders[begin])] * n_rows,
            "y": np.minimum(at[:-1], at[1:]).tolist(),
            "dw": [width * (end - begin)] * n_rows,
            "dh": np.abs(np.diff(at)).tolist(),
            "step": y.values.tolist(),
            "n": counts.tolist(),
            "of": ["" if part.step[0] == 1 else f"(largest of {part.step[0]} bins)"] * n_rows,
        }


def axes(made: MapMade) -> tuple[xr.DataArray, xr.DataArray]:
    """The energy axis of a map, and the axis that was scanned."""
    data, over = made.data, made.choice.over
    along = next(str(dim) for dim in data["normalized"].dims if dim != over)
    return data[along], data[over]


def unit_text(values: xr.DataArray) -> str:
    """Unit of a map or of a cut: ``photons per image and bin``."""
    units = str(values.attrs.get("units", ""))
    return units.replace(f"per {COUNTS}", "per image") + " and bin" * units.startswith("photons")


def palette(scale: str) -> list[str]:
    """Colours of even brightness; those of ``'sqrt'`` follow the square root of a value."""
    colours = viridis(256)
    if scale != "sqrt":
        return list(colours)
    at = np.sqrt((np.arange(_N_COLOURS) + 0.5) / _N_COLOURS)
    return [colours[int(256 * one)] for one in at]


def _borders(axis: xr.DataArray) -> Floats:
    return bin_edges(axis.values)


def _differ(one: Floats, other: Floats) -> bool:
    return one.shape != other.shape or not np.allclose(one, other, rtol=1e-9)
