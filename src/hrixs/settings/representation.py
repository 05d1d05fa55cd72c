"""Show the settings: one line of text, or a table in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import xarray as xr

from hrixs.utils.provenance import slice_text

# Types of defaults; others may define equality in their own way.
_PLAIN = (str, int, float, np.generic, slice)


def text(h: Any) -> str:
    """One line: proposal, detector, dark, and the settings that differ from the defaults."""
    changed = [
        f"{name}={_short(getattr(h, name))}"
        for name, default in h.DEFAULTS.items()
        if name != "USE_DARK" and not _same(getattr(h, name), default)
    ]
    parts = [_short(h.PROPOSAL), f"detector={h.DETECTOR!r}", f"dark={_dark(h)!r}", *changed]
    return f"<hRIXS {', '.join(parts)}>"


def html(h: Any) -> str:
    """Return a table of all settings; those that differ from the defaults are bold."""
    rows = []
    for name in h.NAMES:
        value = escape(_short(getattr(h, name)))
        if name in h.DEFAULTS and not _same(getattr(h, name), h.DEFAULTS[name]):
            value = f"<b>{value}</b>"
        rows.append((name, value))
    rows.append(("dark", escape(_dark(h))))
    if h.curvature_fit is not None:
        fit = h.curvature_fit
        rows.append(
            (
                "curvature fit",
                f"A = {fit.curve_a:.6g} &plusmn; {fit.curve_a_err:.1g}, "
                f"B = {fit.curve_b:.5g} &plusmn; {fit.curve_b_err:.1g}, FWHM {fit.fwhm:.2f} px",
            )
        )
    body = "".join(
        f"<tr><td style='text-align:left'>{name}</td><td style='text-align:left'>{value}</td></tr>"
        for name, value in rows
    )
    return f"<table><caption>hRIXS settings (bold: not the default)</caption>{body}</table>"


def _dark(h: Any) -> str:
    if h.dark_image is None:
        return "none"
    used = isinstance(h.USE_DARK, bool | np.bool_ | int) and h.USE_DARK
    return f"run {h.dark_run}" if used else f"run {h.dark_run}, not used"


def _short(value: Any) -> str:
    if isinstance(value, slice):
        return slice_text(value)
    if isinstance(value, np.ndarray | xr.DataArray) and value.dtype != bool:
        return f"array {value.shape}"
    if isinstance(value, np.ndarray | xr.DataArray):
        return f"{np.count_nonzero(value)} of {value.shape}"
    return " ".join(repr(value).split())


def _same(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, _PLAIN) and bool(value == default))
