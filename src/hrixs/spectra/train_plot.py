"""One value for each image drawn over the train, with what counts scatter by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.spectra.curves import AXES
from hrixs.spectra.errors import known_error
from hrixs.utils.errors import MissingDataError
from hrixs.utils.figures import BLUE, COLOURS, GREY, add_legend_above, new_axes, set_title
from hrixs.utils.provenance import run_label, source_text
from hrixs.utils.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Points that have room for an error bar each.
_MOST_BARS = 200
_AXES = (*AXES, "x")


def plot_per_train(
    values: xr.Dataset | xr.DataArray, ax: Axes | None = None, label: str | None = None
) -> Axes:
    """Draw one value for each image, over the number of its train in the run.

    Parameters
    ----------
    values : xarray.Dataset or xarray.DataArray, dims (trainId, ...)
        A result, of which photons are added up over the energy, and intensities averaged; or one
        value for each image, for example the photons of each train.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    label : str, optional
        What the values are; by default what their attributes say.

    Returns
    -------
    matplotlib.axes.Axes
        With the mean and the scatter of the values. Photons have error bars, or, where they are
        many, only a band around the mean: what counts of one and the same rate scatter by. Trains
        without an image are gaps. Of several runs, images stand one after another, in a colour
        for each run.

    Raises
    ------
    MissingDataError
        If there is no value for each image.

    Examples
    --------
    >>> import xarray as xr
    >>> from hrixs.spectra import plot_per_train
    >>> photons = xr.DataArray([90, 110, 103], dims="trainId", coords={"trainId": [7, 8, 10]},
    ...                        attrs={"units": "photons"})
    >>> ax = plot_per_train(photons)
    >>> ax.get_ylabel(), ax.get_xlabel()
    ('photons', 'train (from 7)')
    """
    source = source_text(values)
    of_images, error = _of_images(values)
    at, words = _places(of_images)
    shown = np.asarray(of_images.values, dtype=np.float64)
    ax = ax or new_axes()
    if shown.size <= _MOST_BARS and error is not None:
        _draw_runs(ax, of_images, at, shown, error)
    else:
        _draw_runs(ax, of_images, at, shown, None)
    known = shown[np.isfinite(shown)]
    highest = shown if error is None else shown + error
    _draw_mean(ax, known, counted=error is not None)
    highest = highest[np.isfinite(highest)]
    top = 1.05 * float(highest.max(initial=0.0))
    ax.set_ylim(min(0.0, 1.05 * float(known.min(initial=0.0))), top if top > 0.0 else 1.0)
    what = label or _what(of_images)
    ax.set(xlabel=words, ylabel=what)
    n_without = shown.size - known.size
    without = f"{n_without} of {shown.size} images without a value" if n_without else ""
    set_title(ax, f"{what} per {_word(values)}", source, without)
    above = np.asarray(shown if error is None else shown + error)
    add_legend_above(ax, at, above)
    return ax


def _of_images(values: xr.Dataset | xr.DataArray) -> tuple[xr.DataArray, Floats | None]:
    """One value for each image in a row, and the errors of counts."""
    if isinstance(values, xr.Dataset):
        if "spectrum" not in values:
            raise MissingDataError("the dataset has no spectrum; make one first.")
        values = values["spectrum"]
    along = [dim for dim in values.dims if dim in _AXES]
    counted = values.attrs.get("units") == "photons"
    if along:
        attrs = values.attrs
        values = values.sum(along) if counted else values.mean(along)
        values = values.assign_attrs(attrs)
    if not values.dims:
        raise MissingDataError(
            "the values have no dimension of images, expected one for each: (trainId,)."
        )
    if values.ndim > 1:
        values = values.stack(hrixs_image=values.dims, create_index=False)
    error = known_error(values) if counted else None
    return values, None if error is None else np.asarray(error.values, dtype=np.float64)


def _places(values: xr.DataArray) -> tuple[Floats, str]:
    """Where images stand, and what that is."""
    several_runs = "run" in values.coords and len(np.unique(values["run"].values)) > 1
    if several_runs or "trainId" not in values.coords or values["trainId"].dtype.kind not in "iu":
        return np.arange(values.size, dtype=np.float64), "image"
    trains = values["trainId"].values.astype(np.int64)
    first = int(trains.min()) if trains.size else 0
    return (trains - first).astype(np.float64), f"train (from {first})"


def _draw_runs(
    ax: Axes, values: xr.DataArray, at: Floats, shown: Floats, error: Floats | None
) -> None:
    """Points, in a colour and with a name for each run where there are several."""
    runs: NDArray[np.str_] = np.array([""] * shown.size)
    if "run" in values.coords and values["run"].dims == values.dims:
        runs = np.array([run_label(str(one)) for one in values["run"].values])
    names = list(dict.fromkeys(runs.tolist()))
    for k, name in enumerate(names):
        own = runs == name
        label = (
            name
            if len(names) > 1
            else "image ± 1 standard deviation"
            if error is not None
            else None
        )
        colour = COLOURS[k % len(COLOURS)] if len(names) > 1 else BLUE
        bars = None if error is None else error[own]
        ax.errorbar(at[own], shown[own], bars, fmt=".", ms=6, lw=1, color=colour, label=label)


def _draw_mean(ax: Axes, known: Floats, *, counted: bool) -> None:
    if not known.size:
        return
    mean, scatter = float(known.mean()), float(known.std(ddof=1)) if known.size > 1 else 0.0
    text = f"mean {mean:.4g}, scatter {scatter:.2g}" if known.size > 1 else f"mean {mean:.4g}"
    ax.axhline(mean, color=GREY, lw=1.2, label=text)
    if counted and mean > 0.0:
        expected = float(np.sqrt(mean))
        label = f"expected of counts: ± {expected:.2g}"
        ax.axhspan(mean - expected, mean + expected, color=GREY, alpha=0.2, lw=0, label=label)


def _what(values: xr.DataArray) -> str:
    units = str(values.attrs.get("units", ""))
    if units == "photons":
        return units
    name = str(values.attrs.get("long_name", values.name or "value"))
    return f"{name} ({units})" if units else name


def _word(values: xr.Dataset | xr.DataArray) -> str:
    return "train" if "trainId" in values.dims and not _is_within(values) else "image"


def _is_within(values: xr.Dataset | xr.DataArray) -> bool:
    own = values["spectrum"] if isinstance(values, xr.Dataset) else values
    return len([dim for dim in own.dims if dim not in _AXES]) > 1
