"""Find the elastic line of each run, and shift its spectra to the photon energy."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.dataset import numbers_of_energy
from hrixs.energy.line import LineFit, line_width
from hrixs.groups.grouping import groups_of
from hrixs.scans.joining import RUN
from hrixs.spectra.axes import on_axes_of
from hrixs.spectra.errors import moved_with_variances
from hrixs.spectra.rebin import equal_step, moved_variable
from hrixs.steps.record import recorded
from hrixs.utils.checks import number, require_dataset
from hrixs.utils.errors import MissingDataError, NoLineError, unknown_name, warn
from hrixs.utils.provenance import provenance
from hrixs.utils.typing import Floats

_DIM = "trainId"
#: Rows of the chip on both sides of the expected elastic line that are searched.
ROWS_BESIDE = 15.0
# A line needs at least this many standard deviations, and this distance from the ends.
_LEAST_SIGNIFICANCE, _NEAR_END = 5.0, 0.9


@recorded
def align_elastic(
    ds: xr.Dataset,
    *,
    by: str = RUN,
    elastic: float | xr.DataArray | None = None,
    within: float | None = None,
    region: tuple[float, float] | None = None,
) -> xr.Dataset:
    """Shift the spectra of each run or step so that its elastic line is at the photon energy.

    Parameters
    ----------
    ds : xarray.Dataset
        With ``spectrum (trainId, ..., energy)``, as from `concat` or `hRIXS.process_runs`.
    by : str
        What is shifted together: the images of a run, or images with the same value of a variable.
        With ``by='nrj'`` the steps of a scan, also if the values jitter.
    elastic : float or xarray.DataArray, optional
        Correct position of the elastic line, in the unit of the energy axis: one number, or one
        per image. Default: ``nrj`` of the run; without it the mean position found in all runs.
    within : float, optional
        Largest distance from there at which the line is searched, in the unit of the energy axis.
        Default: 15 rows of the chip.
    region : (float, float), optional
        Part of the energy axis that is searched in all runs, instead of `within`.

    Returns
    -------
    xarray.Dataset
        A new dataset, with all variables over ``energy`` shifted: each bin is divided between the
        two that it then overlaps, so counts are kept. ``drift`` is the shift of the run of each
        image before the correction, in pixels, and ``drift_err`` its standard deviation; both are
        NaN for runs without a line, whose spectra are not changed. ``attrs`` have ``not_aligned``,
        the names of those runs, and ``n_moved_out``, the counts shifted out of the axis.

    Raises
    ------
    MissingDataError
        There are no spectra, or no ``run``.
    ValueError
        The axis is not in equal bins, or no run has a line.

    Warns
    -----
    HrixsWarning
        For runs without a clear line.

    Notes
    -----
    The images of a run are summed, shifted to the mean photon energy if it changes in the run. In
    the sum the tallest line near the expected position is fitted, as by `line_width`. The error of
    the drift is ``centre_err`` of the line: its width divided by the square root of its photons.
    For integrated intensity this is too small, since neighbouring bins share it.

    Examples
    --------
    >>> joined = hrixs.concat([h.process_run(run) for run in (145, 146)])  # doctest: +SKIP
    >>> aligned = hrixs.align_elastic(joined)  # doctest: +SKIP
    >>> import numpy as np, xarray as xr
    >>> from hrixs import align_elastic, line_width
    >>> energy = 530 + 0.01 * np.arange(-100.0, 100.0)
    >>> lines = [200 * np.exp(-(((energy - 530 - off) / 0.04) ** 2)) for off in (0.0, 0.05)]
    >>> spectra = {"spectrum": (("trainId", "energy"), lines), "nrj": ("trainId", [530.0] * 2)}
    >>> ds = xr.Dataset(spectra,
    ...                 {"energy": ("energy", energy, {"units": "eV"}),
    ...                  "run": ("trainId", ["r0001", "r0002"])})
    >>> ds.spectrum.attrs |= {"units": "photons", "energy_slope": 0.02}
    >>> aligned = align_elastic(ds)
    >>> abs(aligned.drift.values.round(3)), round(line_width(aligned.spectrum[1]).centre, 3)
    (array([0. , 2.5]), 530.0)
    """
    require_dataset(ds, "spectra of several runs")
    if "spectrum" in ds and _DIM not in ds.dims and "frame" in ds["spectrum"].dims:
        options: dict[str, Any] = {"elastic": elastic, "within": within, "region": region}
        return align_elastic(ds.rename(frame=_DIM), by=by, **options).rename({_DIM: "frame"})
    if (
        "spectrum" not in ds
        or "energy" not in ds["spectrum"].dims
        or _DIM not in ds["spectrum"].dims
    ):
        raise MissingDataError("the dataset has no spectrum over trainId and energy.")
    of_image = _moved_together(ds, by)
    spectrum = ds["spectrum"]
    axis = np.asarray(spectrum["energy"].values, dtype=np.float64)
    step = equal_step(axis, "energy")
    slope = float(spectrum.attrs.get("energy_slope", 1.0))
    within = ROWS_BESIDE * abs(slope) if within is None else number("within", within)
    expected = _expected(ds, elastic)
    names = list(dict.fromkeys(of_image.tolist()))
    fits: dict[str, LineFit] = {}
    weak: dict[str, str] = {}
    places: dict[str, float] = {}
    any_known = bool(np.isfinite(expected).any())
    for name in names:
        here = np.flatnonzero(of_image == name)
        total, places[name] = _added(spectrum.isel({_DIM: here}), expected[here], step)
        if any_known and not np.isfinite(places[name]):
            weak[name] = "it has no photon energy nrj, which others have."
            continue
        ends = _ends(axis, places[name], within) if region is None else tuple(sorted(region))
        try:
            fits[name] = _line(total, *ends)
        except (NoLineError, ValueError) as error:
            weak[name] = str(error)
    if not fits:
        raise NoLineError(
            f"no elastic line in any of {len(names)} {_what(by)}: {next(iter(weak.values()))} Give "
            "region or within, or leave align out."
        )
    if weak:
        told = "; ".join(f"{name}: {why}" for name, why in list(weak.items())[:3])
        warn(
            f"{len(weak)} of {len(names)} {_what(by)} have no clear elastic line and are left as "
            f"they are: {told}"
        )
    common = _mean_centre(fits)
    drift = {  # in the unit of the axis
        name: fit.centre - (places[name] if np.isfinite(places[name]) else common)
        for name, fit in fits.items()
    }
    off = np.array([drift.get(name, np.nan) for name in of_image])
    sigma = np.array([fits[name].centre_err if name in fits else np.nan for name in of_image])
    result = _moved(ds, -np.nan_to_num(off) / step, off / slope)
    result["drift"] = _per_image(off / slope, "shift along the energy of the run's elastic line")
    result["drift_err"] = _per_image(sigma / abs(slope), "standard deviation")
    lost = float(spectrum.sum()) - float(result["spectrum"].sum())
    attrs = provenance(
        str(ds.attrs.get("algorithm", "align_elastic")), aligned=True, align="elastic",
        align_within=within, align_region=region, not_aligned=", ".join(weak),
        n_moved_out=round(lost, 6),
    )  # fmt: skip
    return result.assign_attrs(attrs)


def _moved_together(ds: xr.Dataset, by: str) -> NDArray[Any]:
    """Name of the run, or of the step, of each image."""
    if by not in ds.variables or ds[by].dims != (_DIM,):
        if by == RUN:
            raise MissingDataError(
                "the dataset has no coordinate 'run' over trainId, expected the result of "
                "process_runs, or of concat. For the steps of a scan give by='nrj'."
            )
        known = [str(name) for name, one in ds.variables.items() if one.dims == (_DIM,)]
        raise MissingDataError(unknown_name("variable", by, known))
    if by == RUN:
        return ds[by].values.astype(str)
    try:
        (groups,) = groups_of(ds, by, _DIM, tolerance="auto")
    except (ValueError, TypeError):
        (groups,) = groups_of(ds, by, _DIM)
    labels = np.array([f"{by} {_shown(value)}" for value in groups.value] + ["no group"])
    return labels[groups.number]


def _what(by: str) -> str:
    return "runs" if by == RUN else "steps"


def _shown(value: Any) -> str:
    return f"{value:.7g}" if np.asarray(value).dtype.kind == "f" else str(value)


def _expected(ds: xr.Dataset, elastic: float | xr.DataArray | None) -> Floats:
    """Where the elastic line of each image belongs; NaN where that is not known."""
    n = ds.sizes[_DIM]
    if elastic is None:
        known = "nrj" in ds.variables and ds["energy"].attrs.get("units") == "eV"
        return numbers_of_energy(ds["nrj"]) if known else np.full(n, np.nan)
    if isinstance(elastic, xr.DataArray):
        elastic = on_axes_of(ds, elastic, "elastic")
    values = np.asarray(elastic, dtype=np.float64)
    if values.shape not in ((), (n,)):
        raise ValueError(
            f"elastic has shape {values.shape}, expected a number, or one for each image."
        )
    return np.broadcast_to(values, n).copy()


def _added(spectrum: xr.DataArray, expected: Floats, step: float) -> tuple[xr.DataArray, float]:
    """Sum of a run's spectra, moved to the mean of where the lines belong; and that."""
    known = np.isfinite(expected)
    mean = float(expected[known].mean()) if known.any() else np.nan
    within = [dim for dim in spectrum.dims if dim != "energy"]
    if known.any() and np.ptp(expected[known]) >= abs(step):
        shifts = xr.DataArray((mean - expected[known]) / step, dims=_DIM)
        used = spectrum.isel({_DIM: np.flatnonzero(known)})
        moved = moved_variable(used, "energy", shifts, spectrum.sizes["energy"])
        spectrum = moved.assign_coords(energy=spectrum["energy"])
    return spectrum.sum(within, keep_attrs=True).compute(), mean


