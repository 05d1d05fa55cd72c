"""Mermaid's flowcharts of plain arrows as SVG: no script, nothing loaded from elsewhere."""

import re
from collections.abc import Iterator
from typing import Any

CHART = re.compile(r"^```mermaid\nflowchart BT\n(?P<lines>.*?)^```$", re.DOTALL | re.MULTILINE)
WIDTH, HEIGHT = 112, 30  # of a box
STEP_X, STEP_Y = 140, 74


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the flowcharts of a page."""
    return CHART.sub(lambda found: drawn(dict(_arrows(found["lines"]))), markdown)


def drawn(arrows: dict[str, list[str]]) -> str:
    """Return an SVG in which each name stands below all that its arrows lead to."""
    rows: dict[str, int] = {}

    def row_of(name: str) -> int:
        if name not in rows:
            rows[name] = 1 + max((row_of(to) for to in arrows.get(name, [])), default=-1)
        return rows[name]

    for name in arrows:
        row_of(name)
    levels: list[list[str]] = [[] for _ in range(max(rows.values()) + 1)]
    for name, row in rows.items():
        levels[row].append(name)
    width = STEP_X * max(map(len, levels))
    place = {
        name: (width / 2 + STEP_X * (k - (len(level) - 1) / 2), HEIGHT + STEP_Y * row)
        for row, level in enumerate(levels)
        for k, name in enumerate(level)
    }
    lines = [_arrow(place[name], place[to]) for name, tos in arrows.items() for to in tos]
    boxes = [_box(name, *at) for name, at in place.items()]
    height = STEP_Y * (len(levels) - 1) + 2 * HEIGHT
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
    tip += ' orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="currentColor"/></marker>'
    return (
        f'<svg class="diagram" viewBox="0 0 {width} {height}" style="max-width: {width}px"'
        ' role="img" aria-label="Which package imports which" xmlns="http://www.w3.org/2000/svg">'
        f"<defs>{tip}</defs>{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _arrows(lines: str) -> Iterator[tuple[str, list[str]]]:
    for line in lines.split("\n"):
        if line.strip():
            name, to = line.split("-->")
            yield name.strip(), [one.strip() for one in to.split("&")]


def _arrow(begin: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = begin, end
    y1, y2 = y1 - HEIGHT / 2, y2 + HEIGHT / 2
    bend = min(STEP_Y, (y1 - y2)) / 2
    return (
        f'<path d="M{x1:.0f},{y1:.0f} C{x1:.0f},{y1 - bend:.0f} {x2:.0f},{y2 + bend:.0f} '
        f'{x2:.0f},{y2:.0f}" fill="none" stroke="currentColor" opacity="0.6" '
        'marker-end="url(#tip)"/>'
    )


def _box(name: str, x: float, y: float) -> str:
    corner = f'x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" rx="5"'
    return (
        f'<rect {corner} width="{WIDTH}" height="{HEIGHT}" fill="var(--md-code-bg-color, #eee)" '
        f'stroke="currentColor"/><text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" '
        f'font-size="14" fill="currentColor">{name}</text>'
    )
