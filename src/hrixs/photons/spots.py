"""Isolated spots, from which the charge and the cloud width of one photon are learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from hrixs import _core
from hrixs.camera.frames import Frames
from hrixs.doubt_rules.doubt import Doubt
from hrixs.photons.cloud_width import LEAST_PHOTONS, CloudEstimate, mean_cloud
from hrixs.photons.columns import COLUMNS
from hrixs.utils.errors import MissingDataError

# Threshold of spots, in standard deviations of the noise of a 2x2 square.
_SPOT_WIDTHS = 6.0
# In crowded frames most spots are several photons; those that fit a cloud best are one.
_BEST_FITS = 0.05
_LARGEST_CHI2 = 2.0  # times that of the best
_LEAST_CHI2 = 0.5  # that the best are taken to have
# Charges of single photons, in units of the most frequent charge.
_SINGLE_CHARGES = 0.6, 1.4
# Charges within this part of the most frequent one are used for the centre of the peak.
_NEAR_PEAK = 0.3
# Width of a peak of charges (a factor on either side), its least height relative to the highest
# peak, and where the peak of two photons begins, in units of its lowest charge.
_PEAK = 1.15
_CLEAR_PEAK = 0.5
_NEXT_PEAK = 1.6
# Charges that differ by more than this part, and this many errors, are reported.
_LARGEST_MISMATCH = 0.1
_MISMATCH_ERRORS = 3.0
#: Spots needed to check the given charge.
ENOUGH_TO_COMPARE = 5
# A charge with a larger relative error is reported.
_LARGEST_ERROR = 0.02


def spots_of(frames: Frames, fit: _core.FitOptions, camera: Mapping[str, Any]) -> _core.Found:
    """Find and fit all spots of frames, with a threshold by level and noise of each frame.

    Parameters
    ----------
    frames : Frames
        A few frames, used one by one, so that no result depends on the other frames.
    fit
        Options of the core for the fit with one cloud width.
    camera
        Dark, mask and threads, in the form of the core.
    """
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)
    mean, noise = _core.frame_pedestals(pixels, **camera)
    parts = []
    for number in range(len(pixels)):
        found = _core.find_photons(
            pixels[number],
            # If all is masked, there is no level and no spot.
            threshold=float(
                np.nan_to_num(4 * mean[number] + 2 * _SPOT_WIDTHS * noise[number], nan=np.inf)
            ),
            std_threshold=0.0,
            dbl_threshold=None,
            **camera,
            max_photons=int(np.prod(frames.frame_shape)),
            fit=fit,
            first_frame=frames.first_frame + number,
        )
        found["frame"] = found["frame"] + number
        parts.append(found)
    if not parts:
        return _core.find_photons(
            pixels, threshold=0.0, std_threshold=0.0, dbl_threshold=None, **camera,
            max_photons=1, fit=fit,
        )  # fmt: skip
    columns = [cast("Mapping[str, NDArray[Any]]", part) for part in parts]
    joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
    return cast("_core.Found", joined)


class ChargeEstimate(NamedTuple):
    """Charge of one photon in ADU, its standard error, and the number of spots used."""

    charge: float
    error: float
    n_spots: int

    def doubts(self) -> list[Doubt]:
        """Return a doubt if the charge is uncertain by more than 2 %."""
        if self.error <= _LARGEST_ERROR * self.charge:
            return []
        return [
            Doubt(
                "learned_charge",
                f"the charge of one photon, {self.charge:.1f} ± {self.error:.1f} ADU, was "
                f"learned from only {self.n_spots} isolated spots. The number of photons has the "
                "same relative error. Give the photon energy (in eV) and the gain of the camera, "
                "or photon_charge (in ADU).",
                {"charge": self.charge, "error": self.error},
            )
        ]


def mismatch(seen: ChargeEstimate) -> list[Doubt]:
    """Return a doubt if the charge of isolated spots differs from that of one photon.

    Parameters
    ----------
    seen : ChargeEstimate
        Charge of isolated spots, in units of the given charge of one photon.
    """
    if abs(seen.charge - 1) <= max(_LARGEST_MISMATCH, _MISMATCH_ERRORS * seen.error):
        return []
    return [
        Doubt(
            "charge",
            f"isolated photons have {seen.charge:.2f} times the expected charge (expected 0.9 to "
            "1.1). The number of photons is wrong by a similar factor. Give electrons_per_adu "
            "(and ev_per_pair) of the camera, or the right photon_charge.",
            {"ratio": seen.charge, "error": seen.error},
            grave=not 1 / 1.5 < seen.charge < 1.5,
        )
    ]


def single_charge(spots: Mapping[str, Any], *, at_least: int = LEAST_PHOTONS) -> ChargeEstimate:
    """Charge of one photon in ADU: the lowest clear peak of isolated spots.

    Parameters
    ----------
    spots
        Columns of fitted spots.
    at_least : int
        Least number of isolated spots.

    Raises
    ------
    MissingDataError
        If there are fewer.
    """
    charge = np.sort(spots["charge"][_alone(spots)])
    if len(charge) < at_least:
        raise MissingDataError(
            f"the charge of one photon cannot be learned: {len(charge)} spots of the first frames "
            f"are isolated, expected {at_least} or more. Give the photon energy (in eV), or "
            "photon_charge (in ADU)."
        )
    singles = _of_single_photons(charge)
    scatter = float(np.std(singles, ddof=1)) if len(singles) > 1 else np.inf
    return ChargeEstimate(float(np.mean(singles)), scatter / len(singles) ** 0.5, len(singles))


def n_alone(spots: Mapping[str, Any]) -> int:
    """Number of isolated spots."""
    return int(np.count_nonzero(_alone(spots)))


def cloud_of_spots(spots: Mapping[str, Any], cloud_sigma: float) -> CloudEstimate:
    """Width of the cloud from isolated spots that were fitted with `cloud_sigma`.

    Raises
    ------
    MissingDataError
        If too few are isolated.
    """
    alone = _alone(spots)
    if alone.any():
        low, high = (
            part * float(np.mean(_of_single_photons(np.sort(spots["charge"][alone]))))
            for part in _SINGLE_CHARGES
        )
        alone &= (spots["charge"] > low) & (spots["charge"] < high)
    columns = {name: spots[name][alone] for name in ("frame", *COLUMNS) if name in spots}
    return mean_cloud(columns, cloud_sigma, electrons=True)


def _alone(spots: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Which spots are isolated photons."""
    chi2 = spots["chi2"]
    alone: NDArray[np.bool_] = (spots["flag"] == 0) & (spots["charge"] > 0) & np.isfinite(chi2)
    if alone.any():
        best = max(float(np.quantile(chi2[alone], _BEST_FITS)), _LEAST_CHI2)
        alone &= chi2 < _LARGEST_CHI2 * best
    return alone


