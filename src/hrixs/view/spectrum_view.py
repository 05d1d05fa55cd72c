"""The spectrum with its errors, the integrated spectrum, and the fitted line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from bokeh.events import SelectionGeometry
from bokeh.models import (
    BoxAnnotation,
    BoxSelectTool,
    ColumnDataSource,
    DataRange1d,
    HoverTool,
    LinearAxis,
    PanTool,
    Range1d,
    ResetTool,
    SaveTool,
    WheelZoomTool,
)
from bokeh.plotting import figure as new_figure

from hrixs.energy.line import LineFit
from hrixs.utils.figures import axis_label, bin_edges
from hrixs.view.look import SPECTRUM, Look


class SpectrumView:
    """A figure of the summed spectrum.

    Parameters
    ----------
    look : Look
    on_region : callable
        Called with the two ends of a part of the axis that was dragged over.
    """

    def __init__(self, look: Look, *, on_region: Callable[[tuple[float, float]], None]) -> None:
        self.figure = new_figure(
            width=SPECTRUM[0], height=SPECTRUM[1], tools="", name="spectrum",
            x_axis_label="row of the chip (px)", y_axis_label="photons per bin",
            x_range=DataRange1d(range_padding=0), y_range=DataRange1d(only_visible=True),
            sizing_mode="stretch_width",
        )  # fmt: skip
        figure = self.figure
        self._source = ColumnDataSource(
            {name: [] for name in ("left", "right", "at", "value", "low", "high", "error")}
        )
        self._integrated = ColumnDataSource({"at": [], "value": []})
        self._fit = ColumnDataSource({"at": [], "value": []})
        figure.extra_y_ranges = {"intensity": DataRange1d()}
        self.second = LinearAxis(y_range_name="intensity", axis_label="integrated (ADU per pixel)")
        figure.add_layout(self.second, "right")
        self._beside = figure.step(
            "at", "value", source=self._integrated, mode="center", color=look.second,
            line_dash="dotted", line_width=1.3, y_range_name="intensity",
            legend_label="integrated (right)",
        )  # fmt: skip
        figure.extra_y_ranges["intensity"].renderers = [self._beside]
        errors = figure.quad(
            left="left", right="right", bottom="low", top="high", source=self._source,
            fill_color=look.line, fill_alpha=0.3, line_color=None, legend_label="± 1 std. dev.",
        )  # fmt: skip
        counted = figure.step(
            "at", "value", source=self._source, mode="center", color=look.line, line_width=1.4,
            legend_label="spectrum",
        )  # fmt: skip
        fit = figure.line(
            "at", "value", source=self._fit, color=look.text, line_width=2, legend_label="line fit"
        )
        figure.y_range.renderers = [errors, counted, fit]
        self._kept = ColumnDataSource({"at": [], "value": []})
        figure.step("at", "value", source=self._kept, mode="center", color="#888888", line_width=1)
        self._region = BoxAnnotation(
            fill_color=look.second, fill_alpha=0.12, line_color=look.second, visible=False
        )
        figure.add_layout(self._region)
        select, wheel = (
            BoxSelectTool(dimensions="width", renderers=[]),
            WheelZoomTool(dimensions="width"),
        )
        select.description = "Drag over a line to fit its width"
        hover = HoverTool(
            renderers=[counted], mode="vline", attachment="above",
            tooltips=[("at", "@at{0.0000}"), ("value", "@value{0.0} ± @error{0.0}")],
        )  # fmt: skip
        figure.add_tools(select, PanTool(), wheel, ResetTool(), SaveTool(), hover)
        figure.toolbar.active_drag, figure.toolbar.active_scroll = select, wheel
        figure.toolbar.active_inspect = None
        look.finish(figure)
        figure.legend.label_text_color = look.text
        figure.legend.background_fill_color, figure.legend.background_fill_alpha = look.paper, 0.7
        figure.legend.label_text_font_size, figure.legend.border_line_color = "11px", None
        figure.legend.padding, figure.legend.spacing, figure.legend.glyph_width = 0, 6, 16
        figure.legend.orientation = "horizontal"
        figure.add_layout(figure.legend[0], "above")

        def dragged(event: Any) -> None:
            ends = event.geometry.get("x0"), event.geometry.get("x1")
            if event.final and None not in ends and ends[0] != ends[1]:
                on_region((min(ends), max(ends)))

        figure.on_event(SelectionGeometry, dragged)

    def leave_out_integrated(self) -> None:
        """Do not draw the integrated spectrum from now on."""
        self.show_integrated(None)
        # The browser complains about a range without data.
        self.figure.extra_y_ranges = {"intensity": Range1d(0, 1)}
        legend = self.figure.legend[0]
        legend.items = [item for item in legend.items if self._beside not in item.renderers]

    def show(self, spectrum: xr.DataArray, error: xr.DataArray | None, what: str) -> None:
        """Draw a one-dimensional spectrum, with its errors if known."""
        axis = spectrum[spectrum.dims[0]]
        values = np.asarray(spectrum.values, np.float64)
        sigma = np.full(len(values), np.nan) if error is None else np.asarray(error.values)
        edges = bin_edges(axis.values) if len(axis) > 1 else np.array([0.0, 1.0])
        self._source.data = {
            "left": edges[:-1], "right": edges[1:], "at": axis.values, "value": values,
            "low": values - sigma, "high": values + sigma, "error": sigma,
        }  # fmt: skip
        counted = spectrum.attrs.get("units") == "photons"
        self.figure.xaxis.axis_label = axis_label(axis)
        self.figure.yaxis[0].axis_label = (
            "photons per bin" if counted else "mean intensity (ADU per pixel)"
        )
        self.figure.title.text = what

    def show_integrated(self, spectrum: xr.DataArray | None) -> None:
        """Draw the integrated spectrum; None removes it."""
        axis = self.second
        axis.visible = self._beside.visible = spectrum is not None
        if spectrum is not None:
            self._integrated.data = {
                "at": spectrum[spectrum.dims[0]].values,
                "value": np.asarray(spectrum.values, np.float64),
            }

    def show_beside(self, spectrum: xr.DataArray | None) -> None:
        """Draw another spectrum in grey; None removes it."""
        axis: Any = [] if spectrum is None else spectrum[spectrum.dims[0]].values
        self._kept.data = {"at": axis, "value": [] if spectrum is None else spectrum.values}

    def show_fit(self, fit: LineFit | None, spectrum: xr.DataArray | None = None) -> None:
        """Draw the fitted line, in the part of the axis that was used."""
        self._region.visible = fit is not None
        if fit is None or spectrum is None:
            self._fit.data = {"at": [], "value": []}
            return
        self._region.update(left=fit.window[0], right=fit.window[1])
        axis = spectrum[spectrum.dims[0]].values
        used = axis[(axis >= fit.window[0]) & (axis <= fit.window[1])]
        self._fit.data = {"at": used, "value": fit.model(used) if len(used) > 1 else used}
