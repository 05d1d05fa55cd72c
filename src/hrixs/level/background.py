"""Background under spectra: from ranges without light, or a polynomial outside the lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.level.polynomial import PolynomialFit, fit_polynomial, outside_of_lines, powers_of
from hrixs.spectra.errors import BIN_NOISE, WITNESS, known_variance, with_variance
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset, yes_or_no
from hrixs.utils.errors import MissingDataError
from hrixs.utils.typing import Floats

#: One range of the axis, or several.
Region: TypeAlias = tuple[float, float] | Sequence[tuple[float, float]]

_LARGEST_DEGREE = 5
# Variables that are wrong for the new spectrum: errors without background, ratios.
_STALE = ("spectrum_err", "spectrum_var", WITNESS, "normalized", "normalized_err")


@recorded
def subtract_background(
    spectra: xr.Dataset | xr.DataArray,
    *,
    region: Region | None = None,
    degree: int = 0,
    common: bool = False,
    axis: str | None = None,
) -> xr.Dataset:
    """Subtract a background from spectra, and give the variance of the result.

    Parameters
    ----------
    spectra : xarray.Dataset or xarray.DataArray
        With ``spectrum (..., energy)``, or this variable: photons or ADU, single or added up.
    region : (float, float) or sequence of them, optional
        Ranges without light, in units of `axis`. Default: all outside the lines, which are found in
        the sum of all spectra.
    degree : int
        Degree of the polynomial, 0 to 5.
    common : bool
        Fit one background to the mean of all spectra, and subtract it from each.
    axis : str, optional
        Coordinate of `region`; default: that of the last dimension.

    Returns
    -------
    xarray.Dataset
        A new dataset: ``spectrum`` minus ``background``, as floats; ``background_var``, the
        variance of the background in each bin, from the covariance of the fit; ``spectrum_var``,
        its sum with the variance of counting. ``attrs`` of ``background`` describe the fit. Errors
        and ratios of the former spectrum are left out.

    Raises
    ------
    MissingDataError
        If there is no spectrum, or too few bins without light.
    ValueError, TypeError
        If an option is invalid.

    Notes
    -----
    Counts are fitted by their Poisson likelihood, in steps of weighted least squares. The weights
    are those of the fit, not of the counts, so that bins with few or no counts give no bias. The
    variance of a counted bin is its count; if intensity was converted to photons, the variance of
    its noise is added; in ADU it is the scatter of the bins about the fit.

    Bins share the error of the background: for a constant one, a sum over m bins has the variance
    ``spectrum_var.sum() + (m**2 - m) * background_var``. With `common`, all spectra share it, too,
    and averaging does not reduce it.

    See Also
    --------
    hrixs.hRIXS.normalize : call it after this function.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import subtract_background
    >>> counts = xr.DataArray([2.0, 1.0, 3.0, 2.0, 40.0, 2.0], dims="energy",
    ...                       coords={"energy": np.arange(6.0)}, attrs={"units": "photons"})
    >>> found = subtract_background(counts, region=(0, 3))
    >>> found.spectrum.values, float(found.background_var[0])  # 8 photons in 4 bins
    (array([ 0., -1.,  1.,  0., 38.,  0.]), 0.5)
    """
    data = _as_dataset(spectra)
    if isinstance(degree, bool) or degree not in range(_LARGEST_DEGREE + 1):
        raise ValueError(
            f"degree = {degree!r}, expected a whole number from 0 to {_LARGEST_DEGREE}."
        )
    degree = int(degree)
    common = yes_or_no("common", common)
    spectrum = data["spectrum"]
    dim = str(spectrum.dims[-1])
    values = np.asarray(spectrum.values, dtype=np.float64)
    of_each = values.reshape(-1, values.shape[-1])
    counted = spectrum.attrs.get("units") == "photons"
    noise = _noise(data, of_each) if counted else None
    known = np.isfinite(of_each)
    total = np.where(known.all(axis=0), of_each.sum(axis=0), np.nan)
    places = np.linspace(-1, 1, values.shape[-1])
    if region is None:
        used = outside_of_lines(total, places, degree, noise, len(of_each))
        text = "outside of the lines"
    else:
        used, text = _in_regions(region, _axis(spectrum, axis or dim), axis or dim)
    n_needed = degree + 1 if region is not None else 2 * (degree + 1)
    if (used & np.isfinite(total)).sum() < n_needed:
        raise MissingDataError(
            f"{int((used & np.isfinite(total)).sum())} bins are without light ({text}), expected "
            f"{n_needed} or more for a polynomial of degree {degree}. Give region=(low, high) in "
            f"units of {axis or dim!r}."
        )
    basis = powers_of(places, degree)
    fits = _fits(of_each, basis, used, noise, common=common)
    background = np.array([basis @ fit.coefficients for fit in fits])
    variance = np.array([((basis @ fit.covariance) * basis).sum(axis=1) for fit in fits])
    own = _own_variance(of_each, fits, noise)
    attrs = {
        "degree": degree,
        "region": text,
        "common": int(common),
        "n_bins": int((used & np.isfinite(total)).sum()),
        "long_name": "background of spectrum",
    }
    units = {"units": spectrum.attrs["units"]} if "units" in spectrum.attrs else {}
    dims = (dim,) if common else spectrum.dims
    shape = (values.shape[-1],) if common else values.shape
    left = spectrum.copy(data=(of_each - background).reshape(values.shape))
    left.attrs = spectrum.attrs | {"background_subtracted": 1}
    new = data.drop_vars([name for name in _STALE if name in data]).assign(
        spectrum=left,
        background=(dims, background.reshape(shape), attrs | units),
        background_var=(dims, variance.reshape(shape), {"long_name": "variance of background"}),
    )
    variances = xr.Variable(spectrum.dims, (own + variance).reshape(values.shape))
    return with_variance(new, "spectrum", variances)


def _noise(data: xr.Dataset, spectra: Floats) -> float:
    """Noise of bins in addition to the counting of photons."""
    variance = known_variance(data)
    if variance is None:
        return float(data["spectrum"].attrs.get(BIN_NOISE, 0.0))
    values = np.asarray(variance.values, dtype=np.float64).reshape(spectra.shape)
    more = (values - np.maximum(spectra, 0.0))[np.isfinite(values)]
    return float(np.sqrt(max(np.median(more), 0.0))) if more.size else 0.0


def _as_dataset(spectra: xr.Dataset | xr.DataArray) -> xr.Dataset:
    if isinstance(spectra, xr.DataArray):
        spectra = spectra.rename("spectrum").to_dataset()
    require_dataset(spectra, "a dataset with a spectrum")
    if "spectrum" not in spectra:
        raise MissingDataError(
            "the dataset has no variable 'spectrum'; make it with centroid, integrate or "
            "process_run."
        )
    if spectra["spectrum"].attrs.get("background_subtracted"):
        raise ValueError("a background was subtracted already; take the spectra as they were made.")
    return spectra


def _axis(spectrum: xr.DataArray, axis: str) -> Floats:
    """Values of a coordinate along the last dimension."""
    if axis not in spectrum.coords or spectrum[axis].dims != spectrum.dims[-1:]:
        along = [str(n) for n, c in spectrum.coords.items() if c.dims == spectrum.dims[-1:]]
        raise ValueError(
            f"the spectrum has no coordinate {axis!r} along {spectrum.dims[-1]!r}, expected one of "
            f"{', '.join(along) or 'none: add the axis first'}."
        )
    return np.asarray(spectrum[axis].values, dtype=np.float64)


def _in_regions(region: Any, axis: Floats, name: str) -> tuple[NDArray[np.bool_], str]:
    try:
        ranges = np.atleast_2d(np.asarray(region, dtype=np.float64))
    except (TypeError, ValueError):
        ranges = np.empty((0, 0))
    if ranges.ndim != 2 or ranges.shape[1:] != (2,) or not (ranges[:, 0] < ranges[:, 1]).all():
        raise ValueError(
            f"region = {region!r}, expected (low, high) in units of {name!r}, or several of them."
        )
    used = np.zeros(len(axis), dtype=bool)
    for low, high in ranges:
        used |= (axis >= low) & (axis <= high)
    return used, ", ".join(f"{low:g} to {high:g} in {name}" for low, high in ranges)


def _fits(
    spectra: Floats,
    basis: Floats,
    used: NDArray[np.bool_],
    noise: float | None,
    *,
    common: bool,
) -> list[PolynomialFit]:
    """One fit for each spectrum, or one for their mean."""
    if not common:
        return [fit_polynomial(one, basis, used, noise) for one in spectra]
    n = len(spectra)
    own_noise = None if noise is None else noise * np.sqrt(n)
    fit = fit_polynomial(spectra.sum(axis=0), basis, used, own_noise)
    return [PolynomialFit(fit.coefficients / n, fit.covariance / n**2, fit.variance / n)]


def _own_variance(spectra: Floats, fits: list[PolynomialFit], noise: float | None) -> Floats:
    """Variance of each bin without the variance of the background."""
    if noise is None:
        return np.broadcast_to(np.array([[fit.variance] for fit in fits]), spectra.shape).copy()
    return np.asarray(np.maximum(spectra, 0.0) + noise**2)
