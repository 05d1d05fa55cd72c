"""Small figures below the spectrum: photons per image, charges, drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    HoverTool,
    Legend,
    LegendItem,
    PanTool,
    ResetTool,
    SaveTool,
    Span,
    WheelZoomTool,
)
from bokeh.plotting import figure as new_figure

from hrixs.view.look import SPECTRUM, Look
from hrixs.view.session import Made, Session, per_image

_HEIGHT, _BINS = 250, 160
# Quantile of the charges that is shown, so that single bright spots do not squeeze the others.
_MOST_SHOWN = 99.5


def small_figure(name: str, x: str, y: str, **options: Any) -> Any:
    """A figure of a tab, with its tools."""
    figure = new_figure(
        width=SPECTRUM[0], height=_HEIGHT, tools="", name=name, x_axis_label=x, y_axis_label=y,
        sizing_mode="stretch_width", **options,
    )  # fmt: skip
    wheel = WheelZoomTool(dimensions="width")
    figure.add_tools(BoxZoomTool(), PanTool(), wheel, ResetTool(), SaveTool())
    return figure


class ImagesView:
    """Photons, or mean intensity, of each image."""

    def __init__(self, look: Look) -> None:
        self.figure = small_figure("images", "number of the image", "photons")
        self._source = ColumnDataSource({"number": [], "value": [], "error": [], "train": []})
        drawn = self.figure.scatter(
            "number", "value", source=self._source, size=5, color=look.line, line_color=None
        )
        self.figure.add_tools(
            HoverTool(
                renderers=[drawn],
                tooltips=[("train", "@train"), ("image", "@number"), ("", "@value{0.0}")],
            )
        )
        self._here = Span(dimension="height", line_color=look.second, line_dash="dashed")
        self.figure.add_layout(self._here)
        look.finish(self.figure)

    def show(self, spectra: xr.Dataset, session: Session) -> None:
        """Draw the photons or intensity of all images."""
        numbers, values = zip(*per_image(spectra), strict=True)
        trains = [session.images.train_of(number) for number in numbers]
        self._source.data = {
            "number": list(numbers), "value": list(values), "error": np.sqrt(np.abs(values)),
            "train": trains,
        }  # fmt: skip
        counted = spectra["spectrum"].attrs.get("units") == "photons"
        self.figure.yaxis.axis_label = "photons" if counted else "mean intensity (ADU per pixel)"

    def mark(self, number: int | None) -> None:
        """Mark the image that is shown."""
        self._here.location = number


class ChargesView:
    """Histogram of the charges of photons, with the limits drawn in."""

    def __init__(self, look: Look) -> None:
        self.figure = small_figure("charges", "charge of a spot above the level (ADU)", "spots")
        self._source = ColumnDataSource({"left": [], "right": [], "n": []})
        self.figure.quad(
            left="left", right="right", bottom=0, top="n", source=self._source,
            fill_color=look.line, fill_alpha=0.6, line_color=None,
        )  # fmt: skip
        self._limits: dict[str, tuple[Span, Any]] = {}
        items = []
        names = {
            "threshold": "dashed: threshold of 2x2 above the level",
            "dbl_threshold": "line: counted as two photons above",
            "max_charge": "dotted: largest charge of a photon",
        }
        for dash, (name, text) in zip(("dashed", "solid", "dotted"), names.items(), strict=True):
            span = Span(dimension="height", line_color=look.second, line_dash=dash, line_width=2)
            span.visible = False
            self.figure.add_layout(span)
            line = self.figure.line([], [], line_color=look.second, line_dash=dash, line_width=2)
            item = LegendItem(label=text, renderers=[line], visible=False)
            items.append(item)
            self._limits[name] = span, item
        legend = Legend(items=items, location="top_right", border_line_color=None, padding=2)
        legend.label_text_color, legend.label_text_font_size = look.text, "11px"
        legend.background_fill_color, legend.background_fill_alpha = look.paper, 0.7
        self.figure.add_layout(legend)
        look.finish(self.figure)

    def show(self, made: Made) -> None:
        """Draw the charges of the photons."""
        photons = made.photons
        limits: dict[str, float | None] = {
            "dbl_threshold": made.h.DBL_THRESHOLD,
            "max_charge": made.h.MAX_CHARGE,
        }
        if photons is None or not photons.sizes["photon"]:
            self._source.data = {"left": [], "right": [], "n": []}
            self.figure.title.text = "no photons are counted"
            limits = {}
        else:
            charge = photons["charge"].values
            charge = charge[np.isfinite(charge)]
            top = float(np.percentile(charge, _MOST_SHOWN)) * 1.15
            counts, edges = np.histogram(charge, bins=_BINS, range=(0, max(top, 1.0)))
            self._source.data = {"left": edges[:-1], "right": edges[1:], "n": counts}
            more = int((charge > edges[-1]).sum())
            self.figure.title.text = f"{len(charge)} spots, {more} of them outside the axis"
            if {"threshold", "base"} <= set(photons.variables):
                above = photons["threshold"].values - 4 * photons["base"].values
                limits["threshold"] = float(np.median(above))
        for name, (span, item) in self._limits.items():
            value = limits.get(name)
            span.visible = item.visible = value is not None
            if value is not None:
                span.location = float(value)


class DriftView:
    """Shift of groups of images relative to all, with errors."""

    def __init__(self, look: Look) -> None:
        self.figure = small_figure("drift", "number of the image", "shift of the lines (px)")
        names = ("at", "drift", "low", "high")
        self._source = ColumnDataSource({name: [] for name in names})
        self.figure.add_layout(look.error_bars(self._source))
        self.figure.scatter("at", "drift", source=self._source, size=6, color=look.line)
        for end in ("low", "high"):  # so that the axis includes them
            self.figure.scatter("at", end, source=self._source, alpha=0)
        self.figure.add_layout(Span(location=0, dimension="width", line_color=look.text))
        look.finish(self.figure)

    def show(self, aligned: xr.Dataset) -> None:
        """Draw the drift found by `hrixs.align`."""
        drift, error = aligned["drift"].values, aligned["drift_err"].values
        group, frame = aligned["group_number"].values, aligned["frame"].values
        at = [float(frame[group == number].mean()) for number in range(len(drift))]
        self._source.data = {
            "at": at, "drift": drift, "low": drift - error, "high": drift + error,
        }  # fmt: skip
        self.figure.title.text = f"{len(drift)} groups of images, ± 1 standard deviation"
