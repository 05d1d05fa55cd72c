"""Spots that stand alone, which tell what one photon is like: its charge, and its cloud's width."""

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

# Standard deviations of the noise of a 2x2 square at which spots are looked for.
_SPOT_WIDTHS = 6.0
# In a crowd most spots are of several photons; those that fit a cloud best are of one.
_BEST_FITS = 0.05
_LARGEST_CHI2 = 2.0  # times that of the best
_LEAST_CHI2 = 0.5  # that the best are taken to have
# Charges of single photons, in parts of the most frequent one.
_SINGLE_CHARGES = 0.6, 1.4
# Charges nearer than this part of the most frequent one are looked at for its middle.
_NEAR_PEAK = 0.3
# A peak of charges is so wide, a factor to either side, has so many of the highest one's, and the
# next one, of two photons, begins at so many times its lowest charge.
_PEAK = 1.15
_CLEAR_PEAK = 0.5
_NEXT_PEAK = 1.6
# Charges that differ by more than this part, and so many errors, are told.
_LARGEST_MISMATCH = 0.1
_MISMATCH_ERRORS = 3.0
#: So many spots compare a charge with the one that was given.
ENOUGH_TO_COMPARE = 5
# A charge that is less certain than this part of it is told.
_LARGEST_ERROR = 0.02


def spots_of(frames: Frames, fit: _core.FitOptions, camera: Mapping[str, Any]) -> _core.Found:
    """Find and fit all spots of frames, each above a threshold by its own level and noise.

    Parameters
    ----------
    frames : Frames
        Few: they are gone through one by one, so that no frame's result depends on the others.
    fit
        Options of the core for a width of the cloud.
    camera
        Dark, mask and threads, as the core takes them.
    """
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)
    mean, noise = _core.frame_pedestals(pixels, **camera)
    parts = []
    for number in range(len(pixels)):
        found = _core.find_photons(
            pixels[number],
            # Where all is masked there is no level, and no spot.
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
    """Charge of one photon in ADU, its standard error, and the spots that it was learned from."""

    charge: float
    error: float
    n_spots: int

    def doubts(self) -> list[Doubt]:
        """Doubt a charge from few spots, so that it is uncertain by more than 2 %."""
        if self.error <= _LARGEST_ERROR * self.charge:
            return []
        return [
            Doubt(
                "learned_charge",
                f"the charge of one photon, {self.charge:.1f} ± {self.error:.1f} ADU, was learned "
                f"from {self.n_spots} isolated spots: what is counted is as uncertain. "
                "Give the photon energy (in eV) with the camera's gain, or photon_charge (in ADU).",
                {"charge": self.charge, "error": self.error},
            )
        ]


def mismatch(seen: ChargeEstimate) -> list[Doubt]:
    """Doubt the charge of one photon where isolated spots have another one.

    Parameters
    ----------
    seen : ChargeEstimate
        In charges of one photon.
    """
    if abs(seen.charge - 1) <= max(_LARGEST_MISMATCH, _MISMATCH_ERRORS * seen.error):
        return []
    return [
        Doubt(
            "charge",
            f"isolated photons have {seen.charge:.2f} times the charge that was expected "
            "of one: what is counted is as wrong as the charge. Give the camera's own "
            "electrons_per_adu (and ev_per_pair), or the right photon_charge.",
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
        So many have to stand alone.

    Raises
    ------
    MissingDataError
        If fewer do.
    """
    charge = np.sort(spots["charge"][_alone(spots)])
    if len(charge) < at_least:
        raise MissingDataError(
            f"the charge of one photon can't be learned: {len(charge)} spots of the first frames "
            f"stand alone, expected {at_least} or more. Give the photon energy (in eV), or "
            "photon_charge (in ADU)."
        )
    singles = _of_single_photons(charge)
    scatter = float(np.std(singles, ddof=1)) if len(singles) > 1 else np.inf
    return ChargeEstimate(float(np.mean(singles)), scatter / len(singles) ** 0.5, len(singles))


def n_alone(spots: Mapping[str, Any]) -> int:
    """How many spots stand alone."""
    return int(np.count_nonzero(_alone(spots)))


def cloud_of_spots(spots: Mapping[str, Any], cloud_sigma: float) -> CloudEstimate:
    """Width of the cloud by the isolated spots, which were fitted with `cloud_sigma`.

    Raises
    ------
    MissingDataError
        If too few stand alone.
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
    """Which spots are a photon's that stands alone."""
    chi2 = spots["chi2"]
    alone: NDArray[np.bool_] = (spots["flag"] == 0) & (spots["charge"] > 0) & np.isfinite(chi2)
    if alone.any():
        best = max(float(np.quantile(chi2[alone], _BEST_FITS)), _LEAST_CHI2)
        alone &= chi2 < _LARGEST_CHI2 * best
    return alone


def _of_single_photons(charge: NDArray[np.float64]) -> NDArray[np.float64]:
    """Charges of the lowest clear peak: a photon more in a spot makes another one above it."""
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
    """The lowest charge that has half as many near it as the one that has most."""
    ends = [np.searchsorted(charge, factor * charge) for factor in (1 / _PEAK, _PEAK)]
    n_near = ends[1] - ends[0]
    return float(charge[np.argmax(n_near >= _CLEAR_PEAK * n_near.max())])


def _most_frequent(charge: NDArray[np.float64]) -> float:
    """Middle of the densest half, of that, and so on."""
    left = charge
    while len(left) > 8:
        half = (len(left) + 1) // 2
        widths = left[half - 1 :] - left[: len(left) - half + 1]
        begin = int(np.argmin(widths))
        left = left[begin : begin + half]
    return float(np.mean(left))
