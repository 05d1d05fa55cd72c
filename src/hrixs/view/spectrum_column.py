"""The right side of the page: spectrum, width of a line, and the tabs below."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn
import xarray as xr

from hrixs.comparisons.differing import settings_that_differ
from hrixs.energy.line import LineFit
from hrixs.view import taken as saved
from hrixs.view.look import SPECTRUM, Look
from hrixs.view.scans.groups_tab import GroupsTab
from hrixs.view.scans.map_tab import MapTab
from hrixs.view.session import Made, Session, total_of
from hrixs.view.side_views import ChargesView, DriftView, ImagesView
from hrixs.view.spectrum_view import SpectrumView
from hrixs.view.taken import as_command, as_python
from hrixs.view.texts import doubts_text, width_text
from hrixs.view.worker import Worker

_HEIGHT = 270
_MAP = "Map"
_COPY = "navigator.clipboard.writeText(area.value)"


class SpectrumColumn:
    """The spectrum, and what is derived from it."""

    def __init__(
        self, session: Session, look: Look, worker: Worker, fail: Callable[[Exception], None]
    ) -> None:
        self._session, self._worker, self._fail = session, worker, fail
        self._region: tuple[float, float] | None = None
        self._beside: Made | None = None
        self._made: Made | None = None
        self.view = SpectrumView(look, on_region=self.measure)
        self.images, self.charges, self.drift = ImagesView(look), ChargesView(look), DriftView(look)
        self.groups = GroupsTab(session, look, worker, self._tell)
        self.map = MapTab(session, look, worker, self.refresh_calls, self._tell)
        # Whether the map is shown in place of the image.
        self.is_map = False
        self.width = pn.pane.HTML(
            "drag over a line to fit its width", margin=(0, 5), height=20,
            styles={"white-space": "nowrap", "font-size": "11.5px"},
        )  # fmt: skip
        options: dict[str, Any] = {"width": 88, "margin": (0, 3)}
        self.low = pn.widgets.FloatInput(label="line from", **options)
        self.high = pn.widgets.FloatInput(label="to", **options)
        measure = pn.widgets.Button(label="Width", width=58, margin=(15, 3, 0, 3))
        measure.on_click(lambda _: self._measure_fields())
        tallest = pn.widgets.Button(label="Tallest", width=66, margin=(15, 3, 0, 3))
        keep = pn.widgets.Button(label="Keep beside", width=92, margin=(15, 3, 0, 3))
        keep.on_click(lambda _: self.keep())
        tallest.on_click(lambda _: self.measure(None))
        self.doubts = pn.pane.HTML("", styles={"overflow-y": "auto"}, height=_HEIGHT)
        self.noise = pn.pane.HTML(
            "", styles={"overflow": "auto"}, height=_HEIGHT - 40, width=SPECTRUM[0] - 20
        )
        self.take = pn.widgets.Button(label="Use these thresholds", visible=False, width=160)
        wide = SPECTRUM[0] - 90
        self.python = pn.widgets.TextAreaInput(label="as Python", height=150, width=wide)
        self.command = pn.widgets.TextAreaInput(label="as a command", height=100, width=wide)
        self.tabs = pn.Tabs(
            ("Doubts", self.doubts),
            ("Images", pn.pane.Bokeh(self.images.figure, margin=0)),
            ("Charges", pn.pane.Bokeh(self.charges.figure, margin=0)),
            ("Drift", pn.pane.Bokeh(self.drift.figure, margin=0)),
            ("Groups", self.groups.layout),
            (_MAP, self.map.layout),
            ("Noise", pn.Column(self.take, self.noise, margin=0)),
            ("Copy", self._copy_tab()),
            ("Save", self._save_tab()),
            width=SPECTRUM[0], height=_HEIGHT + 40, margin=0, dynamic=True,
            stylesheets=[look.tabs_css],
        )  # fmt: skip
        self.tabs.param.watch(lambda _: self._tab_opened(), "active")
        self.take.on_click(lambda _: self._take())
        self.change: Callable[..., None] = lambda **_: None
        # Called before a new attempt, and when the tab of the map is opened.
        self.clear: Callable[[], None] = lambda: None
        self.on_map: Callable[[], None] = lambda: None
        self._suggested: dict[str, Any] = {}
        self.layout = pn.Column(
            pn.pane.Bokeh(self.view.figure, margin=0, sizing_mode="stretch_width"),
            self.width,
            pn.Row(self.low, self.high, measure, tallest, keep, margin=0),
            self.tabs,
            width=SPECTRUM[0], margin=(0, 0, 0, 6),
        )  # fmt: skip

    def show(self, made: Made) -> None:
        """Show finished spectra, and all results derived from them."""
        self._made = made
        total, error = total_of(made.spectra)
        self._draw(total, error, made.spectra)
        counted = total.attrs.get("units") == "photons"
        self.view.show_integrated(made.integrated if counted else None)
        self._refresh_tab()
        if self._region is not None:
            self.measure(self._region)
        else:
            self.view.show_fit(None)

    def show_part(self, spectra: xr.Dataset, n: int, of: int) -> None:
        """Show a partial result."""
        total, error = total_of(spectra)
        self._draw(total, error, spectra, f"{n} of {of} images so far")

    def measure(self, region: tuple[float, float] | None) -> None:
        """Fit the line in a part of the axis, or the tallest line."""
        self._region = region
        self._worker.run(
            "width",
            lambda: (self._session.width(region), self._session.total()[0]),
            lambda found: self._show_width(*found),
        )

    def keep(self) -> None:
        """Keep the shown spectrum for comparison; call again to remove it."""
        if self._beside is None and self._made is not None:
            self._beside = self._made
            self.view.show_beside(total_of(self._made.spectra)[0])
        else:
            self._beside = None
            self.view.show_beside(None)

    def refresh_calls(self) -> None:
        """Show the calls that make the shown result."""
        try:
            drawn = self.map.drawn if self.is_map else None
            self.python.value = as_python(self._session, drawn)
            self.command.value = as_command(self._session, drawn=drawn)
        except Exception as error:
            self._fail(error)

    def _draw(
        self, total: xr.DataArray, error: xr.DataArray | None, spectra: xr.Dataset, more: str = ""
    ) -> None:
        n = spectra["spectrum"][..., 0].size
        session = self._session
        what = more or f"sum of {n} images, method {session.method}"
        if self._beside is not None:
            h, method = self._beside.h, self._beside.method
            told = settings_that_differ(h, session.h)
            told |= {} if method == session.method else {"method": (method, session.method)}
            changes = (f"{name} {before} to {after}" for name, (before, after) in told.items())
            what += f"\ngrey, for comparison: {', '.join(changes) or 'the same'}"
        self.view.show(total, error, what)

    def _show_width(self, fit: LineFit, total: xr.DataArray) -> None:
        counted = total.attrs.get("units") == "photons"
        self.width.object = width_text(fit, counted)
        self.view.show_fit(fit, total)
        self.low.value, self.high.value = (round(end, 4) for end in fit.window)

    def _measure_fields(self) -> None:
        if self.low.value is not None and self.high.value is not None:
            self.measure((self.low.value, self.high.value))

    def show_map(self, is_map: bool) -> None:
        """Open the tab of the map; or tell that the map is no longer shown."""
        self.is_map = is_map
        place = self.tabs._names.index(_MAP)
        if not is_map:
            self.refresh_calls()
        elif self.tabs.active == place:
            self._refresh_tab()
        else:
            self.tabs.active = place

    def _tab_opened(self) -> None:
        if self.tabs._names[self.tabs.active] == _MAP and not self.is_map:
            self.on_map()  # which refreshes the tab
        else:
            self._refresh_tab()

    def _refresh_tab(self) -> None:
        if self._made is None:
            return
        name = self.tabs._names[self.tabs.active]
        if name == _MAP or self.is_map:
            self.map.refresh()
        # Texts are set while their tab is open: otherwise panel loads a style from its own site.
        if name == "Doubts":
            self.doubts.object = doubts_text(self._made.doubts)
        elif name == "Images":
            self.images.show(self._made.spectra, self._session)
        elif name == "Charges":
            self.charges.show(self._made)
        elif name == "Drift":
            self._worker.run("drift", self._session.drift, self.drift.show)
        elif name == "Groups":
            self.groups.refresh()
        elif name == "Noise":
            self._worker.run("noise", self._session.noise_report, self._show_noise)

    def _tell(self, error: Exception | None) -> None:
        if error is None:
            self.clear()
        else:
            self._fail(error)

    def _show_noise(self, report: Any) -> None:
        if self.tabs._names[self.tabs.active] != "Noise":
            return
        self.noise.object = (
            f"<pre style='font-size: 11px; white-space: pre-wrap'>{escape(repr(report))}</pre>"
        )
        self._suggested = {name.lower(): value for name, value in report.settings.items()}
        self.take.visible = True

    def _take(self) -> None:
        self.change(**{k: v for k, v in self._suggested.items() if v is not None})

    def _copy_tab(self) -> Any:
        rows = []
        for area in (self.python, self.command):
            button = pn.widgets.Button(label="Copy", width=60, margin=(20, 2))
            button.js_on_click(args={"area": area}, code=_COPY)
            rows.append(pn.Row(area, button, margin=0))
        return pn.Column(*rows, margin=0)

    def _save_tab(self) -> Any:
        session = self._session
        ways: dict[str, tuple[str, Callable[[], tuple[str, bytes]]]] = {
            "Spectrum (.nc)": (
                saved.name_of(session, "spectrum", ".nc"), lambda: saved.spectrum_file(session),
            ),
            "Spectrum (.csv)": (
                saved.name_of(session, "spectrum", ".csv"),
                lambda: saved.spectrum_file(session, ".csv"),
            ),
            "Map (.nc)": (
                saved.name_of(session, "map", ".nc"),
                lambda: saved.map_file(session, self.map.drawn),
            ),
            "Settings": (saved.settings_name(session), lambda: saved.settings_file(session)),
            "Picture (.png)": (
                saved.name_of(session, "picture", ".png"), lambda: saved.picture_file(session),
            ),
            "Report (.html)": (
                saved.name_of(session, "report", ".html"), lambda: saved.report_file(session),
            ),
        }  # fmt: skip
        return pn.Column(
            *(
                pn.widgets.FileDownload(
                    callback=self._file(make), filename=name, label=label, width=220,
                    color="primary", margin=4,
                )
                for label, (name, make) in ways.items()
            ),
            margin=0,
        )  # fmt: skip

    def _file(self, make: Callable[[], tuple[str, bytes]]) -> Callable[[], io.BytesIO]:
        def content() -> io.BytesIO:
            try:
                return io.BytesIO(make()[1])
            except Exception as error:
                self._fail(error)
                raise

        return content
