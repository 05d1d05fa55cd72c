"""A small figure of the photons in each of the last trains."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, DataRange1d, HoverTool, SaveTool
from bokeh.plotting import figure as new_figure

from hrixs.live_page.state import State
from hrixs.view.look import SPECTRUM, Look

_HEIGHT = 150


class TrendView:
    """Photons, or the mean of the spectrum, of the last trains over time."""

    def __init__(self, look: Look) -> None:
        self.figure = new_figure(
            width=SPECTRUM[0], height=_HEIGHT, tools="", name="trend", sizing_mode="stretch_width",
            x_axis_label="seconds ago", y_axis_label="photons per image",
            y_range=DataRange1d(start=0, range_padding=0.1),
        )  # fmt: skip
        self._source = ColumnDataSource({"at": [], "value": [], "train": []})
        drawn = self.figure.scatter(
            "at", "value", source=self._source, size=5, color=look.line, line_color=None
        )
        hover = HoverTool(
            renderers=[drawn], tooltips=[("train", "@train"), ("photons", "@value{0.0}")]
        )
        self.figure.add_tools(hover, SaveTool())
        look.finish(self.figure)

    def show(self, state: State) -> None:
        """Draw them, if photons are counted."""
        seconds, photons, found = state.seconds, state.photons, state.found
        if seconds is None or photons is None or found is None or not np.isfinite(photons).any():
            self.figure.visible = False
            return
        self.figure.visible = True
        trains = [str(one) for one in found["trainId"].values]
        self._source.data = {"at": seconds, "value": photons, "train": trains}
        self.figure.title.text = (
            f"{np.nanmean(photons):.4g} photons per image in the last {len(photons)} trains"
        )