def _of_single_photons(charge: NDArray[np.float64]) -> NDArray[np.float64]:
    """Charges of the lowest clear peak; spots with more photons make higher peaks."""
    few = _most_frequent(charge[charge < _NEXT_PEAK * _lowest_peak(charge)])
    near = charge[np.abs(charge - few) < _NEAR_PEAK * few]
    if not len(near):  # few charges, far from each other
        return np.array([few])
    for _ in range(10):
        width = 1.4826 * float(np.median(np.abs(near - np.median(near))))
        middle = float(np.median(near))
        kept = charge[np.abs(charge - middle) < 2.5 * width]
        if len(kept) == len(near) or len(kept) < 3:
            break
        near = kept
    return near


def _lowest_peak(charge: NDArray[np.float64]) -> float:
    """The lowest charge with at least half as many charges near it as the densest one has."""
    ends = [np.searchsorted(charge, factor * charge) for factor in (1 / _PEAK, _PEAK)]
    n_near = ends[1] - ends[0]
    return float(charge[np.argmax(n_near >= _CLEAR_PEAK * n_near.max())])


def _most_frequent(charge: NDArray[np.float64]) -> float:
    """Middle of the densest half of the values, repeated on that half, and so on."""
    left = charge
    while len(left) > 8:
        half = (len(left) + 1) // 2
        widths = left[half - 1 :] - left[: len(left) - half + 1]
        begin = int(np.argmin(widths))
        left = left[begin : begin + half]
    return float(np.mean(left))
