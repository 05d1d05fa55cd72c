"""How a result was made: its settings, its other attributes, and versions of programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from hrixs.reports.contents import Row
from hrixs.settings.plain import mask_of_plain, plain
from hrixs.settings.table import SETTINGS
from hrixs.utils.provenance import __version__

# Programs, other than hrixs and Python, whose versions are listed.
_PACKAGES = ("numpy", "xarray", "extra-data")
# Longer values are cut: they are elsewhere on the page, or are text of a program.
_LONGEST = 300
_NOT_SHOWN = ("settings", "steps", "doubts", "task", "differs", "history")


def settings_rows(attrs: Mapping[Any, Any]) -> list[Row]:
    """Rows with all settings; those that differ from the default are marked.

    Empty if the result does not have its settings.
    """
    try:
        told = json.loads(str(attrs["settings"]))
    except (KeyError, ValueError):
        return []
    if not isinstance(told, dict):
        return []
    given = {str(name).lower(): value for name, value in told.items()}
    helps = {one.name.lower(): _help(one.help, one.unit) for one in SETTINGS}
    if_none = {one.name.lower(): f"; None: {one.if_none}" for one in SETTINGS if one.if_none}
    defaults = {one.name.lower(): plain(one.name, one.default) for one in SETTINGS}
    names = [*(name for name in helps if name in given), *(n for n in given if n not in helps)]
    return [
        Row(
            name.upper(),
            shown(_short(name, given[name])),
            helps.get(name, "") + ("" if given[name] is not None else if_none.get(name, "")),
            marked=name in defaults and given[name] != defaults[name],
        )
        for name in names
    ]


def _short(name: str, value: Any) -> Any:
    """A setting as readable text: an image by its size, a curve by its coefficients."""
    if name == "mask" and isinstance(value, Mapping):
        bad = np.asarray(mask_of_plain(value))
        return f"{np.count_nonzero(bad)} bad pixels of {bad.shape[0]} x {bad.shape[1]}"
    if isinstance(value, Mapping) and "coefficients" in value:
        return f"{value['coefficients']} about column {value.get('reference', 0.0):g}"
    if isinstance(value, Mapping) and "shape" in value:
        return f"an image of {' x '.join(map(str, value['shape']))}"
    return value


def attribute_rows(attrs: Mapping[Any, Any]) -> list[Row]:
    """Rows with all attributes of the result and its spectra."""
    rows = [
        (str(name), value)
        for name, value in attrs.items()
        if name not in _NOT_SHOWN and np.size(value) and not np.array_equal(value, "")
    ]
    return [Row(name, shown(value)) for name, value in sorted(rows, key=lambda row: row[0])]


def shown(value: Any) -> str:
    """A value of an attribute as text; long ones are visibly cut."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return f"{value:.9g}"
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"


def _help(text: str, unit: str) -> str:
    return f"{text.replace('`', '')}{f', in {unit}' if unit else ''}"


def version_rows(attrs: Mapping[Any, Any]) -> list[Row]:
    """Versions of hrixs for result and page, and of other programs."""
    made_by = str(attrs.get("hrixs_version", "not known"))
    rows = [Row("the result: hrixs", made_by)]
    rows.append(Row("this page: hrixs", __version__, marked=made_by != __version__))
    rows += [Row(name, _version(name)) for name in _PACKAGES]
    return [*rows, Row("Python", platform.python_version(), platform.platform(terse=True))]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
