"""The page: image, spectrum, controls, and the reactions to changes."""

from __future__ import annotations

import time
from typing import Any

import panel as pn

from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.typing import Floats
from hrixs.view.controls import Controls, with_crop
from hrixs.view.found import Kept
from hrixs.view.image_view import ImageView, Levels, curve_through
from hrixs.view.images import RunImages
from hrixs.view.look import IMAGE, Look
from hrixs.view.session import Made, Session, photons_of
from hrixs.view.spectrum_column import SpectrumColumn
from hrixs.view.texts import doubts_in_short, error_text, spectrum_text
from hrixs.view.worker import Worker

_MEAN, _SINGLE, _MAP = "mean image", "single image", "map"
# Seconds between two pictures of a partial mean.
_BETWEEN = 1.0


class Page:
    """The page of one browser.

    Parameters
    ----------
    images : RunImages
        Images of the run, which other pages may share.
    h : hRIXS
        Initial settings; they are copied.
    method : str
        As in `hRIXS.process_run`.
    kept : Kept, optional
        Photons that were already found.
    theme : {'default', 'dark'}
    document : bokeh.document.Document, optional
        Document of a browser; without one all work is done immediately.

    Attributes
    ----------
    session : Session
    layout : panel.Column
    """

    def __init__(
        self,
        images: RunImages,
        h: hRIXS,
        method: str = "auto",
        *,
        kept: Kept | None = None,
        theme: str = "default",
        document: Any = None,
    ) -> None:
        self.session, self.look = Session(images, h, method, kept=kept), Look.of(theme)
        self._mean: Any = None
        self.made: Made | None = None
        self.status = pn.pane.HTML("", styles={"white-space": "nowrap"}, margin=(4, 10))
        self.working = pn.indicators.LoadingSpinner(
            value=False, visible=False, size=18, margin=(4, 2)
        )
        self.error = pn.pane.Alert("", alert_type="danger", visible=False, margin=2)
        self.worker = Worker(document, failed=self.fail, busy=self._busy)
        self.image = ImageView(
            images.chip_shape, images.first, self.look,
            on_crop=lambda x, y: self.change(crop=(x, y)), on_curve=self.set_curve,
        )  # fmt: skip
        self.spectrum = SpectrumColumn(self.session, self.look, self.worker, self.fail)
        self.controls = Controls(
            self.session, self.change,
            {
                "fit": self.fit_curve, "range": self.find_range, "loss": self.refresh,
                "bad": self.find_bad_pixels, "dark": self.load_dark,
            },
        )  # fmt: skip
        self.spectrum.change = self.change
        self.levels = Levels(self.image)
        last = max(images.n_images - 1, 1)
        self.mode = pn.widgets.RadioButtonGroup(
            options=[_MEAN, _SINGLE, _MAP], width=260, margin=(2, 5)
        )
        self.number = pn.widgets.IntSlider(
            label="image", start=0, end=last, value=0, width=IMAGE[0] - 310, margin=(0, 8),
            disabled=images.n_images < 2,
        )  # fmt: skip
        self.mode.param.watch(lambda _: self._mode_chosen(), "value")
        self.spectrum.on_map = lambda: self.mode.param.update(value=_MAP)
        self.spectrum.clear = lambda: self.error.param.update(visible=False)
        self.of_image = pn.Column(
            pn.pane.Bokeh(self.image.figure, margin=0, sizing_mode="stretch_width"),
            self.levels.layout,
            width=IMAGE[0], margin=0,
        )  # fmt: skip
        self.of_map = self.spectrum.map.map_layout
        self.number.param.watch(self._number_moved, "value")
        name = pn.pane.HTML(f"<b>{images.name}</b>, {images.n_images} images of "
                            f"{images.chip_shape[0]} x {images.chip_shape[1]} px",
                            margin=(4, 10))  # fmt: skip
        self.layout = pn.Column(
            pn.Row(
                name, self.status, self.working, pn.layout.HSpacer(), theme_link(self.look),
                margin=0,
            ),
            self.error,
            pn.Row(
                self.controls.layout,
                pn.Column(
                    pn.Row(self.mode, self.number, margin=0),
                    self.of_image, self.of_map,
                    width=IMAGE[0], margin=0,
                ),
                self.spectrum.layout,
                margin=0,
            ),
            sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        self._follow()
        self.worker.run("image", lambda: images.image(0), self._show_first)
        self.refresh()
        self.worker.run("mean", self._add_up, self._mean_is_known)

    def change(self, **params: Any) -> None:
        """Change settings (names in lower case, ``method`` or ``crop``), and update the page."""
        try:
            first = self.session.images.first
            self.session.set(**with_crop(self.session.h, dict(params), first))
        except Exception as error:
            self._follow()
            self.fail(error)
            return
        self.error.visible = False
        self._follow()
        self.refresh()

    def set_curve(self, x: Floats, y: Floats) -> None:
        """Set the curve through the three handles."""
        try:
            curve = curve_through(x, y)
        except ValueError as error:
            self.fail(error)
            return
        self.change(curvature=curve)

    def fit_curve(self) -> None:
        """Fit the curve to the mean image."""
        self.worker.run("fit", self.session.fit_curvature, lambda _: self.change())

    def find_range(self) -> None:
        """Find the rows and columns with light, and use them."""
        self.worker.run("range", self.session.find_range, lambda _: self.change())

    def find_bad_pixels(self) -> None:
        """Find bad pixels in the first images, and mask them."""
        self.worker.run("bad", self.session.find_bad_pixels, lambda _: self._camera_changed())

    def load_dark(self) -> None:
        """Load the dark run that was typed; an empty field means no dark."""
        name = str(self.controls.dark.value)
        self.worker.run(
            "dark", lambda: self.session.load_dark(name), lambda _: self._camera_changed()
        )

    def refresh(self) -> None:
        """Compute what has changed, and show the spectra."""
        self.session.loss = bool(self.controls.loss.value)
        self.spectrum.refresh_calls()
        self.worker.run("spectra", self._reckon, self._show_spectra)

    def show_image(self) -> None:
        """Show the mean image, or the chosen single image; nothing while the map is shown."""
        if self.mode.value == _MAP:
            return
        if self.mode.value == _MEAN:
            self._show_photons(None)
            self.spectrum.images.mark(None)
            if self._mean is not None:
                self._show_mean(self._mean, self.session.images.n_images)
            return
        number = int(self.number.value)
        self.spectrum.images.mark(number)
        self.worker.run(
            "image", lambda: self.session.images.image(number), lambda one: self._show(one, number)
        )

    def fail(self, error: Exception) -> None:
        """Show an error of the library; the page continues."""
        self.error.object = error_text(error)
        self.error.visible = True

    def close(self) -> None:
        """End the work of a page that was closed."""
        self.worker.close()

    def _mode_chosen(self) -> None:
        is_map = self.mode.value == _MAP
        self.of_image.visible, self.of_map.visible = not is_map, is_map
        if is_map != self.spectrum.is_map:
            self.spectrum.show_map(is_map)
        self.show_image()

    def _camera_changed(self) -> None:
        self.change()
        self.show_image()

    def _follow(self) -> None:
        self.controls.follow(self.session)
        ranges = self.session.crop.ranges
        self.image.show_crop(ranges["x_range"], ranges["y_range"])
        self.image.show_mask(self.session.mask())

    def _reckon(self) -> Made:
        return self.session.make(
            self._mean,
            lambda part, n, of: self.worker.tell("spectra", self._show_part, part, n, of),
        )

    def _show_part(self, part: Any, n: int, of: int) -> None:
        self.status.object = f"{n} of {of} images"
        self.spectrum.show_part(part, n, of)

    def _show_spectra(self, made: Made) -> None:
        self.made = made
        self.spectrum.show(made)
        said = spectrum_text(made.spectra, self.session)
        self.status.object = f"{said}; {doubts_in_short(made.doubts)}"
        columns = self.session.crop.ranges["x_range"]
        self.image.show_curve(made.h.curvature, made.row, columns)
        if self.mode.value == _SINGLE:
            self.show_image()

    def _show_photons(self, number: int | None) -> int | None:
        """Draw the photons of an image, and return their number; None if they are not known."""
        photons = None if self.made is None else self.made.photons
        of_image = photons_of(photons, number)
        self.image.show_photons(of_image)
        return None if photons is None else len(of_image["x"])

    def _add_up(self) -> Any:
        image, shown_at = None, time.monotonic()
        for image, n in self.session.images.means():
            if time.monotonic() - shown_at > _BETWEEN:
                self.worker.tell("mean", self._show_mean, image, n)
                shown_at = time.monotonic()
        return image

    def _mean_is_known(self, image: Any) -> None:
        self._mean = image
        if self.mode.value == _MEAN:
            self._show_mean(image, self.session.images.n_images)
        self.refresh()

    def _show_mean(self, image: Any, n: int) -> None:
        if self.mode.value == _MEAN:
            of = self.session.images.n_images
            self._show_corrected(
                image, f"mean of {n} images" + ("" if n == of else f" of {of}"), _MEAN
            )

    def _show_first(self, image: Any) -> None:
        if self._mean is None:
            self._show_corrected(image, "first image")

    def _show(self, image: Any, number: int) -> None:
        n = self._show_photons(number)
        found = "" if n is None else f", {n} photons found"
        self._show_corrected(image, f"{self.session.images.label(number)}{found}")

    def _show_corrected(self, image: Any, what: str, kind: str = _SINGLE) -> None:
        dark = ", less the dark" if self.session.h.USE_DARK else ""
        shown = self.session.corrected(image)
        part = self.image.show(shown, f"{what}{dark}")
        self.levels.follow(part.pixels, kind)

    def _number_moved(self, event: Any) -> None:
        if self.mode.value == _SINGLE:
            self.show_image()
        else:
            self.mode.value = _SINGLE

    def _busy(self, busy: bool) -> None:
        self.working.value = self.working.visible = busy


def theme_link(look: Look) -> Any:
    """A button that switches between the light and the dark page."""
    other = "default" if look.dark else "dark"
    label = "light page" if look.dark else "dark page"
    link = pn.widgets.Button(label=label, color="light", width=90, height=28, margin=2)
    link.js_on_click(
        code="const a = new URL(window.location); "
        f"a.searchParams.set('theme', '{other}'); window.location = a;"
    )
    return link
