"""Choose the threshold with the fewest mistakes: false hits plus lost photons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Share of false hits below which hits are used for the charge of photons.
_IMPURE = 0.02


def photon_onset(
    heights: NDArray[np.float64], tried: NDArray[np.float64], false_hits: NDArray[np.float64]
) -> float:
    """Height above which nearly all hits are photons.

    Parameters
    ----------
    heights : numpy.ndarray, shape (n_hits,)
        Height of the 2x2 square of each hit above the pedestal, in ADU.
    tried : numpy.ndarray, shape (n,)
        Heights to choose from, ascending, in ADU.
    false_hits : numpy.ndarray, shape (n,)
        Hits above each height by noise.

    Returns
    -------
    float
        In ADU; infinite if all heights have too many false hits.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.threshold import photon_onset
    >>> heights = np.array([13.0] * 60 + [16.0] * 9 + [90.0] * 50)
    >>> photon_onset(heights, np.array([12.0, 15.0, 18.0]), np.array([70.0, 9.0, 0.1]))
    18.0
    """
    hits = np.array([np.count_nonzero(heights > height) for height in tried])
    pure = (false_hits <= _IMPURE * hits) & (hits > 0)
    return float(tried[np.argmax(pure)]) if pure.any() else np.inf


def best_threshold(
    thresholds: NDArray[np.float64],
    hits: NDArray[np.float64],
    false_hits: NDArray[np.float64],
    *,
    as_good: float,
) -> float:
    """Threshold with the fewest mistakes, in the middle of equally good ones.

    Parameters
    ----------
    thresholds : numpy.ndarray, shape (n,)
        Sums of a 2x2 square, ascending, in ADU.
    hits, false_hits : numpy.ndarray, shape (n,)
        Hits above each threshold per frame, and those of them by noise.
    as_good : float
        Additional mistakes per frame that do not matter.

    Returns
    -------
    float
        In ADU.

    Notes
    -----
    Hits that disappear from one threshold to the next, and are not noise, are lost photons. Because
    the pedestal drifts, the distance to noise and photons matters more than a few mistakes.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.threshold import best_threshold
    >>> thresholds = np.arange(10.0, 100.0, 10.0)
    >>> hits = np.array([900, 110, 100, 100, 100, 100, 100, 70, 20])
    >>> false_hits = np.array([800, 10, 0, 0, 0, 0, 0, 0, 0])
    >>> best_threshold(thresholds, hits, false_hits, as_good=0.1)
    50.0
    """
    here = np.maximum(-np.diff(hits) + np.diff(false_hits), 0.0)
    mistakes = np.concatenate([[0.0], np.cumsum(here)]) + false_hits
    best = int(np.argmin(mistakes))
    good = mistakes <= mistakes[best] + as_good
    first, last = best, best
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(good) - 1 and good[last + 1]:
        last += 1
    return float((thresholds[first] + thresholds[last]) / 2)


def rounded(value: float, noise: float) -> float:
    """Round `value` to the digits that matter: a twentieth of the noise or less.

    Examples
    --------
    >>> from hrixs.noise.threshold import rounded
    >>> rounded(451.8743, 3.7), rounded(0.004518743, 3.7e-5), rounded(45187.43, 370.0)
    (451.9, 0.004519, 45190.0)
    """
    return round(value, digits_of(noise))


def digits_of(noise: float) -> int:
    """Number of digits after the point that matter for this noise."""
    return -int(np.floor(np.log10(noise / 20.0)))
