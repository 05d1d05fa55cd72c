"""One axis for two spectra: the bins of the coarser one that both cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hrixs.spectra.axes import apart, same_axis
from hrixs.spectra.rebin import equal_step
from hrixs.utils.typing import Floats

# A bin counts as covered if less than this part of it is missing.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class CommonAxis:
    """Common bins of two spectra.

    Attributes
    ----------
    energy : xarray.DataArray
        Centres of the bins.
    text : str
        How the axes differ, and what was done; empty if they are equal.
    """

    energy: xr.DataArray
    text: str = ""

    @property
    def edges(self) -> Floats:
        """Edges of the bins, in the order of their centres."""
        return edges_of(self.energy)

    def rebinned(self, spectrum: xr.DataArray) -> Floats:
        """A spectrum in these bins; bins across an edge are divided in proportion."""
        if not self.text:
            return np.asarray(spectrum.values, dtype=np.float64)
        own, ends = edges_of(spectrum["energy"]), self.edges
        values = np.asarray(spectrum.values, dtype=np.float64)
        if own[0] > own[-1]:
            own, values = own[::-1], values[::-1]
        up = np.interp(ends, own, np.concatenate([[0.0], np.cumsum(values)]))
        return np.asarray(np.diff(up) if ends[0] < ends[-1] else -np.diff(up))


def edges_of(energy: xr.DataArray) -> Floats:
    """Edges of bins, from their centres."""
    axis = np.asarray(energy.values, dtype=np.float64)
    step = equal_step(axis, "energy")
    return np.asarray(axis[0] + step * (np.arange(len(axis) + 1) - 0.5))


def common_axis(a: xr.DataArray, b: xr.DataArray) -> CommonAxis:
    """Find common bins of two spectra over ``energy``.

    Raises
    ------
    ValueError
        If there are none; the message has the reason.
    """
    first, second = a["energy"], b["energy"]
    units = [str(one.attrs.get("units", "")) for one in (first, second)]
    if units[0] != units[1]:
        raise ValueError(f"The energy axes differ: one is in {units[0]}, the other in {units[1]}")
    if same_axis(first.values, second.values):
        return CommonAxis(first)
    how_far = apart(first.values, second.values)
    try:
        edges = [edges_of(one) for one in (first, second)]
    except ValueError as error:
        raise ValueError(f"The energy axes differ: they are {how_far}, and {error}"[:-1]) from error
    widths = [abs(one[1] - one[0]) for one in edges]
    coarse = int(widths[1] > widths[0])
    low, high = (max(min(one[0], one[-1]) for one in edges),
                 min(max(one[0], one[-1]) for one in edges))  # fmt: skip
    ends, slack = edges[coarse], _ROUNDING * widths[coarse]
    lower, upper = np.minimum(ends[:-1], ends[1:]), np.maximum(ends[:-1], ends[1:])
    reached = np.flatnonzero((lower >= low - slack) & (upper <= high + slack))
    if len(reached) < 2:
        raise ValueError(f"The energy axes differ: they are {how_far}, and have no bins in common")
    energy = (first, second)[coarse].isel(energy=reached)
    ends = edges_of(energy)
    name = ("first", "second")[coarse]
    text = (
        f"The energy axes differ: they are {how_far}. The difference uses the bins of the {name}, "
        f"{widths[coarse]:.4g} {units[0]} wide, from {ends.min():.6g} to {ends.max():.6g} "
        f"{units[0]}, which both cover."
    )
    return CommonAxis(energy, text)
