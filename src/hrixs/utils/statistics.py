"""Small facts of statistics: medians of an image's lines, and how a value is written."""

from __future__ import annotations

import numpy as np

from hrixs.utils.threads import map_in_threads
from hrixs.utils.typing import Floats

#: Full width at half maximum of a Gaussian, in standard deviations.
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))

# Lines that are put in order together: they lie in the cache.
_LINES = 64
# With more places to look at than this, lines are sorted.
_MOST_PLACES = 8
# Numbers from which on a sample of so many is worth while.
_MANY, _SAMPLE = 100_000, 4096


def with_error(value: float, error: float) -> str:
    """`value` ± `error`, to two digits of the error.

    Examples
    --------
    >>> with_error(530.12345, 0.0123)
    '530.123 ± 0.012'
    """
    if not (np.isfinite(error) and error > 0):
        return f"{value:.6g}"
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def median_of(values: Floats) -> float:
    """Median of many numbers, as `numpy.nanmedian` has it, but fast.

    A sample tells between which values it lies, so that only those are put in order.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.utils.statistics import median_of
    >>> median_of(np.array([[1.0, 5.0], [np.nan, 4.0]]))
    4.0
    """
    flat = values.ravel()
    if flat.size < _MANY:
        return float(np.nanmedian(flat))
    sample = flat[:: flat.size // _SAMPLE]
    sample = np.sort(sample[~np.isnan(sample)])
    middle, margin = len(sample) // 2, int(3 * np.sqrt(len(sample))) + 2
    n = flat.size - np.count_nonzero(np.isnan(flat))
    if len(sample) > 2 * margin + 2:
        low, high = sample[middle - margin], sample[middle + margin]
        near = flat[(flat >= low) & (flat <= high)]
        n_below = np.count_nonzero(flat < low)
        places = [(n - 1) // 2 - n_below, n // 2 - n_below]
        if places[0] >= 0 and places[1] < near.size:
            near.partition(places)
            return float((near[places[0]] + near[places[1]]) / 2)
    return float(np.nanmedian(flat))


def line_medians(
    values: Floats, axis: int, *, less: Floats | None = None, threads: int | None = None
) -> Floats:
    """Median of each line of an image along an axis, as `numpy.nanmedian` has it, but fast.

    Parameters
    ----------
    values : numpy.ndarray, shape (x, y)
        NaN is passed over; a line of NaN alone has NaN.
    axis : {0, 1}
        The axis that is taken away.
    less : numpy.ndarray, optional
        Along `axis`; subtracted from each line first.
    threads : int, optional
        As in `hrixs.find_photons`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.utils.statistics import line_medians
    >>> line_medians(np.array([[1.0, 5.0, np.nan], [2.0, 9.0, 4.0]]), 1)
    array([3., 4.])
    """
    lines = values if axis == 1 else values.T

    def of_some(begin: int) -> Floats:
        some = lines[begin : begin + _LINES]
        return _medians_in_place(np.array(some, order="C") if less is None else some - less)

    parts = map_in_threads(of_some, range(0, len(lines), _LINES), threads)
    return np.concatenate(parts) if parts else np.empty(0)


def _medians_in_place(lines: Floats) -> Floats:
    """Median of each row, whose values are put in another order."""
    n = lines.shape[1] - np.isnan(lines).sum(axis=1)
    low, high = np.maximum(n - 1, 0) // 2, np.minimum(n // 2, max(lines.shape[1] - 1, 0))
    places = np.unique([low, high])
    if len(places) > _MOST_PLACES:
        lines.sort(axis=1)  # NaN last, as for the others
    else:
        lines.partition(places, axis=1)
    at = np.arange(len(lines))
    return np.asarray((lines[at, low] + lines[at, high]) / 2)
