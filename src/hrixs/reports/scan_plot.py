"""Groups of images, as those of a scan, drawn as a map or as spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.reports.contents import Figure
from hrixs.reports.spectra_of import Spectra, units_of
from hrixs.reports.svg_plot import drawn
from hrixs.scans.map_plot import plot_map
from hrixs.spectra.plots import plot_spectra

# So many spectra in one figure; what has more groups is a map.
_MOST_SPECTRA = 6


def scan_figure(spectra: Spectra) -> Figure:
    """Draw the spectra of all groups: a few as spectra, more, or a RIXS map, as a map."""
    name = "normalized" if "normalized" in spectra.data else "spectrum"
    values = spectra.data[name]
    over = [str(dim) for dim in values.dims if dim != spectra.axis]
    is_map = "coverage" in spectra.data or spectra.data.attrs.get("algorithm") == "rixs_map"
    if len(over) == 1 and (is_map or values.sizes[over[0]] > _MOST_SPECTRA):
        return _map(spectra, name, over[0])
    return _several(values, over)


def _map(spectra: Spectra, name: str, over: str) -> Figure:
    shown, by = spectra.data, str(spectra.data[name].attrs.get("normalized_by", ""))
    if name == "spectrum":
        made, by = spectra.data["spectrum"], ""
        units = units_of(made)
        if units == "photons" and "counts" in spectra.data:
            made, units, by = made / spectra.data["counts"], "photons an image", "images"
        shown = spectra.data.assign(normalized=made.assign_attrs(units=units))
    caption = f"The spectrum of each step of {over}"
    caption += f", divided by {'the number of images' if by in ('counts', 'images') else by}" if by else ""

    def draw(ax: Any) -> None:
        plot_map(shown, ax, scale="sqrt")

    return drawn(
        draw, f"Map of the spectra over {over}.",
        f"{caption}. The colours follow the square root of the intensity, so that weak lines show.",
        size=(7.4, 4.6),
    )  # fmt: skip


def _several(values: xr.DataArray, over: list[str]) -> Figure:
    stacked = values.stack(group=over) if len(over) > 1 else values.rename({over[0]: "group"})
    n_groups = stacked.sizes["group"]
    chosen = np.unique(np.linspace(0, n_groups - 1, _MOST_SPECTRA).round().astype(int))
    chosen = chosen if n_groups > _MOST_SPECTRA else np.arange(n_groups)
    lines: dict[str, xr.DataArray] = {}
    for number in chosen:
        one = stacked.isel(group=int(number), drop=False)
        places = [values[dim].values[index] for dim, index in _places(values, over, int(number))]
        label = ", ".join(f"{dim} {_shown(at)}" for dim, at in zip(over, places, strict=True))
        lines[label] = one.drop_vars([c for c in one.coords if c not in one.dims])
    named = "The spectrum of each group" if len(chosen) == n_groups else (
        f"The spectra of {len(chosen)} of the {n_groups} groups"
    )

    def draw(ax: Any) -> None:
        plot_spectra(lines, ax)

    return drawn(draw, f"Spectra of groups over {', '.join(over)}.", f"{named}, over {', '.join(over)}.")


def _places(values: xr.DataArray, over: list[str], number: int) -> list[tuple[str, int]]:
    sizes = [values.sizes[dim] for dim in over]
    return [(dim, int(i)) for dim, i in zip(over, np.unravel_index(number, sizes), strict=True)]


def _shown(value: Any) -> str:
    return f"{value:.6g}" if np.asarray(value).dtype.kind == "f" else str(value)
