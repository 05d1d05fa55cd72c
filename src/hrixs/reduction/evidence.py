"""Values of each image for the doubts: its level and noise, and some of its photons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames
from hrixs.camera.level_and_noise import level_and_noise
from hrixs.reduction.analysis import Analysis
from hrixs.utils.typing import Floats

# Number of photons kept of a frame, taken evenly from all.
_PHOTONS_OF_A_FRAME = 64
# Bins of the charge histogram per factor of two, from 4 ADU on.
_BINS_PER_OCTAVE, _FIRST_OCTAVE, _N_CHARGES = 8, 2, 128


@dataclass(frozen=True)
class Evidence:
    """Values of some frames; parts can be joined in any division.

    Attributes
    ----------
    level, noise : numpy.ndarray, shape (frames,)
        Level and noise of the pixels without light, in ADU, with the dark subtracted.
    threshold : numpy.ndarray, shape (frames,)
        Threshold of a hit, above four times the level, in ADU; NaN if there is none.
    charges : numpy.ndarray of int, shape (frames, 128)
        Histogram of the charges, eight bins per factor of two from 4 ADU on; the last bin has all
        above.
    x, y : numpy.ndarray, shape (photons,)
        Positions of up to 64 photons of each frame, in pixels from the corner of the frame.
    """

    level: Floats
    noise: Floats
    threshold: Floats
    charges: NDArray[np.int64]
    x: Floats
    y: Floats

    @staticmethod
    def joined(parts: Sequence[Mapping[str, Any]]) -> Evidence:
        """Join all parts, in their order."""
        names = list(Evidence.__dataclass_fields__)
        return Evidence(**{name: np.concatenate([one[name] for one in parts]) for name in names})

    def photons_above(self, charge: float) -> Floats:
        """Number of photons of each frame with more than this charge, in ADU."""
        place = _BINS_PER_OCTAVE * (np.log2(max(charge, 1e-9)) - _FIRST_OCTAVE)
        first = int(np.clip(np.ceil(place), 0, _N_CHARGES - 1))
        return np.asarray(self.charges[:, first:].sum(axis=1), dtype=np.float64)


def evidence_of(frames: Frames, analysis: Analysis, table: xr.Dataset | None) -> Evidence:
    """Collect from a stack of frames the values that doubts are found by.

    Parameters
    ----------
    frames : Frames
    analysis : Analysis
        The analysis of the frames.
    table : xarray.Dataset, optional
        Photons of the frames.
    """
    n = len(frames)
    level, noise = level_and_noise(frames, analysis.of_core(frames))
    if table is None:
        nothing = np.empty(0)
        no_charges = np.zeros((n, _N_CHARGES), np.int64)
        return Evidence(level, noise, np.full(n, np.nan), no_charges, nothing, nothing)
    frame = np.asarray(table["frame"].values, dtype=np.int64)
    threshold = np.full(n, np.nan)
    if "threshold" in table:
        threshold = np.asarray(table["threshold"].values, dtype=np.float64).reshape(n) - 4 * level
    kept = _spread(frame, n)
    return Evidence(
        level=level,
        noise=noise,
        threshold=threshold,
        charges=_charges(frame, np.asarray(table["charge"].values), n),
        x=np.asarray(table["x"].values)[kept],
        y=np.asarray(table["y"].values)[kept],
    )


def _spread(frame: NDArray[np.int64], n_frames: int) -> NDArray[np.bool_]:
    """Select up to 64 photons of each frame, evenly from all."""
    counts = np.bincount(frame, minlength=n_frames)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.arange(len(frame)) - first[frame]
    return np.asarray(rank * _PHOTONS_OF_A_FRAME % counts[frame] < _PHOTONS_OF_A_FRAME)


def _charges(frame: NDArray[np.int64], charge: Floats, n_frames: int) -> NDArray[np.int64]:
    octave = np.log2(np.maximum(charge, 2.0**_FIRST_OCTAVE)) - _FIRST_OCTAVE
    number = np.minimum((_BINS_PER_OCTAVE * octave).astype(np.int64), _N_CHARGES - 1)
    flat = np.bincount(frame * _N_CHARGES + number, minlength=n_frames * _N_CHARGES)
    return flat.reshape(n_frames, _N_CHARGES)
