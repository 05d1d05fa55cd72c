"""Check the values in a settings file before anything uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hrixs.settings.table import SETTINGS
from hrixs.utils.checks import finite_number, number, require_word, yes_or_no

_KINDS = {setting.name: setting.kind for setting in SETTINGS}
# Also matches a range with a step; the code that uses the setting refuses it.
_RANGE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*(:.*)?")


def require_values(settings: Mapping[str, Any]) -> None:
    """Raise ValueError for the first value that its setting cannot have.

    Parameters
    ----------
    settings
        Numbers, text and lists by the names of the settings; None and unknown names are not
        checked.
    """
    for name, value in settings.items():
        kind = _KINDS.get(name.upper())
        if kind is not None and value is not None:
            _require(name, value, kind)


def _require(name: str, value: Any, kind: str | tuple[str, ...]) -> None:
    if isinstance(kind, tuple):
        require_word(name, value, kind)
    elif kind == "number":
        if isinstance(value, bool):
            raise ValueError(f"{name} = {_as_typed(value)}, expected a number.")
        _number(name, value)
    elif kind == "whole number":
        if isinstance(value, bool) or not finite_number(name, _number(name, value)).is_integer():
            raise ValueError(f"{name} = {_as_typed(value)}, expected a whole number.")
    elif kind == "yes or no":
        yes_or_no(name, value)
    elif kind == "text" and not isinstance(value, str):
        raise ValueError(f"{name} = {_as_typed(value)}, expected text in quotes.")
    elif kind == "range" and not (isinstance(value, str) and _RANGE.fullmatch(value)):
        raise ValueError(f'{name} = {_as_typed(value)}, expected a range of pixels as "700:900".')
    elif kind == "image" and not isinstance(value, Mapping):
        raise ValueError(
            f"{name} = {_as_typed(value)}, but an image is not written here: hRIXS.save stores it "
            f"in a second file. Delete the line, and set h.{name.upper()} = image in Python, or "
            "give the file of the image on the command line."
        )


def _number(name: str, value: Any) -> float:
    """The value as a number; text in quotes is refused, even if it spells a number."""
    if not isinstance(value, str):
        return number(name, value)
    try:
        float(value)
    except ValueError:
        raise ValueError(f"{name} = {_as_typed(value)}, expected a number.") from None
    raise ValueError(f"{name} = {_as_typed(value)}, expected a number: write it without quotes.")


def _as_typed(value: Any) -> str:
    """A value as written in the file, at most 80 characters."""
    if isinstance(value, bool):
        return str(value).lower()
    return (f'"{value}"' if isinstance(value, str) else repr(value))[:80]
