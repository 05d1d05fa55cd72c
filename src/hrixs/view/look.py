"""Colours and sizes of the page, light and dark, also for colour-blind people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bokeh.models import TeeHead, Whisker

from hrixs.utils.figures import BLUE, ORANGE, SKY, VERMILION

#: Colour maps of even brightness, safe for colour-blind people.
COLOUR_MAPS = ("Viridis256", "Cividis256", "Inferno256", "Greys256")
#: Width of the controls, and size of the image and the spectrum figure, at 1280 x 800.
CONTROLS, IMAGE, SPECTRUM = 236, (560, 630), (432, 300)


@dataclass(frozen=True)
class Look:
    """Colours of a light or a dark page.

    Attributes
    ----------
    text, paper
        Colours of the page.
    line, second
        Colours of the spectrum, and of a second one.
    on_image
        Colours of photons, crop and curve, visible on any colour map.
    """

    dark: bool
    text: str
    paper: str
    line: str
    second: str
    on_image: str = "#ffffff"
    photon: str = "#ff7f50"
    crop: str = ORANGE
    edge: str = "#000000"

    @staticmethod
    def of(theme: str) -> Look:
        """The look of the theme: dark for ``'dark'``, otherwise light."""
        if theme == "dark":
            return Look(True, "#e0e0e0", "#181818", SKY, ORANGE)
        return Look(False, "#202020", "#ffffff", BLUE, VERMILION)

    @property
    def css(self) -> str:
        """CSS of the page."""
        return (
            f"html, body {{ background: {self.paper}; color: {self.text}; "
            "font: 13px/1.35 system-ui, sans-serif; margin: 0; }"
            " body { padding: 4px 6px; box-sizing: border-box; }"
            " *:focus-visible { outline: 2px solid #E69F00; outline-offset: 1px; }"
        )

    @property
    def tabs_css(self) -> str:
        """CSS of the tabs; without it their names are dark on any page."""
        return (
            f":host .bk-tab {{ color: {self.text}; background: transparent; padding: 4px 6px; }} "
            f":host .bk-tab.bk-active {{ color: {self.paper}; background: {self.line}; }}"
        )

    def error_bars(self, source: Any) -> Any:
        """Error bars of bokeh from ``low`` to ``high`` at ``at``, in the colour of the line."""
        heads = {f"{end}_head": TeeHead(size=8, line_color=self.line) for end in ("lower", "upper")}
        return Whisker(
            base="at", lower="low", upper="high", source=source, line_color=self.line, **heads
        )

    def finish(self, figure: Any) -> Any:
        """Set these colours in a bokeh figure, and return it."""
        figure.background_fill_color = self.paper
        figure.border_fill_color = self.paper
        figure.outline_line_color = "#888888"
        figure.toolbar.logo = None
        for axis in figure.axis:
            axis.axis_label_text_color = axis.major_label_text_color = self.text
            axis.axis_line_color = axis.major_tick_line_color = self.text
            axis.minor_tick_line_color = None
            axis.axis_label_text_font_style = "normal"
            axis.axis_label_text_font_size, axis.major_label_text_font_size = "12px", "11px"
        for grid in figure.grid:
            grid.grid_line_color, grid.grid_line_alpha = "#888888", 0.25
        figure.title.text_color = self.text
        figure.title.text_font_size = "12px"
        return figure
