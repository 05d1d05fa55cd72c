"""The trains in the exposure of an image, and sums of values over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.i0.exposure_time import TRAIN
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.typing import Floats

# Largest deviation of an exposure from a whole number of trains without a warning, in trains.
_BESIDE = 0.2
# Half a train counts as one, in spite of rounded times.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Exposures:
    """Numbers of trains in exposures.

    Attributes
    ----------
    n_trains : numpy.ndarray of int, shape (n_images,)
        Number of trains for each image.
    source : str
        Where the number was taken from.
    """

    n_trains: NDArray[np.int64]
    source: str

    @property
    def attr(self) -> int | NDArray[np.int64]:
        """The number, or the numbers that there are."""
        several = np.unique(self.n_trains)
        return int(several[0]) if len(several) == 1 else several


def exposures_of(
    n_images: int,
    *,
    given: int | None = None,
    seconds: Floats | None = None,
    all_images: NDArray[np.uint64],
) -> Exposures:
    """Number of trains in each exposure: as given, by the recorded time, or by the image distance.

    Parameters
    ----------
    n_images : int
        Number of images.
    given : int, optional
        Trains of each exposure.
    seconds : numpy.ndarray, shape (n_images,), optional
        Recorded exposure times; NaN if there is none.
    all_images : numpy.ndarray of uint64
        Ids of all trains with an image, also of images that are not used.

    Raises
    ------
    MissingDataError
        If the number cannot be found.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.i0.exposures import exposures_of
    >>> ids = np.array([100, 110, 120], dtype=np.uint64)
    >>> exposures_of(3, all_images=ids)
    Exposures(n_trains=array([10, 10, 10]), source='the distance of images')
    """
    if given is not None:
        return Exposures(np.full(n_images, given), "I0_TRAINS")
    if seconds is not None and (np.isfinite(seconds) & (seconds > 0)).any():
        return _by_time(seconds)
    ids = np.unique(all_images)
    if len(ids) < 2:
        raise MissingDataError(
            "the number of trains per exposure is not known: no exposure time is recorded, and "
            "there is only one image. Set I0_TRAINS (on the command line --i0-trains)."
        )
    n = int(np.median(np.diff(ids)))
    return Exposures(np.full(n_images, max(n, 1)), "the distance of images")


def _by_time(seconds: Floats) -> Exposures:
    """Whole number of trains for each exposure time; images without one have the usual time."""
    known = np.isfinite(seconds) & (seconds > 0)
    trains = np.where(known, seconds, np.median(seconds[known])) / TRAIN
    n = np.maximum(np.floor(trains + 0.5 + _ROUNDING).astype(np.int64), 1)
    beside = (trains > 1) & (np.abs(trains - n) > _BESIDE)
    if beside.any():
        first = int(np.flatnonzero(beside)[0])
        warn(
            f"an exposure of {trains[first] * TRAIN:g} s is {trains[first]:.3g} trains of "
            f"{TRAIN:g} s; I0 is summed over {n[first]}. Set I0_TRAINS if it is another number."
        )
    return Exposures(n, "the recorded exposure time")


def sum_over_exposures(
    image_ids: NDArray[np.uint64],
    n_trains: NDArray[np.int64],
    shift: int,
    train_ids: NDArray[np.uint64],
    values: Floats,
) -> Floats:
    """Sum of the values of trains over the exposure of each image.

    The exposure of the image of train ``t`` has the trains ``t + shift - n + 1`` to ``t + shift``.

    Parameters
    ----------
    image_ids : numpy.ndarray of uint64, shape (n_images,)
        Trains of the images.
    n_trains : numpy.ndarray of int, shape (n_images,)
        Trains of each exposure.
    shift : int
        Shift of the exposure in trains. 0: it ends with the train of the image; -1: with the train
        before; ``n_trains - 1``: it begins with the train of the image.
    train_ids : numpy.ndarray of uint64, shape (n,)
        Trains with a value, ascending.
    values : numpy.ndarray of float, shape (n,)
        Values of these trains.

    Returns
    -------
    numpy.ndarray of float, shape (n_images,)
        NaN if a train of the exposure has no finite value.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.i0.exposures import sum_over_exposures
    >>> ids = np.arange(10, 20, dtype=np.uint64)
    >>> two = np.array([2, 2])
    >>> sum_over_exposures(np.array([11, 10], np.uint64), two, 0, ids, np.arange(10.0))
    array([ 1., nan])
    """
    last = image_ids.astype(np.int64) + shift
    begin, end = last - n_trains + 1, last + 1
    ids = train_ids.astype(np.int64)
    good = np.isfinite(values)
    sums = np.full(len(image_ids), np.nan)
    places = np.searchsorted(ids, np.stack([begin, end]))
    # One by one, so that a sum does not depend on the values before it.
    for number, (low, high) in enumerate(places.T):
        if high - low == n_trains[number] and good[low:high].all():
            sums[number] = values[low:high].sum()
    return sums


def overlapping(image_ids: NDArray[np.uint64], n_trains: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Images whose exposure shares trains with that of the image before or after."""
    ids = image_ids.astype(np.int64)
    shared = np.diff(ids) < n_trains[1:]
    result = np.zeros(len(ids), dtype=bool)
    result[1:] |= shared
    result[:-1] |= shared
    return result
