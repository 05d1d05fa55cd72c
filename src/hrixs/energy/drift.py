"""Drift of the spectrum during a run: measure it from the photons, and correct it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.energy.rows import ends_of, spectrum_rows
from hrixs.energy.shifts import LEAST_PHOTONS, GroupedPhotons, Shifts, smooth_drift
from hrixs.spectra.errors import known_variance, moved_with_variances
from hrixs.spectra.rebin import equal_step, moved_variable
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset, require_photon_table, whole_number
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.provenance import first_pixel_of, provenance
from hrixs.utils.typing import Floats

Integers = NDArray[np.int64]

# Bits of a photon's flag: its fit did not converge, or left the brightest pixel.
_NOT_PLACED = 1 | 2
# Share of the region's photons near its ends above which one is told.
_MOST_LEFT_OUT = 0.2


@recorded
def align(
    data: xr.Dataset,
    *,
    photons_per_group: int = 500,
    trains_per_group: int | None = None,
    curvature: CurveLike = (0.0, 0.0),
    region: tuple[float, float] | None = None,
    max_shift: float = 10.0,
    smoothing: float = 0.8,
    slow_drift: bool = False,
) -> xr.Dataset:
    """Measure the shift of each group of trains relative to the sum of all, and correct it.

    Parameters
    ----------
    data : xarray.Dataset
        A photon table, as from `find_photons`; or a dataset with counted spectra,
        ``spectrum (trainId, energy)`` or over ``y``.
    photons_per_group : int
        Approximate number of photons per group: successive trains (without ``trainId``: frames)
        are joined to groups.
    trains_per_group : int, optional
        Trains per group, instead of that.
    curvature : Curvature or (float, float)
        The curve of the lines, or ``(CURVE_A, CURVE_B)``, for a photon table.
    region : (float, float), optional
        Rows of the curvature-corrected positions that are compared: in the rows of ``y`` for a
        photon table and for spectra over ``y``; in rows of the full chip for spectra over
        ``energy``. By default all rows of the frame. If the attributes of a photon table do not
        give them: the rows of its photons, with `max_shift` added on both sides.
    max_shift : float
        Largest shift to search, in pixels. Photons within this distance of the ends of the region
        are not compared.
    smoothing : float
        Standard deviation in pixels by which the summed spectrum is smoothed; it should be smaller
        than that of the lines.
    slow_drift : bool
        Whether the shifts follow a smooth drift from group to group; the smoothness is estimated
        from the shifts. This reduces their noise, but blurs a jump.

    Returns
    -------
    xarray.Dataset
        A new dataset. For a photon table: ``y`` minus the shift of the photon's group, the
        coordinate ``group_number``, and over dim ``group``: ``drift``, ``drift_err`` (pixels, one
        standard deviation), ``n_compared`` (photons) and the first train of each group. For
        spectra: the shifted spectra (each bin is divided between the two that it overlaps, so
        counts are kept), and ``drift``, ``drift_err``, ``group_number`` for each of them. For a
        run processed with its photons, ``photon_y`` is corrected, too. The mean drift over all
        photons is 0; with `slow_drift` the mean weighted by 1 / error² is 0.

    Raises
    ------
    MissingDataError
        If there are neither photons nor spectra.
    ValueError
        If there are fewer than two groups with photons, the region is too small, or the spectra
        are not counts.

    Warns
    -----
    HrixsWarning
        For groups with too few photons, which are not shifted, and for those whose best shift is
        the largest allowed; if the tallest line, or a fifth of the photons, is too near to the
        ends of the region to be compared; for photons of a processed run that cannot be corrected.

    Notes
    -----
    The likelihood is that of the group's photons under the smoothed sum of all other groups; sum
    and shifts are improved in turns. The uncertainty is the scatter of the photons' slopes of the
    log-likelihood over its bend (a sandwich estimate). The position of a line of n photons and
    standard deviation s, without background, cannot be known better than s / sqrt(n).

    Photons whose fit failed (bits 1 and 2 of ``flag``) are shifted, but not compared. For pixel
    phases use the original table, since positions are shifted.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import align
    >>> rng = np.random.default_rng(1)
    >>> frame = np.repeat(np.arange(10), 200)
    >>> y = rng.normal(50, 1.3, 2000) + 0.2 * (frame - 4.5)
    >>> photons = xr.Dataset(
    ...     {"x": ("photon", y * 0), "y": ("photon", y), "double": ("photon", y < 0)},
    ...     coords={"frame": ("photon", frame)},
    ... )
    >>> aligned = align(photons, photons_per_group=200, region=(20, 80))
    >>> round(float(aligned.drift[-1] - aligned.drift[0]), 1), round(float(aligned.y.std()), 1)
    (2.0, 1.3)
    """
    require_dataset(data, "a photon table, or a dataset with spectra")
    if not (max_shift > 0 and smoothing > 0):
        raise ValueError(
            f"max_shift = {max_shift!r}, smoothing = {smoothing!r}, expected positive pixels."
        )
    settings: dict[str, Any] = {
        "photons_per_group": None if trains_per_group else photons_per_group,
        "trains_per_group": trains_per_group,
        "region": region,
        "max_shift": max_shift,
        "smoothing": smoothing,
        "slow_drift": slow_drift,
    }
    if {"x", "y"} <= set(data.data_vars) and "photon" in data.dims:
        return _align_photons(data, Curvature.of(curvature), settings)
    if "spectrum" in data:
        return _align_spectra(data, settings)
    raise MissingDataError(
        f"the dataset has {', '.join(map(str, data.data_vars)) or 'no variables'}, expected a "
        "photon table with x, y and double, or spectra."
    )


def _align_photons(photons: xr.Dataset, curve: Curvature, settings: dict[str, Any]) -> xr.Dataset:
    require_photon_table(photons, "x", "y", "double", "frame")
    if photons.attrs.get("frames_told", 1) == 0:
        raise ValueError(
            "the photon table does not say which frame each photon is from, and one frame has no "
            "drift. Give the frames: photon_table_from(x, y, frame=...)."
        )
    key = "trainId" if "trainId" in photons.coords else "frame"
    of_photon = photons[key].values
    of_frames = photons[f"frames_{key}"].values if f"frames_{key}" in photons.coords else of_photon
    trains, number = np.unique(np.concatenate([of_photon, of_frames]), return_inverse=True)
    number = number[: len(of_photon)]
    weight = np.where(photons["double"].values, 2.0, 1.0)
    placed = np.ones(len(weight), bool)
    if "flag" in photons:
        placed = (photons["flag"].values & _NOT_PLACED) == 0
    per_train = np.bincount(number, weight * placed, len(trains)).astype(np.float64)
    group_of_train = _groups(per_train, settings)
    group = group_of_train[number]
    bend = curve(photons["x"].values)
    position = photons["y"].values - bend
    shifts, n_compared = _measured(
        position[placed], weight[placed], weight[placed], group[placed], settings,
        ends=ends_of(photons, position, bend, settings["max_shift"]),
        rows_of=_whose_rows(photons.attrs),
    )  # fmt: skip
    stale = [name for name, v in photons.variables.items() if "group" in v.dims]
    result = photons.drop_vars(stale).copy(deep=False)
    result["y"] = photons["y"] - shifts.shift[group]
    result["y"].attrs = dict(photons["y"].attrs)
    first = trains[np.searchsorted(group_of_train, np.arange(len(shifts.shift)))]
    result = result.assign_coords(
        {
            "group_number": ("photon", group, {"long_name": "number of the group of trains"}),
            f"first_{key}": ("group", first, {"long_name": "first of the group"}),
        }
    )
    result = result.assign(_shift_variables("group", shifts, n_compared))
    return _with_provenance(
        result, settings | curve.attrs(),
        n_flagged_not_compared=int((~placed).sum()),
    )  # fmt: skip


def _align_spectra(data: xr.Dataset, settings: dict[str, Any]) -> xr.Dataset:
    spectrum = data["spectrum"]
    if spectrum.ndim != 2 or not {"energy", "y"} & set(spectrum.dims):
        raise ValueError(
            f"the spectra have dimensions {spectrum.dims}, expected (trainId, energy) or one other "
            "in place of trainId. Select or add up the rest first."
        )
    axis = "energy" if "energy" in spectrum.dims else "y"
    (dim,) = (str(name) for name in spectrum.dims if name != axis)
    counts = np.asarray(spectrum.transpose(dim, axis).values, dtype=np.float64)
    if not (np.isfinite(counts).all() and counts.min() >= 0):
        raise ValueError(
            "the spectra have values that are negative or NaN, expected counted photons, as from "
            "centroid. Integrated intensity can't be aligned by the statistics of photons."
        )
    known = known_variance(data)
    variance = counts if known is None else known.transpose(dim, axis).values
    rows = spectrum_rows(spectrum, axis)
    step = equal_step(rows, axis)
    group_of_train = _groups(counts.sum(axis=1), settings)
    train, column = np.nonzero(counts)
    # Bins of a pixel must not show as a comb in the template.
    wide = settings | {"smoothing": max(settings["smoothing"], 0.6 * abs(step))}
    shifts, n_compared = _measured(
        rows[column], counts[train, column], variance[train, column], group_of_train[train], wide,
        ends=(float(rows.min()) - abs(step) / 2, float(rows.max()) + abs(step) / 2),
        rows_of=_whose_rows(spectrum.attrs) if axis == "y" else "the full chip",
    )  # fmt: skip
    spread = Shifts(shifts.shift[group_of_train], shifts.error[group_of_train])
    in_bins = xr.DataArray((-spread.shift / step).round(9), dims=dim)
    result = data.copy(deep=False)
    over_axis = [str(name) for name, v in data.data_vars.items() if axis in v.dims]
    moved = moved_with_variances(
        data,
        over_axis,
        lambda one: moved_variable(one, axis, in_bins, len(rows)).transpose(*one.dims),
    )
    result = result.drop_vars(over_axis).assign(
        {name: values.variable for name, values in moved.items()}
    )
    if "photon_y" in data:
        result["photon_y"] = _moved_photons(data, dim, spread.shift)
    result = result.assign(_shift_variables(dim, spread, n_compared[group_of_train]))
    result = result.assign_coords(group_number=(dim, group_of_train))
    lost = float(counts.sum() - result["spectrum"].sum())
    return _with_provenance(result, settings, n_moved_out=round(lost, 6))


def _whose_rows(attrs: Mapping[Hashable, Any]) -> str:
    return "the crop" if first_pixel_of(attrs) is None else "the full chip"


def _moved_photons(data: xr.Dataset, dim: str, shift: Floats) -> xr.DataArray:
    """``photon_y`` of a processed run, each less the shift of its train."""
    y = data["photon_y"]
    if dim == "trainId" and {"photon_frame", "photon_trainId"} <= set(data.variables):
        frame, ids = data["photon_frame"].values, data["trainId"].values
        if not len(frame):
            return y
        if frame.max() < len(ids) and (ids[frame] == data["photon_trainId"].values).all():
            return y.copy(data=y.values - shift[frame])
    warn(
        "photon_y stays as it was: the photons' frames are not those of the spectra, or are not "
        "known. Align photon_table(result) of the whole run to move them."
    )
    return y


def _groups(per_train: Floats, settings: dict[str, Any]) -> Integers:
    """Number of the group of each train, ascending; a small rest belongs to the last group."""
    n_trains = len(per_train)
    if settings["trains_per_group"] is not None:
        size = whole_number("trains_per_group", settings["trains_per_group"])
        return np.minimum(np.arange(n_trains) // size, max(n_trains // size, 1) - 1)
    size = whole_number("photons_per_group", settings["photons_per_group"])
    before = np.cumsum(per_train) - per_train
    group = np.unique(before // size, return_inverse=True)[1]
    if n_trains and group[-1] and per_train[group == group[-1]].sum() < size / 2:
        group = np.minimum(group, group[-1] - 1)
    return np.asarray(group, dtype=np.int64)


def _measured(
    position: Floats, weight: Floats, variance: Floats, group: Integers, settings: dict[str, Any],
    *, ends: tuple[float, float], rows_of: str,
) -> tuple[Shifts, Floats]:  # fmt: skip
    """Shifts of the groups and photons compared of each."""
    if not len(position):
        raise ValueError("there is no photon to align.")
    low, high = ends
    if settings["region"] is not None:
        low, high = sorted(float(end) for end in settings["region"])
    max_shift = float(settings["max_shift"])
    if not high - low > 3 * max_shift:
        raise ValueError(
            f"the region from row {low:g} to {high:g} is too small for max_shift = {max_shift:g}, "
            "expected more than three times that. Give a smaller max_shift, or a larger region."
        )
    grouped = GroupedPhotons(
        position, weight, variance, group, n_groups=int(group.max()) + 1, region=(low, high),
        max_shift=max_shift, smoothing=float(settings["smoothing"]),
    )  # fmt: skip
    shifts = grouped.shifts()
    n_groups, n_few = len(shifts.shift), int(shifts.too_few.sum())
    n_enough = int((grouped.n_compared >= LEAST_PHOTONS).sum())
    compared = f"rows {low + max_shift:g} to {high - max_shift:g} of {rows_of}"
    if n_enough < 2:
        raise ValueError(
            f"{n_enough} groups with {LEAST_PHOTONS} photons or more in {compared}, expected at "
            f"least 2 to compare. All photons lie in rows {position.min():.0f} to "
            f"{position.max():.0f}; {_advice(grouped.n_compared)}"
        )
    share, tallest = grouped.left_out()
    if tallest is not None or share > _MOST_LEFT_OUT:
        line = "" if tallest is None else f", with the tallest line, at row {tallest:.1f},"
        warn(
            f"{100 * share:.0f} % of the photons in rows {low:g} to {high:g}{line} "
            "are not compared, for "
            f"only {compared} stay inside at every shift. Give a larger region, or a smaller "
            "max_shift."
        )
    if n_few:
        warn(
            f"{n_few} of {n_groups} groups have fewer than {LEAST_PHOTONS} photons and are not "
            "measured."
        )
    if shifts.at_limit.any():
        warn(
            f"{int(shifts.at_limit.sum())} of {n_groups} groups fit best at the largest shift, "
            f"max_shift = {max_shift:g} px, or nowhere: the drift is larger, or the spectrum "
            "has no structure."
        )
    return (smooth_drift(shifts) if settings["slow_drift"] else shifts), grouped.n_compared


def _advice(n_compared: Floats) -> str:
    if n_compared.sum() < 2 * LEAST_PHOTONS:
        return "give a region that holds more of them."
    return "make the groups smaller." if len(n_compared) < 2 else "make the groups larger."


def _shift_variables(dim: str, shifts: Shifts, n_compared: Floats) -> dict[str, Any]:
    text = "shift along the energy against all groups"
    return {
        "drift": (dim, shifts.shift, {"units": "px", "long_name": text}),
        "drift_err": (dim, shifts.error, {"units": "px", "long_name": "standard deviation"}),
        "n_compared": (dim, n_compared, {"units": "photons", "long_name": "photons compared"}),
    }


def _with_provenance(
    result: xr.Dataset, settings: dict[str, Any], **counts: float
) -> xr.Dataset:  # fmt: skip
    algorithm = str(result.attrs.get("algorithm", "align"))
    aligned = {f"align_{name}": value for name, value in (settings | counts).items()}
    return result.assign_attrs(provenance(algorithm, aligned=True, **aligned))
