"""Draw one value per image over the train, with the scatter expected for counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.spectra.curves import AXES
from hrixs.spectra.errors import known_error
from hrixs.utils.errors import MissingDataError
from hrixs.utils.figures import BAND, COLOURS, GREY, add_legend_above, new_axes, set_title
from hrixs.utils.provenance import run_label, source_text
from hrixs.utils.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Most points that are drawn with error bars.
_MOST_BARS = 200
_AXES = (*AXES, "x")


def plot_per_train(
    values: xr.Dataset | xr.DataArray, ax: Axes | None = None, label: str | None = None
) -> Axes:
    """Draw one value per image over the number of its train in the run.

    Parameters
    ----------
    values : xarray.Dataset or xarray.DataArray, dims (trainId, ...)
        A result: photons are summed over the energy, intensities averaged. Or one value per image,
        for example the photons of each train.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    label : str, optional
        Name of the values; by default from their attributes.

    Returns
    -------
    matplotlib.axes.Axes
        With the mean and the scatter of the values. Photons have error bars if there are not too
        many points, and a band around the mean: the scatter expected for a constant rate. Trains
        without an image are gaps. The images of several runs are drawn one after another, with a
        colour and a mean for each run.

    Raises
    ------
    MissingDataError
        If there are no values per image.

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
    _draw_runs(ax, _runs_in(of_images), at, shown, error)
    above = shown if error is None else shown + error
    known = shown[np.isfinite(shown)]
    top = 1.05 * float(above[np.isfinite(above)].max(initial=0.0))
    ax.set_ylim(min(0.0, 1.05 * float(known.min(initial=0.0))), top if top > 0.0 else 1.0)
    what, units = _what(of_images) if label is None else (label, "")
    ax.set(xlabel=words, ylabel=f"{what} ({units})" if units else what)
    ax.locator_params(axis="x", integer=True)
    n_without = shown.size - known.size
    without = f"{n_without} of {shown.size} images without a value" if n_without else ""
    within = "trainId" in values.dims and _is_within(values)
    word = "train" if words.startswith("train") and not within else "image"
    set_title(ax, f"{what} per {word}", source, without)
    add_legend_above(ax, at, above)
    return ax


def _of_images(values: xr.Dataset | xr.DataArray) -> tuple[xr.DataArray, Floats | None]:
    """One value per image, and the errors of counts."""
    if isinstance(values, xr.Dataset):
        if "spectrum" not in values:
            raise MissingDataError(
                "the dataset has no spectrum. Make one first, with centroid, integrate or "
                "process_run."
            )
        values = values["spectrum"]
    along = [dim for dim in values.dims if dim in _AXES]
    counted = values.attrs.get("units") == "photons"
    if along:
        attrs = values.attrs
        values = values.sum(along) if counted else values.mean(along)
        values = values.assign_attrs(attrs)
    if not values.dims:
        raise MissingDataError(
            "the values have no dimension of images, expected one value per image: (trainId,)."
        )
    if values.ndim > 1:
        values = values.stack(hrixs_image=values.dims, create_index=False)
    error = known_error(values) if counted else None
    return values, None if error is None else np.asarray(error.values, dtype=np.float64)


def _places(values: xr.DataArray) -> tuple[Floats, str]:
    """Positions of images on the axis, and its label."""
    several_runs = "run" in values.coords and len(np.unique(values["run"].values)) > 1
    if several_runs or "trainId" not in values.coords or values["trainId"].dtype.kind not in "iu":
        return np.arange(values.size, dtype=np.float64), "image"
    trains = values["trainId"].values.astype(np.int64)
    first = int(trains.min()) if trains.size else 0
    words = f"train (from {first})" if first else "image"  # images of a file count from 0
    return (trains - first).astype(np.float64), words


def _runs_in(values: xr.DataArray) -> NDArray[np.str_]:
    """Name of the run of each image; ``''`` if not known."""
    if "run" in values.coords and values["run"].dims == values.dims:
        return np.array([run_label(str(one)) for one in values["run"].values])
    return np.array([""] * values.size)


def _draw_runs(
    ax: Axes, runs: NDArray[np.str_], at: Floats, shown: Floats, error: Floats | None
) -> None:
    """Draw points and mean of each run, in colours if there are several."""
    names = list(dict.fromkeys(runs.tolist()))
    bars = error is not None and shown.size <= _MOST_BARS
    for k, name in enumerate(names):
        own = runs == name
        colour, several = COLOURS[k % len(COLOURS)], len(names) > 1
        points: dict[str, Any] = {"fmt": ".", "ms": 6, "lw": 1, "color": colour}
        mean = _mean_text(shown[own])
        if several:
            ax.errorbar(
                at[own], shown[own], error[own] if bars and error is not None else None,
                label=f"{name}, {mean}", **points,
            )  # fmt: skip
            continue
        label = f"image {BAND}" if bars else None
        ax.errorbar(at, shown, error if bars else None, label=label, **points)
        known = shown[np.isfinite(shown)]
        if known.size:
            ax.axhline(float(known.mean()), color=GREY, lw=1.2, label=mean)
            _draw_expected(ax, float(known.mean()), counted=error is not None)


def _mean_text(values: Floats) -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return "no values"
    scatter = f", scatter {known.std(ddof=1):.3g}" if known.size > 1 else ""
    return f"mean {known.mean():.4g}{scatter}"


def _draw_expected(ax: Axes, mean: float, *, counted: bool) -> None:
    """Draw the scatter expected for counts at a constant rate."""
    if counted and mean > 0.0:
        expected = float(np.sqrt(mean))
        label = f"expected for counts: ± {expected:.3g}"
        ax.axhspan(mean - expected, mean + expected, color=GREY, alpha=0.2, lw=0, label=label)


def _what(values: xr.DataArray) -> tuple[str, str]:
    """Name and unit of the values; none needed for photons."""
    units = str(values.attrs.get("units", ""))
    if units.startswith("photons"):
        return units, ""
    return str(values.attrs.get("long_name", values.name or "value")), units


def _is_within(values: xr.Dataset | xr.DataArray) -> bool:
    own = values["spectrum"] if isinstance(values, xr.Dataset) else values
    return len([dim for dim in own.dims if dim not in _AXES]) > 1
