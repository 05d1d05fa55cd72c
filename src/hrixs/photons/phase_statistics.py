"""Statistics of sub-pixel phases: numbers on a circle, uniform where positions are unbiased."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature, CurveLike

Phases = NDArray[np.float64]

#: Below this p-value the phases count as not uniform.
SIGNIFICANCE = 0.01
# A bias has a period of one pixel and its first overtone; more would add noise to the tests.
_HARMONICS = np.array([1, 2])


def phase_of(position: ArrayLike) -> NDArray[np.float64]:
    """Distance of positions from the centre of their pixel, in [-0.5, 0.5).

    Examples
    --------
    >>> phase_of([6.75, 7.5, 8.25])
    array([-0.25, -0.5 ,  0.25])
    """
    given = np.asarray(position, dtype=np.float64)
    return given - np.floor(given + 0.5)


def cumulative(phase: Phases, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of phases below each of `at`."""
    return np.searchsorted(np.sort(phase), at, side="left") / len(phase)


def left_by_tilt(x: NDArray[np.float64], curvature: CurveLike) -> float:
    """How much of a narrow line's own phases of y is left: 1 untilted, 0 where rows are crossed.

    The photons at `x` of a line at one energy lie on its curve. The Fourier coefficients of
    these phases bound those of any spectrum's, if it is the same all along the line.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(2048.0)
    >>> left_by_tilt(x, (0.0, 0.0)), round(left_by_tilt(x, (0.0240845, -3.6953e-7)), 3)
    (1.0, 0.004)
    """
    moved = Curvature.of(curvature)(np.asarray(x, dtype=np.float64))
    return float(max(np.abs(np.exp(2j * np.pi * k * moved).mean()) for k in _HARMONICS))


def kuiper(phase: Phases) -> float:
    """Kuiper's V: the range of ``F(f) - f``, so the bias peak to peak, in pixels."""
    n = len(phase)
    expected = np.sort(phase) + 0.5
    above = np.arange(1, n + 1) / n - expected
    return float(above.max() - above.min() + 1 / n)


def kuiper_p_value(statistic: float, n: int) -> float:
    """p-value of Kuiper's V of `n` phases: Stephens, J. R. Stat. Soc. B 32, 115 (1970).

    Examples
    --------
    >>> round(kuiper_p_value(0.01744, 10_000), 3)
    0.05
    """
    scaled = statistic * (np.sqrt(n) + 0.155 + 0.24 / np.sqrt(n))
    if scaled < 0.4:  # the series converges slowly there, and its sum is 1
        return 1.0
    k = np.arange(1, 101)
    with np.errstate(under="ignore"):  # the last terms are 0
        terms = (4 * (k * scaled) ** 2 - 1) * np.exp(-2 * (k * scaled) ** 2)
    return float(np.clip(2 * terms.sum(), 0.0, 1.0))


def least_seen(n: int) -> float:
    """V at the edge of significance, in pixels."""
    low, high = 0.4, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        seen = kuiper_p_value(middle / np.sqrt(n), n) < SIGNIFICANCE
        low, high = (low, middle) if seen else (middle, high)
    return float(high / np.sqrt(n))


def column_blocks(x: NDArray[np.float64], n_blocks: int) -> list[NDArray[np.int64]]:
    """Photons of each block of columns, as indices: equally many in each."""
    return np.array_split(np.argsort(x, kind="stable"), n_blocks)


def compare_blocks(phases: list[Phases]) -> tuple[float, float]:
    """p-value that blocks have the same phases, and the rms modulation beyond chance."""
    from scipy.special import chdtrc

    n = np.array([len(phase) for phase in phases])
    waves = np.array([np.exp(2j * np.pi * np.outer(_HARMONICS, f)).mean(axis=1) for f in phases])
    common = np.average(waves, axis=0, weights=n)
    statistic = 2 * float(n @ (np.abs(waves - common) ** 2).sum(axis=1))
    freedom = 2 * len(_HARMONICS) * (len(phases) - 1)
    beyond = max(0.0, statistic - freedom) / (2 * n.sum())
    p_value = float(chdtrc(freedom, statistic)) if freedom else 1.0
    return p_value, float(2 * np.sqrt(beyond))
