"""Sum bins of a deconvolved spectrum, with correct errors: neighbouring bins are correlated."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hrixs.deconvolution.far import covariance_of
from hrixs.deconvolution.sampled import FloatArray
from hrixs.utils.checks import require_dataset, whole_number
from hrixs.utils.errors import MissingDataError, warn


def add_bins(data: xr.Dataset, n: int) -> xr.Dataset:
    """Make the bins of a deconvolved spectrum `n` times wider, with correct errors.

    Parameters
    ----------
    data : xarray.Dataset
        With ``spectrum`` and ``spectrum_cov`` over ``cov_lag``, as from `hrixs.deconvolve`.
    n : int
        Number of neighbouring bins to add up; bins left over at the end are dropped.

    Returns
    -------
    xarray.Dataset
        ``spectrum``, ``spectrum_err`` and ``spectrum_cov`` of the wider bins, and nothing else.
        The axis holds the centres of the bins.

    Examples
    --------
    >>> wider = hrixs.add_bins(result, 3)  # bins of one row  # doctest: +SKIP
    """
    spectrum, cov, dim = _parts(data)
    n = whole_number("n", n)
    n_bins = spectrum.sizes[dim] // n * n
    if n_bins == 0:
        raise ValueError(f"n = {n}, expected at most {spectrum.sizes[dim]}, the number of bins.")
    if 2 * n > cov.sizes["cov_lag"] and not _is_whole(cov, n_bins):
        alone = np.kron(np.eye(n_bins // n), np.ones(n)).astype(np.float64)
        wide = _by_lag(covariance_of(data, alone, slice(0, n_bins)))
    else:
        wide = _of_lags(cov.isel({dim: slice(n_bins)}).transpose(..., dim, "cov_lag").values, n)
    wide_lags = wide.shape[-1]
    summed = spectrum.isel({dim: slice(n_bins)}).coarsen({dim: n}).sum(keep_attrs=True)
    dims = (*(d for d in cov.dims if d not in (dim, "cov_lag")), dim, "cov_lag")
    error = _root(wide[..., 0])
    made = summed.transpose(..., dim).to_dataset(name="spectrum")
    made["spectrum_err"] = (dims[:-1], error, {"units": "photons"})
    made["spectrum_cov"] = (dims, wide, dict(cov.attrs))
    made = made.assign_coords(lag=("cov_lag", np.arange(wide_lags), {"units": "bins"}))
    return made.assign_attrs(data.attrs)


def sum_between(data: xr.Dataset, low: float, high: float) -> xr.Dataset:
    """Sum the photons of a deconvolved spectrum between two ends, with the error of the sum.

    Parameters
    ----------
    data : xarray.Dataset
        As for `add_bins`.
    low, high : float
        Ends, in units of the axis; bins with their centre between them are added up.

    Returns
    -------
    xarray.Dataset
        ``spectrum`` and ``spectrum_err`` without the axis.

    Examples
    --------
    >>> line = hrixs.sum_between(result, 929.5, 930.5)  # doctest: +SKIP
    """
    spectrum, cov, dim = _parts(data)
    axis = spectrum[dim].values
    inside = np.flatnonzero((axis >= low) & (axis <= high))
    if not len(inside):
        raise ValueError(
            f"no bin has its centre between {low!r} and {high!r}. Expected two ends within "
            f"{axis.min():g} to {axis.max():g}."
        )
    part = slice(int(inside[0]), int(inside[-1]) + 1)
    n_lags, n_bins = cov.sizes["cov_lag"], part.stop - part.start
    if n_bins > n_lags and not _is_whole(cov, n_bins):
        variance = covariance_of(data, np.ones((1, n_bins)), part)[..., 0, 0]
    else:
        values = np.asarray(cov.isel({dim: part}).transpose(..., dim, "cov_lag").values)
        variance = values[..., 0].sum(axis=-1)
        for lag in range(1, min(n_lags, n_bins)):
            variance = variance + 2 * values[..., : n_bins - lag, lag].sum(axis=-1)
    total = spectrum.isel({dim: part}).sum(dim, skipna=False, keep_attrs=True)
    made = total.to_dataset(name="spectrum")
    made["spectrum_err"] = (total.dims, _root(variance), {"units": "photons"})
    return made


def _of_lags(values: FloatArray, n: int) -> FloatArray:
    """Covariances by lag of sums of `n` bins, from those of single bins."""
    *leading, n_bins, n_lags = values.shape
    wide_lags = (n_lags - 1) // n + 1
    blocks = values.reshape(*leading, n_bins // n, n, n_lags)
    wide = np.zeros((*blocks.shape[:-2], wide_lags))
    for first in range(n):
        for lag in range(n_lags):
            block = (first + lag) // n
            if block < wide_lags:
                # Within a wide bin each pair counts twice, in both orders.
                wide[..., block] += blocks[..., first, lag] * (2.0 if block == 0 < lag else 1.0)
    return wide


def _by_lag(full: FloatArray) -> FloatArray:
    """Convert a full covariance matrix to values by first bin and lag."""
    n = full.shape[-1]
    bands = np.zeros(full.shape)
    for lag in range(n):
        bands[..., : n - lag, lag] = np.diagonal(full, lag, axis1=-2, axis2=-1)
    return bands


def _is_whole(cov: xr.DataArray, n_bins: int) -> bool:
    """Whether bins further apart than the stored lags are uncorrelated."""
    last = cov.isel(cov_lag=-1).values
    return n_bins <= cov.sizes["cov_lag"] or not np.nan_to_num(last).any()


def _root(variance: FloatArray) -> FloatArray:
    """Square root of variances; NaN with a warning if a variance is not above 0."""
    wrong = variance <= 0
    if np.any(wrong):
        warn(
            f"{int(np.sum(wrong))} sums have no error (NaN), because their covariances add up to "
            "0 or less. Call hrixs.deconvolve(data) to compute them again."
        )
    return np.asarray(np.sqrt(np.where(wrong, np.nan, variance)))


def _parts(data: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray, str]:
    require_dataset(data, "a deconvolved spectrum")
    if "spectrum" not in data or "spectrum_cov" not in data:
        raise MissingDataError(
            "the dataset has no spectrum with spectrum_cov, expected a deconvolved spectrum, as "
            "from h.integrate(data, deconvolve=True)."
        )
    cov = data["spectrum_cov"]
    dim = next(str(d) for d in cov.dims[::-1] if d != "cov_lag")
    return data["spectrum"], cov, dim
