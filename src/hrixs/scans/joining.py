"""Results of several runs, or of parts of one, joined to one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from hrixs.deconvolution.joined import are_deconvolved, as_images, as_sums
from hrixs.deconvolution.result import SAMPLED, deconvolve
from hrixs.scans.joined_attrs import joined_attrs
from hrixs.spectra.axes import apart, described, same_axis
from hrixs.spectra.dataset import COUNTS_OF, images_of_result
from hrixs.spectra.naming import named_entries
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.provenance import run_label, runs_of

#: Name of the coordinate with the run of each image.
RUN = "run"
_DIM = "trainId"
_PHOTON = "photon"


@recorded
def concat(results: Sequence[xr.Dataset] | Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join results of several runs, or of parts of a run, along the images.

    Parameters
    ----------
    results : sequence of xarray.Dataset, or dict of them by the name of the run
        As from `hRIXS.process_run` or `hRIXS.centroid`, with spectra over the same energy axis. In
        a sequence the run comes from the coordinate or attribute ``run``.

    Returns
    -------
    xarray.Dataset
        Over ``trainId`` (or ``frame``), in the order given, with the name of the run of each image
        as the coordinate ``run``. A variable that is missing in some runs is NaN there (text is
        empty). For deconvolved results one spectrum of all images is made. In ``attrs``, counts
        are summed, and faults and doubts name their run. Equal attributes are kept; others are in
        ``differs``, a JSON text, by run. Photon tables are joined if all results have one.

    Raises
    ------
    ValueError
        If there is no result, or if energy axes, units or other dimensions differ.
    MissingDataError
        If a result has no spectra over ``trainId``.
    TypeError
        If one is not a dataset.

    Warns
    -----
    HrixsWarning
        For variables that are missing in some runs, and for duplicated trains of a run.

    Examples
    --------
    >>> import xarray as xr
    >>> from hrixs import concat
    >>> energy = ("energy", [530.0, 530.1], {"units": "eV"})
    >>> parts = [
    ...     xr.Dataset({"spectrum": (("trainId", "energy"), [[1.0, 2.0]])},
    ...                {"trainId": [train], "energy": energy}, {"run": run, "n_images": 1})
    ...     for train, run in [(10, "145"), (20, "146")]
    ... ]
    >>> joined = concat(parts)
    >>> joined.run.values.tolist(), joined.attrs["n_images"]
    (['r0145', 'r0146'], 2)
    """
    given = list(results.values()) if isinstance(results, Mapping) else list(results)
    if not given:
        raise ValueError("there is no result to join, expected one for each run.")
    if are_deconvolved(given):
        return _deconvolved(results, given)
    dims = [_require_spectra(one) for one in given]
    if len(set(dims)) > 1:
        raise ValueError(f"results are over {' and '.join(sorted(set(dims)))}, expected one.")
    given = _with_like_ids([one.rename({dims[0]: _DIM}) for one in given])
    if isinstance(results, Mapping):
        names = [str(name) for name in results]
    else:
        names = [", ".join(map(run_label, runs_of(one))) or str(k) for k, one in enumerate(given)]
    keys = _keys(names)
    given = _on_one_axis(given, keys)
    parts, attrs = _alike(given, keys)
    labelled = [
        part.assign_coords({RUN: (_DIM, part[RUN].values if RUN in part.coords else [name] * n)})
        for part, name in zip(parts, names, strict=True)
        for n in [part.sizes[_DIM]]
    ]
    joined: xr.Dataset = xr.concat(
        labelled, _DIM, data_vars="minimal", coords="minimal", compat="override", join="override",
        combine_attrs="override",
    )  # fmt: skip
    joined[RUN].attrs["long_name"] = "run"
    for name, of_runs in attrs.items():
        joined[name].attrs = joined_attrs(of_runs, counts=False)
    joined.attrs = joined_attrs(
        {key: one.attrs for key, one in zip(keys, given, strict=True)}, counts=True
    )
    joined.attrs["runs"] = ", ".join(dict.fromkeys(map(str, joined[RUN].values)))
    joined = joined.assign(_of_all(given)).assign(_photons(given))
    _tell_twice(joined)
    return joined.rename({_DIM: dims[0]})


