"""Errors of spectra, from counts, variances and divisors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from zlib import crc32

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.utils.errors import MissingDataError, UnknownUncertaintyError, unknown_name

#: Variances, and the witness that shows whether they were summed like the spectra.
VARIANCE = "_var"
WITNESS = "n_added"
#: Variable with the divisor of spectra, if it is not a variable of the dataset.
DIVISOR = "normalized_divisor"
#: Attribute of spectra converted to photons: standard deviation of a bin without photons.
BIN_NOISE = "bin_noise"

# Counted if no units say otherwise.
_COUNTED = ("spectrum", "total")
# Fewer (or fewer different) whole numbers may have a common factor by chance.
_FILLED, _DIFFERENT = 8, 3


def error_of(data: xr.Dataset | xr.DataArray, name: str = "spectrum") -> xr.DataArray:
    """Compute the error of a spectrum (one standard deviation); also ``data.hrixs.error(name)``.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        A result of this package, also after `sum`, `coarsen`, `groupby`, `concat` or a selection
        of trains or bins; or a counted spectrum.
    name : str
        Variable of the dataset: ``'spectrum'``, ``'normalized'``, ``'difference'`` and others.

    Returns
    -------
    xarray.DataArray
        With the dimensions, coordinates and units of the variable.

    Raises
    ------
    UnknownUncertaintyError
        If it cannot be known, for example after a mean. The message has the reason and what to do.
    MissingDataError
        If there is no such variable.

    Notes
    -----
    Counted photons are Poisson distributed: the variance of a bin is its count, and a sum of
    counts is a count. Counts are whole numbers (int64), which they are not after a mean or a
    division. A spectrum divided by a variable of the dataset has the error of the ratio, as long
    as it equals that ratio. Other spectra have a variable ``<name>_var`` with the variance, which
    is correct after a sum; the witness ``n_added``, whole numbers over the same bins, shows
    whether it was a sum. Your own error, ``<name>_err`` in the dataset, is used unchanged.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> import hrixs
    >>> counts = xr.DataArray([[4, 16], [5, 20]], dims=["trainId", "energy"])
    >>> data = xr.Dataset({"spectrum": counts.assign_attrs(units="photons")})
    >>> data.sum("trainId", keep_attrs=True).hrixs.error("spectrum").values
    array([3., 6.])
    >>> data.mean("trainId", keep_attrs=True).hrixs.error("spectrum")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    hrixs.utils.errors.UnknownUncertaintyError: the error of 'spectrum' cannot be known: its ...
    """
    advice = "Divide sums of counts with h.normalize, or give the error as {name}_err."
    if isinstance(data, xr.DataArray):
        name = str(data.name or "spectrum")
        data = data.to_dataset(name=name)
        advice = "Use the dataset that it comes from: data.hrixs.error({name!r})."
    if not isinstance(name, str) or name not in data.data_vars:
        raise MissingDataError(unknown_name("variable", name, map(str, data.data_vars)))
    values = data[name]
    variance = _variance(data, name, advice.format(name=name))
    error: xr.DataArray = xr.apply_ufunc(np.sqrt, variance, dask="allowed", keep_attrs=True)
    error.attrs = {"long_name": f"one standard deviation of {name}"}
    if "units" in values.attrs:
        error.attrs = {"units": values.attrs["units"], **error.attrs}
    return error.rename(name).transpose(*values.dims)


def known_error(data: xr.Dataset | xr.DataArray, name: str = "spectrum") -> xr.DataArray | None:
    """As `error_of`; None if it cannot be known."""
    try:
        return error_of(data, name)
    except UnknownUncertaintyError:
        return None


def known_variance(data: xr.Dataset, name: str = "spectrum") -> xr.DataArray | None:
    """Variance of a variable, with its dimensions; None if it cannot be known."""
    try:
        return _variance(data, name, "").transpose(*data[name].dims)
    except UnknownUncertaintyError:
        return None


def moved_with_variances(
    data: xr.Dataset, names: Iterable[str], move: Callable[[xr.DataArray], xr.DataArray]
) -> dict[str, xr.DataArray]:
    """Move variables to other bins, with their variances.

    Parameters
    ----------
    data : xarray.Dataset
    names : iterable of str
        Variables to move.
    move : callable
        Returns a variable on its new bins; must be linear.
    """
    plain = [name for name in names if not tells_an_error(name, data)]
    moved = xr.Dataset({name: move(data[name]) for name in plain})
    for name in plain:
        values = data[name]
        variance = None if _is_a_ratio(values, data) else known_variance(data, name)
        if variance is not None:
            moved = with_variance(moved, name, move(variance.rename(f"{name}{VARIANCE}")))
    return {str(name): moved[name] for name in moved.data_vars}


def tells_an_error(name: str, data: xr.Dataset) -> bool:
    """Whether a variable is only the error of another one of the dataset."""
    own = name.removesuffix("_err").removesuffix(VARIANCE).removesuffix("_added")
    return name == WITNESS or (own != name and own in data)


def _is_a_ratio(values: xr.DataArray, data: xr.Dataset) -> bool:
    return "normalized_by" in values.attrs or (values.name == "normalized" and "spectrum" in data)


def with_variance(
    data: xr.Dataset, name: str, variance: xr.DataArray | xr.Variable, *, witness: str = WITNESS
) -> xr.Dataset:
    """Add the variance of a variable to `data`, and its witness."""
    values = data[name].variable
    units = values.attrs.get("units")
    attrs = {"long_name": f"variance of {name}"}
    attrs |= {} if units is None else {"units": f"({units})^2"}
    spread = getattr(variance, "variable", variance)
    spread = spread.set_dims(dict(zip(values.dims, values.shape, strict=True)))
    spread = spread.transpose(*values.dims)
    made = {f"{name}{VARIANCE}": xr.Variable(values.dims, spread.data, attrs)}
    known = data.variables.get(witness)
    if known is None or known.dims != values.dims or not _is_witness(known):
        own = witness if known is None or known.dims == values.dims else f"{name}_added"
        made[own] = _witness(values, _seed(data[name], spread.data))
    return data.assign(made)


def _variance(data: xr.Dataset, name: str, advice: str) -> xr.DataArray:
    values = data[name]
    if f"{name}_err" in data:
        return data[f"{name}_err"].broadcast_like(values) ** 2
    if _is_a_ratio(values, data):
        return _of_ratio(data, name)
    if f"{name}{VARIANCE}" in data:
        _require_witness(data, name)
        return data[f"{name}{VARIANCE}"]
    why_no_count = _why_no_count(values)
    if why_no_count is None:
        return values.astype(np.float64)
    raise _unknown(name, why_no_count, advice)


def _of_ratio(data: xr.Dataset, name: str) -> xr.DataArray:
    by = str(data[name].attrs.get("normalized_by", ""))
    divisor = data[name].attrs.get("divisor", by if by in data.variables else DIVISOR)
    if divisor not in data.variables:
        raise _unknown(
            name,
            f"its divisor, {by or 'the divisor'}, is not in the dataset",
            "Keep it, or normalise again.",
        )
    spectrum, divided_by = data["spectrum"], data[divisor]
    if not _is_ratio(data[name], spectrum, divided_by):
        raise _unknown(
            name,
            f"it is no longer spectrum / {divisor}: ratios were summed, averaged or changed",
            f"Normalise afterwards: h.normalize(data, {by or divisor!r}).",
        )
    inputs = [_variance(data, "spectrum", ""), divided_by]
    if f"{divisor}_err" in data.variables:
        inputs += [spectrum, data[f"{divisor}_err"] ** 2]
    elif f"{divisor}{VARIANCE}" in data.variables:
        inputs += [spectrum, data[f"{divisor}{VARIANCE}"]]
    variance: xr.DataArray = xr.apply_ufunc(
        _ratio_variance, *inputs, dask="parallelized", output_dtypes=[np.float64]
    )
    return variance.where(np.isfinite(data[name]))


def _is_ratio(ratio: xr.DataArray, spectrum: xr.DataArray, divisor: xr.DataArray) -> bool:
    if any(one.chunks is not None for one in (ratio, spectrum, divisor)):
        return True  # lazy values are not compared
    expected, found = xr.broadcast(spectrum / divisor, ratio)
    usable = np.isfinite(expected.values) & np.isfinite(found.values)
    return bool(np.allclose(expected.values[usable], found.values[usable], rtol=1e-9, atol=0))


def _ratio_variance(
    variance: NDArray[Any],
    divisor: NDArray[Any],
    spectrum: NDArray[Any] | None = None,
    divisor_variance: NDArray[Any] | None = None,
) -> NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):
        of_spectrum = np.asarray(variance / divisor**2)
        if spectrum is None or divisor_variance is None:
            return of_spectrum
        return np.asarray(of_spectrum + (spectrum / divisor**2) ** 2 * divisor_variance)


def _why_no_count(values: xr.DataArray) -> str | None:
    """Reason why values are not counts; None if they are."""
    # A sum of an older version of xarray has no attributes.
    units = values.attrs.get("units", "photons" if values.name in _COUNTED else None)
    if units != "photons":
        return f"it is in {units!r}, but only counted photons have the error of a count"
    if BIN_NOISE in values.attrs:
        return f"it is intensity converted to photons, without {values.name}{VARIANCE} next to it"
    if values.dtype.kind not in "iu" and not _has_gaps(values):
        return f"its values are not whole numbers ({values.dtype}): a mean, a ratio, or shifted"
    return None if values.chunks is not None else _why_no_sum(np.asarray(values.values))


def _has_gaps(values: xr.DataArray | xr.Variable) -> bool:
    """Whether whole numbers of trains are floats only because of gaps, not because of a mean."""
    if values.dtype.kind != "f" or "trainId" not in values.dims or values.chunks is not None:
        return False
    trains = values.coords["trainId"] if isinstance(values, xr.DataArray) else None
    return trains is None or trains.dtype.kind in "iu"


def _why_no_sum(values: NDArray[Any]) -> str | None:
    """Reason why whole numbers are not counts; None if there is none."""
    known = values[np.isfinite(values)]
    if not (known == np.floor(known)).all():
        return "its values are not whole numbers: a mean, a ratio, or shifted"
    if (known < 0).any():
        return "it has negative values, unlike counts: one spectrum was subtracted from another"
    filled = known[known > 0].astype(np.int64)
    factor = int(np.gcd.reduce(filled)) if filled.size >= _FILLED else 1
    if factor > 1 and len(np.unique(filled)) >= _DIFFERENT:
        return f"all values are multiples of {factor}: it was multiplied"
    return None


def _witness(values: xr.Variable, seed: int) -> xr.Variable:
    """Make whole numbers over the bins: sums have no common factor, and means are not whole."""
    numbers = np.arange(int(np.prod(values.shape, dtype=np.int64)), dtype=np.uint64)
    mixed = ((numbers + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    attrs = {"long_name": "added up like the variances"}
    added = 1 + (mixed % np.uint64(3)).astype(np.int64)
    return xr.Variable(values.dims, added.reshape(values.shape), attrs)


def _seed(values: xr.DataArray, variance: Any) -> int:
    """Choose a seed, so that the witnesses of two results are not multiples.

    It comes from the coordinates of the images, also for lazy values; or else from the variances.
    """
    of_images = [one for one in values.coords.values() if one.dims == values.dims[:1]]
    if values.ndim > 1 and of_images:
        return crc32("".join(str(one.values.tolist()) for one in of_images).encode())
    if hasattr(variance, "dask"):
        return crc32(str(variance.name).encode())
    return crc32(np.ascontiguousarray(variance, dtype=np.float64).data)


def _is_witness(witness: xr.Variable) -> bool:
    if witness.dtype.kind not in "iu" and not _has_gaps(witness):
        return False
    values = np.asarray(witness.values)
    return _why_no_sum(values) is None and bool((values != 0).all())


def _require_witness(data: xr.Dataset, name: str) -> None:
    known = [one for one in (f"{name}_added", WITNESS) if one in data]
    if not known or data[known[0]].dims != data[name].dims:
        raise _unknown(
            name, f"{WITNESS}, which belongs to its variance, is missing or has other dimensions"
        )
    if not _is_witness(data[known[0]].variable):
        raise _unknown(
            name,
            f"{known[0]} shows that it is not a sum: it was averaged, multiplied or subtracted",
            "Use the sum, and divide it with h.normalize.",
        )


def _unknown(name: str, why: str, advice: str = "") -> UnknownUncertaintyError:
    return UnknownUncertaintyError(
        f"the error of {name!r} cannot be known: {why}. {advice}".rstrip()
    )
