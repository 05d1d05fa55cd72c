"""Add up images by groups: by a delay, an energy, pumped or not, the steps of a scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.deconvolution.result import SAMPLED, deconvolve
from hrixs.groups.group_sums import GROUP, datasets_of_groups, sums_of_groups
from hrixs.groups.grouping import attributes_of, crossed, groups_of
from hrixs.groups.groups import Groups
from hrixs.groups.own_variables import own_coords_as_variables, tell_left_out
from hrixs.i0.sums import (
    AUTO,
    ratio_aggregators,
    useless_in,
    with_count,
    with_ratio,
    without_useless,
)
from hrixs.spectra.aggregate import (
    Aggregate,
    Aggregators,
    aggregate_all,
    aggregate_variable,
    default_aggregators,
    not_aggregated,
    require_dimension,
)
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import warn
from hrixs.utils.provenance import runs_of

#: A number for the one variable, or one for each by name.
Width = float | Mapping[str, float]


@recorded
def aggregate(
    ds: xr.Dataset,
    by: Any = None,
    *,
    dim: str = "trainId",
    step: Width | None = None,
    tolerance: float | str | Mapping[str, float | str] | None = None,
    edges: ArrayLike | Mapping[str, ArrayLike] | None = None,
    setpoints: ArrayLike | str | Mapping[str, ArrayLike | str] | None = None,
    origin: Width | None = None,
    norm: str | None = AUTO,
    aggregators: Aggregators | None = None,
) -> xr.Dataset:
    """Add up all images of a dataset, or the images of each group.

    Parameters
    ----------
    ds : xarray.Dataset
        With images or spectra over `dim`, and with the variables to group by.
    by : str, sequence of str, or extra.components.Scan, optional
        A variable with one value per image, such as ``'hRIXS_delay'``; several variables, whose
        groups are combined; or the steps of a scan found by EXtra. By default all images are
        summed. Without one of the options below, images with equal values form a group.
    dim : str
        The dimension of the images.
    step : float, optional
        Width of bins, in the unit of the variable. If values scatter about set-points at least a
        step apart, each set-point is a group. Otherwise bins are centred on whole multiples of the
        step; if images pile up at the borders, and there is room elsewhere, the borders are moved.
    origin : float, optional
        Centre of one of the bins; fixes the position of all bins.
    tolerance : float or 'auto', optional
        Sorted images belong to one group as long as neighbours differ by no more than this.
        ``'auto'`` estimates it from the gaps within and between set-points. With `setpoints`: the
        largest distance of an image from its set-point.
    edges : array_like, optional
        Borders of bins, ascending. The last bin includes its upper border; images outside are left
        out.
    setpoints : array_like or str, optional
        Set-points: each image belongs to the nearest one. Or the name of a variable with the
        set-point of each image.
    norm : str, optional
        Images in which this variable is zero or not finite are left out, with a warning and a
        count. By default the variable they were normalised by, else ``I0``, else ``hRIXS_norm``.
        None: use all images.
    aggregators : dict, optional
        ``{name: function(da, dim)}``, such as `hrixs.average` or `hrixs.add`, in addition to the
        defaults (or replacing them): images, spectra and norms are summed, settings of the
        beamline are averaged. None: leave the variable out without a warning.

    Returns
    -------
    xarray.Dataset
        Over the variables in `by` instead of `dim`. Their values are the means of the groups;
        ``<name>_spread`` is the standard deviation within a group. ``counts`` is the number of
        images. For a combination without images it is 0, counted photons are 0, and all else is
        NaN. Times are averaged; text, and True and False, are kept if equal in each group. In
        ``attrs``, ``grouped_by`` has the rule, there are counts of what was left out, and
        ``not_aggregated`` lists variables without an aggregator.

    Raises
    ------
    MissingDataError
        There is no such variable or dimension, or no image in any group.
    ValueError
        The variable does not have one value per image; options contradict each other; or
        ``tolerance='auto'`` finds no clear steps.

    Warns
    -----
    HrixsWarning
        For images that are left out; for your own variables without an aggregator, with what to
        type; if nearly every image is a separate group although values cluster, with the tolerance
        to give; if bins cut a set-point in two; if groups by a tolerance become wide; for
        combinations without images.

    Notes
    -----
    With several variables, an option that is not a dict is used for the only variable of floats
    among them. With dask the sums stay lazy.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import aggregate
    >>> nrj = ("trainId", [530.001, 529.999, 530.101, 530.099], {"units": "eV"})
    >>> ds = xr.Dataset({"spectrum": (("trainId", "energy"), np.eye(4)), "nrj": nrj})
    >>> groups = aggregate(ds, "nrj", step=0.05)
    >>> groups.nrj.values, groups.counts.values, groups.nrj_spread.values.round(4)
    (array([530. , 530.1]), array([2, 2]), array([0.001, 0.001]))
    """
    require_dataset(ds, "a dataset of frames")
    chosen = default_aggregators() | dict(aggregators or {})
    options: dict[str, Any] = {"step": step, "tolerance": tolerance, "edges": edges}
    options |= {"setpoints": setpoints, "origin": origin}
    return aggregate_groups(ds, by, dim, norm=norm, aggregators=chosen, **options)


def aggregate_groups(
    ds: xr.Dataset,
    by: Any,
    dim: str,
    *,
    aggregators: Aggregators,
    norm: str | None = AUTO,
    aggregate_ds: Callable[[xr.Dataset, str], xr.Dataset] | None = None,
    **options: Any,
) -> xr.Dataset:
    """As `aggregate`, by these aggregators alone, or by a function of one group's dataset."""
    require_dimension(ds, dim)
    grouped = _grouped(ds, by, dim, aggregators, norm, aggregate_ds, options)
    if SAMPLED not in grouped:
        return grouped
    # Sums are deconvolved, and not spectra added up.
    return deconvolve(grouped)


