"""Small tools of statistics: medians, and values written with their errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.utils.threads import resolve_threads
from hrixs.utils.typing import Floats

#: Full width at half maximum of a Gaussian, in standard deviations.
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))

# Numbers from which on a sample of so many is worth while.
_MANY, _SAMPLE = 100_000, 4096


def with_error(value: float, error: float) -> str:
    """Text `value` ± `error`, rounded to two digits of the error.

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
    """Median of many numbers, like `numpy.nanmedian`, but fast.

    A sample gives limits of the median, so that only the values between them are sorted.

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
    """Median of each line of an image along an axis, like `numpy.nanmedian`, but fast.

    Parameters
    ----------
    values : numpy.ndarray, shape (x, y)
        NaN is ignored; a line with only NaN gives NaN.
    axis : {0, 1}
        The axis over which the median is taken.
    less : numpy.ndarray, optional
        Values along `axis` that are subtracted from each line first.
    threads : int, optional
        As in `hrixs.find_photons`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.utils.statistics import line_medians
    >>> line_medians(np.array([[1.0, 5.0, np.nan], [2.0, 9.0, 4.0]]), 1)
    array([3., 4.])
    """
    along_y = axis == 1
    size = (1, max(values.shape[1], 1)) if along_y else (max(values.shape[0], 1), 1)
    given: ArrayLike = () if less is None else less
    of_y, of_x = (given, ()) if along_y else ((), given)
    return cell_medians(values, size, less_of_y=of_y, less_of_x=of_x, threads=threads)[0].ravel()


def cell_medians(
    values: Floats,
    size: tuple[int, int],
    *,
    less_of_y: ArrayLike = (),
    less_of_x: ArrayLike = (),
    threads: int | None = None,
) -> tuple[Floats, NDArray[np.int64]]:
    """Median and number of values of each cell of an image, without NaN; NaN if there are none.

    Parameters
    ----------
    values : numpy.ndarray, shape (x, y)
    size : (int, int)
        Size of a cell along x and y; cells at the ends may be smaller.
    less_of_y, less_of_x : array_like, shapes (y,) and (x,), optional
        Values that are subtracted, first from the pixels of each y, then of each x.
    threads : int, optional
        As in `hrixs.find_photons`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.utils.statistics import cell_medians
    >>> medians, n = cell_medians(np.array([[1.0, 5.0, np.nan], [2.0, 9.0, 4.0]]), (2, 2))
    >>> medians, n
    (array([[3.5, 4. ]]), array([[4, 1]]))
    """
    shape = [-(-n // max(side, 1)) for n, side in zip(values.shape, size, strict=True)]
    medians, n = _core.cell_medians(
        values,
        size_x=size[0],
        size_y=size[1],
        less_of_y=np.asarray(less_of_y, dtype=np.float64),
        less_of_x=np.asarray(less_of_x, dtype=np.float64),
        threads=resolve_threads(threads),
    )
    return medians.reshape(shape), n.reshape(shape)
