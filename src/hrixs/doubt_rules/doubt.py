"""A doubt about a result: its code, text and figures; how it is reported and stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hrixs.utils.errors import (
    ChargeBalanceWarning,
    DoubtError,
    DoubtWarning,
    HrixsWarning,
    LostPhotonsWarning,
    warn,
)

#: Attribute of results that holds the doubts, as JSON text.
DOUBTS = "doubts"

# Doubts with a warning class of their own.
_KINDS: dict[str, type[HrixsWarning]] = {
    "crowded": LostPhotonsWarning,
    "denser": LostPhotonsWarning,
    "charge_balance": ChargeBalanceWarning,
}


@dataclass(frozen=True)
class Doubt:
    """A sign that a result may be wrong.

    Attributes
    ----------
    code : str
        Name of the rule, as docs/doubts.md lists it.
    text : str
        What was seen, what is usual, and what to do.
    figures : dict
        The numbers that the rule used.
    grave : bool
        Whether the result is hardly usable; it is then an error with ``strict=True``.
    """

    code: str
    text: str
    figures: dict[str, Any] = field(default_factory=dict)
    grave: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


def as_text(doubts: Iterable[Doubt]) -> str:
    """Doubts as JSON text for ``attrs``, which netCDF can store."""
    return json.dumps([asdict(doubt) for doubt in doubts])


def from_text(text: str) -> list[Doubt]:
    """Read doubts that `as_text` wrote."""
    return [Doubt(**one) for one in json.loads(text)]


def with_doubts(attrs: Mapping[Any, Any], doubts: Iterable[Doubt]) -> dict[Any, Any]:
    """Return `attrs` with more doubts added, one of each code."""
    known = from_text(str(attrs.get(DOUBTS, "[]")))
    all_of_them = first_of_each(known, doubts)
    return {**attrs, DOUBTS: as_text(sorted(all_of_them, key=lambda doubt: doubt.code))}


def first_of_each(*groups: Iterable[Doubt]) -> list[Doubt]:
    """Join groups of doubts; keep the first one of each code."""
    first: dict[str, Doubt] = {}
    for group in groups:
        for doubt in group:
            first.setdefault(doubt.code, doubt)
    return list(first.values())


def new_ones(doubts: Iterable[Doubt], known: Iterable[Doubt]) -> list[Doubt]:
    """Return the doubts whose codes are not among the known ones."""
    codes = {doubt.code for doubt in known}
    return [doubt for doubt in doubts if doubt.code not in codes]


def tell(doubts: Iterable[Doubt]) -> None:
    """Warn of each doubt; the text begins with its code, so that a filter can silence it."""
    for doubt in doubts:
        warn(str(doubt), _KINDS.get(doubt.code, DoubtWarning))


def require_none_grave(doubts: Iterable[Doubt]) -> None:
    """Raise an error if a doubt is grave.

    Raises
    ------
    DoubtError
        With the texts of all grave doubts; its ``doubts`` holds them.
    """
    grave = [doubt for doubt in doubts if doubt.grave]
    if grave:
        raise DoubtError("; ".join(map(str, grave)), grave)
