"""Errors and covariances of a deconvolved spectrum, from the contribution of each photon."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hrixs.deconvolution.fit import Fit, Light
from hrixs.deconvolution.response import Response

FloatArray = NDArray[np.float64]
# Rows that are computed together, and the rows beside them that still contribute.
_ROWS, _BESIDE = 48, 12
#: Distance in rows up to which covariances are stored.
LAG_ROWS = 10


def covariance(light: Light, fit: Fit, response: Response) -> FloatArray:
    """Covariance of each bin with those after it, shape (bins of the rows, lags).

    A photon leaves its charge in several rows of one phase, so these rows are correlated. The
    variance is summed over photons, each with its whole effect on the spectrum, and over the noise
    of pixels and electrons, which is independent in each pixel.
    """
    n, n_rows = response.oversample, light.sums.shape[1]
    inner = response.inner(n_rows)
    n_lags = LAG_ROWS * n + 1
    bands = np.zeros((inner.stop - inner.start, n_lags))
    for begin, end, window, block in _blocks(light, fit, response):
        own = slice(begin - window.start, end - window.start)
        of_lags = np.zeros((end - begin, n_lags))
        for lag in range(n_lags):
            diagonal = np.diagonal(block, lag)[own]
            of_lags[: len(diagonal), lag] = diagonal
        bands[begin - inner.start : end - inner.start] = of_lags
    return bands


def covariance_of_sums(
    light: Light, fit: Fit, response: Response, weights: FloatArray
) -> FloatArray:
    """Covariance of weighted sums of bins at any distance.

    Parameters
    ----------
    weights : numpy.ndarray, shape (sums, bins of the rows)
    """
    from scipy.linalg import solveh_banded

    share, n_rows = light.share, light.sums.shape[1]
    right = np.zeros((len(fit.g), len(weights)))
    for column, one in zip(right.T, weights, strict=True):
        column[response.inner(n_rows)] = one
        column[:] = response.spread_out(column)
    moves = solveh_banded(fit.normal, right, lower=True)
    weighted = fit.weights * share
    seen = np.maximum(share * response.seen(fit.g, n_rows), 0.0)
    of_pixels = weighted * np.sqrt(light.noise + seen / light.electrons)
    photons = np.maximum(np.convolve(fit.g, _tent(response.oversample), "same"), 0.0)
    most = share.max(axis=1, keepdims=True)
    of_photons = weighted * share / np.where(most > 0, most, 1.0)
    total = np.zeros((len(weights), len(weights)))
    by_pixel = [response.seen(move, n_rows) for move in moves.T]
    noise = np.array([(of_pixels * one).ravel() for one in by_pixel])
    total += noise @ noise.T
    for phase in range(len(share)):
        alone = np.zeros_like(of_photons)
        alone[phase] = of_photons[phase]
        root = np.sqrt(photons * most[phase])
        light_ = np.array([root * response.back(alone * one) for one in by_pixel])
        total += light_ @ light_.T
    return total


def response_at(light: Light, fit: Fit, response: Response, bin_: int) -> FloatArray:
    """Effect of a photon in one bin on the bins of the window around it."""
    window = _window(bin_, bin_ + 1, len(fit.g), response)
    inverse = np.linalg.inv(_dense(fit.normal, window))
    fisher = _dense(response.normal(fit.weights * light.share**2), window)
    return response.spread_out(inverse @ fisher[:, bin_ - window.start])


def _blocks(
    light: Light, fit: Fit, response: Response
) -> Iterator[tuple[int, int, slice, FloatArray]]:
    """Yield begin and end of some bins, the window around them, and the covariance in it."""
    n, share, n_rows = response.oversample, light.share, light.sums.shape[1]
    inner = response.inner(n_rows)
    seen = np.maximum(share * response.seen(fit.g, n_rows), 0.0)
    of_pixels = response.normal((fit.weights * share) ** 2 * (light.noise + seen / light.electrons))
    near = np.convolve(fit.g, _tent(n), "same")
    photons = np.maximum(near, 0.0)  # negative noise here is positive in the bins beside it
    for begin in range(inner.start, inner.stop, _ROWS * n):
        end = min(begin + _ROWS * n, inner.stop)
        window = _window(begin, end + LAG_ROWS * n, len(fit.g), response)
        middle = _dense(of_pixels, window)
        for phase in range(len(share)):
            moved, columns = _by_photon(light, fit, response, phase, window)
            middle += (moved * (columns * photons[window])) @ moved.T
        inverse = np.linalg.inv(_dense(fit.normal, window))
        block = inverse @ middle @ inverse
        block = np.apply_along_axis(response.spread_out, 0, block)
        yield begin, end, window, np.apply_along_axis(response.spread_out, 1, block)


def _by_photon(
    light: Light, fit: Fit, response: Response, phase: int, window: slice
) -> tuple[FloatArray, float]:
    """What a photon in each bin adds to the right side for one phase, and the phase's share."""
    n, width = response.oversample, response.kernel.shape[1]
    n_bins = window.stop - window.start
    first = max(0, -(-(window.start) // n))
    last = min(light.sums.shape[1], (window.stop - width) // n + 1)
    rows = np.arange(first, max(first, last))
    sees = np.zeros((len(rows), n_bins))
    for number, row in enumerate(rows):
        at = row * n - window.start
        sees[number, at : at + width] = response.kernel[phase]
    share = light.share[phase, rows]
    # A masked pixel receives nothing from a photon.
    most = float(light.share[phase].max(initial=0.0))
    part = share / most if most > 0 else share
    return np.asarray((sees.T * (fit.weights[phase, rows] * share * part)) @ sees), most


def _tent(n: int) -> FloatArray:
    """Triangular weights of one row on both sides."""
    weights = 1.0 - np.abs(np.arange(-n + 1, n)) / n
    return np.asarray(weights / weights.sum())


def _window(begin: int, end: int, n_bins: int, response: Response) -> slice:
    n = response.oversample
    first = max(0, begin - _BESIDE * n) // n * n
    return slice(first, min(n_bins, end + _BESIDE * n))


def _dense(bands: FloatArray, window: slice) -> FloatArray:
    """Part of a symmetric matrix given by its lower bands, as a full matrix."""
    size = window.stop - window.start
    matrix = np.zeros((size, size))
    for lag in range(min(len(bands), size)):
        values = bands[lag, window][: size - lag]
        at = np.arange(size - lag)
        matrix[at + lag, at] = values
        matrix[at, at + lag] = values
    return matrix
