"""What is left of a part of a run when its frames are reduced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.frames import as_frames
from hrixs.photons.table import PLACE_COLUMNS
from hrixs.reduction.analysis import Analysis
from hrixs.runs.parts import ReadPart
from hrixs.runs.storage import Failed
from hrixs.spectra.dataset import COUNTS
from hrixs.utils.errors import NonFinitePixelsError, TooManyPhotonsError

#: Columns of a photon table that are kept.
COLUMNS = ("x", "y", "charge", "double", "frame")


@dataclass
class PartResult:
    """Spectra of some of a run's entries.

    Attributes
    ----------
    entries
        Numbers of the entries in the run's index.
    spectra : numpy.ndarray, shape (entries, ..., bins)
    y : numpy.ndarray, shape (bins,)
        Rows of the crop that the spectra lie on.
    failed
        Numbers of the entries that could not be used, and why.
    attrs
        Settings and counts.
    photons
        Columns of the photon table by name; ``frame`` counts over entries and their frames within
        the part. Empty where it is not asked for.
    """

    entries: NDArray[np.int64]
    spectra: NDArray[np.float64]
    y: NDArray[np.float64]
    failed: Failed = field(default_factory=list)
    attrs: dict[str, Any] = field(default_factory=dict)
    photons: dict[str, NDArray[Any]] = field(default_factory=dict)


def reduce_part(
    read: ReadPart,
    analysis: Analysis,
    energies: NDArray[np.float64] | None = None,
    *,
    photons: bool = False,
) -> list[PartResult]:
    """Make spectra of the frames of a part, shape ``(n, ..., x, y)``.

    Parameters
    ----------
    read : ReadPart
        The frames.
    analysis : Analysis
        What to do with them.
    energies : numpy.ndarray of float, optional
        Photon energy of each entry of the run, in eV.
    photons : bool
        Whether to keep the photon table.

    Returns
    -------
    list of PartResult
        One, or several where frames that can't be used had to be left out one by one.
    """
    results = _reduce(read.frames, read.entries, analysis, energies, photons)
    if read.failed:
        results.append(_nothing(read.failed))
    return results


def _reduce(
    frames: NDArray[Any],
    entries: NDArray[np.int64],
    analysis: Analysis,
    energies: NDArray[np.float64] | None,
    photons: bool,
) -> list[PartResult]:
    if not len(entries):
        return []
    try:
        return [_spectra(frames, entries, analysis, energies, photons)]
    except (NonFinitePixelsError, TooManyPhotonsError) as error:
        if len(entries) == 1:
            return [_nothing([(int(entries[0]), _why(error))])]
    middle = len(entries) // 2
    return [
        result
        for half in (slice(None, middle), slice(middle, None))
        for result in _reduce(frames[half], entries[half], analysis, energies, photons)
    ]


def _spectra(
    frames: NDArray[Any],
    entries: NDArray[np.int64],
    analysis: Analysis,
    energies: NDArray[np.float64] | None,
    photons: bool,
) -> PartResult:
    stack = as_frames(frames)
    if not analysis.counts_photons:
        spectrum = analysis.integrated(stack)
        return PartResult(entries, spectrum.values, spectrum["y"].values, attrs=spectrum.attrs)
    energy = None
    if energies is not None:
        n_within = (1,) * (frames.ndim - 3)
        energy = np.broadcast_to(energies[entries].reshape(-1, *n_within), frames.shape[:-2])
    table = analysis.photons(stack, energy)
    spectrum = analysis.counted(table, frames.shape[-1])
    kept = (*COLUMNS, *(name for name in PLACE_COLUMNS if name in table))
    columns = {name: table[name].values for name in kept} if photons else {}
    return PartResult(
        entries, spectrum.values, spectrum["y"].values, attrs=spectrum.attrs, photons=columns
    )


def _why(error: Exception) -> str:
    """Without numbers, so that equal faults are told together."""
    if isinstance(error, NonFinitePixelsError):
        return "they have NaN or infinite pixels that are not in MASK"
    return "they have more hits above the threshold than MAX_PHOTONS"


def _nothing(failed: Failed) -> PartResult:
    return PartResult(np.empty(0, np.int64), np.empty((0, 0)), np.empty(0), failed)


def add_counts(attrs: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Settings of one of two results, and the sums of their counts."""
    counts = {name: attrs[name] + more[name] for name in COUNTS if name in attrs and name in more}
    return more | attrs | counts
