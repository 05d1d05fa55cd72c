"""Find which trains were pumped: by a value, by their pulses, or alternating."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.groups.groups import IS_FLAG
from hrixs.spectra.naming import named_entries
from hrixs.utils.checks import number, require_dataset, yes_or_no
from hrixs.utils.errors import MissingDataError, unknown_name, warn
from hrixs.utils.provenance import provenance
from hrixs.utils.typing import Floats

_DIM = "trainId"
# Two groups are separated if the gap between them is this many times their spread. That there are
# two is known here, of few trains too; `select` has to ask whether there are.
_CLEARLY = 4.0


def pumped_by(
    data: xr.Dataset,
    field: str | None = None,
    *,
    above: float | None = None,
    equals: Any = None,
    bits: int | None = None,
    alternate: bool = False,
    first_pumped: bool | int | None = None,
) -> xr.DataArray:
    """Find out which trains were pumped.

    Parameters
    ----------
    data : xarray.Dataset
        Data of trains, with the coordinate ``trainId``.
    field : str, optional
        Variable with one value per train, such as the energy of the laser or the state of a
        shutter. Or with one value per pulse, such as a bunch pattern: a train is pumped if one of
        its pulses is.
    above : float, optional
        Trains with a value above this are pumped.
    equals : optional
        Trains with this value, or one of a list of values, are pumped.
    bits : int, optional
        Trains whose value (a whole number) has one of these bits set are pumped, for example ``1
        << 13``. By default, if numbers form two clearly separated groups, the higher one is
        pumped; for True and False, True.
    alternate : bool
        Every second train is pumped, counted by train ids; missing trains do not matter.
    first_pumped : bool or int
        With `alternate`: whether the first train in `data` is pumped; or the id of one that is.

    Returns
    -------
    xarray.DataArray of bool, dims (trainId,)
        ``pumped``. If some trains have no value, the result has the numbers 1, 0 and NaN (not
        known); `aggregate` leaves NaN out, with a count. ``attrs`` have the rule and the counts.

    Raises
    ------
    MissingDataError
        There is no such variable, or no ``trainId``.
    ValueError
        Options contradict each other, or values do not form two groups.

    Warns
    -----
    HrixsWarning
        For trains without a value, and if all trains are pumped, or none.

    Examples
    --------
    >>> import xarray as xr
    >>> from hrixs import pumped_by
    >>> ds = xr.Dataset({"laser": ("trainId", [9.8, 0.1, 10.1, 0.2])},
    ...                 {"trainId": [100, 101, 102, 104]})
    >>> pumped_by(ds, "laser").values
    array([ True, False,  True, False])
    >>> pumped_by(ds, alternate=True, first_pumped=True).values
    array([ True, False,  True,  True])

    >>> data["pumped"] = pumped_by(data, "PP800_energy", above=1.0)  # doctest: +SKIP
    >>> sums = h.aggregate(data, ["hRIXS_delay", "pumped"])  # doctest: +SKIP
    >>> on, off = sums.sel(pumped=True), sums.sel(pumped=False)  # doctest: +SKIP
    """
    require_dataset(data, "a dataset of trains")
    if yes_or_no("alternate", alternate):
        if field is not None or not (above is equals is bits is None):
            raise ValueError("alternate=True is given with a field, expected one of both.")
        known, how = _by_turns(data, first_pumped), "alternate trains"
        return _result(data, known.astype(np.float64), how)
    if first_pumped is not None:
        raise ValueError("first_pumped is given without alternate=True.")
    if field is None:
        raise ValueError(
            "nothing says which trains are pumped: give a field, or alternate=True with "
            "first_pumped=True or False."
        )
    if not isinstance(field, str) or field not in data.variables:
        known_names = [str(name) for name, v in data.variables.items() if v.dims[:1] == (_DIM,)]
        raise MissingDataError(unknown_name("variable", field, known_names))
    variable = data[field]
    if _DIM not in variable.dims:
        raise ValueError(f"{field} has dimensions {variable.dims}, expected trainId among them.")
    values = variable.transpose(_DIM, ...).values
    given = {"above": above, "equals": equals, "bits": bits}
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} are given, expected one of them.")
    on, missing, how = _by_values(field, values, **given)
    within = tuple(range(1, values.ndim))  # pulses
    state = np.where(missing.all(axis=within), np.nan, (on & ~missing).any(axis=within))
    return _result(data, state, how)


def _by_values(
    field: str, values: NDArray[Any], *, above: float | None, equals: Any, bits: int | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    """Which values are pumped, which are missing, and in words how that was told."""
    missing = np.asarray(xr.DataArray(values).isnull().values)
    if missing.all():
        raise MissingDataError(f"no train has a value of {field!r}.")
    if equals is not None:
        wanted = np.atleast_1d(np.asarray(equals))
        return np.isin(values, wanted), missing, f"{field} equals {wanted.tolist()}"
    if values.dtype.kind == "b":
        return values.copy(), missing, field
    if values.dtype.kind not in "iuf":
        found = ", ".join(map(repr, np.unique(values.astype(str))[:5].tolist()))
        raise ValueError(f"{field} has values {found}, expected equals=, the one that is pumped.")
    if bits is not None:
        if not isinstance(bits, int | np.integer) or isinstance(bits, bool) or bits <= 0:
            raise ValueError(f"bits = {bits!r}, expected a whole number above 0, as 1 << 13.")
        whole = np.where(missing, 0, values)
        if values.dtype.kind == "f" and (whole != np.floor(whole)).any():
            raise ValueError(f"{field} has values that are not whole numbers, which have no bits.")
        return (whole.astype(np.int64) & int(bits)) != 0, missing, f"{field} & {int(bits)}"
    if above is None:
        above = _between_two_groups(field, values[~missing].astype(np.float64))
    else:
        above = number("above", above)
    return np.where(missing, False, values > above), missing, f"{field} above {above:g}"


def _between_two_groups(field: str, values: Floats) -> float:
    """A value between the two groups that all lie in."""
    ordered = np.sort(values)
    n = len(ordered)
    if ordered[0] < ordered[-1]:
        # Where the sum of squares about both means is least (two means in one dimension).
        left = np.arange(1, n)
        before = np.cumsum(ordered)[:-1]
        after = ordered.sum() - before
        between = before**2 / left + after**2 / (n - left)
        k = int(between.argmax())
        low, high = ordered[: k + 1], ordered[k + 1 :]
        spread = max(float(low.std()), float(high.std()))
        if high[0] - low[-1] > max(_CLEARLY * spread, 0.0):
            return float((low[-1] + high[0]) / 2)
    raise ValueError(
        f"the values of {field}, from {ordered[0]:g} to {ordered[-1]:g}, do not form two "
        "clearly separated groups. Say which are pumped: above=, equals= or bits=."
    )


def _by_turns(data: xr.Dataset, first_pumped: bool | int | None) -> NDArray[np.bool_]:
    if _DIM not in data.coords:
        raise MissingDataError("the dataset has no coordinate trainId to count trains by.")
    if first_pumped is None:
        raise ValueError(
            "alternate=True does not say which trains are pumped: give first_pumped=True or "
            "False, or the id of a pumped train."
        )
    ids = data[_DIM].values.astype(np.int64)
    if isinstance(first_pumped, bool | np.bool_):
        first = (ids - ids[:1]) % 2 == 0
        return np.asarray(first if first_pumped else ~first)
    if not isinstance(first_pumped, int | np.integer):
        raise ValueError(f"first_pumped = {first_pumped!r}, expected True, False or a train id.")
    return np.asarray(ids % 2 == int(first_pumped) % 2)


def _result(data: xr.Dataset, state: Floats, how: str) -> xr.DataArray:
    unknown = np.isnan(state)
    n_on, n_off = int((state == 1).sum()), int((state == 0).sum())
    if unknown.any():
        warn(
            f"{int(unknown.sum())} of {len(state)} trains have no value that says whether they "
            f"are pumped: {named_entries(data, _DIM, unknown)}. They are NaN; aggregate leaves "
            "them out."
        )
    if len(state) and not (n_on and n_off):
        warn(
            f"{'all' if n_on else 'none'} of {n_on + n_off} trains are pumped, by {how}. If that "
            "is not so, give above=, equals=, bits= or another field."
        )
    attrs = provenance("pumped_by", pumped_by=how, n_pumped=n_on, n_unpumped=n_off)
    attrs |= {
        IS_FLAG: 1,
        "n_unknown": int(unknown.sum()),
        "long_name": "whether the train was pumped",
    }
    values: NDArray[Any] = state if unknown.any() else state.astype(bool)
    coords = {_DIM: data[_DIM]} if _DIM in data.coords else {}
    return xr.DataArray(values, coords, (_DIM,), "pumped", attrs)