def _ends(axis: Floats, place: float, within: float) -> tuple[float, float]:
    if not np.isfinite(place):
        return float(axis.min()), float(axis.max())
    return place - within, place + within


def _line(total: xr.DataArray, low: float, high: float) -> LineFit:
    """The tallest line between two ends, or an error that says why there is none."""
    axis = total["energy"].values
    near = total.isel(energy=np.flatnonzero((axis >= low) & (axis <= high)))
    units = total["energy"].attrs.get("units", "")
    where = f"between {low:.6g} and {high:.6g} {units}".rstrip()
    if near.sizes["energy"] < 6:
        raise NoLineError(
            f"{near.sizes['energy']} bins lie {where}, on an axis from {axis.min():.6g} to "
            f"{axis.max():.6g}."
        )
    counted = total.attrs.get("units") == "photons" and float(near.min()) >= 0
    fit = line_width(near, noise="poisson" if counted else "gaussian")
    significance = fit.area / fit.area_err if fit.area_err > 0 else np.inf
    if not (significance >= _LEAST_SIGNIFICANCE and np.isfinite(fit.centre_err)):
        raise NoLineError(f"the line {where} has {significance:.1f} standard deviations.")
    middle = (low + high) / 2
    inside = _NEAR_END * (high - low) / 2
    if abs(fit.centre - middle) > inside:
        raise NoLineError(f"the tallest light {where} is at {fit.centre:.6g}, at the end of it.")
    return fit


