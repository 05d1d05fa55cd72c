"""Add up images in groups: by a delay, an energy, pumped or not, or the steps of a scan."""

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

#: A number for one variable, or a dict with one for each.
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
        Images or spectra over `dim`, and the variables to group by.
    by : str, sequence of str, or extra.components.Scan, optional
        A variable with one value for each image, such as ``'hRIXS_delay'``; several variables, for
        all combinations of their groups; or the steps that EXtra has found in a scan. By default
        all images are added up. Without the options below, images with equal values are a group.
    dim : str
        The dimension of the images.
    step : float, optional
        Width of bins, in the unit of the variable. If the values jitter about set-points that are
        a step apart, each set-point is a group. Otherwise bins are centred on whole multiples of
        the step; if many images are at the borders, borders move to where there are none.
    origin : float, optional
        Centre of one of the bins; it fixes all bins.
    tolerance : float or 'auto', optional
        In the sorted values, neighbours that differ by at most this belong to one group. ``'auto'``
        finds it from the values: gaps between set-points are much larger than gaps inside one.
        With `setpoints`: largest distance of an image from its set-point.
    edges : array_like, optional
        Borders of bins, ascending. The last bin includes its upper border; images outside are left
        out.
    setpoints : array_like or str, optional
        Values: each image goes to the nearest one. Or the name of a variable with the set-point of
        each image.
    norm : str, optional
        Images in which this variable is zero or not finite are left out, reported and counted.
        Default: the variable by which they were normalised, or ``I0``, or ``hRIXS_norm``. None: all
        images are added up.
    aggregators : dict, optional
        ``{name: function(da, dim)}``, such as `hrixs.average` or `hrixs.add`, for more variables or
        instead of the usual ones (images, spectra and norms are added, settings of the beamline
        are averaged). None: the variable is left out without a warning.

    Returns
    -------
    xarray.Dataset
        The variables in `by` replace `dim`; their values are the means in the groups, and
        ``<name>_spread`` is the standard deviation inside a group. ``counts`` is the number of
        images. Combinations without an image have 0 in ``counts`` and in counted photons, and NaN
        elsewhere. Times are averaged; text, True and False are kept if they are equal in each
        group. ``attrs``: ``grouped_by`` says how groups were made, ``not_aggregated`` lists
        variables without an aggregator, and images left out are counted.

    Raises
    ------
    MissingDataError
        If there is no such variable or dimension, or no image is in a group.
    ValueError
        If the variable does not have one value for each image, options contradict each other, or
        ``tolerance='auto'`` finds no clear steps.

    Warns
    -----
    HrixsWarning
        For images that are left out; for your own variables without an aggregator; if values
        cluster, but nearly every image is its own group; if bins cut a set-point in two; if groups
        by a tolerance are wide; for combinations without an image. Each warning says what to type.

    Notes
    -----
    With several variables, an option that is not a dict is used for the only variable of floats.
    With dask the sums stay lazy.

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
    """Like `aggregate`, with only these aggregators, or a function of the dataset of a group."""
    require_dimension(ds, dim)
    grouped = _grouped(ds, by, dim, aggregators, norm, aggregate_ds, options)
    if SAMPLED not in grouped:
        return grouped
    # Sums are deconvolved; deconvolved spectra are not added up.
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
    """Aggregate all images of a dataset that have a norm; by a function, if one is given."""
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
    """The aggregators, with those of the divisor of ``normalized``."""
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
    """Names of the runs of images, for the attributes of sums, which have no such coordinate."""
    return {"run": ", ".join(runs_of(ds))} if runs_of(ds) else {}


def _placed(row: xr.Dataset, place: np.ndarray[Any, Any], names: Sequence[str]) -> xr.Dataset:
    """Move groups from one dimension to the places of their combinations."""
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
    """Value of combinations without an image: empty text, no time, otherwise NaN."""
    kind = variable.dtype.kind
    if kind in "iu":
        return variable.where(known, 0)  # a sum of no counts is 0, and stays a count
    if kind in "USO":
        return variable.where(known, "" if kind != "S" else b"")
    # True and False with gaps become numbers.
    return (variable.astype(np.float64) if kind == "b" else variable).where(known)
