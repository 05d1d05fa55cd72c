"""Where to set the threshold: the fewest false hits and lost photons together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_threshold(
    thresholds: NDArray[np.float64],
    hits: NDArray[np.float64],
    false_hits: NDArray[np.float64],
    *,
    as_good: float,
) -> float:
    """Threshold with the fewest mistakes, in the middle of those that are as good.

    Parameters
    ----------
    thresholds : numpy.ndarray, shape (n,)
        Sums of a 2x2 square, rising, in ADU.
    hits, false_hits : numpy.ndarray, shape (n,)
        Hits above each, and of these the ones that noise makes, per frame.
    as_good : float
        Mistakes per frame more than the least that do not matter.

    Returns
    -------
    float
        In ADU.

    Notes
    -----
    Hits that go from one threshold to the next, and which noise did not make, are photons lost.
    A few mistakes more than the least matter less than the distance to the noise and to the
    photons, as the pedestal moves.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.threshold_choice import best_threshold
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
