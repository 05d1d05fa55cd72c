"""The tab of a map: its fields, and the cut through it. The map itself is in place of the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np
import panel as pn
import xarray as xr

from hrixs.utils.typing import Floats
from hrixs.view.look import IMAGE, Look
from hrixs.view.scans.choice import (
    COUNTS,
    INCIDENT,
    Choice,
    Cut,
    Drawn,
    MapMade,
    divisors,
    make_map,
    variables,
)
from hrixs.view.scans.cut_view import CutView
from hrixs.view.scans.groups_tab import STEPS
from hrixs.view.scans.map_view import SCALES, MapView, axes
from hrixs.view.session import Session
from hrixs.view.worker import Worker

_AXES = {"energy loss": "energy_loss", "emitted energy": "energy"}
_FIELD: dict[str, Any] = {"margin": (0, 4)}
_NOTHING = (
    "No variable of the images changes, so there is no map. Load a run in which the incident "
    "energy (nrj) or a delay was scanned."
)
_HINT = "Click the map for a cut, or drag over a part of it."


class MapTab:
    """Fields of a map, the map, and a cut through it.

    Parameters
    ----------
    session : Session
    look : Look
    worker : Worker
    changed : callable
        Called after the map or the cut has changed.
    fail : callable
        Called with an error of the library, and with None before a new attempt.

    Attributes
    ----------
    map_layout : panel.Column
        The map with its fields, in the place of the image.
    layout : panel.Column
        The content of the tab: the cut.
    """

    def __init__(
        self,
        session: Session,
        look: Look,
        worker: Worker,
        changed: Callable[[], None],
        fail: Callable[[Exception | None], None],
    ) -> None:
        self._session, self._worker, self._changed, self._fail = session, worker, changed, fail
        self._following = False
        self._made: MapMade | None = None
        self._ends: tuple[float, float] | None = None
        self.map, self.cut_view = MapView(look, on_cut=self._take_part), CutView(look)
        self.over = pn.widgets.Select(label="map over", options=[], width=186, **_FIELD)
        self.divisor = pn.widgets.Select(label="divided by", options=[], width=140, **_FIELD)
        self.axis = pn.widgets.Select(label="axis", options=_AXES, width=126, **_FIELD)
        self.steps = pn.widgets.Select(
            label="groups", options=STEPS, width=126, visible=False, **_FIELD
        )
        self.scale = pn.widgets.Select(label="scale", options=list(SCALES), width=76, **_FIELD)
        self.along = pn.widgets.Select(label="cut", options=[], width=214, **_FIELD)
        self.low = pn.widgets.FloatInput(label="from", value=None, width=96, **_FIELD)
        self.high = pn.widgets.FloatInput(label="to", value=None, width=96, **_FIELD)
        self.note = pn.pane.HTML("", margin=(2, 4), width=IMAGE[0] - 10)
        self.over.param.watch(lambda _: self._choose(new_variable=True), "value")
        for one in (self.divisor, self.axis, self.steps):
            one.param.watch(lambda _: self._choose(), "value")
        self.scale.param.watch(self._set_scale, "value")
        self.along.param.watch(lambda _: self._set_along(), "value")
        self.low.param.watch(lambda _: self._set_ends(is_low=True), "value")
        self.high.param.watch(lambda _: self._set_ends(is_low=False), "value")
        self.layout = pn.Column(
            pn.Row(self.along, self.low, self.high, margin=0),
            pn.pane.Bokeh(self.cut_view.figure, margin=0),
            margin=(4, 0),
        )
        self.map_layout = pn.Column(
            pn.pane.Bokeh(self.map.figure, margin=0, sizing_mode="stretch_width"),
            pn.Row(self.over, self.divisor, self.axis, self.steps, self.scale, margin=0),
            self.note,
            width=IMAGE[0], margin=0, visible=False,
        )  # fmt: skip

    @property
    def choice(self) -> Choice | None:
        """The chosen map; None if no variable changes."""
        if not self.over.value:
            return None
        return Choice(
            str(self.over.value), str(self.axis.value), str(self.divisor.value or COUNTS),
            bool(self.steps.value),
        )  # fmt: skip

    @property
    def drawn(self) -> Drawn | None:
        """The map that is drawn; None without one."""
        if self._made is None:
            return None
        return Drawn(self._made.choice, self.cut, str(self.scale.value))

    @property
    def cut(self) -> Cut | None:
        """The chosen cut; None without one."""
        if self._ends is None or not self.along.value:
            return None
        low, high = self._ends
        return Cut(str(self.along.value), low if low == high else (low, high))

    def refresh(self) -> None:
        """Make the map with the present settings."""
        session = self._session
        self._worker.run(
            "variables of map", lambda: (variables(session), divisors(session)),
            lambda found: self._show_names(*found),
        )  # fmt: skip

    def _show_names(self, names: list[str], divisors: list[str]) -> None:
        if INCIDENT in names:
            names = [INCIDENT, *(name for name in names if name != INCIDENT)]
        label = {INCIDENT: f"incident energy ({INCIDENT})"}
        over = {label.get(name, name): name for name in names}
        by = {"number of images" if name == COUNTS else name: name for name in divisors}
        self._following = True
        try:
            for widget, options in ((self.over, over), (self.divisor, by)):
                if widget.options != options:
                    before = widget.value
                    widget.options = options
                    if before in options.values():
                        widget.value = before
                    elif options:
                        widget.value = next(iter(options.values()))
        finally:
            self._following = False
        self._make(new_variable=self._made is None)

    def _choose(self, *, new_variable: bool = False) -> None:
        if not self._following:
            self._fail(None)
            self._make(new_variable=new_variable)

    def _make(self, *, new_variable: bool = False) -> None:
        choice = self.choice
        if choice is None:
            self._show(None)
            self.note.object = _NOTHING
            return
        if new_variable:
            choice = Choice(choice.over, choice.axis, choice.normalize)
        self.axis.visible, self.steps.visible = choice.is_rixs, not choice.is_rixs
        self._worker.run("map", lambda: _tried(self._session, choice), self._show_tried)

    def _show_tried(self, made: MapMade | Exception) -> None:
        if isinstance(made, Exception):
            self._show(None)  # not the map of other settings
            self._fail(made)
        else:
            self._show(made)

    def _show(self, made: MapMade | None) -> None:
        self._made = made
        self.map.show(made, self._session.images.name)
        self.note.object = ""
        if made is None:
            self.cut_view.show(None)
            return
        x, y = (str(one.name) for one in axes(made))
        along = {
            f"spectrum at {'incident energy' if y == INCIDENT else y}": y,
            f"profile at {x.replace('_', ' ')}": x,
        }
        self._following = True
        try:
            if not made.choice.is_rixs:
                self.steps.value = bool(made.choice.equal)
            if self.along.options != along:
                self.along.options, self.along.value = along, y
                self._ends = None
        finally:
            self._following = False
        self.note.object = _note(made.warnings)
        if self._ends is None:
            self._cut_at_highest(made)
        self._show_cut()
        self._changed()

    def _cut_at_highest(self, made: MapMade) -> None:
        """First cut: through the highest value of the map."""
        values = made.data["normalized"].fillna(0.0)
        at = values.argmax(...)
        where = float(made.data[str(self.along.value)].values[int(at[str(self.along.value)])])
        self._ends = where, where

    def _take_part(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Cut at the part of the map that was clicked or dragged over."""
        if self._made is None:
            return
        self._fail(None)
        is_x = str(self.along.value) == str(axes(self._made)[0].name)
        self._ends = x if is_x else y
        self._show_cut()
        self._changed()

    def _set_along(self) -> None:
        if self._following or self._made is None:
            return
        self._cut_at_highest(self._made)
        self._show_cut()
        self._changed()

    def _set_ends(self, *, is_low: bool) -> None:
        """Take over what was typed; an end beyond the other one moves it along."""
        low, high = self.low.value, self.high.value
        if self._following or self._made is None or low is None or high is None:
            return
        self._fail(None)
        if low > high:
            low, high = (low, low) if is_low else (high, high)
        self._ends = low, high
        self._show_cut()
        self._changed()

    def _set_scale(self, event: Any) -> None:
        self.map.scale(str(event.new))
        self._changed()

    def _show_cut(self) -> None:
        """Draw the cut, and mark it on the map."""
        made = self._made
        if made is None or self._ends is None:
            return
        axis = made.data[str(self.along.value)]
        low, high = self._ends = _rounded(self._ends, axis.values)
        cut = self.cut
        if cut is None:
            return
        self._following = True
        try:
            self.low.value, self.high.value = low, high
        finally:
            self._following = False
        self._worker.run(
            "cut", lambda: made.cut(cut),
            lambda one: self._draw_cut(one[0], one[1], _cut_title(axis, low, high)),
        )  # fmt: skip
        self.map.show_cut(cut.along, (low, high))

    def _draw_cut(self, cut: xr.Dataset, warnings: Sequence[str], title: str) -> None:
        self.cut_view.show(cut, title)
        of_map = () if self._made is None else self._made.warnings
        self.note.object = _note([*of_map, *warnings])


def _note(warnings: Sequence[str]) -> str:
    return "<br>".join([*map(escape, warnings), _HINT])


def _tried(session: Session, choice: Choice) -> MapMade | Exception:
    try:
        return make_map(session, choice)
    except Exception as error:
        return error


def _rounded(ends: tuple[float, float], axis: Floats) -> tuple[float, float]:
    """Ends with as many digits as tell the values of the axis apart."""
    step = float(np.abs(np.diff(axis)).min(initial=np.inf))
    digits = 1 - int(np.floor(np.log10(step))) if 0 < step < np.inf else 6
    return round(ends[0], digits), round(ends[1], digits)


def _cut_title(axis: Any, low: float, high: float) -> str:
    name = str(axis.attrs.get("long_name", axis.name)).replace("_", " ")
    unit = f" {axis.attrs['units']}" if axis.attrs.get("units") else ""
    if low == high:
        nearest = float(axis.values[abs(axis.values - low).argmin()])
        return f"cut at {name} {nearest:.5g}{unit}"
    return f"cut from {name} {low:.5g} to {high:.5g}{unit}"
