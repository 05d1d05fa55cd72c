"""RIXS maps: spectra over the incident energy, on an axis of energy loss or emitted energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from hrixs.energy.loss import energy_loss
from hrixs.groups.grouped import aggregate
from hrixs.groups.rule import OPTIONS
from hrixs.i0.normalize import add_normalized
from hrixs.scans.joining import concat
from hrixs.spectra.errors import DIVISOR, VARIANCE, WITNESS
from hrixs.spectra.rebin import equal_step
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, unknown_name, warn
from hrixs.utils.provenance import provenance

#: Axes of a map in addition to the incident energy.
AXES = ("energy_loss", "energy")


@recorded
def rixs_map(
    data: xr.Dataset | Sequence[xr.Dataset],
    *,
    incident: str = "nrj",
    axis: str = "energy_loss",
    normalize: str = "counts",
    elastic: float | xr.DataArray | None = None,
    **grouping: Any,
) -> xr.Dataset:
    """Make a RIXS map of spectra at several incident energies.

    Parameters
    ----------
    data : xarray.Dataset, or sequence of them
        Counted or integrated spectra over ``energy`` in eV, from `hRIXS.process_run`,
        `hRIXS.process_runs` or `hRIXS.count`, with the incident energy of each image. Several
        datasets are joined first; images at the same energy are added up, also of repeated scans.
    incident : str
        The variable of the incident energy, in eV.
    axis : {'energy_loss', 'energy'}
        Axis of the spectra: energy loss, or energy of the emitted photons.
    normalize : str
        Divisor of the sum of each step: a variable or an expression of variables, such as
        ``'I0'`` or ``'hRIXS_exposure'``. Default: the number of images.
    elastic : float or xarray.DataArray, optional
        As in `energy_loss`, if the elastic line is not at the incident energy.
    **grouping
        ``step``, ``tolerance``, ``edges`` or ``setpoints`` as in `aggregate` define the steps.
        Default: ``tolerance='auto'`` if the energies of steps are clearly separated; one step if
        all energies differ by less than a bin; otherwise each value is a step. ``norm`` and
        ``aggregators`` are passed to `aggregate`.

    Returns
    -------
    xarray.Dataset
        ``normalized (incident, axis)`` is the map, ``spectrum`` the photons in it; parts of the map
        without a spectrum are NaN. ``map.hrixs.error('normalized')`` is one standard deviation,
        ``map.hrixs.plot()`` draws the map, ``map.hrixs.cut(energy_loss=(0.8, 1.2))`` cuts it.
        ``<incident>_spread`` is the scatter of the energies in a step, ``counts`` the number of
        images.

    Raises
    ------
    MissingDataError
        If there is no spectrum, no incident energy, or no divisor.
    ValueError
        If energies are not calibrated, or spectra have different axes.

    Notes
    -----
    Images of a step are added up on the measured axis. Then each step is shifted by its mean
    incident energy to a common axis of energy loss (`energy_loss`).

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import rixs_map
    >>> energy = ("energy", 529 + 0.01 * np.arange(300), {"units": "eV"})
    >>> nrj = np.repeat([530.0, 531.0], 4) + 0.001 * np.arange(8)
    >>> lines = np.rint(99 * np.exp(-((529 + 0.01 * np.arange(300) - nrj[:, None]) ** 2) / 0.01))
    >>> data = xr.Dataset(
    ...     {"spectrum": (("trainId", "energy"), lines.astype(int), {"units": "photons"}),
    ...      "nrj": ("trainId", nrj, {"units": "eV"})}, {"energy": energy})
    >>> one = rixs_map(data)
    >>> one.normalized.dims, one.counts.values
    (('nrj', 'energy_loss'), array([4, 4]))
    >>> abs(one.normalized.idxmax("energy_loss")).values.round(2)
    array([0., 0.])
    """
    if axis not in AXES:
        raise ValueError(unknown_name("axis", axis, AXES))
    if not isinstance(data, xr.Dataset):
        data = concat(list(data))
    spectra = _with_one_spectrum_each(data, incident)
    (dim,) = spectra[incident].dims
    steps = _steps(spectra, incident, str(dim), grouping)
    if axis == "energy_loss":
        steps = energy_loss(steps, elastic=elastic)
    elif elastic is not None:
        raise ValueError(
            "elastic is given with axis='energy', which does not use it. Leave elastic out."
        )
    steps[incident].attrs = {"long_name": "incident energy", "units": "eV"} | {
        name: value for name, value in data[incident].attrs.items() if name != "long_name"
    }
    made = add_normalized(steps.copy(deep=False), normalize)
    made.attrs |= provenance("rixs_map", incident=incident, axis=axis, normalized_by=str(normalize))
    return made


def _with_one_spectrum_each(data: xr.Dataset, incident: str) -> xr.Dataset:
    """Variables of the images: their spectra, and those with one value for each."""
    require_dataset(data, "spectra at several incident energies")
    if "spectrum" not in data:
        raise MissingDataError(
            "the dataset has no spectrum; make one first with centroid, integrate or process_run."
        )
    if incident not in data.variables:
        known = [str(name) for name, one in data.variables.items() if one.ndim == 1]
        raise MissingDataError(unknown_name("variable", incident, known))
    if data[incident].ndim != 1 or data[incident].dims[0] not in data["spectrum"].dims:
        raise ValueError(
            f"{incident!r} has dimensions {data[incident].dims}, expected one of the spectrum's "
            f"{data['spectrum'].dims}, a value for each image."
        )
    (dim,) = data[incident].dims
    n_within = [one for one in data["spectrum"].dims if one not in (dim, "energy")]
    own = ["spectrum", f"spectrum{VARIANCE}", WITNESS]
    kept = {
        name: data[name].sum(n_within, skipna=False, keep_attrs=True) if n_within else data[name]
        for name in own
        if name in data
    }
    # A map has no images, and its ratio is computed again. Other variables over the energy are
    # those of the user: added up with their aggregator, otherwise reported by aggregate.
    others = {"x", "y", *n_within}
    rest = [
        name
        for name, v in data.data_vars.items()
        if dim in v.dims and not (others & set(v.dims) or str(name).startswith("normalized"))
    ]
    left = [str(name) for name, v in data.data_vars.items()
            if dim in v.dims and set(n_within) & set(v.dims) and name not in own]  # fmt: skip
    if left:
        warn(
            f"{', '.join(left)} left out of the map: values over {', '.join(map(str, n_within))} "
            "are not one for each image. Add them up before, for example with data.sum(...), to "
            "keep them."
        )
    return data[rest].drop_vars(own, errors="ignore").assign(kept)


def _steps(data: xr.Dataset, incident: str, dim: str, grouping: dict[str, Any]) -> xr.Dataset:
    """The sums of the images of each step."""
    if any(grouping.get(name) is not None for name in OPTIONS):
        return aggregate(data, incident, dim=dim, **grouping)
    values = data[incident].values.astype(np.float64)
    within = float(np.nanmax(values, initial=-np.inf) - np.nanmin(values, initial=np.inf))
    if 0 < within <= abs(equal_step(data["energy"].values, "energy")):
        own = {"tolerance": within}  # one energy, with its jitter
        return aggregate(data, incident, dim=dim, **grouping | own)
    try:
        return aggregate(data, incident, dim=dim, **grouping | {"tolerance": "auto"})
    except ValueError:
        return aggregate(data, incident, dim=dim, **grouping)


@recorded
def cut(data: xr.Dataset, **ranges: float | tuple[float, float]) -> xr.Dataset:
    """Cut a map: sum over a range of one axis, and return the sum along the other.

    Parameters
    ----------
    data : xarray.Dataset
        As returned by `rixs_map`.
    **ranges
        An axis and its range, ``energy_loss=(0.8, 1.2)`` or ``nrj=(529.9, 530.6)``; a single number
        means the nearest step or bin.

    Returns
    -------
    xarray.Dataset
        ``spectrum``; ``normalized``, which is ``spectrum`` divided by the sum of the divisor over
        the range. Get their errors like those of the map.

    Raises
    ------
    ValueError
        If there is no such axis, or it has no value in the range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import cut
    >>> one = xr.Dataset(
    ...     {"spectrum": (("nrj", "energy"), [[1, 2, 3], [4, 5, 6]], {"units": "photons"}),
    ...      "counts": ("nrj", [1, 2])}, {"nrj": [530.0, 531.0], "energy": [528.0, 529.0, 530.0]})
    >>> along = cut(one, energy=(528, 529))
    >>> along.spectrum.values, along.normalized.values, along.hrixs.error("normalized").values
    (array([3, 9]), array([3. , 4.5]), array([1.73205081, 1.5       ]))
    """
    require_dataset(data, "a map, as returned by rixs_map")
    result = data
    for name, ends in ranges.items():
        if name not in result["spectrum"].dims:
            raise ValueError(unknown_name("axis", name, map(str, data["spectrum"].dims)))
        values = result[name].values
        if np.ndim(ends) == 0:
            chosen = np.array([int(np.abs(values - ends).argmin())])
        else:
            low, high = sorted(float(end) for end in np.asarray(ends))
            chosen = np.flatnonzero((values >= low) & (values <= high))
        if not len(chosen):
            raise ValueError(
                f"{name} = {ends!r} holds none of the map's {len(values)} values, from "
                f"{values.min():.6g} to {values.max():.6g}."
            )
        result = _summed(result.isel({name: chosen}), name)
    return result


def _summed(part: xr.Dataset, name: str) -> xr.Dataset:
    by = DIVISOR if DIVISOR in part else str(part.attrs.get("normalized_by", "counts"))
    along = part.drop_vars([one for one, v in part.data_vars.items() if one == "normalized"])
    if "coverage" in along and bool((along["coverage"] < 0.5).any()):
        warn(f"a part of the map in this range of {name} has no spectrum; it counts as 0.")
    keep = {one: along[one] for one, v in along.data_vars.items() if name not in v.dims}
    sums = along.drop_vars(list(keep)).sum(name, skipna=False, keep_attrs=True)
    return add_normalized(sums.assign(keep), by)
