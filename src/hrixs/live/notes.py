"""Keep warnings once each, even if their numbers differ."""

from __future__ import annotations

import re


def kind_of(text: str) -> str:
    """Return a text without its numbers."""
    return re.sub(r"\d+", "#", text)


def noted(notes: dict[str, None], text: str, *, anew: bool = False) -> dict[str, None]:
    """Add a note unless the same text is there with other numbers; `anew` replaces the numbers.

    Examples
    --------
    >>> from hrixs.live.notes import noted
    >>> list(noted({"about 5 % are lost": None}, "about 7 % are lost", anew=True))
    ['about 7 % are lost']
    """
    same = [note for note in notes if kind_of(text) == kind_of(note)]
    if same and anew:
        return {text if note in same else note: None for note in notes}
    return notes if same else {**notes, text: None}