def _mean_centre(fits: dict[str, LineFit]) -> float:
    centres = np.array([fit.centre for fit in fits.values()])
    weights = np.array([1 / max(fit.centre_err, 1e-12) ** 2 for fit in fits.values()])
    return float(np.average(centres, weights=weights))


def _moved(ds: xr.Dataset, bins: Floats, rows: Floats) -> xr.Dataset:
    """All that lies along the energy moved by so many bins, and photons by so many rows."""
    shifts = xr.DataArray(bins.round(9), dims=_DIM)
    result = ds.copy(deep=False)
    n_bins = ds.sizes["energy"]
    over_energy = [str(n) for n, v in ds.data_vars.items() if {"energy", _DIM} <= set(v.dims)]
    moved = moved_with_variances(
        ds,
        over_energy,
        lambda one: moved_variable(one, "energy", shifts, n_bins).transpose(*one.dims),
    )
    result = result.drop_vars(over_energy).assign({n: one.variable for n, one in moved.items()})
    if "photon_y" in ds and "photon_frame" in ds:
        frames_per_image = int(np.prod(ds["spectrum"].shape[1:-1], dtype=np.int64))
        image = ds["photon_frame"].values // frames_per_image
        y = ds["photon_y"]
        result["photon_y"] = y.copy(data=y.values - np.nan_to_num(rows)[image])
    return result


def _per_image(values: Floats, text: str) -> Any:
    return (_DIM, values, {"units": "px", "long_name": text})
