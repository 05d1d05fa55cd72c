"""The figure of a cut through a map, with its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    HoverTool,
    PanTool,
    ResetTool,
    SaveTool,
    WheelZoomTool,
)
from bokeh.plotting import figure as new_figure

from hrixs.utils.errors import UnknownUncertaintyError
from hrixs.utils.figures import axis_label
from hrixs.view.look import SPECTRUM, Look
from hrixs.view.scans.map_view import unit_text

_HEIGHT = 205
# More points than this are a line with a band; fewer are points with bars.
_MOST_POINTS = 60
_NAMES = ("at", "value", "low", "high", "error")


class CutView:
    """A cut: points with bars for a few steps, a line with a band for a spectrum."""

    def __init__(self, look: Look) -> None:
        self.figure = new_figure(
            width=SPECTRUM[0], height=_HEIGHT, tools="", name="cut", sizing_mode="stretch_width",
            x_axis_label="energy loss (eV)", y_axis_label="",
        )  # fmt: skip
        figure = self.figure
        empty: dict[str, Any] = {name: [] for name in _NAMES}
        self._points, self._line = ColumnDataSource(dict(empty)), ColumnDataSource(dict(empty))
        figure.add_layout(look.error_bars(self._points))
        points = figure.scatter("at", "value", source=self._points, size=6, color=look.line)
        for end in ("low", "high"):  # so that the axis includes them
            figure.scatter("at", end, source=self._points, alpha=0)
        figure.varea("at", "low", "high", source=self._line, color=look.line, alpha=0.3)
        line = figure.line("at", "value", source=self._line, color=look.line, line_width=1.3)
        hover = HoverTool(
            renderers=[points, line], mode="vline", attachment="above",
            tooltips=[("at", "@at{0.0000}"), ("value", "@value{0.0000} ± @error{0.0000}")],
        )  # fmt: skip
        wheel = WheelZoomTool(dimensions="width")
        figure.add_tools(BoxZoomTool(), PanTool(), wheel, ResetTool(), SaveTool(), hover)
        figure.toolbar.active_inspect = None
        look.finish(figure)

    def show(self, cut: xr.Dataset | None, what: str = "") -> None:
        """Draw a cut as returned by `hrixs.cut`; None removes it."""
        empty: dict[str, Any] = {name: [] for name in _NAMES}
        self.figure.title.text = what
        if cut is None:
            self._points.data, self._line.data = dict(empty), dict(empty)
            return
        values = cut["normalized"]
        axis = cut[values.dims[0]]
        try:
            error = np.asarray(cut.hrixs.error("normalized").values, np.float64)
        except (UnknownUncertaintyError, TypeError, ValueError):
            error = np.full(len(axis), np.nan)
        y = np.asarray(values.values, np.float64)
        half = np.where(np.isfinite(error), error, 0.0)
        drawn = {"at": axis.values, "value": y, "low": y - half, "high": y + half, "error": error}
        is_few = len(axis) <= _MOST_POINTS
        self._points.data = drawn if is_few else dict(empty)
        self._line.data = dict(empty) if is_few else drawn
        self.figure.xaxis.axis_label = axis_label(axis)
        unit = unit_text(values)
        is_spectrum = str(axis.name) in ("energy", "energy_loss")
        self.figure.yaxis.axis_label = unit if is_spectrum else unit.removesuffix(" and bin")
