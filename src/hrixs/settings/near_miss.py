"""Names that are nearly those of settings: typed so, a value would be kept and have no effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from hrixs.settings.table import NAMES
from hrixs.utils.errors import unknown_name, warn

# How alike a name must be, between 0 and 1, to be taken for a misspelt one.
_ALIKE = 0.75


def tell_near_miss(name: str) -> None:
    """Warn where a new attribute's name is nearly that of a setting.

    So are names in capitals, those in lower case, and the same words in another order. Names of
    one's own are let be, and so are those that begin with an underscore.
    """
    if name.startswith("_"):
        return
    known = same_words(name, NAMES)
    alike = difflib.get_close_matches(name.upper(), NAMES, n=1, cutoff=_ALIKE)
    if name.isupper() or known or alike:
        warn(unknown_setting(name, NAMES) + " It is kept, but has no effect.")


def same_words(name: str, known: Iterable[str]) -> str | None:
    """The known name that has the same words as `name`, in whatever order and case."""
    words = _words(name)
    return next((one for one in known if _words(one) == words), None)


def unknown_setting(name: str, known: Iterable[str]) -> str:
    """Text for an unknown name of a setting, with the one that is meant, where one is near."""
    names = list(known)
    meant = same_words(name, names)
    if meant is None:
        return unknown_name("setting", name, names)
    return f"unknown setting {name!r}. Did you mean {meant!r}? Known: {', '.join(sorted(names))}."


def _words(name: str) -> list[str]:
    return sorted(filter(None, name.upper().split("_")))
