"""What is doubtful in a result: a code, a sentence, its figures; and how it is told and kept."""

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

#: Attribute of results, a JSON text.
DOUBTS = "doubts"

# Doubts that are told as a kind of their own.
_KINDS: dict[str, type[HrixsWarning]] = {
    "crowded": LostPhotonsWarning,
    "denser": LostPhotonsWarning,
    "charge_balance": ChargeBalanceWarning,
}


@dataclass(frozen=True)
class Doubt:
    """Something that makes a result doubtful.

    Attributes
    ----------
    code : str
        Name of the rule, as docs/doubts.md lists it.
    text : str
        What was seen, what is usual, and what to do.
    figures : dict
        The numbers that the rule looked at.
    grave : bool
        Whether the result is hardly of use: an error with ``strict=True``.
    """

    code: str
    text: str
    figures: dict[str, Any] = field(default_factory=dict)
    grave: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


def as_text(doubts: Iterable[Doubt]) -> str:
    """Doubts as they stand in ``attrs``, which netCDF can hold."""
    return json.dumps([asdict(doubt) for doubt in doubts])


def from_text(text: str) -> list[Doubt]:
    """Doubts as `as_text` wrote them."""
    return [Doubt(**one) for one in json.loads(text)]


def with_doubts(attrs: Mapping[Any, Any], doubts: Iterable[Doubt]) -> dict[Any, Any]:
    """`attrs` with more doubts, one of each code."""
    known = from_text(str(attrs.get(DOUBTS, "[]")))
    all_of_them = first_of_each(known, doubts)
    return {**attrs, DOUBTS: as_text(sorted(all_of_them, key=lambda doubt: doubt.code))}


def first_of_each(*groups: Iterable[Doubt]) -> list[Doubt]:
    """Doubts of several groups, the first one of each code."""
    first: dict[str, Doubt] = {}
    for group in groups:
        for doubt in group:
            first.setdefault(doubt.code, doubt)
    return list(first.values())


def new_ones(doubts: Iterable[Doubt], known: Iterable[Doubt]) -> list[Doubt]:
    """Those of `doubts` whose codes are not known."""
    codes = {doubt.code for doubt in known}
    return [doubt for doubt in doubts if doubt.code not in codes]


def tell(doubts: Iterable[Doubt]) -> None:
    """Warn of each doubt; the text begins with its code, so that a filter can silence it."""
    for doubt in doubts:
        warn(str(doubt), _KINDS.get(doubt.code, DoubtWarning))


def require_none_grave(doubts: Iterable[Doubt]) -> None:
    """Raise an error for doubts that make a result hardly of use.

    Raises
    ------
    DoubtError
        With the texts of all of them, and as its ``doubts``.
    """
    grave = [doubt for doubt in doubts if doubt.grave]
    if grave:
        raise DoubtError("; ".join(map(str, grave)), grave)
