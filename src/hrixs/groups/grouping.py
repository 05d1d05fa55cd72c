"""Make the groups of the images of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.groups.groups import IS_FLAG, Groups, mean_and_spread
from hrixs.groups.rule import OPTIONS, Rule, rules_of
from hrixs.groups.scan_steps import groups_of_scan, is_scan
from hrixs.spectra.naming import named_entries
from hrixs.utils.errors import MissingDataError, unknown_name, warn


def groups_of(ds: xr.Dataset, by: Any, dim: str, **options: Any) -> list[Groups]:
    """Groups of the images along `dim` by each of the variables, as `hrixs.aggregate` documents."""
    several = list(by) if isinstance(by, list | tuple) else [by]
    if not several:
        raise ValueError("there is no variable to group by, expected one name or several.")
    names = [one for one in several if not is_scan(one)]
    for name in names:
        _require_one_value_each(ds, name, dim)
    if len(set(names)) < len(names):
        raise ValueError(f"{names} names a variable twice, expected each once.")
    if any(value is not None for value in options.values()) and not names:
        given = next(name for name, value in options.items() if value is not None)
        raise ValueError(f"{given} is given with a Scan, which already has steps. Leave it out.")
    rules = rules_of(names, ds, **{name: options.get(name) for name in OPTIONS}) if names else {}
    groups = [
        groups_of_scan(ds, one, dim) if is_scan(one) else _by_variable(ds, rules[one], dim)
        for one in several
    ]
    if len(groups) == 1:
        return groups
    in_all = np.logical_and.reduce([one.number >= 0 for one in groups])
    if not in_all.any():
        raise MissingDataError(
            "no image is in a group of every variable. Give wider groups, or fewer variables."
        )
    return [_only(one, in_all, ds) for one in groups]


def _require_one_value_each(ds: xr.Dataset, var: Any, dim: str) -> None:
    if not isinstance(var, str) or var not in ds.variables:
        known = [str(name) for name, v in ds.variables.items() if v.dims == (dim,)]
        raise MissingDataError(unknown_name("variable", var, known))
    if ds[var].dims != (dim,):
        raise ValueError(
            f"{var!r} has dimensions {ds[var].dims}, expected one value for each frame, ({dim!r},)."
        )


def _by_variable(ds: xr.Dataset, rule: Rule, dim: str) -> Groups:
    name = rule.name
    values, own = ds[name].values, rule.setpoints if rule.of_images else None
    missing = _missing(values) if own is None else _missing(values) | _missing(own)
    counts = {f"n_frames_without_{name}": int(missing.sum())}
    if missing.any():
        warn(
            f"{int(missing.sum())} of {len(values)} frames have no {name} and are left out: "
            f"{named_entries(ds, dim, missing)}."
        )
    if missing.all():
        raise MissingDataError(f"no frame has a value of {name!r}; there is nothing to group.")
    found, how = rule.applied(values[~missing], None if own is None else own[~missing])
    number = np.full(len(values), -1, dtype=np.int64)
    number[~missing] = found
    outside = (number < 0) & ~missing
    if outside.any():
        where = "outside of the edges" if rule.edges is not None else "too far from any set-point"
        warn(
            f"{int(outside.sum())} of {len(values)} frames lie {where} of {name} and are left "
            f"out: {named_entries(ds, dim, outside)}."
        )
    if (number < 0).all():
        raise MissingDataError(f"no frame is in a group of {name!r}: {how}.")
    if not rule.is_equal:
        counts[f"n_frames_outside_{name}"] = int(outside.sum())
    coords = _setpoints(rule, number)
    kept, number = np.unique(number, return_inverse=True)
    number = number.reshape(-1) - (kept[0] < 0)
    n_groups = len(kept) - (kept[0] < 0)
    if ds[name].attrs.get(IS_FLAG):
        values = values == 1
    value, spread = mean_and_spread(values, number, n_groups)
    return Groups(name, number, value, spread, how, ds[name].attrs, coords, counts)


def _setpoints(rule: Rule, number: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    if rule.setpoints is None:
        return {}
    name, used = f"{rule.name}_setpoint", np.unique(number[number >= 0])
    if rule.of_images:
        first = [int(np.flatnonzero(number == k)[0]) for k in used]
        return {name: rule.setpoints[first]}
    return {name: np.unique(rule.setpoints)[used]}


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(xr.DataArray(values).isnull().values)


def _only(groups: Groups, used: NDArray[np.bool_], ds: xr.Dataset) -> Groups:
    """The groups, with only images that are in a group of every variable."""
    number = np.where(used, groups.number, -1)
    kept = np.unique(number[used])
    place = np.full(len(groups) + 1, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    number = place[number]
    coords = {name: values[kept] for name, values in groups.coords.items()}
    value, spread = groups.value[kept], None
    if groups.spread is not None:
        value, spread = mean_and_spread(ds[groups.name].values, number, len(kept))
    return Groups(
        groups.name, number, value, spread, groups.how, groups.attrs, coords, groups.counts
    )


def crossed(groups: Sequence[Groups]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Number of the combination of each image, and places of the combinations.

    Returns
    -------
    number : numpy.ndarray of int64, shape (n_images,)
        Number of the combination, among those with an image; -1 for none.
    place : numpy.ndarray of int64, shape of the groups
        Number of the combination at each place; -1 if it has no image.
    n : int
        Number of combinations with an image.
    """
    shape = tuple(len(one) for one in groups)
    numbers = np.stack([one.number for one in groups])
    used = (numbers >= 0).all(axis=0)
    flat = np.full(numbers.shape[1], -1, dtype=np.int64)
    flat[used] = np.ravel_multi_index(tuple(numbers[:, used]), shape)
    there = np.unique(flat[used])
    place = np.full(int(np.prod(shape)), -1, dtype=np.int64)
    place[there] = np.arange(len(there))
    number = np.where(used, place[flat], -1)
    return number, place.reshape(shape), len(there)


def attributes_of(groups: Sequence[Groups], number: NDArray[np.int64]) -> Mapping[str, Any]:
    """``attrs`` on the groups, and on images that are in none."""
    counts: dict[str, Any] = {}
    for one in groups:
        counts |= one.counts
    counts["n_frames_left_out"] = int((number < 0).sum())
    counts["grouped_by"] = "; ".join(f"{one.name}: {one.how}" for one in groups)
    return counts
