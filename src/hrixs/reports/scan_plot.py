"""Draw groups of images, such as steps of a scan, as a map or as spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.reports.contents import Figure
from hrixs.reports.spectra_of import Spectra, units_of
from hrixs.reports.svg_plot import drawn
from hrixs.scans.map_plot import plot_map
from hrixs.spectra.plots import plot_spectra

# Most spectra in one figure; more groups are drawn as a map.
_MOST_SPECTRA = 6


def scan_figure(spectra: Spectra) -> Figure:
    """Draw the spectra of all groups: a few as spectra; many, or a RIXS map, as a map."""
    data = spectra.on_loss
    name = "normalized" if "normalized" in data else "spectrum"
    values = data[name]
    over = [str(dim) for dim in values.dims if str(dim) in spectra.groups]
    is_map = "coverage" in data or data.attrs.get("algorithm") == "rixs_map"
    if len(over) == 1 and (is_map or values.sizes[over[0]] > _MOST_SPECTRA):
        return _map(data, name, over[0])
    return _several(data, over)


def _map(data: xr.Dataset, name: str, over: str) -> Figure:
    shown, by = data, str(data[name].attrs.get("normalized_by", ""))
    if name == "spectrum":
        made, by = data["spectrum"], ""
        units = units_of(made)
        if units == "photons" and "counts" in data:
            made, units, by = made / data["counts"], "photons per image", "images"
        shown = data.assign(normalized=made.assign_attrs(units=units))
    caption = f"The spectrum of each step of {over}"
    if by:
        caption += f", divided by {'the number of images' if by in ('counts', 'images') else by}"

    def draw(ax: Any) -> None:
        plot_map(shown, ax, scale="sqrt")

    return drawn(
        draw, f"Map of the spectra over {over}.",
        f"{caption}. The colours follow the square root of the intensity, so that weak lines show.",
        size=(8.0, 5.5),
    )  # fmt: skip


def _several(data: xr.Dataset, over: list[str]) -> Figure:
    sizes = [data.sizes[dim] for dim in over]
    counts = data["counts"].transpose(*over).values if "counts" in data else np.ones(sizes)
    filled = np.flatnonzero(counts)  # combinations without images are left out
    n_groups = len(filled)
    n_shown = min(n_groups, _MOST_SPECTRA)
    chosen = filled[np.unique(np.linspace(0, n_groups - 1, n_shown).round().astype(int))]
    lines: dict[str, xr.Dataset] = {}
    for number in chosen:
        place = dict(zip(over, map(int, np.unravel_index(number, sizes)), strict=True))
        label = ", ".join(f"{dim} = {_shown(data, dim, k)}" for dim, k in place.items())
        lines[label] = data.isel(place)
    offset = _offset(list(lines.values()))
    named = "of each group" if len(chosen) == n_groups else f"of {len(chosen)} of {n_groups} groups"

    def draw(ax: Any) -> None:
        plot_spectra(lines, ax, offset=offset)

    along = ", ".join(over)
    shows, caption = f"Spectra of groups over {along}.", f"The spectra {named}, over {along}."
    return drawn(draw, shows, caption, size=(8.0, 5.5))


def _offset(groups: list[xr.Dataset]) -> float:
    """A round vertical distance, so that spectra can be distinguished."""
    name = "normalized" if "normalized" in groups[0] else "spectrum"
    highest = max(float(one[name].max()) for one in groups)
    if len(groups) < 2 or not (np.isfinite(highest) and highest > 0):
        return 0.0
    return float(f"{highest / 4:.1g}")


def _shown(data: xr.Dataset, dim: str, number: int) -> str:
    at = data[dim]
    value = at.values[number]
    text = f"{value:.6g}" if at.dtype.kind == "f" else str(value)
    return f"{text} {at.attrs.get('units', '')}".rstrip()
