"""The image with photons, mask, crop and curve drawn on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import panel as pn
from bokeh.core.property.descriptors import UnsetValueError
from bokeh.events import Reset
from bokeh.models import (
    BoxAnnotation,
    ColorBar,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    PanTool,
    PointDrawTool,
    Range1d,
    ResetTool,
    SaveTool,
    WheelZoomTool,
)
from bokeh.plotting import figure as new_figure
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.utils.typing import Floats
from hrixs.view.look import COLOUR_MAPS, IMAGE, Look
from hrixs.view.screen import Shown, shown, usual_levels

_NO_PHOTONS: dict[str, list[float]] = {"x": [], "y": [], "charge": [], "marker": []}
_MOST_MASKED = 20_000
# Pixels that a figure on the screen has at least.
_LEAST_SIZE = 40


class ImageView:
    """A figure of an image, reduced to the pixels of the screen; zoomed in, all pixels are drawn.

    Parameters
    ----------
    chip_shape, first : (int, int)
        Pixels of the images along x and y, and the position of their first one on the chip.
    look : Look
    on_crop : callable
        Called with rows and columns, ``(x0, x1), (y0, y1)``, after the crop was dragged.
    on_curve : callable
        Called with columns and rows of the three handles after one was moved.
    fixed : bool
        Draw crop and curve, but do not allow dragging.

    Attributes
    ----------
    figure
        The bokeh figure.
    """

    def __init__(
        self,
        chip_shape: tuple[int, int],
        first: tuple[int, int],
        look: Look,
        *,
        on_crop: Callable[[tuple[int, int], tuple[int, int]], None],
        on_curve: Callable[[Floats, Floats], None],
        fixed: bool = False,
    ) -> None:
        self._on_crop, self._on_curve = on_crop, on_curve
        self._shape, self._first = chip_shape, first
        self._image: NDArray[Any] = np.zeros(chip_shape, np.float32)
        self._setting = False
        (x0, y0), (nx, ny) = first, chip_shape
        x_range = Range1d(x0 - 0.5, x0 + nx - 0.5, bounds=(x0 - 0.1 * nx, x0 + 1.1 * nx))
        y_range = Range1d(y0 - 0.5, y0 + ny - 0.5, bounds=(y0 - 0.1 * ny, y0 + 1.1 * ny))
        self.figure = new_figure(
            width=IMAGE[0], height=IMAGE[1], x_range=x_range, y_range=y_range, tools="",
            x_axis_label="x (pixel of the chip, along the line)",
            y_axis_label="y (pixel of the chip, along the energy)",
            name="image", sizing_mode="stretch_width",
        )  # fmt: skip
        self.colours = LinearColorMapper(palette=COLOUR_MAPS[0], low=0, high=1, nan_color="#7f0000")
        self._pixels = ColumnDataSource(
            {"image": [np.zeros((2, 2), np.float32)], "x": [x0 - 0.5], "y": [y0 - 0.5],
             "dw": [nx], "dh": [ny], "of": [""]},
        )  # fmt: skip
        drawn = self.figure.image(
            "image", "x", "y", "dw", "dh", source=self._pixels, color_mapper=self.colours
        )
        self.figure.add_layout(
            ColorBar(
                color_mapper=self.colours, width=9, title="ADU", padding=2,
                background_fill_color=look.paper, major_label_text_color=look.text,
                title_text_color=look.text,
            ),
            "right",
        )  # fmt: skip
        self._masked = ColumnDataSource({"x": [], "y": []})
        self.figure.rect(
            "x", "y", 1, 1, source=self._masked, fill_color="#7f0000", line_color="#ff5050",
        )  # fmt: skip
        self._photons = ColumnDataSource(dict(_NO_PHOTONS))
        for colour, width in ((look.edge, 3.2), (look.photon, 1.6)):
            self.figure.scatter(
                "x", "y", source=self._photons, marker="marker", size=9, fill_color=None,
                line_color=colour, line_width=width,
            )  # fmt: skip
        self._line = ColumnDataSource({"x": [], "y": []})
        self.figure.line("x", "y", source=self._line, color=look.edge, line_width=3)
        self.figure.line(
            "x", "y", source=self._line, color=look.on_image, line_width=1.4, line_dash="dashed"
        )
        self._handles = ColumnDataSource({"x": [], "y": []})
        handles = self.figure.scatter(
            "x", "y", source=self._handles, size=13, marker="diamond", color=look.on_image,
            line_color=look.edge, line_width=1.5,
        )  # fmt: skip
        self._crop = BoxAnnotation(
            left=x0, right=x0 + nx - 1, bottom=y0, top=y0 + ny - 1, editable=not fixed,
            movable="none", resizable="all", fill_color=None, line_color=look.crop,
            line_width=2, line_alpha=1.0, hover_line_color=look.on_image, hover_fill_color=None,
            left_limit=x0 - 0.5, right_limit=x0 + nx - 0.5, bottom_limit=y0 - 0.5,
            top_limit=y0 + ny - 0.5, inverted=False,
        )  # fmt: skip
        self.figure.add_layout(self._crop)
        hover = HoverTool(
            renderers=[drawn], tooltips=[("x, y", "$x{0}, $y{0}"), ("ADU", "@image{0.0} @of")]
        )
        draw, pan, wheel = PointDrawTool(renderers=[handles], add=False), PanTool(), WheelZoomTool()
        draw.description = "Move the curve's handles"
        self.figure.add_tools(
            *([] if fixed else [draw]), pan, wheel, ResetTool(), SaveTool(), hover
        )
        drag = pan if fixed else draw
        self.figure.toolbar.active_drag, self.figure.toolbar.active_scroll = drag, wheel
        handles.visible = not fixed
        look.finish(self.figure)
        for name in ("start", "end"):
            x_range.on_change(name, self._view_moved)
            y_range.on_change(name, self._view_moved)
        self.figure.on_event(Reset, lambda _: self.draw())
        for name in ("left", "right", "top", "bottom"):
            self._crop.on_change(name, self._crop_moved)
        self._handles.on_change("data", self._handles_moved)

    def show(self, image: NDArray[Any], what: str) -> Shown:
        """Draw an image with a title; return the drawn part."""
        self._image = image
        self.figure.title.text = what
        return self.draw()

    def draw(self) -> Shown:
        """Draw the visible part with as many pixels as the screen has."""
        (x0, y0), (x, y) = self._first, (self.figure.x_range, self.figure.y_range)
        size = self._size()
        part = shown(self._image, (x.start - x0, x.end - x0), (y.start - y0, y.end - y0), size)
        step = part.step
        of = "" if step == (1, 1) else f"(largest of {step[0]} x {step[1]} pixels)"
        self._pixels.data = {
            "image": [part.pixels.T],
            "x": [x0 + part.begin[0] - 0.5],
            "y": [y0 + part.begin[1] - 0.5],
            "dw": [part.end[0] - part.begin[0]],
            "dh": [part.end[1] - part.begin[1]],
            "of": [of],
        }
        return part

    def _size(self) -> tuple[int, int]:
        """Pixels of the screen, if the browser has reported them."""
        try:
            size = int(self.figure.inner_width), int(self.figure.inner_height)
        except (UnsetValueError, TypeError):
            return IMAGE
        # A figure that is hidden, for a map, has no pixels.
        return size if min(size) >= _LEAST_SIZE else IMAGE

    def show_photons(self, photons: dict[str, NDArray[Any]]) -> None:
        """Draw photons at their positions; double hits as squares."""
        marker = np.where(photons["double"].astype(bool), "square", "circle").tolist()
        self._photons.data = {name: photons[name] for name in ("x", "y", "charge")} | {
            "marker": marker
        }

    def show_mask(self, mask: NDArray[Any] | None) -> None:
        """Draw the masked pixels, unless there are too many to see."""
        bad = np.argwhere(mask)[:_MOST_MASKED] if mask is not None else np.empty((0, 2))
        self._masked.data = {"x": bad[:, 0] + self._first[0], "y": bad[:, 1] + self._first[1]}

    def show_crop(self, x: tuple[int, int], y: tuple[int, int]) -> None:
        """Draw the crop, from the first pixel to the one after the last."""
        self._setting = True
        try:
            self._crop.update(left=x[0] - 0.5, right=x[1] - 0.5, bottom=y[0] - 0.5, top=y[1] - 0.5)
        finally:
            self._setting = False

    def show_curve(self, curve: Curvature, row: float, columns: tuple[int, int]) -> None:
        """Draw the curve that has `row` at column 0, with its three handles."""
        x = np.linspace(columns[0], columns[1] - 1, 65)
        self._line.data = {"x": x, "y": row + curve(x)}
        inset = 0.08 * (columns[1] - columns[0])
        at = np.array([columns[0] + inset, np.mean(columns), columns[1] - 1 - inset])
        self._setting = True
        try:
            self._handles.data = {"x": at, "y": row + curve(at)}
        finally:
            self._setting = False

    def _view_moved(self, attr: str, old: Any, new: Any) -> None:
        self._later("view", self.draw)

    def _crop_moved(self, attr: str, old: Any, new: Any) -> None:
        if not self._setting:
            self._later("crop", self._tell_crop)

    def _tell_crop(self) -> None:
        box = self._crop
        ends = [(box.left, box.right), (box.bottom, box.top)]
        x, y = ((round(float(low) + 0.5), round(float(high) + 0.5)) for low, high in ends)
        self._on_crop(x, y)

    def _handles_moved(self, attr: str, old: Any, new: Any) -> None:
        x, y = (np.asarray(self._handles.data[name], dtype=np.float64) for name in ("x", "y"))
        if not self._setting and len(x) == 3:
            self._on_curve(x, y)

    def _later(self, name: str, call: Callable[[], Any]) -> None:
        """Call after a moment without further events: a drag sends one for each step."""
        document = self.figure.document
        if document is None or document.session_context is None:
            call()
            return
        waiting = getattr(self, f"_waiting_{name}", None)
        if waiting is not None:
            document.remove_timeout_callback(waiting)

        def now() -> None:
            setattr(self, f"_waiting_{name}", None)
            call()

        setattr(self, f"_waiting_{name}", document.add_timeout_callback(now, 120))


def curve_through(x: Floats, y: Floats) -> Curvature:
    """Make the parabola about column 0 through three points of a line.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.view.image_view import curve_through
    >>> x = np.array([10.0, 100.0, 200.0])
    >>> curve = curve_through(x, 800 + 0.04 * x - 2e-5 * x**2)
    >>> round(curve.a, 6), round(curve.b, 9)
    (0.04, -2e-05)
    """
    if len(np.unique(x)) < 3:
        raise ValueError(
            "two handles are at the same column: move them to three different columns."
        )
    b, a, _ = np.polyfit(x, y, 2)
    return Curvature.of((float(a), float(b)))


class Levels:
    """Fields for the darkest and the brightest level, and for the colour map.

    The mean image and single images have separate levels.
    """

    def __init__(self, image: ImageView) -> None:
        self._image = image
        self._kind, self._usual = "", (0.0, 1.0)
        self._of_kind: dict[str, tuple[float, float]] = {}
        self._following = False
        width = (IMAGE[0] - 200) // 3
        options: dict[str, Any] = {"width": width, "margin": (2, 5)}
        self.low = pn.widgets.FloatInput(label="black at (ADU)", step=1.0, **options)
        self.high = pn.widgets.FloatInput(label="white at (ADU)", step=1.0, **options)
        names = [name.removesuffix("256") for name in COLOUR_MAPS]
        colours = dict(zip(names, COLOUR_MAPS, strict=True))
        self.colours = pn.widgets.Select(label="colours", options=colours, **options)
        self.auto = pn.widgets.Button(label="Usual levels", width=100, margin=(20, 5, 2, 5))
        for widget in (self.low, self.high):
            widget.param.watch(self._by_hand, "value")
        self.colours.param.watch(self._choose, "value")
        self.auto.on_click(lambda _: self._set(*self._usual))
        self.layout = pn.Row(self.low, self.high, self.colours, self.auto, margin=0)

    def follow(self, image: NDArray[Any], kind: str) -> None:
        """Choose levels for a kind of image, unless they were set by hand."""
        self._usual, self._kind = usual_levels(image), kind
        self._set(*self._of_kind.get(kind, self._usual), by_hand=False)

    def _choose(self, event: Any) -> None:
        self._image.colours.palette = event.new

    def _by_hand(self, event: Any) -> None:
        if not self._following:
            self._set(self.low.value, self.high.value)

    def _set(self, low: float, high: float, *, by_hand: bool = True) -> None:
        if by_hand:
            self._of_kind[self._kind] = (low, high)
        self._following = True
        try:
            self.low.value, self.high.value = _rounded(low, high)
        finally:
            self._following = False
        high = max(high, np.nextafter(low, np.inf))
        self._image.colours.update(low=low, high=high)


def _rounded(low: float, high: float) -> tuple[float, float]:
    digits = max(0, 2 - int(np.floor(np.log10(max(high - low, 1e-12)))))
    return round(low, digits), round(high, digits)
