"""Misspelt names of settings: without a warning the value would be stored and have no effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from hrixs.settings.table import NAMES
from hrixs.utils.errors import unknown_name, warn

# How similar a name must be, between 0 and 1, to count as misspelt.
_ALIKE = 0.75


def tell_near_miss(name: str) -> None:
    """Warn if the name of a new attribute looks like a misspelt setting.

    That includes other capitals and the same words in another order. Other names are accepted, and
    so are names that begin with an underscore.
    """
    if name.startswith("_"):
        return
    known = same_words(name, NAMES)
    alike = difflib.get_close_matches(name.upper(), NAMES, n=1, cutoff=_ALIKE)
    if name.isupper() or known or alike:
        warn(unknown_setting(name, NAMES) + " The value is stored, but has no effect.")


def same_words(name: str, known: Iterable[str]) -> str | None:
    """Find the known name with the same words as `name`, in any order and case."""
    words = _words(name)
    return next((one for one in known if _words(one) == words), None)


def unknown_setting(name: str, known: Iterable[str]) -> str:
    """Text for an unknown setting, with the most similar known name."""
    names = list(known)
    meant = same_words(name, names)
    if meant is None:
        return unknown_name("setting", name, names)
    return f"unknown setting {name!r}. Did you mean {meant!r}? Known: {', '.join(sorted(names))}."


def _words(name: str) -> list[str]:
    return sorted(filter(None, name.upper().split("_")))
