"""The tab of groups: spectra of groups of images by a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource

from hrixs.utils.figures import COLOURS, axis_label, bin_edges
from hrixs.view.look import COLOUR_MAPS, Look
from hrixs.view.scans.choice import COUNTS, Choice, MapMade, group_variables, make_groups
from hrixs.view.scans.map_view import axes, unit_text
from hrixs.view.session import Session
from hrixs.view.side_views import small_figure
from hrixs.view.worker import Worker

#: How images are grouped: labels, and whether by equal values.
STEPS = {"found steps": False, "equal values": True}


class GroupsTab:
    """Choice of a variable, and the spectra of its groups."""

    def __init__(
        self,
        session: Session,
        look: Look,
        worker: Worker,
        fail: Callable[[Exception | None], None],
    ) -> None:
        self._session, self._worker, self._fail = session, worker, fail
        self._following = False
        self.view = GroupsView(look)
        self.by = pn.widgets.Select(label="by", options=[], width=200, margin=(0, 5))
        self.steps = pn.widgets.Select(label="groups", options=STEPS, width=140, margin=(0, 5))
        self.by.param.watch(lambda _: self._choose(None), "value")
        self.steps.param.watch(lambda _: self._choose(bool(self.steps.value)), "value")
        self.layout = pn.Column(
            pn.Row(self.by, self.steps, margin=0),
            pn.pane.Bokeh(self.view.figure, margin=0),
            margin=0,
        )

    def refresh(self) -> None:
        """Make the groups with the present settings."""
        self._worker.run("variables", lambda: group_variables(self._session), self._show_names)

    def _show_names(self, names: list[str]) -> None:
        is_new = self.by.options != names
        if is_new:
            self._following = True
            try:
                self.by.options = names
                if self.by.value not in names:
                    self.by.value = next(iter(names), None)
            finally:
                self._following = False
        self._make(None if is_new else bool(self.steps.value))

    def _choose(self, equal: bool | None) -> None:
        if not self._following:
            self._fail(None)
            self._make(equal)

    def _make(self, equal: bool | None) -> None:
        if self.by.value:
            choice = Choice(str(self.by.value), equal=equal)
            self._worker.run("groups", lambda: make_groups(self._session, choice), self._show)

    def _show(self, made: MapMade) -> None:
        self._following = True
        try:
            self.steps.value = bool(made.choice.equal)
        finally:
            self._following = False
        self.view.show(made)


class GroupsView:
    """Spectra of groups of images by a variable: lines if they are few, otherwise a map."""

    def __init__(self, look: Look) -> None:
        self.figure = small_figure("groups", "energy", "photons per image and bin")
        self._lines = ColumnDataSource({"xs": [], "ys": [], "colour": [], "label": []})
        self.figure.multi_line(
            "xs", "ys", source=self._lines, line_color="colour", legend_field="label",
            line_width=1.3,
        )  # fmt: skip
        self._map = ColumnDataSource({"image": [], "x": [], "dw": [], "n": []})
        self.figure.image("image", "x", -0.5, "dw", "n", source=self._map, palette=COLOUR_MAPS[0])
        look.finish(self.figure)
        legend = self.figure.legend
        legend.label_text_color, legend.label_text_font_size = look.text, "11px"
        legend.background_fill_color, legend.background_fill_alpha = look.paper, 0.7
        legend.border_line_color, legend.padding, legend.spacing = None, 2, 0

    def show(self, made: MapMade) -> None:
        """Draw the spectra of groups, per image."""
        axis, over = axes(made)
        values = made.data["normalized"].transpose(over.name, axis.name)
        each, counts = np.asarray(values.values, np.float64), made.data[COUNTS].values
        is_few = len(over) <= len(COLOURS)
        names = [
            f"{over.name} {_text(value)} {over.attrs.get('units', '')}".strip() + f": {n} images"
            for value, n in zip(over.values, counts, strict=True)
        ]
        n_lines = len(over) if is_few else 0
        self._lines.data = {
            "xs": [axis.values] * n_lines, "ys": list(each[:n_lines]),
            "colour": list(COLOURS[:n_lines]), "label": names[:n_lines],
        }  # fmt: skip
        self.figure.legend.visible = is_few
        borders = bin_edges(axis.values)
        self._map.data = {"image": [], "x": [], "dw": [], "n": []} if is_few else {
            "image": [each.astype(np.float32)], "x": [borders[0]],
            "dw": [borders[-1] - borders[0]], "n": [len(over)],
        }  # fmt: skip
        self.figure.xaxis.axis_label = axis_label(axis)
        self.figure.yaxis.axis_label = (
            unit_text(values)
            if is_few
            else f"group by {over.name}, from {_text(over.values[0])} to {_text(over.values[-1])}"
        )


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float | np.number) else str(value)
