"""The result of a comparison: values, a table, a plot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.statistics import with_error

Row = tuple[str, str, str]
_NAMES = ("first", "second")
# Most characters of a value in the table.
_MOST = 44
# Most characters of the settings in a legend.
_LEGEND = 60


class Quantity(NamedTuple):
    """A value with one standard deviation; NaN if not known, with the reason in `why`."""

    value: float
    error: float
    unit: str = ""
    why: str = ""

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return self.why or "not known"
        return f"{with_error(self.value, self.error)} {self.unit}".rstrip()


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Comparison of two settings, as from `hrixs.compare`.

    Attributes
    ----------
    settings : dict of str to (first, second)
        Settings that differ, including the method and the dark.
    first, second : xarray.Dataset
        Both results.
    n_images : (int, int)
        Number of images in each.
    total, per_image : (Quantity, Quantity)
        Photons, or intensity, in the spectra; each has ``value``, ``error``, ``unit`` and, if it
        is NaN, the reason ``why``.
    line : (Quantity, Quantity)
        FWHM of the tallest line in the sum of all spectra.
    photons : xarray.Dataset or None
        For each common image: ``both``, the photons found by both (within a pixel), ``only_first``
        and ``only_second``; a double hit counts as two. None if one result has no photons.
    difference : xarray.Dataset or None
        ``difference``, the second spectrum minus the first;
        ``difference.hrixs.error("difference")`` is one standard deviation, if known. In the bins
        of the coarser axis that both cover; None if units differ, or there are no common bins.
    doubts : (list of Doubt, list of Doubt)
        Doubts of each, as from `hrixs.doubts`.
    seconds : (float, float)
        Duration of each analysis; NaN for a given result.
    notes : tuple of str
        What could not be compared, and why.
    """

    settings: dict[str, tuple[Any, Any]]
    first: xr.Dataset
    second: xr.Dataset
    n_images: tuple[int, int]
    total: tuple[Quantity, Quantity]
    per_image: tuple[Quantity, Quantity]
    line: tuple[Quantity, Quantity]
    photons: xr.Dataset | None
    difference: xr.Dataset | None
    doubts: tuple[list[Doubt], list[Doubt]]
    seconds: tuple[float, float]
    notes: tuple[str, ...] = ()

    @property
    def found_by_both(self) -> int | None:
        """Number of photons found by both; None if not known."""
        return self._photons("both")

    @property
    def only_first(self) -> int | None:
        """Number of photons found only by the first; None if not known."""
        return self._photons("only_first")

    @property
    def only_second(self) -> int | None:
        """Number of photons found only by the second; None if not known."""
        return self._photons("only_second")

    def plot(self) -> Any:
        """Draw both spectra, each in its own unit, and their difference.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from hrixs.comparisons.compared_plot import plot_comparison

        names = (self._label(0), self._label(1))
        return plot_comparison((self.first, self.second), names, self.difference)

    def __str__(self) -> str:
        rows = [("", *_NAMES), *self._rows()]
        width = [max(len(row[k]) for row in rows) for k in range(3)]
        lines = [
            "  ".join(text.ljust(n) for text, n in zip(row, width, strict=True)).rstrip()
            for row in rows
        ]
        lines.insert(1, "  ".join("-" * n for n in width))
        return "\n".join([*lines, *self._lines()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(row: Iterable[str], tag: str) -> str:
            style = " style='text-align:left'"
            return "".join(f"<{tag}{style}>{escape(text)}</{tag}>" for text in row)

        head = f"<thead><tr>{line(('', *_NAMES), 'th')}</tr></thead>"
        body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in self._rows())
        rest = "".join(f"<p>{escape(one)}</p>" for one in self._lines())
        return f"<table>{head}<tbody>{body}</tbody></table>{rest}"

    def _label(self, k: int) -> str:
        """Label for a legend, with the settings that differ if they are short."""
        text = ", ".join(f"{name} = {_short(both[k])}" for name, both in self.settings.items())
        return f"{_NAMES[k]}: {text}" if 0 < len(text) <= _LEGEND else _NAMES[k]

    def _photons(self, which: str) -> int | None:
        return None if self.photons is None else int(self.photons[which].sum())

    def _rows(self) -> list[Row]:
        """Rows of the table: settings that differ, then results."""
        rows = [(name, _short(a), _short(b)) for name, (a, b) in self.settings.items()]
        rows.append(_row("images", map(str, self.n_images)))
        what = _what(self.total)
        for label, values in (("all", self.total), ("per image", self.per_image)):
            rows.append(_row(f"{what}, {label}", (_without(what, one) for one in values)))
        if self.photons is not None:
            rows.append(_row("found by both", [str(self.found_by_both)] * 2))
            rows.append(("found by this one only", str(self.only_first), str(self.only_second)))
        rows.append(_row("width of the line, FWHM", map(str, self.line)))
        codes = [", ".join(doubt.code for doubt in one) or "none" for one in self.doubts]
        rows.append(_row("doubts", codes))
        if np.isfinite(self.seconds).any():
            rows.append(_row("time", (_time(one) for one in self.seconds)))
        return rows

    def _lines(self) -> list[str]:
        """Lines below the table."""
        lines = [] if self.settings else ["No setting differs."]
        if self.difference is not None:
            sums = self.difference.attrs
            change = Quantity(sums["sum"], sums["sum_err"], sums["units"])
            lines.append(f"second - first: {change}. {sums['error']}")
        lines += self.notes
        of_both = zip(_NAMES, self.doubts, strict=True)
        return lines + [f"! {name}: {doubt}" for name, doubts in of_both for doubt in doubts]


def _row(label: str, values: Iterable[str]) -> Row:
    first, second = values
    return label, first, second


def _what(total: tuple[Quantity, Quantity]) -> str:
    return "photons" if {one.unit for one in total} == {"photons"} else "intensity"


def _without(what: str, value: Quantity) -> str:
    """A quantity without its unit, which is in the label."""
    return str(value._replace(unit="") if value.unit == what else value)


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _MOST else f"{text[: _MOST - 3]}..."


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if np.isfinite(seconds) else "given result"