def _deconvolved(
    results: Sequence[xr.Dataset] | Mapping[str, xr.Dataset], given: Sequence[xr.Dataset]
) -> xr.Dataset:
    """One deconvolved spectrum of the images of all results."""
    parts = [as_images(one) for one in given]
    names = list(results) if isinstance(results, Mapping) else None
    joined = concat(parts if names is None else dict(zip(names, parts, strict=True)))
    sums = as_sums(joined, parts)
    sums[SAMPLED].attrs[COUNTS_OF] = images_of_result(sums, joined["spectrum"][..., 0])
    return deconvolve(sums)


def _with_like_ids(given: list[xr.Dataset]) -> list[xr.Dataset]:
    """Results whose train ids are of one type; of signed and unsigned ones floats would be made."""
    ids = [one[_DIM].values for one in given if _DIM in one.coords]
    if len({one.dtype for one in ids}) < 2 or any(one.dtype.kind not in "iuf" for one in ids):
        return given
    if any(((one < 0) | (one != np.round(one))).any() for one in ids):
        return given
    return [
        one.assign_coords({_DIM: one[_DIM].astype(np.uint64)}) if _DIM in one.coords else one
        for one in given
    ]


def _keys(names: Sequence[str]) -> list[str]:
    """Names that tell parts of one run apart, too."""
    return [
        name if names.count(name) == 1 else f"{name}, part {1 + names[:k].count(name)}"
        for k, name in enumerate(names)
    ]


def _require_spectra(one: Any) -> str:
    """The dimension of the images: of trains or, of lists of photons, of frames."""
    require_dataset(one, "results of runs")
    if "spectrum" not in one or one["spectrum"].dims[0] not in (_DIM, "frame"):
        have = one["spectrum"].dims if "spectrum" in one else "none"
        raise MissingDataError(
            f"a result's spectra have dimensions {have}, expected ({_DIM!r}, ..., 'energy'), as "
            "from process_run or centroid. Join them before they are aggregated."
        )
    return str(one["spectrum"].dims[0])


def _on_one_axis(given: Sequence[xr.Dataset], keys: Sequence[str]) -> list[xr.Dataset]:
    """Results with the axis of the first, from which others differ by rounding alone."""
    _require_alike(given, keys)
    axis = str(given[0]["spectrum"].dims[-1])
    if axis not in given[0].coords:
        return list(given)
    return [given[0], *(one.assign_coords({axis: given[0][axis].variable}) for one in given[1:])]


def _require_alike(given: Sequence[xr.Dataset], keys: Sequence[str]) -> None:
    first = given[0]["spectrum"]
    for one, key in zip(given[1:], keys[1:], strict=True):
        spectrum = one["spectrum"]
        for what in ("units", "dims"):
            a, b = (s.attrs.get(what) if what == "units" else s.dims for s in (first, spectrum))
            if a != b:
                raise ValueError(
                    f"the spectra of {keys[0]} have {what} {a}, those of {key} {b}, expected the "
                    "same. Process all runs by the same method."
                )
        axis = str(first.dims[-1])
        for dim in map(str, first.dims[1:]):
            a, b = (s[dim].values for s in (first, spectrum))
            if len(a) == len(b) and (dim != axis or same_axis(a, b)):
                continue
            how_far = f", {apart(a, b)}" if len(a) == len(b) else ""
            raise ValueError(
                f"{keys[0]} has {described(a, 'values')} along {dim}, {key} "
                f"{described(b, 'values')}{how_far}, expected the same axis. Make the spectra "
                "with the same BINS, Y_RANGE, ENERGY_INTERCEPT and ENERGY_SLOPE."
            )


