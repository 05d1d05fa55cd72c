"""Names of data that others have: alias files of a beamline, the toolbox of SCS, EXtra."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from hrixs.runs import extra_data_access
from hrixs.runs.run_files import Run

# More are not listed.
_MOST = 12


def known_elsewhere(run: Run, fields: Iterable[Any]) -> str:
    """Text on the names that an alias file, `toolbox_scs` and EXtra have, as far as they are there.

    Those most like the names among `fields` first. It takes time, and is for errors.
    """
    wanted = [one for one in fields if isinstance(one, str)]
    aliases = run.aliases or extra_data_access.aliases_beside([file.path for file in run.files])
    texts = [
        _pairs_text("The alias file", aliases, wanted),
        _pairs_text("toolbox_scs", _toolbox(), wanted),
    ]
    components = _public_names("extra.components")
    if components:
        texts.append(f" EXtra has the components {', '.join(components)}.")
    return "".join(texts)


def _pairs_text(where: str, pairs: Mapping[str, tuple[str, str]], wanted: list[str]) -> str:
    if not pairs:
        return ""
    names = sorted(pairs)
    close = [n for one in wanted for n in difflib.get_close_matches(one.replace("_", "-"), names)]
    close += [n for one in wanted for n in difflib.get_close_matches(one, names)]
    shown = list(dict.fromkeys(close + names))[:_MOST]
    text = "; ".join(f"{name!r} is {pairs[name]!r}" for name in shown)
    more = f"; and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f" {where} knows: {text}{more}."


def _toolbox() -> dict[str, tuple[str, str]]:
    entries = getattr(_module("toolbox_scs"), "mnemonics", None)
    if not isinstance(entries, Mapping):
        return {}
    # Newer ones have several versions of an entry.
    first = {
        name: one[0] if isinstance(one, list | tuple) else one for name, one in entries.items()
    }
    return {
        str(name): (str(one["source"]), str(one["key"]))
        for name, one in first.items()
        if isinstance(one, Mapping) and {"source", "key"} <= one.keys()
    }


def _public_names(module: str) -> list[str]:
    return [name for name in dir(_module(module)) if name[:1].isupper()][:_MOST]


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception:  # whatever another package stumbles over: an error is being written
        return None
