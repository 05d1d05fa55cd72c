"""Attributes of several runs joined for one result: added up, kept, or listed as different."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from hrixs.doubt_rules.doubt import DOUBTS, Doubt, as_text, from_text
from hrixs.spectra.dataset import COUNTS, COUNTS_OF
from hrixs.steps.record import STEPS
from hrixs.utils.provenance import PATH, RATIO

#: Attribute of a joined result: JSON text of values that differ from run to run.
DIFFERS = "differs"
# Attributes of single runs: not kept, or kept under another name.
_OF_ONE = ("run", "runs", "failed_runs", "task", STEPS, *RATIO, DIFFERS)
# Attributes that are lists of names, of lines of text, and of numbers.
_NAMES, _LINES, _ARRAYS = ("missing_fields", "not_aggregated"), ("faults",), ("skipped_trains",)
# Number of runs whose doubts of one kind are written in full.
_MOST_TOLD = 3

Attrs = Mapping[Hashable, Any]


def joined_attrs(attrs: Mapping[str, Attrs], *, counts: bool) -> dict[str, Any]:
    """Attributes of all runs, made of those of each run by name.

    Counts are added up: those named ``n_...`` with `counts`, otherwise those of a spectrum.
    """
    names = list(dict.fromkeys(str(name) for one in attrs.values() for name in one))
    joined: dict[str, Any] = {}
    differs: dict[str, dict[str, Any]] = {}
    for run, one in attrs.items():
        for name, values in json.loads(str(one.get(DIFFERS, "{}"))).items():
            differs.setdefault(name, {}).update(values)
            names = [other for other in names if other != name]
        del run
    for name in names:
        of_runs = {run: one[name] for run, one in attrs.items() if name in one}
        values = list(of_runs.values())
        if name in _OF_ONE:
            continue
        if name == DOUBTS:
            joined[name] = as_text(
                joined_doubts({r: from_text(str(v)) for r, v in of_runs.items()})
            )
        elif name == COUNTS_OF or name.startswith(PATH):
            joined[name] = "; ".join(dict.fromkeys(map(str, values)))
        elif name in _LINES:
            lines = [f"{run}: {line}" for run, v in of_runs.items() for line in _lines(v)]
            joined[name] = "\n".join(lines)
        elif name in _NAMES:
            found = [one for v in values for one in str(v).split(", ") if one]
            joined[name] = ", ".join(dict.fromkeys(found))
        elif name in _ARRAYS:
            joined[name] = np.concatenate([np.atleast_1d(np.asarray(v)) for v in values])
        elif (name.startswith("n_") if counts else name in COUNTS) and all(map(_is_number, values)):
            joined[name] = sum(values)
        elif len(of_runs) == len(attrs) and all(_same(values[0], v) for v in values[1:]):
            joined[name] = values[0]
        else:
            differs[name] = {run: _plain(value) for run, value in of_runs.items()}
    if differs:
        joined[DIFFERS] = json.dumps(differs, default=str)
    return joined


def joined_doubts(doubts: Mapping[str, Sequence[Doubt]]) -> list[Doubt]:
    """The doubts of all runs, one for each code, with names of runs and figures."""
    by_code: dict[str, dict[str, Doubt]] = {}
    for run, of_run in doubts.items():
        for one in of_run:
            by_code.setdefault(one.code, {})[run] = one
    return [
        Doubt(
            code,
            _told(of_code),
            {run: one.figures for run, one in of_code.items()},
            grave=any(one.grave for one in of_code.values()),
        )
        for code, of_code in sorted(by_code.items())
    ]


def _told(of_code: Mapping[str, Doubt]) -> str:
    text = " ".join(f"In {run}: {one.text}" for run, one in list(of_code.items())[:_MOST_TOLD])
    more = list(of_code)[_MOST_TOLD:]
    return f"{text} Likewise in {', '.join(more)}." if more else text


def _lines(value: Any) -> list[str]:
    return [line for line in str(value).split("\n") if line]


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist()
