"""Fit the spectrum by maximum likelihood with a penalty for roughness (Fisher scoring)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.deconvolution.response import Response

FloatArray = NDArray[np.float64]
_MOST_ROUNDS, _ENOUGH = 60, 1e-4
# Roughness is relative to the height of the spectrum, at least this many times the noise.
_LEAST_HEIGHT = 3.0
_SECOND = (1.0, -2.0, 1.0)


@dataclass(frozen=True)
class Light:
    """Sums of all frames of a group in photons, with the level subtracted.

    Attributes
    ----------
    sums, pixels : numpy.ndarray, shape (phases, rows)
        Photons in each sum, and the number of pixels per frame.
    noise : numpy.ndarray, shape (phases, rows)
        Variance of the sums without light.
    n_columns : int
        Columns of a frame.
    electrons : float
        Electrons of a photon.
    """

    sums: FloatArray
    pixels: FloatArray
    noise: FloatArray
    n_columns: int
    electrons: float

    @property
    def share(self) -> FloatArray:
        """Share of the pixels of all columns in each phase and row."""
        return self.pixels / self.n_columns


@dataclass(frozen=True)
class Fit:
    """The photons of each Gaussian, and the matrices for their errors.

    Attributes
    ----------
    g : numpy.ndarray, shape (bins,)
    normal : numpy.ndarray, shape (bands, bins)
        Lower bands of the matrix in the last round.
    weights : numpy.ndarray, shape (phases, rows)
        Inverse variances used in the fit.
    n_rounds : int
    """

    g: FloatArray
    normal: FloatArray
    weights: FloatArray
    n_rounds: int


def fit(light: Light, response: Response, smoothing: float) -> Fit:
    """Maximise the likelihood of the spectrum minus `smoothing` times its roughness.

    The roughness is the integral of the squared second derivative divided by the height.
    Likelihood and roughness are both proportional to the number of photons, so the sharpness of a
    spectrum does not depend on that number.
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
    """Add the penalty to the bands of the matrix."""
    weight = smoothing / np.convolve(height, (0.25, 0.5, 0.25), "valid")
    for low, of_low in enumerate(_SECOND):
        for high in range(low, len(_SECOND)):
            place = slice(low, low + len(weight))
            normal[high - low, place] += weight * of_low * _SECOND[high]
