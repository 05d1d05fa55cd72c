"""Hits that noise makes: how many to expect at a threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# How far the sums of neighbouring 2x2 squares go together, by the pixels that they share: of eight
# neighbours four share two pixels, and four one.
_NEIGHBOURS = ((0.5, 4), (0.25, 4))


def expected_false_hits(
    threshold: ArrayLike,
    *,
    level: float,
    noise: float,
    shape: tuple[int, int],
    step: float = 0.0,
) -> NDArray[np.float64]:
    """Expect the number of hits that noise alone makes in one frame.

    Parameters
    ----------
    threshold : float or array_like
        Sum of a 2x2 square above which a hit begins, in ADU, as in `hrixs.find_photons`.
    level, noise : float
        Mean and standard deviation of the sums of the 2x2 squares without photons, in ADU.
    shape : (int, int)
        Pixels of a frame along x and y.
    step : float
        Step that the sums go by, in ADU: 1 for frames in whole ADU from which no dark is
        subtracted, 0 for sums of any value.

    Returns
    -------
    numpy.ndarray
        Hits per frame, in the shape of `threshold`.

    Raises
    ------
    ValueError
        If `noise` is not positive or not finite.

    Notes
    -----
    Integral over the Gaussian above the threshold of the probability that all eight neighbours
    are lower, each given the square's sum, and taken as independent of one another. Pure noise
    has as many within some per cent from 2.5 standard deviations on
    (`tests/noise/test_false_hits.py`, from 3 on `docs/validation.md`).

    Examples
    --------
    >>> from hrixs.noise.false_hits import expected_false_hits
    >>> hits = expected_false_hits([414, 420], level=400, noise=4.0, shape=(2048, 2048))
    >>> hits.round(1)
    array([906. ,   1.2])
    """
    from scipy.integrate import trapezoid
    from scipy.special import ndtr

    if not 0 < noise < np.inf:
        raise ValueError(f"noise = {noise!r} ADU, expected a positive, finite number.")
    given = np.asarray(threshold, dtype=np.float64)
    # A whole sum is above the threshold if it is above the next half.
    height = ((np.floor(given / step) + 0.5) * step if step > 0 else given) - level
    start = np.maximum(height / noise, -8.0)[..., None]
    # The tail beyond 40 / u is less than 1e-17 of it.
    u = start + np.linspace(0, 1, 400) * np.minimum(40 / np.maximum(start, 1), 16.0)
    with np.errstate(under="ignore"):  # in the tail
        density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
        for share, n_of_them in _NEIGHBOURS:
            density = density * ndtr(u * (1 - share) / np.sqrt(1 - share**2)) ** n_of_them
        tail = trapezoid(density, u, axis=-1)
    # What is never seen is 0: products of it would be too small for a number.
    return np.where(tail > 1e-100, tail, 0.0) * (shape[0] - 3) * (shape[1] - 3)
