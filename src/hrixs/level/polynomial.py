"""Fit a polynomial to bins: counts by their likelihood, intensity by least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from hrixs.utils.errors import MissingDataError
from hrixs.utils.typing import Floats

_ROUNDS, _ENOUGH = 50, 1e-10
# Smallest variance of a bin for its weight / the mean one: a fit near 0 would get all weight.
_LEAST = 0.2
# Bins belong to a line if they are this number of standard deviations above the fit, alone or
# smoothed over a number of bins; wings are this share of the width of the line on both sides.
_N_SIGMA, _SMOOTHED, _WINGS = 3.5, 5, 0.5
_SEARCHES = 30


@dataclass(frozen=True)
class PolynomialFit:
    """Coefficients of a fit, their covariance, and the variance of bins about it.

    Attributes
    ----------
    coefficients : numpy.ndarray, shape (k,)
    covariance : numpy.ndarray, shape (k, k)
    variance : float
        Mean variance of the bins that were used.
    """

    coefficients: Floats
    covariance: Floats
    variance: float


def powers_of(places: Floats, degree: int) -> Floats:
    """Legendre polynomials at places between -1 and 1, shape (n, degree + 1)."""
    return np.asarray(legendre.legvander(places, degree))


def fit_polynomial(
    values: Floats, basis: Floats, used: NDArray[np.bool_], noise: float | None
) -> PolynomialFit:
    """Fit the values of the bins that are used.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN bins are not used.
    basis : numpy.ndarray, shape (n, k)
        From `powers_of`.
    used : numpy.ndarray of bool, shape (n,)
    noise : float or None
        For counts: noise of a bin without counts. None: not counts; all bins have the same scatter.

    Notes
    -----
    Repeated weighted least squares, with the weights of the previous fit, converge to the largest
    Poisson likelihood. Without any count, the variance is that of one count.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.level.polynomial import fit_polynomial, powers_of
    >>> counts = np.array([0.0, 1.0, 0.0, 3.0])
    >>> fit = fit_polynomial(counts, powers_of(np.linspace(-1, 1, 4), 0), np.ones(4, bool), 0.0)
    >>> fit.coefficients.round(6).tolist(), fit.covariance.round(6).tolist()
    ([1.0], [[0.25]])
    """
    used = used & np.isfinite(values)
    y, x = values[used], basis[used]
    n, k = x.shape
    if n < k:
        raise MissingDataError(f"{n} bins are without light, expected {k} or more.")
    if noise is None:
        inverse = np.linalg.pinv(x.T @ x)
        coefficients = inverse @ (x.T @ y)
        rest = y - x @ coefficients
        variance = float(rest @ rest) / max(n - k, 1)
        return PolynomialFit(coefficients, variance * inverse, variance)
    usual = max(float(y.mean()), 0.0) + noise**2
    if usual <= 0:
        usual = 1.0 / n  # as of one count
    expected = np.full(n, usual)
    coefficients = np.zeros(k)
    for _ in range(_ROUNDS):
        weighted = x / expected[:, None]
        before = coefficients
        coefficients = np.linalg.lstsq(weighted.T @ x, weighted.T @ y, rcond=None)[0]
        expected = np.maximum(x @ coefficients + noise**2, _LEAST * usual)
        if np.abs(coefficients - before).max() <= _ENOUGH * usual:
            break
    variances = np.maximum(expected, usual if k == 1 else _LEAST * usual)
    covariance = np.linalg.pinv((x / variances[:, None]).T @ x)
    return PolynomialFit(coefficients, covariance, float(variances.mean()))


def outside_of_lines(
    total: Floats, places: Floats, degree: int, noise: float | None, n_spectra: int
) -> NDArray[np.bool_]:
    """Bins of the sum of spectra without a line above a polynomial.

    Parameters
    ----------
    total : numpy.ndarray, shape (n,)
        Sum of the spectra; NaN bins are not used.
    places : numpy.ndarray, shape (n,)
    degree : int
    noise : float or None
        As in `fit_polynomial`, for one spectrum.
    n_spectra : int
    """
    known = np.isfinite(total)
    if not known.any():
        return known
    own_noise = None if noise is None else noise * np.sqrt(n_spectra)
    used = known & (total <= np.quantile(total[known], 0.4))
    basis = powers_of(places, degree)
    smooth = np.convolve(np.where(known, total, 0.0), np.ones(_SMOOTHED) / _SMOOTHED, "same")
    constant = basis[:, :1]  # the lowest bins alone make no slope
    for search in range(_SEARCHES):
        own = basis if search else constant
        fit = fit_polynomial(total, own, used, own_noise)
        level = own @ fit.coefficients
        if own_noise is None:
            step = np.diff(total[known])
            scatter = np.full(len(total), 1.4826 * np.median(np.abs(step)) / np.sqrt(2))
        else:
            scatter = np.sqrt(np.maximum(level, 0.25) + own_noise**2)
        above = total - level > _N_SIGMA * scatter
        above |= smooth - level > _N_SIGMA * scatter / np.sqrt(_SMOOTHED)
        now = known & ~_with_wings(above & known)
        if (now == used).all() or now.sum() < 2 * (degree + 1):
            break
        used = now
    return used


def _with_wings(lines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bins of lines and of their wings."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lines, [False]]).astype(int)))
    grown = lines.copy()
    for begin, end in edges.reshape(-1, 2):
        wing = max(1, round(_WINGS * (end - begin)))
        grown[max(0, begin - wing) : end + wing] = True
    return grown
