"""Start values of a curvature fit: the parabola for which strips of the image agree best."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_FloatImage: TypeAlias = NDArray[np.float64]
_TiltBend: TypeAlias = tuple[float, float]

# In rows over the whole width of the image.
_LARGEST_TILT = 100.0
_LARGEST_BEND = 8.0
_N_STRIPS = 64


def search_curvature(image: _FloatImage) -> tuple[float, float]:
    """Coefficients for which strips of the image agree best, on a grid, coarse to fine.

    Each strip is shifted by the parabola, and all are added up; the power of the sum is the
    correlation of all pairs of strips plus a constant.
    """
    nx, ny = image.shape
    x, strips = strip_profiles(image, min(_N_STRIPS, nx // 4))
    spectra = np.fft.rfft(strips, n=2 * ny, axis=1).T
    cycles = np.arange(len(spectra)) / (2 * ny)
    position = x / (nx - 1)

    def best(tilts: NDArray[np.float64], bends: NDArray[np.float64], cutoff: float) -> _TiltBend:
        used = np.flatnonzero((cycles > 1 / ny) & (cycles < cutoff))  # below that is background

        def moved_by(rows: NDArray[np.float64]) -> NDArray[np.complex128]:
            """Factors of each frequency, each computed from the one before."""
            factors = np.empty((len(used), *rows.shape), np.complex128)
            by_step = np.exp(1j * np.pi * rows / ny)
            here = np.exp(2j * np.pi * rows * cycles[used[0]])
            for one in factors:
                one[:] = here
                here *= by_step
            return factors

        bent = moved_by(np.multiply.outer(4 * position * (position - 1), bends))
        bent *= spectra[used, :, None]
        # Products of matrices, one for each frequency: tilts x strips, then x bends.
        sums = moved_by(np.multiply.outer(tilts, position)) @ bent
        powers = (np.square(sums.real) + np.square(sums.imag)).sum(axis=0)
        tilt, bend = np.unravel_index(int(np.argmax(powers)), powers.shape)
        return float(tilts[tilt]), float(bends[bend])

    largest_tilt = min(_LARGEST_TILT, ny / 2)
    largest_bend = min(_LARGEST_BEND, ny / 4)
    tilts = np.arange(-largest_tilt, largest_tilt + 1, 2.0, dtype=np.float64)
    bends = np.arange(-largest_bend, largest_bend + 1, 2.0, dtype=np.float64)
    tilt, bend = best(tilts, bends, cutoff=0.08)
    for step in (0.5, 0.25):
        near = step * np.arange(-2.0, 3.0, dtype=np.float64)
        tilt, bend = best(tilt + near, bend + near, cutoff=0.25)
    width = nx - 1
    return (tilt - 4 * bend) / width, 4 * bend / width**2


def strip_profiles(image: _FloatImage, n_strips: int) -> tuple[NDArray[np.float64], _FloatImage]:
    """Mean profiles of strips of equal width minus their medians; middles of the strips."""
    width = len(image) // n_strips
    cut = image[: n_strips * width].reshape(n_strips, width, -1)
    profile = cut.sum(axis=1)
    n_valid = np.full(profile.shape, width)
    some = np.flatnonzero(~np.isfinite(profile).all(axis=1))  # what is not known is rare
    valid = np.isfinite(cut[some])
    profile[some], n_valid[some] = np.where(valid, cut[some], 0).sum(axis=1), valid.sum(axis=1)
    known = n_valid > 0
    profile /= np.maximum(n_valid, 1)
    profile[known] -= np.repeat(_medians_of(profile, known), known.sum(axis=1))
    middle = width * np.arange(n_strips, dtype=np.float64) + (width - 1) / 2
    return middle, profile


def _medians_of(profile: _FloatImage, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median of the known values of each profile."""
    if known.all():
        return np.asarray(np.median(profile, axis=1))
    own = (row[is_known] for row, is_known in zip(profile, known, strict=True))
    return np.array([np.median(row) if row.size else 0.0 for row in own])