def _grouped(
    ds: xr.Dataset,
    by: Any,
    dim: str,
    aggregators: Aggregators,
    norm: str | None,
    aggregate_ds: Callable[[xr.Dataset, str], xr.Dataset] | None,
    options: Mapping[str, Any],
) -> xr.Dataset:
    if by is None:
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise ValueError(f"{given[0]} is given without a variable to group by.")
        if aggregate_ds is not None:
            return aggregate_ds(ds, dim)
        return sum_of_all(ds, dim, norm, aggregators)
    ds = own_coords_as_variables(ds, dim)
    own = _with_ratios(ds, aggregators)
    used = options.get("setpoints")
    used = tuple(used.values()) if isinstance(used, Mapping) else (used,)
    used = [one for one in used if isinstance(one, str)]
    sums = _of_groups(ds, groups_of(ds, by, dim, **options), dim, norm, own, aggregate_ds, used)
    return with_ratio(sums, ds, dim, of_spectra=own.get("spectrum"))


def sum_of_all(
    ds: xr.Dataset,
    dim: str,
    norm: str | None,
    aggregators: Aggregators,
    aggregator: Aggregate | None = None,
) -> xr.Dataset:
    """All images of a dataset aggregated, but those without a norm; by a function where given."""
    require_dimension(ds, dim)
    ds = own_coords_as_variables(ds, dim)
    used = without_useless(ds, norm, dim)
    own = _with_ratios(used, aggregators)

    def of_variable(da: xr.DataArray, dim: str) -> xr.DataArray | None:
        if aggregator is not None and (da.name in aggregators or da.name not in own):
            return aggregator(da, dim)
        return aggregate_variable(own, da, dim)

    result = aggregate_all(used, of_variable, dim).assign_attrs(_runs(ds))
    if aggregator is None:
        tell_left_out(used, result, dim, own)
    result = with_count(result, ds, np.asarray(ds.sizes[dim] - used.sizes[dim]))
    return with_ratio(result, used, dim, of_spectra=own.get("spectrum"))


def _with_ratios(ds: xr.Dataset, aggregators: Aggregators) -> Aggregators:
    """The aggregators, and those of what ``normalized`` was divided by; others are told later."""
    if not isinstance(aggregators, Mapping):
        return aggregators
    return {**ratio_aggregators(ds), **aggregators}


def _of_groups(
    ds: xr.Dataset,
    groups: list[Groups],
    dim: str,
    norm: str | None,
    aggregators: Aggregators,
    aggregate_ds: Callable[[xr.Dataset, str], xr.Dataset] | None,
    used: Sequence[str],
) -> xr.Dataset:
    number, place, n_groups = crossed(groups)
    useless = useless_in(ds, number, norm, dim)
    n_left = np.bincount(number[useless], minlength=n_groups)
    number = np.where(useless, -1, number)
    names = [one.name for one in groups]
    rest = ds.drop_vars([name for name in names if name != dim and name in ds.variables])
    if aggregate_ds is None:
        row = sums_of_groups(rest, number, n_groups, dim, aggregators)
        tell_left_out(rest, row, dim, aggregators, used)
    else:
        row = datasets_of_groups(rest, number, n_groups, dim, aggregate_ds)
    row = with_count(row, ds, n_left, (GROUP,))
    result = _placed(row, place, names)
    for one in groups:
        result = result.assign_coords(one.coordinates())
    left = not_aggregated(rest, row, dim)
    result.attrs = {**ds.attrs, **_runs(ds), **attributes_of(groups, number), **left}
    return result


def _runs(ds: xr.Dataset) -> dict[str, str]:
    """The runs of images for the attributes of their sums, which have no coordinate of images."""
    return {"run": ", ".join(runs_of(ds))} if runs_of(ds) else {}


def _placed(row: xr.Dataset, place: np.ndarray[Any, Any], names: Sequence[str]) -> xr.Dataset:
    """Groups in a row, brought to the places of their combinations."""
    if len(names) == 1:
        return row.rename({GROUP: names[0]})
    empty = place < 0
    where = xr.DataArray(np.maximum(place, 0), dims=names)
    result = row.isel({GROUP: where})
    if not empty.any():
        return result
    warn(
        f"{int(empty.sum())} of {empty.size} combinations of {' and '.join(names)} have no image; "
        "counts are 0 there, and all else is NaN."
    )
    known = xr.DataArray(~empty, dims=names)
    for name, variable in result.data_vars.items():
        if set(names) <= set(variable.dims):
            result[name] = _where_known(variable, known)
    return result


def _where_known(variable: xr.DataArray, known: xr.DataArray) -> xr.DataArray:
    """What stands in combinations without an image: nothing of text, no time, else NaN."""
    kind = variable.dtype.kind
    if kind in "iu":
        return variable.where(known, 0)  # a sum of no counts is 0, and stays a count
    if kind in "USO":
        return variable.where(known, "" if kind != "S" else b"")
    # True and False with gaps are numbers.
    return (variable.astype(np.float64) if kind == "b" else variable).where(known)
