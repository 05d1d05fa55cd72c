"""What stands on a page: figures, rows of tables, and sections of both."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """A figure as the text of an SVG, what it shows for those who can't see it, and its caption."""

    svg: str
    shows: str
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table: a name, its value, and a word on it."""

    name: str
    value: str
    note: str = ""
    marked: bool = False


@dataclass
class Section:
    """A part of the page under its title: figures, sentences, rows; what there is of them."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    side_by_side: bool = False
