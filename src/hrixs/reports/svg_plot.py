"""Figures as SVG in the page, in colours that follow the light or dark theme, and for print."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Any

from hrixs.reports.contents import Figure
from hrixs.utils.figures import COLOURS, new_figure

# Placeholders for the colours of the page, which no plot uses by chance; and colours of plots,
# which are lighter on a dark page. Parts drawn as pixels keep their colours, which are visible on
# both.
INK, PAPER = "#1d2733", "#fdfefc"
_COLOURS = {INK: "--ink", PAPER: "--paper"} | {
    colour.lower(): f"--line-{number}" for number, colour in enumerate(COLOURS, 1)
}
# Width and height in inches: the width of the page, and half of it.
WIDE, HALF = (8.0, 3.8), (6.0, 5.0)
_DPI = 90  # of images in the figures

# Digits of a path below a hundredth of a point, which are not visible.
_DIGITS = re.compile(r"(\.\d\d)\d+")
_numbers = count(1)


@contextmanager
def _style() -> Generator[None]:
    from matplotlib import rc_context

    of_text = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    clear: dict[str, Any] = {"axes.facecolor": PAPER, "figure.facecolor": "none"}
    fonts = {"svg.fonttype": "path"}  # the reader may not have the font
    with rc_context(dict.fromkeys(of_text, INK) | clear | fonts):
        yield


def drawn(
    draw: Callable[[Any], None], shows: str, caption: str = "", *, size: tuple[float, float] = WIDE
) -> Figure:
    """Draw a figure with one axes by `draw`, for a page."""
    return drawn_on([["only"]], lambda axes: draw(axes["only"]), shows, caption, size=size)


def drawn_on(
    mosaic: list[list[str]],
    draw: Callable[[dict[str, Any]], None],
    shows: str,
    caption: str = "",
    *,
    size: tuple[float, float] = WIDE,
) -> Figure:
    """Draw a figure with several axes by name, for a page."""
    from matplotlib.collections import QuadMesh

    with _style():
        figure, axes = new_figure(mosaic, size)
        draw(axes)
        for ax in axes.values():
            ax.set_title("")  # the caption has it
            for mesh in ax.collections:
                if isinstance(mesh, QuadMesh):  # thousands of cells, as pixels
                    mesh.set_rasterized(True)
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", dpi=_DPI, metadata=nothing)
    return Figure(_for_the_page(file.getvalue()), shows, caption)


def _for_the_page(svg: str) -> str:
    """Remove parts of the SVG that only a file needs, and make its names unique."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r' d="[^"]*"', lambda path: _DIGITS.sub(r"\1", path[0]), svg)
    own = f"f{next(_numbers)}-"
    svg = re.sub(r'\bid="', f'id="{own}', svg)
    svg = re.sub(r'href="#', f'href="#{own}', svg)
    svg = svg.replace("url(#", f"url(#{own}")
    for colour, name in _COLOURS.items():
        svg = svg.replace(colour, f"var({name})")
    return re.sub(r"\n\s*", "\n", svg)
