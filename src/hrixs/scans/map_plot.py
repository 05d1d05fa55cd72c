"""Maps drawn: over incident energy or delay, intensities or differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.utils.errors import MissingDataError, unknown_name
from hrixs.utils.figures import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# How the colour follows the values.
_SCALES = ("linear", "sqrt", "log")


def plot_map(data: xr.Dataset, ax: Axes | None = None, *, scale: str = "linear") -> Axes:
    """Draw a map: the energy (loss) of the photons to the right, incident energy or delay upwards.

    Parameters
    ----------
    data : xarray.Dataset
        As from `rixs_map`, or as from `difference` of spectra over a delay: with ``normalized`` or
        ``difference`` over two dimensions.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    scale : {'linear', 'sqrt', 'log'}
        How the colour follows the values of ``normalized``; what is not linear stands beside the
        colours. Differences are always linear, in colours that are white at 0.

    Returns
    -------
    matplotlib.axes.Axes
        The elastic line of a RIXS map is drawn as a thin line. What no spectrum reached is
        grey.

    Examples
    --------
    >>> axes = plot_map(hrixs.rixs_map(scan, normalize="I0"), scale="sqrt")  # doctest: +SKIP
    """
    from matplotlib.colors import LogNorm, Normalize, PowerNorm

    if scale not in _SCALES:
        raise ValueError(unknown_name("scale", scale, _SCALES))
    name = "difference" if "difference" in data else "normalized"
    values = data.get(name)
    if values is None or values.ndim != 2:
        shape = "nothing" if values is None else f"dimensions {values.dims}"
        raise MissingDataError(
            f"{name} has {shape}, expected a map of two, as from rixs_map or difference. Select "
            "first."
        )
    over, along = (str(dim) for dim in values.dims)
    if along not in ("energy", "energy_loss"):
        over, along = along, over
    values = values.transpose(over, along)
    ax = ax or new_axes()
    top = float(values.max())
    norm: Any = Normalize(min(0.0, float(values.min())), top)
    if name == "difference":
        top = float(abs(values).max())
        norm, scale = Normalize(-top, top), "linear"
    elif scale == "sqrt":
        norm = PowerNorm(0.5, vmin=0.0, vmax=top)
    elif scale == "log":
        least = float(values.where(values > 0).min())
        norm = LogNorm(vmin=max(least, 1e-4 * top), vmax=top, clip=True)
    x, y = data[along], data[over]
    borders = _borders(x.values), _borders(y.values)
    colours = "RdBu_r" if name == "difference" else "viridis"
    image = ax.pcolormesh(*borders, values.values, cmap=colours, norm=norm)
    ax.set_facecolor("0.75")
    shown = "" if scale == "linear" else f", {scale} scale"
    bar = ax.figure.colorbar(image, ax=ax)
    what = "pumped - unpumped, " if name == "difference" else ""
    bar.set_label(f"{what}{values.attrs.get('units', '')}{shown}")
    if along == "energy_loss":
        ax.axvline(0.0, color="grey" if name == "difference" else "white", lw=0.6, ls=":")
    elif along == "energy" and x.attrs.get("units") == y.attrs.get("units"):
        limits = ax.get_xlim(), ax.get_ylim()
        ax.axline((float(y[0]), float(y[0])), slope=1, color="white", lw=0.6, ls=":")
        ax.set(xlim=limits[0], ylim=limits[1])
    ax.set(xlabel=_label(x), ylabel=_label(y))
    ax.set_title("difference" if name == "difference" else "RIXS map")
    return ax


def _borders(centres: NDArray[Any]) -> NDArray[np.float64]:
    """Borders half way between centres, which need not be in equal steps."""
    at = np.asarray(centres, dtype=np.float64)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])


def _label(axis: xr.DataArray) -> str:
    units = axis.attrs.get("units", "")
    name = axis.attrs.get("long_name", axis.name)
    return f"{name} ({units})" if units else str(name)
