"""The spectrum that is likeliest, among smooth ones: penalised Fisher scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.deconvolution.response import Response

FloatArray = NDArray[np.float64]
_MOST_ROUNDS, _ENOUGH = 60, 1e-4
# A spectrum is taken for rough in relation to its height, at least so many widths of the noise.
_LEAST_HEIGHT = 3.0
_SECOND = (1.0, -2.0, 1.0)


@dataclass(frozen=True)
class Light:
    """Sums of all frames of a group, less their level, in photons.

    Attributes
    ----------
    sums, pixels : numpy.ndarray, shape (phases, rows)
        Photons, and pixels of a frame that they are the sums of.
    noise : numpy.ndarray, shape (phases, rows)
        Variance of the sums without light.
    n_columns : int
        Of a frame.
    electrons : float
        Of a photon.
    """

    sums: FloatArray
    pixels: FloatArray
    noise: FloatArray
    n_columns: int
    electrons: float

    @property
    def share(self) -> FloatArray:
        """Pixels of all columns that are in each phase and row."""
        return self.pixels / self.n_columns


@dataclass(frozen=True)
class Fit:
    """The Gaussians' photons, and what their errors are reckoned with.

    Attributes
    ----------
    g : numpy.ndarray, shape (bins,)
    normal : numpy.ndarray, shape (bands, bins)
        Lower bands of the matrix of the last round.
    weights : numpy.ndarray, shape (phases, rows)
        Inverse variances, as they were fitted with.
    n_rounds : int
    """

    g: FloatArray
    normal: FloatArray
    weights: FloatArray
    n_rounds: int


def fit(light: Light, response: Response, smoothing: float) -> Fit:
    """Fit the spectrum by its likelihood, less `smoothing` times its roughness.

    The roughness is the integral of the squared second derivative over the height. Both are of the
    first degree in the number of photons, so that a spectrum is as sharp however many there are.
    """
    from scipy.linalg import solveh_banded

    share, n_rows = light.share, light.sums.shape[1]
    n = response.oversample
    reached = share > 0
    total = max(float(share.sum(axis=0).max()), 1e-9)
    level = max(float(light.sums.sum() / max(share.sum(), 1e-9)) / n, 0.0)
    noise = float(np.sqrt(np.median(light.noise.sum(axis=0)[reached.any(axis=0)])) / total)
    least = max(_LEAST_HEIGHT * noise / n, 1e-3 * level, 1e-9)
    g = np.full(response.n_bins(n_rows), max(level, least))
    for number in range(1, _MOST_ROUNDS + 1):
        expected = np.maximum(share * response.seen(g, n_rows), 0.0) + light.noise
        weights = np.where(reached, 1.0 / np.maximum(expected, 1e-6), 0.0)
        normal = response.normal(weights * share**2)
        _add_roughness(normal, smoothing * n**4, np.maximum(g, 0.0) + least)
        normal[0] += 1e-9 * normal[0].max()
        found = solveh_banded(normal, response.back(weights * share * light.sums), lower=True)
        moved = float(np.abs(found - g).max())
        g = found if number < 4 else 0.5 * (found + g)
        if moved < _ENOUGH * float(np.abs(g).max()):
            break
    return Fit(g, normal, weights, number)


def _add_roughness(normal: FloatArray, smoothing: float, height: FloatArray) -> None:
    """Add the bands of the penalty to those of the matrix."""
    weight = smoothing / np.convolve(height, (0.25, 0.5, 0.25), "valid")
    for low, of_low in enumerate(_SECOND):
        for high in range(low, len(_SECOND)):
            place = slice(low, low + len(weight))
            normal[high - low, place] += weight * of_low * _SECOND[high]
