"""The page of a live watch, in one browser."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import panel as pn

from hrixs.energy.line import line_width
from hrixs.live_page.state import State
from hrixs.live_page.texts import counts_text, doubts_and_notes, saved_text, words_of
from hrixs.live_page.trend_view import TrendView
from hrixs.live_page.watched import Watched
from hrixs.spectra.errors import known_error
from hrixs.spectrometer.recipe import crop_of
from hrixs.view.image_view import ImageView, Levels
from hrixs.view.look import IMAGE, Look
from hrixs.view.page import theme_link
from hrixs.view.session import photons_of
from hrixs.view.spectrum_view import SpectrumView
from hrixs.view.texts import doubts_in_short, error_text, width_text

_ALL, _LAST = "sum of all", "last trains"
# Time between two checks for new results, in ms.
_ASK = 150
# Seconds between two fits and two choices of levels; and until the page stops waiting for a
# browser that does not answer.
_BETWEEN, _PATIENCE = 1.0, 5.0
_WIDTH = 670


class WatchPage:
    """The page of one browser: an own view of a watch that all browsers share.

    Parameters
    ----------
    watched : Watched
    theme : {'default', 'dark'}
    document : bokeh.document.Document, optional
        Document of a browser; without one call `refresh` by hand.

    Attributes
    ----------
    layout : panel.Column
    shown : State
        State shown last.
    """

    def __init__(self, watched: Watched, *, theme: str = "default", document: Any = None) -> None:
        self.watched, self.look = watched, Look.of(theme)
        self.shown = State(number=-1, h=watched.live.h)
        self._region: tuple[float, float] | None = None
        self._sent_at = self._levels_at = self._fitted_at = 0.0
        self._delay = float("nan")
        self._document = document
        self.status = pn.pane.HTML("", margin=(4, 10))
        self.counts = pn.pane.HTML("", margin=(0, 10))
        self.saved = pn.pane.HTML("", margin=(0, 10))
        self.error = pn.pane.Alert("", alert_type="danger", visible=False, margin=2)
        self.trouble = pn.pane.HTML(
            "",
            visible=False,
            margin=(2, 10),
            styles={"font-weight": "bold", "color": self.look.second},
        )
        self.doubts = pn.pane.HTML(
            "", styles={"overflow-y": "auto"}, height=170, width=_WIDTH, margin=(2, 8)
        )
        self.width = pn.pane.HTML("", height=22, margin=(2, 10))
        self.which = pn.widgets.RadioButtonGroup(options=[_ALL, _LAST], width=220, margin=(2, 5))
        self.tallest = pn.widgets.Button(label="Width of the tallest line", margin=(2, 5))
        self.hold = pn.widgets.Toggle(label="Hold the image", width=130, margin=(2, 5))
        self.spectrum = SpectrumView(self.look, on_region=self.measure)
        self.spectrum.leave_out_integrated()
        self.trend = TrendView(self.look)
        self.image: ImageView | None = None
        self._image_place = pn.Column(
            pn.pane.HTML("No image yet.", margin=(40, 20)), width=IMAGE[0], margin=0
        )
        self.which.param.watch(lambda _: self._redraw(), "value")
        self.tallest.on_click(lambda _: self.measure(None))
        # The browser confirms what it has drawn: a slow one is sent less, and nothing piles up.
        self._sent = pn.widgets.IntInput(value=0, visible=False)
        self._seen = pn.widgets.IntInput(value=0, visible=False)
        self._sent.jslink(self._seen, value="value")
        self._seen.param.watch(self._browser_has_drawn, "value")
        h, method = watched.live.h, watched.live.method
        name = f"<b>{watched.endpoint}</b>, {h.DETECTOR}, {method}"
        self.layout = pn.Column(
            pn.Row(
                pn.pane.HTML(name, margin=(4, 10)), self.status, pn.layout.HSpacer(),
                theme_link(self.look), margin=0,
            ),
            pn.Row(self.counts, self.saved, margin=0),
            self.error,
            self.trouble,
            pn.Row(
                self._image_place,
                pn.Column(
                    pn.Row(self.which, self.tallest, self.hold, margin=0),
                    pn.pane.Bokeh(self.spectrum.figure, margin=0, sizing_mode="stretch_width"),
                    self.width,
                    pn.pane.Bokeh(self.trend.figure, margin=0, sizing_mode="stretch_width"),
                    self.doubts,
                    width=_WIDTH, margin=(0, 0, 0, 6),
                ),
                margin=0,
            ),
            self._sent, self._seen,
            sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        self.refresh()
        self._callback = None if document is None else document.add_periodic_callback(
            self.refresh, _ASK
        )  # fmt: skip

    def refresh(self) -> None:
        """Show the newest state, if it was not shown yet."""
        state = self.watched.state
        if state.number == self.shown.number or self._is_drawing():
            return
        before, self.shown = self.shown, state
        try:
            self._show_words(state)
            if state.last is not None and state.last is not before.last:
                self._show_image(state)
            if state.found is not None and state.found is not before.found:
                self._show_spectrum(state)
        except Exception as error:  # the page goes on
            self.error.object, self.error.visible = error_text(error), True
        self._sent_at = time.monotonic()
        self._sent.value = state.number

    def measure(self, region: tuple[float, float] | None) -> None:
        """Fit the line in a part of the axis, or the highest one, and repeat it with new data."""
        self._region = region or (-np.inf, np.inf)
        self._fitted_at = 0.0
        self._redraw()

    def close(self) -> None:
        """Stop updating a page that was closed."""
        if self._callback is not None and self._callback in self._document.session_callbacks:
            self._document.remove_periodic_callback(self._callback)

    def _is_drawing(self) -> bool:
        """Whether the browser is still drawing what it was sent last."""
        if self._document is None or self._sent.value == self._seen.value:
            return False
        return time.monotonic() < self._sent_at + _PATIENCE

    def _browser_has_drawn(self, event: Any) -> None:
        last = self.shown.last
        if last is not None and event.new == self._sent.value and not self.hold.value:
            self._delay = time.monotonic() - last.time

    def _show_words(self, state: State) -> None:
        doubts = doubts_in_short(state.doubts) if state.used else ""
        self.status.object = " | ".join(one for one in (state.rates, doubts) if one)
        self.counts.object = counts_text(state, self._delay)
        self.saved.object = saved_text(self.watched.saver)
        self.error.object, self.error.visible = (
            error_text(ValueError(state.error)),
            bool(state.error),
        )
        lines = list(state.troubles) if not state.has_ended else ["The watch has ended."]
        self.trouble.object, self.trouble.visible = words_of(lines), bool(lines)
        self.doubts.object = doubts_and_notes(state)

    def _show_image(self, state: State) -> None:
        last, image = state.last, state.image
        assert last is not None
        assert image is not None
        if self.hold.value:
            return
        if self.image is None:
            self.image = self._new_image(image.shape)
        photons = last.photons_of_image
        drawn = photons_of(None, None) if photons is None else photons
        self.image.show_photons(drawn)
        found = "" if photons is None else f", {len(drawn['x'])} photons found"
        dark = ", less the dark" if state.h.USE_DARK else ""
        part = self.image.show(image, f"train {last.train_id}{found}{dark}")
        if time.monotonic() > self._levels_at + _BETWEEN:
            self._levels_at = time.monotonic()
            self._levels.follow(part.pixels, "last")

    def _new_image(self, shape: tuple[int, ...]) -> ImageView:
        nx, ny = shape
        made = ImageView(
            (nx, ny), (0, 0), self.look, on_crop=lambda x, y: None, on_curve=lambda x, y: None,
            fixed=True,
        )  # fmt: skip
        ranges = crop_of(self.watched.live.h, nx, ny).ranges
        made.show_crop(ranges["x_range"], ranges["y_range"])
        self._levels = Levels(made)
        self._image_place[:] = [
            pn.pane.Bokeh(made.figure, margin=0, sizing_mode="stretch_width"), self._levels.layout,
        ]  # fmt: skip
        return made

    def _redraw(self) -> None:
        try:
            self._show_spectrum(self.shown)
        except Exception as error:
            self.error.object, self.error.visible = error_text(error), True

    def _show_spectrum(self, state: State) -> None:
        last = self.which.value == _LAST
        spectrum = state.spectrum(last=last)
        if spectrum is None or state.found is None:
            return
        counted = spectrum.attrs.get("units") == "photons"
        error = known_error(state.found, "total") if counted and not last else None
        n = len(state.found["trainId"]) if last else state.used
        of = f"last {n} trains" if last else f"all {n} trains"
        said = f", {float(spectrum.sum()):.0f} photons" if counted else ""
        self.spectrum.show(spectrum, error, f"{of}{said}")
        self.trend.show(state)
        if self._region is not None and time.monotonic() > self._fitted_at + _BETWEEN:
            self._fitted_at = time.monotonic()
            region = None if np.isinf(self._region[0]) else self._region
            try:
                fit = line_width(
                    spectrum, region=region, noise="poisson" if counted else "gaussian"
                )
            except ValueError as no_line:
                self.width.object = error_text(no_line)
                self.spectrum.show_fit(None)
                return
            self.width.object = width_text(fit, counted)
            self.spectrum.show_fit(fit, spectrum)
