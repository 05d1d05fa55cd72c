"""Figures as SVG that stands in the page, in colours that follow its light, its dark and paper."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from typing import Any

from hrixs.reports.contents import Figure
from hrixs.utils.figures import new_figure

# Colours that no plot has by chance, each in the place of a colour of the page. What is drawn as
# pixels keeps them: they show on light and on dark.
_COLOURS = {
    "#1d2733": "--ink",
    "#fdfefc": "--paper",
    "#2778b5": "--line-1",
    "#d9600f": "--line-2",
    "#2b9a4d": "--line-3",
    "#8e5cae": "--line-4",
    "#c43d56": "--line-5",
    "#8a6d3c": "--line-6",
    "#1f9e9d": "--line-7",
    "#7b8794": "--line-8",
}
INK, PAPER, *LINES = _COLOURS
# Width and height in inches; text of 10 points in a page's column.
WIDE, HALF = (7.4, 3.4), (4.6, 3.9)
_DPI = 110  # of images in the figures

_numbers = count(1)


@contextmanager
def _style() -> Generator[None]:
    import matplotlib as mpl
    from cycler import cycler

    of_text = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    style: dict[str, Any] = dict.fromkeys(of_text, INK)
    style |= {
        "axes.facecolor": PAPER,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.prop_cycle": cycler(color=LINES),
        "font.size": 10.0,
        "legend.framealpha": 0.85,
        "legend.edgecolor": LINES[-1],
        "svg.fonttype": "path",  # the reader's machine need not have the font
        "axes.formatter.use_mathtext": True,
    }
    with mpl.rc_context(style):
        yield


def drawn(
    draw: Callable[[Any], None], shows: str, caption: str = "", *, size: tuple[float, float] = WIDE
) -> Figure:
    """Draw a figure of one axes by `draw`, for a page."""
    return drawn_on([["only"]], lambda axes: draw(axes["only"]), shows, caption, size=size)


def drawn_on(
    mosaic: list[list[str]],
    draw: Callable[[dict[str, Any]], None],
    shows: str,
    caption: str = "",
    *,
    size: tuple[float, float] = WIDE,
) -> Figure:
    """Draw a figure of several axes by name, for a page."""
    from matplotlib.collections import QuadMesh

    with _style():
        figure, axes = new_figure(mosaic, size)
        draw(axes)
        for ax in axes.values():
            ax.set_title("")  # the caption says it
            for mesh in ax.collections:
                if isinstance(mesh, QuadMesh):  # thousands of cells, as pixels
                    mesh.set_rasterized(True)
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", dpi=_DPI, metadata=nothing)
    return Figure(_for_the_page(file.getvalue()), shows, caption)


def _for_the_page(svg: str) -> str:
    """The SVG without what a file needs and a page does not, with names of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    own = f"f{next(_numbers)}-"
    svg = re.sub(r'\bid="', f'id="{own}', svg)
    svg = re.sub(r'href="#', f'href="#{own}', svg)
    svg = svg.replace("url(#", f"url(#{own}")
    for colour, name in _COLOURS.items():
        svg = svg.replace(colour, f"var({name})")
    return re.sub(r"\n\s*", "\n", svg)
