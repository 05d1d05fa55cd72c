"""The width of the charge cloud, from the widths of fitted photons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.errors import MissingDataError

#: Start and limits of the search for the width, in pixels.
FIRST_CLOUD_SIGMA = 0.55
LEAST_CLOUD_SIGMA, MOST_CLOUD_SIGMA = 0.2, 1.5
# Narrower spots are hot pixels.
_NO_CLOUD = 0.25
# Wider clouds do not fit into their windows.
_TOO_WIDE = 1.25
# Entries for the width; more until there are this many photons.
_ENTRIES_FOR_A_CLOUD = 8
_PHOTONS_FOR_A_CLOUD = 500
#: Least number of isolated single photons.
LEAST_PHOTONS = 20

# The square of the width comes out too small by this many variances of the position: one in theory
# for noise of the pixels; this value, measured on simulated frames, with noise of the electrons.
_NARROWED = {False: 1.0, True: 1.5}
# Largest standard deviation of both coordinates together, in widths of the cloud; false hits have
# more.
_LARGEST_PLACE_ERROR = 0.45
# Charges of singles, in units of the most frequent charge.
_SINGLE_CHARGES = 0.6, 1.4
_LARGEST_CHI2 = 2.5  # times the median
_OUTLIER = 4.0
_MOST_ROUNDS = 12
_ENOUGH = 3e-4


@dataclass(frozen=True, repr=False)
class CloudEstimate:
    """Width of the charge cloud of single photons.

    Attributes
    ----------
    cloud_sigma : float
        Standard deviation of the Gaussian cloud, in pixels.
    cloud_sigma_err : float
        Its standard error, from the scatter of the photons.
    n_photons : int
        Number of isolated single photons that were used.
    spread : float
        Scatter of the widths of the clouds in pixels, after the effect of noise is subtracted: 0
        if all clouds are equally wide.
    """

    cloud_sigma: float
    cloud_sigma_err: float
    n_photons: int
    spread: float

    def __float__(self) -> float:
        return self.cloud_sigma

    def __repr__(self) -> str:
        return (
            f"<CloudEstimate: {self.cloud_sigma:.4f} ± {self.cloud_sigma_err:.4f} px from "
            f"{self.n_photons} photons, spread {self.spread:.3f} px>"
        )


def mean_cloud(
    photons: Mapping[str, NDArray[Any]], cloud_sigma: float, *, electrons: bool
) -> CloudEstimate:
    """Average the fitted cloud widths of isolated single photons.

    Parameters
    ----------
    photons
        Columns of a photon table, with ``frame``.
    cloud_sigma : float
        Width used in the fit, in pixels.
    electrons : bool
        Whether the fit included the noise of the electrons.

    Raises
    ------
    MissingDataError
        If there are fewer than `LEAST_PHOTONS` of them.
    """
    cloud, error = photons["own_cloud_sigma"], photons["own_cloud_sigma_err"]
    charge = photons["charge"]
    usable = (photons["flag"] == 0) & np.isfinite(cloud) & np.isfinite(error) & (error > 0)
    place = np.hypot(photons["sigma_x"], photons["sigma_y"])
    usable &= place < _LARGEST_PLACE_ERROR * cloud_sigma
    usable &= ~photons["double"] & ~_repeated(photons)
    if usable.any():  # hot pixels are not clouds
        usable &= photons["chi2"] < _LARGEST_CHI2 * np.median(photons["chi2"][usable])
    if usable.any():
        peak = _weighted_median(charge[usable], charge[usable] ** 2)
        usable &= (charge > _SINGLE_CHARGES[0] * peak) & (charge < _SINGLE_CHARGES[1] * peak)
    for _ in range(3):
        if not usable.any():
            break
        mean = np.average(cloud[usable], weights=error[usable] ** -2)
        scatter = max(1.0, float(np.median(np.abs(cloud[usable] - mean) / error[usable])) / 0.6745)
        usable &= np.abs(cloud - mean) < _OUTLIER * scatter * error
    n_photons = int(usable.sum())
    if n_photons < LEAST_PHOTONS:
        raise MissingDataError(
            f"the width of the charge cloud cannot be estimated: {n_photons} of {len(charge)} "
            f"hits are isolated single photons well above the noise, expected {LEAST_PHOTONS} or "
            "more. Give cloud_sigma (in pixels), or more frames with photons, and check the "
            "threshold."
        )
    weights = error[usable] ** -2
    mean = float(np.average(cloud[usable], weights=weights))
    # The fit takes part of the noise for a shift of the cloud, so that the cloud looks narrower.
    place = np.average(
        photons["sigma_x"][usable] ** 2 + photons["sigma_y"][usable] ** 2, weights=weights
    )
    mean = float(np.sqrt(mean**2 + 0.5 * _NARROWED[electrons] * place))
    deviation = cloud[usable] - mean
    variance = float(np.sum((weights * deviation) ** 2) / np.sum(weights) ** 2)
    beyond_noise = float(np.average(deviation**2 - error[usable] ** 2, weights=weights))
    spread = float(np.sqrt(max(beyond_noise, 0.0)))
    return CloudEstimate(mean, float(np.sqrt(variance)), n_photons, spread)


def search_cloud(fit: Callable[[float], CloudEstimate]) -> CloudEstimate:
    """Find the width that is confirmed by photons fitted with it.

    Parameters
    ----------
    fit
        Returns `mean_cloud` of photons that were fitted with this width.

    Raises
    ------
    MissingDataError
        If there are too few photons, or the cloud does not fit into a window.
    """
    sigma = FIRST_CLOUD_SIGMA
    for _ in range(_MOST_ROUNDS):
        estimate = fit(sigma)
        # One step of the fit goes too far if the width is far from right.
        step = float(np.clip(estimate.cloud_sigma / sigma, 0.8, 1.25))
        sigma = float(np.clip(sigma * step, LEAST_CLOUD_SIGMA, MOST_CLOUD_SIGMA))
        if abs(step - 1) < _ENOUGH:
            break
    if sigma < _NO_CLOUD:
        raise MissingDataError(
            "the width of the charge cloud cannot be estimated: most hits are single pixels "
            f"({sigma:.2f} px wide), such as hot pixels. Mask these (see bad_pixels), load a "
            "dark, or give cloud_sigma (in pixels)."
        )
    if sigma > _TOO_WIDE:
        raise MissingDataError(
            f"the width of the charge cloud cannot be estimated: hits are {sigma:.1f} px wide or "
            f"more, and a window of 5 x 5 pixels cannot measure a width above {_TOO_WIDE} px. "
            "Check that the hits are single photons. If they are, add up (bin) pixels, or give "
            "cloud_sigma (in pixels)."
        )
    return estimate


def cloud_of_first(
    n_entries: int,
    fit_first: Callable[[int, float], CloudEstimate],
    *,
    enough: int = _PHOTONS_FOR_A_CLOUD,
) -> CloudEstimate:
    """Find the width from the first 8 entries, or four times more, until there are enough photons.

    Parameters
    ----------
    n_entries : int
        Number of frames or trains.
    fit_first
        Returns `mean_cloud` of the photons in the first n entries, fitted with a width.
    enough : int
        Number of photons that is enough for the width.

    Raises
    ------
    MissingDataError
        If all entries together have too few photons.
    """
    n = min(_ENTRIES_FOR_A_CLOUD, n_entries)
    while True:
        try:
            estimate = search_cloud(partial(fit_first, n))
        except MissingDataError:
            if n == n_entries:
                raise
        else:
            if estimate.n_photons >= enough or n == n_entries:
                return estimate
        n = min(4 * n, n_entries)


def _repeated(photons: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Hits in hot pixels: those with hits in most frames, and in three at least."""
    x, y = (np.rint(photons[name]).astype(np.int64) for name in ("x", "y"))
    pixel = x * (int(y.max(initial=0)) + 1) + y
    _, place, hits = np.unique(pixel, return_inverse=True, return_counts=True)
    n_frames = len(np.unique(photons["frame"]))
    return np.asarray(hits[place] > max(2, n_frames // 2))


def _weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, 0.5 * below[-1])])