def _alike(
    given: Sequence[xr.Dataset], keys: Sequence[str]
) -> tuple[list[xr.Dataset], dict[str, dict[str, Any]]]:
    """Results with the same variables over the images, and the attributes of each run's ones."""
    names = list(dict.fromkeys(
        str(name) for one in given for name, v in one.variables.items()
        if _DIM in v.dims and name not in (_DIM, RUN)
    ))  # fmt: skip
    attrs: dict[str, dict[str, Any]] = {}
    lacking: dict[str, list[str]] = {}
    parts = [one[[name for name in names if name in one.variables]] for one in given]
    for name in names:
        model = next(one for one in given if name in one.variables)[name]
        attrs[name] = {
            key: one[name].attrs for key, one in zip(keys, given, strict=True)
            if name in one.variables
        }  # fmt: skip
        for k, (part, key) in enumerate(zip(parts, keys, strict=True)):
            if name not in part.variables:
                lacking.setdefault(name, []).append(key)
                empty = _empty(model, part)
                is_coord = name in model.coords and name in given[0].coords
                parts[k] = part.assign_coords({name: empty}) if is_coord else part.assign(
                    {name: empty}
                )  # fmt: skip
    for name, runs in lacking.items():
        # True and False with gaps are numbers: a mixture of both would be of no type at all.
        parts = [
            one.assign({name: one[name].astype(np.float64)}) if one[name].dtype.kind == "b" else one
            for one in parts
        ]
        warn(
            f"{name} is missing in {len(runs)} of {len(given)} runs, {', '.join(runs)}: NaN there."
        )
    return parts, attrs


def _empty(model: xr.DataArray, part: xr.Dataset) -> xr.Variable:
    """What stands for a variable in a run that lacks it."""
    sizes = {**model.sizes, _DIM: part.sizes[_DIM]}
    shape = [sizes[dim] for dim in model.dims]
    if model.dtype.kind in "mM":
        return xr.Variable(model.dims, np.full(shape, "NaT", dtype=model.dtype))
    is_text = model.dtype.kind in "USO"
    return xr.Variable(model.dims, np.full(shape, "" if is_text else np.nan))


def _of_all(given: Sequence[xr.Dataset]) -> dict[str, xr.Variable]:
    """Variables that are not over the images, where they are the same in all results."""
    names = dict.fromkeys(
        str(name) for one in given for name, v in one.data_vars.items()
        if _DIM not in v.dims and v.dims != (_PHOTON,)
    )  # fmt: skip
    first = given[0]
    same = {
        name: first[name].variable
        for name in names
        if all(name in one and one[name].equals(first[name]) for one in given)
    }
    left = [name for name in names if name not in same]
    if left:
        warn(f"{', '.join(left)} differ from run to run and are not over {_DIM}: left out.")
    return same


def _photons(given: Sequence[xr.Dataset]) -> dict[str, xr.Variable]:
    """The photon tables of all results, with the frames counted on from run to run."""
    names = [str(name) for name, v in given[0].variables.items() if v.dims == (_PHOTON,)]
    has = [
        {str(name) for name, v in one.variables.items() if v.dims == (_PHOTON,)} for one in given
    ]
    if not any(has):
        return {}
    if any(other != has[0] for other in has):
        warn("not all runs have the same photon table: it is left out. Process all with photons.")
        return {}
    joined: dict[str, xr.Variable] = {}
    frames = np.array([int(np.prod(one["spectrum"].shape[:-1])) for one in given])
    before = np.cumsum(frames) - frames
    for name in names:
        values = [one[name].values for one in given]
        if name == f"{_PHOTON}_frame":
            values = [v + offset for v, offset in zip(values, before, strict=True)]
        joined[name] = xr.Variable(_PHOTON, np.concatenate(values), given[0][name].attrs)
    return joined


def _tell_twice(joined: xr.Dataset) -> None:
    if _DIM not in joined.coords:
        return
    ids, run = joined[_DIM].values, joined[RUN].values
    _, place, counts = np.unique(
        np.char.add(np.char.add(run.astype(str), " "), ids.astype(str)),
        return_inverse=True, return_counts=True,
    )  # fmt: skip
    twice = (counts > 1)[place.reshape(-1)]
    if twice.any():
        once = joined.isel({_DIM: np.flatnonzero(twice)}).drop_duplicates(_DIM)
        which = np.ones(once.sizes[_DIM], dtype=bool)
        warn(
            f"{len(which)} trains occur more than once in {', '.join(np.unique(run[twice]))}: "
            f"{named_entries(once, _DIM, which)}. Is a result given twice?"
        )
