"""The picture of ``--plot``: what was written, with the image and the photons of each train."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hrixs.camera.plots import plot_image
from hrixs.cli.events import is_photons
from hrixs.curvature.photon_fit import PhotonCurvatureFit
from hrixs.curvature.plots import plot_curvature, plot_photon_curvature, plot_photons
from hrixs.doubt_rules.listing import doubts
from hrixs.scans.map_plot import plot_map
from hrixs.spectra.curves import MOST_GROUPS, groups_of
from hrixs.spectra.plots import plot_spectra
from hrixs.spectra.train_plot import plot_per_train
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.atomic_files import replaced_at_once
from hrixs.utils.figures import VERMILION, add_legend_on_image, draw_curve, new_figure
from hrixs.utils.provenance import source_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 120
# Letters in a line over the whole figure, and grave doubts that are told in full.
_LINE, _MOST_DOUBTS = 130, 3


def draw_map(result: xr.Dataset, method: str, path: Path) -> None:
    """Draw the map that was made, and say where."""
    figure, axes = new_figure([["map"]], (10, 7))
    plot_map(result, axes["map"], scale="sqrt")
    _finish(figure, result, f"method {method}", path)


def draw_run(
    h: hRIXS, source: Any, spectra: xr.Dataset, result: xr.Dataset, method: str, path: Path
) -> None:
    """Draw the image with its curve, the result, and the photons of each train; say where.

    Parameters
    ----------
    h : hRIXS
        With the settings of the result.
    source
        The run, images or photons that it is of.
    spectra : xarray.Dataset
        Of each image.
    result : xarray.Dataset
        What was written, perhaps grouped and normalised.
    method, path
        How spectra were made; the file to write.
    """
    figure, axes = new_figure([["image", "spectrum"], ["image", "trains"]], (15, 8.5))
    _draw_image(axes["image"], h, source, spectra)
    _draw_result(axes["spectrum"], result)
    plot_per_train(spectra, axes["trains"])
    _finish(
        figure, spectra, "photons of a list" if is_photons(source) else f"method {method}", path
    )


def draw_together(spectra: xr.Dataset, result: xr.Dataset, method: str, path: Path) -> None:
    """Draw a result of several runs, with a line for each where there are few; say where."""
    figure, axes = new_figure([["spectrum"], ["trains"]], (11, 9))
    _draw_result(axes["spectrum"], result)
    plot_per_train(spectra, axes["trains"])
    _finish(figure, spectra, f"method {method}", path)


def _draw_image(ax: Axes, h: hRIXS, source: Any, spectra: xr.Dataset) -> None:
    fit = h.curvature_fit
    if not is_photons(source):
        image = h.mean_image(source)
        if fit is not None:
            plot_curvature(image, fit, ax)
            return
        plot_image(image, ax)
        x = image["x"].values.astype(np.float64)
        line = _brightest_row(spectra) + h.curvature(x)
        draw_curve(ax, x, line, "curvature")
        add_legend_on_image(ax, line)
    elif isinstance(fit, PhotonCurvatureFit):
        plot_photon_curvature(source, fit, ax)
    else:
        plot_photons(source, ax, curvature=h.curvature)


def _brightest_row(spectra: xr.Dataset) -> float:
    """Row of the chip, at column 0, of the highest bin of all images."""
    spectrum = spectra["spectrum"]
    total = spectrum.mean([dim for dim in spectrum.dims if dim != "energy"])
    at = float(spectra["energy"].values[int(np.argmax(total.fillna(0.0).values))])
    intercept, slope = (spectrum.attrs[f"energy_{name}"] for name in ("intercept", "slope"))
    return (at - float(intercept)) / float(slope)


def _draw_result(ax: Axes, result: xr.Dataset) -> None:
    """The spectra that were written: each run's, each group's, or, of many groups, a map."""
    name = "normalized" if "normalized" in result else "spectrum"
    groups = groups_of(result)
    n_groups = int(np.prod([result.sizes[dim] for dim in groups]))
    if n_groups <= MOST_GROUPS:
        plot_spectra(_by_run(result), ax)
    elif len(groups) == 1:
        plot_map(result[[name]].assign_attrs(result.attrs), ax)
    else:
        over = ", ".join(groups)
        text = f"{n_groups} spectra over {over}:\ntoo many to draw, all are in the file"
        ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
        ax.set_axis_off()


def _by_run(result: xr.Dataset) -> xr.Dataset | dict[str, xr.Dataset]:
    """Images of each of several runs."""
    if "run" not in result.coords or result["run"].ndim != 1 or result["run"].dims == ("run",):
        return result
    runs = result["run"].values
    names = list(dict.fromkeys(map(str, runs)))
    if not 1 < len(names) <= MOST_GROUPS:
        return result
    dim = result["run"].dims[0]
    return {name: result.isel({dim: np.flatnonzero(runs == name)}) for name in names}


def _finish(figure: Figure, data: xr.Dataset, how: str, path: Path) -> None:
    """Write once for all what it is of, and what makes it doubtful; save, and say where."""
    source = source_text(data)
    for ax in figure.axes:
        title = ax.get_title().removesuffix(f"\n{source}")
        ax.set_title(title.removesuffix(f"\n{source_text(data, images=False)}"))
    figure.suptitle(", ".join(one for one in (source, how) if one), fontsize=15)
    grave = [str(one) for one in _doubts(data) if one.grave]
    if grave:
        more = [f"and {len(grave) - _MOST_DOUBTS} more"] if len(grave) > _MOST_DOUBTS else []
        lines = [line for one in grave[:_MOST_DOUBTS] for line in textwrap.wrap(f"! {one}", _LINE)]
        figure.supxlabel("\n".join([*lines, *more]), color=VERMILION, fontsize=11)
    with replaced_at_once(path) as part:
        figure.savefig(part, dpi=_DPI, format=path.suffix.lstrip(".") or "png")
    print(f"wrote {path}")


def _doubts(data: xr.Dataset) -> list[Any]:
    try:
        return list(doubts(data))
    except LookupError:  # it was never checked
        return []
