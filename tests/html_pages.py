"""A page of HTML read: its text, its headings, what it asks for, and whether its tags close."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "br", "img", "link", "hr", "input", "path", "use"}
#: Attributes by which a page asks for something.
ASKING = {"src", "href", "xlink:href", "srcset", "action", "data", "poster", "formaction", "style"}


class ReadPage(HTMLParser):
    """What stands in a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf8")
        self.words: list[str] = []
        self.headings: list[str] = []
        self.tags: list[str] = []
        self.asked: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [str(values["id"])] if "id" in values else []
        self.asked += [str(values[name]) for name in sorted(ASKING & values.keys())]

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        if self._open and self._open[-1] in ("h1", "h2"):
            self.headings.append(data.strip())
        self.words += data.split()

    @property
    def text(self) -> str:
        """All words, with one blank between them."""
        return " ".join(self.words)

    @property
    def outside(self) -> list[str]:
        """What it asks of others: all that is neither data nor a part of the page."""
        return [
            value
            for value in self.asked
            if ("url(" in value and "url(#" not in value) or "//" in value.split("base64,")[0]
        ]
