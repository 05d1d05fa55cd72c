"""Warnings that are kept, each once, whatever numbers are in them."""

from __future__ import annotations

import re


def kind_of(text: str) -> str:
    """A text without its numbers."""
    return re.sub(r"\d+", "#", text)


def noted(notes: dict[str, None], text: str, *, anew: bool = False) -> dict[str, None]:
    """`notes` with one more, if there is none with other numbers; `anew`: with the new numbers.

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
