"""The contents of a page: figures, rows of tables, and sections."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """A figure as SVG text, a description for people who cannot see it, and its caption."""

    svg: str
    shows: str
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table: a name, its value, and a remark."""

    name: str
    value: str
    note: str = ""
    marked: bool = False


@dataclass
class Section:
    """A section of the page with a title; it can have figures, texts and rows."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    side_by_side: bool = False
