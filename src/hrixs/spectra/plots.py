"""Draw spectra and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import xarray as xr

from hrixs.spectra.curves import Curve, curves_of
from hrixs.spectra.errors import error_of
from hrixs.spectra.train_plot import plot_per_train
from hrixs.utils.errors import unknown_name
from hrixs.utils.figures import BAND, GREY, add_legend_above, axis_label, new_axes, set_title
from hrixs.utils.provenance import joined_sources, source_text
from hrixs.utils.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Drawable", "plot_difference", "plot_per_train", "plot_spectra"]

#: A result or a spectrum of it.
Drawable: TypeAlias = "xr.Dataset | xr.DataArray"

_SCALES = ("peak", "area")


def plot_spectra(
    spectra: Drawable | Mapping[str, Drawable],
    ax: Axes | None = None,
    *,
    scale: str | None = None,
    offset: float = 0.0,
    errors: bool = True,
) -> Axes:
    """Draw spectra as steps, in their own unit, with errors; the axis begins at 0.

    Parameters
    ----------
    spectra : xarray.Dataset or xarray.DataArray, or a dict of them by the names to show
        Spectra, or results: ``normalized`` is drawn if present, otherwise ``spectrum``. Over
        images, photons are summed, intensities averaged, and ``normalized`` is made from the sums;
        the legend says which. Groups, as from `aggregate`, have a line each.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    scale : {'peak', 'area'}, optional
        Divide each spectrum by its highest value, or by its area, to compare shapes; the legend
        shows the value. By default nothing is scaled. Nothing is ever subtracted.
    offset : float
        Vertical distance between successive spectra, in the unit of the plot.
    errors : bool
        Whether to draw a band of one standard deviation, if it is known (``data.hrixs.error``).

    Returns
    -------
    matplotlib.axes.Axes
        Bins without a value are gaps. The title names the run and the images.

    Raises
    ------
    ValueError
        If the spectra are in different units, or over different axes.
    MissingDataError
        If there is no spectrum.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs.spectra import plot_spectra
    >>> energy = xr.DataArray([530.0, 530.1, 530.2], dims="energy", attrs={"units": "eV"})
    >>> counts = xr.DataArray([[1, 8, 2], [0, 8, 3]], dims=["trainId", "energy"],
    ...                       coords={"energy": energy}, attrs={"units": "photons"})
    >>> ax = plot_spectra(xr.Dataset({"spectrum": counts}))
    >>> ax.get_ylabel(), ax.patches[0].get_data().values, ax.patches[0].get_label()
    ('photons', array([ 1., 16.,  5.]), 'sum of 2 images')
    """
    if scale is not None and scale not in _SCALES:
        raise ValueError(unknown_name("scale", scale, _SCALES))
    is_one = isinstance(spectra, xr.Dataset | xr.DataArray) or not isinstance(spectra, Mapping)
    given: dict[Any, Any] = {"": spectra} if is_one else dict(spectra)
    if not given:
        raise ValueError("no spectra were given: {}. Give a result, or a dict of them by name.")
    curves = [curve for name, one in given.items() for curve in curves_of(one, str(name))]
    _require_one(curves, scale)
    ax = ax or new_axes()
    shown = [curve if scale is None else _scaled(curve, scale) for curve in curves]
    colours = [_draw(ax, curve, k * offset) for k, curve in enumerate(shown)]
    if errors:
        _draw_errors(ax, shown, colours, offset)
    ends = [_ends(curve, k * offset, errors=errors) for k, curve in enumerate(shown)]
    low, high = (np.concatenate([end[side] for end in ends]) for side in (0, 1))
    _start_at_zero(ax, low, high)
    many = len(curves) > 1
    ax.set(xlabel=shown[0].axis, ylabel=_value_label(shown, scale, offset if many else 0.0))
    only = next(iter(given.values())) if len(given) == 1 else None
    source = joined_sources(given.values()) if only is None else source_text(only)
    set_title(ax, "spectra" if many else "spectrum", source)
    middles = [(one.edges[1:] + one.edges[:-1]) / 2 for one in shown]
    add_legend_above(ax, np.concatenate(middles), high)
    return ax


def _require_one(curves: Sequence[Curve], scale: str | None) -> None:
    axes: dict[str, str] = {}
    units: dict[str, str] = {}
    for curve in curves:
        axes.setdefault(curve.axis, curve.label)
        units.setdefault(curve.units, curve.label)
    if len(axes) > 1:
        told = ", ".join(f"{axis} ({label or 'spectrum'})" for axis, label in axes.items())
        raise ValueError(
            f"the spectra have different axes: {told}. Give them the same axis first, with "
            "hrixs.energy_loss or the same ENERGY_SLOPE and ENERGY_INTERCEPT, or draw each into "
            "its own axes."
        )
    if len(units) > 1 and scale is None:
        told = ", ".join(f"{unit or 'no unit'} ({label})" for unit, label in units.items())
        raise ValueError(
            f"the spectra have different units: {told}. Give scale='peak' or scale='area' to "
            "compare shapes, or draw each into its own axes."
        )


def _scaled(curve: Curve, scale: str) -> Curve:
    """The curve divided by its peak or area; unchanged, with a note in the label, if that is 0."""
    values = curve.values
    known = np.isfinite(values)
    by = float(values[known].max()) if known.any() else 0.0
    of = f"peak = {by:.4g} {curve.units}"
    if scale == "area":
        by = float((values * np.abs(np.diff(curve.edges)))[known].sum())
        of = f"area = {by:.4g} {curve.units} {_unit(curve.axis)}"
    if not by > 0.0:
        return curve.divided(1.0, f"{curve.label} (not scaled: nothing to divide by)".lstrip())
    return curve.divided(by, f"{curve.label} ({of.rstrip()})".lstrip())


def _draw(ax: Axes, curve: Curve, shift: float) -> Any:
    """Draw the steps of one spectrum; return their colour."""
    label = curve.label or "spectrum"
    label += f" {'+' if shift > 0 else '-'} {abs(shift):.4g}" if shift else ""
    label = f" {label}" if label.startswith("_") else label  # matplotlib would hide it
    values = curve.values + shift
    (line,) = ax.plot([], [])  # takes the next colour
    colour = line.get_color()
    line.remove()
    ax.stairs(values, curve.edges, baseline=None, color=colour, lw=1.5, label=label)
    return colour


def _draw_errors(ax: Axes, curves: Sequence[Curve], colours: Sequence[Any], offset: float) -> None:
    label: str | None = BAND
    for k, (curve, colour) in enumerate(zip(curves, colours, strict=True)):
        if curve.error is None:
            continue
        low, high = (curve.values + k * offset + side * curve.error for side in (-1, 1))
        known = np.isfinite(low) & np.isfinite(high)
        low, high = (np.where(known, one, np.nan) for one in (low, high))
        band = {"fill": True, "color": colour, "alpha": 0.35, "lw": 0, "label": label}
        ax.stairs(high, curve.edges, baseline=low, **band)
        label = None  # one label for all


def _ends(curve: Curve, shift: float, *, errors: bool) -> tuple[Floats, Floats]:
    """Lowest and highest drawn points of a curve."""
    error = np.nan_to_num(curve.error) if errors and curve.error is not None else 0.0
    return curve.values + shift - error, curve.values + shift + error


def _start_at_zero(ax: Axes, low: Floats, high: Floats) -> None:
    """Let the axis of the values begin at 0, or below if values are negative."""
    lowest = float(low[np.isfinite(low)].min(initial=0.0))
    known = high[np.isfinite(high)]
    top = ax.get_ylim()[1]
    if not known.size or known.max() <= 0.0:
        top = 0.0 if lowest < 0.0 else 1.0
    ax.set_ylim(1.05 * lowest, top)


def _value_label(curves: Sequence[Curve], scale: str | None, offset: float) -> str:
    what = curves[0].quantity
    if scale is not None:
        of = {"peak": "its peak", "area": f"its area (1 / {_unit(curves[0].axis)})"}[scale]
        what = f"intensity / {of}"
    where = "above" if offset > 0 else "below"
    return what + (f"\neach {abs(offset):.4g} {where} the one before" if offset else "")


def _unit(label: str) -> str:
    return label.rpartition("(")[2].rstrip(")") if "(" in label else "bin"


def plot_difference(
    difference: xr.Dataset, ax: Axes | None = None, *, relative: bool = False
) -> Axes:
    """Draw the difference of two spectra over the energy, with a band of one standard deviation.

    Parameters
    ----------
    difference : xarray.Dataset
        As from `hrixs.difference`, with ``energy`` as the only dimension.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    relative : bool
        Whether to draw the relative difference, in percent.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are other dimensions besides ``energy``.
    """
    name = "relative_difference" if relative else "difference"
    values, error = difference[name], error_of(difference, name)
    if values.dims not in (("energy",), ("energy_loss",)):
        raise ValueError(
            f"the difference has dimensions {values.dims}, expected ('energy',) or "
            "('energy_loss',). Select one first, for example with isel(hRIXS_delay=0)."
        )
    ax = ax or new_axes()
    scale = 100.0 if relative else 1.0
    what = "relative difference" if relative else "difference"
    energy = difference[values.dims[0]]
    ax.axhline(0.0, color=GREY, lw=1)
    low, high = scale * (values - error), scale * (values + error)
    ax.fill_between(energy, low, high, step="mid", alpha=0.35, lw=0, label=BAND)
    ax.step(energy, scale * values, where="mid", lw=1.5, label=what)
    units = "%" if relative else values.attrs.get("units", "")
    ax.set(xlabel=axis_label(energy), ylabel=f"{what} ({units})")
    set_title(ax, f"{what}, pumped and unpumped", source_text(difference), _frames(difference))
    add_legend_above(ax, energy.values, np.asarray(high.values))
    return ax


def _frames(difference: xr.Dataset) -> str:
    """Number of images of each side, if known."""
    known = [(name, difference.attrs.get(f"n_frames_{name}")) for name in ("pumped", "unpumped")]
    return ", ".join(f"{int(n)} images {name}" for name, n in known if n is not None)
