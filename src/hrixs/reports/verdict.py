"""The doubts of a result as text, grave ones first, with what to do."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from hrixs.doubt_rules.codes import CODES
from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.listing import doubts

_REMEDIES = {code.code: code.do for code in CODES}


@dataclass(frozen=True)
class Told:
    """A doubt as shown on the page."""

    code: str
    name: str
    text: str
    do: str
    grave: bool


@dataclass(frozen=True)
class Verdict:
    """A sentence, its kind (``good``, ``doubtful``, ``grave`` or ``unknown``), the doubts."""

    text: str
    kind: str
    doubts: list[Told]


def verdict_of(result: xr.Dataset) -> Verdict:
    """Summarise the doubts of a result."""
    try:
        found = doubts(result)
    except LookupError:
        return Verdict("This result was not checked for doubts.", "unknown", [])
    told = [_told(one) for one in sorted(found, key=lambda one: not one.grave)]
    n_grave = sum(one.grave for one in told)
    if not told:
        return Verdict("No doubts: all checks of hrixs passed.", "good", [])
    number = "1 doubt" if len(told) == 1 else f"{len(told)} doubts"
    if not n_grave:
        return Verdict(f"{number}, none of them grave.", "doubtful", told)
    of = "it is grave" if len(told) == 1 else f"{n_grave} of them grave"
    return Verdict(f"{number}, {of}: this result is hardly usable as it is.", "grave", told)


def _told(doubt: Doubt) -> Told:
    name = doubt.code.replace("_", " ")
    return Told(doubt.code, name, doubt.text, _REMEDIES.get(doubt.code, ""), doubt.grave)
