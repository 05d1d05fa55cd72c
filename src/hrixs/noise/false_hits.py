"""Hits that noise makes: how many to expect at a threshold, and the hits of a frame as they are."""

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
    whole: bool = False,
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
    whole : bool
        Whether the sums are whole ADU: frames in whole ADU, from which no dark is subtracted.

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
    height = (np.floor(given) + 0.5 if whole else given) - level
    start = np.maximum(height / noise, -8.0)[..., None]
    # The tail beyond 40 / u is less than 1e-17 of it.
    u = start + np.linspace(0, 1, 400) * np.minimum(40 / np.maximum(start, 1), 16.0)
    density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    for share, n_of_them in _NEIGHBOURS:
        density = density * ndtr(u * (1 - share) / np.sqrt(1 - share**2)) ** n_of_them
    tail = trapezoid(density, u, axis=-1)
    return np.asarray(tail * (shape[0] - 3) * (shape[1] - 3))


def square_maxima(
    sums: NDArray[np.float64], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the squares that `hrixs.find_photons` takes for hits.

    Parameters
    ----------
    sums : numpy.ndarray, shape (x - 1, y - 1)
        Sums of the 2x2 squares by their lower corner, in ADU; NaN where a pixel is masked.
    threshold : float
        In ADU.

    Returns
    -------
    i, j : numpy.ndarray, shape (n,)
        Lower corners of the hits. In `find_photons` a hit without a positive charge in its 4x4
        square is left out besides.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.false_hits import square_maxima
    >>> sums = np.zeros((8, 8))
    >>> sums[3, 4:6] = 50.0
    >>> i, j = square_maxima(sums, 40.0)
    >>> i.tolist(), j.tolist()
    ([3], [5])
    """
    # NaN is above no threshold.
    i, j = (index + 1 for index in np.nonzero(sums[1:-1, 1:-1] > threshold))
    own = sums[i, j]
    highest = np.ones(len(own), dtype=bool)
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            rival = sums[i + di, j + dj]
            if (di, dj) < (0, 0):
                highest &= ~(rival > own)
            elif (di, dj) > (0, 0):
                highest &= ~(rival >= own)
    return i[highest], j[highest]
