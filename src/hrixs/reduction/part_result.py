"""Result of one part of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.photons.table import table_columns
from hrixs.reduction.evidence import evidence_of
from hrixs.reduction.plan import Plan
from hrixs.runs.parts import ReadPart
from hrixs.runs.storage import Failed
from hrixs.spectra.dataset import COUNTS
from hrixs.spectra.errors import BIN_NOISE
from hrixs.utils.errors import NonFinitePixelsError, TooManyPhotonsError


@dataclass
class PartResult:
    """Spectra of some of a run's entries.

    Attributes
    ----------
    entries
        Numbers of the entries in the index of the run.
    spectra : numpy.ndarray, shape (entries, ..., bins)
    y : numpy.ndarray, shape (bins,)
        Rows of the full chip, the axis of the spectra.
    failed
        Numbers of the unusable entries, with the reason.
    attrs
        Settings and counts.
    photons
        Columns of the photon table by name; ``frame`` counts the frames of the entries within the
        part. Empty if not requested.
    evidence
        Columns of `Evidence` of the frames; empty if no spectra are made.
    mended
        Columns of the corrections of the frames; empty without corrections.
    """

    entries: NDArray[np.int64]
    spectra: NDArray[np.float64]
    y: NDArray[np.float64]
    failed: Failed = field(default_factory=list)
    attrs: dict[str, Any] = field(default_factory=dict)
    photons: dict[str, NDArray[Any]] = field(default_factory=dict)
    evidence: dict[str, NDArray[Any]] = field(default_factory=dict)
    mended: dict[str, NDArray[Any]] = field(default_factory=dict)


#: Called with usable frames: entries, frames, photon energies, and photons if found.
Handed = Callable[[NDArray[np.int64], Frames, Any, "xr.Dataset | None"], None]


def reduce_part(read: ReadPart, plan: Plan, hand: Handed | None = None) -> list[PartResult]:
    """Reduce the frames of a part, shape ``(n, ..., x, y)``, according to the plan.

    `hand` is called with the frames as soon as their photons are found.

    Returns
    -------
    list of PartResult
        One result; or several, if unusable frames had to be left out one by one.
    """
    results = _reduce(read.frames, read.entries, plan, hand)
    if read.failed:
        results.append(_nothing(read.failed))
    return results


def _reduce(
    frames: NDArray[Any], entries: NDArray[np.int64], plan: Plan, hand: Handed | None
) -> list[PartResult]:
    if not len(entries):
        return []
    try:
        return [_of_part(frames, entries, plan, hand)]
    except (NonFinitePixelsError, TooManyPhotonsError) as error:
        if len(entries) == 1:
            return [_nothing([(int(entries[0]), _why(error))])]
    middle = len(entries) // 2
    return [
        result
        for half in (slice(None, middle), slice(middle, None))
        for result in _reduce(frames[half], entries[half], plan, hand)
    ]


def _of_part(
    frames: NDArray[Any], entries: NDArray[np.int64], plan: Plan, hand: Handed | None
) -> PartResult:
    analysis = plan.analysis
    stack, mended = analysis.mended(as_frames(frames))
    energy = plan.energies_of(entries, frames)
    if not analysis.counts_photons:
        spectrum = analysis.integrated(stack, energy)
        if hand is not None:
            hand(entries, stack, energy, None)
        return PartResult(
            entries,
            spectrum.values,
            spectrum["y"].values,
            attrs=spectrum.attrs,
            evidence=vars(evidence_of(stack, analysis, None)),
            mended=mended,
        )
    table = analysis.photons(stack, energy)
    if hand is not None:
        hand(entries, stack, energy, table)
    columns: dict[str, NDArray[Any]] = {}
    if plan.photons:
        on_chip = analysis.on_chip(table)
        columns = table_columns(on_chip)
    if not plan.spectra:
        no_bins = np.empty((*frames.shape[:-2], 0))
        return PartResult(entries, no_bins, np.empty(0), attrs=dict(on_chip.attrs), photons=columns)
    spectrum = analysis.counted(table, frames.shape[-1])
    return PartResult(
        entries,
        spectrum.values,
        spectrum["y"].values,
        attrs=spectrum.attrs,
        photons=columns,
        evidence=vars(evidence_of(stack, analysis, table)),
        mended=mended,
    )


def _why(error: Exception) -> str:
    """Reason without numbers, so that equal faults are reported together."""
    if isinstance(error, NonFinitePixelsError):
        return "they have NaN or infinite pixels that are not in MASK"
    return "they have more hits above the threshold than MAX_PHOTONS"


def _nothing(failed: Failed) -> PartResult:
    return PartResult(np.empty(0, np.int64), np.empty((0, 0)), np.empty(0), failed)


def add_counts(attrs: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Join attributes of two results: settings of one, sums of the counts, the larger noise."""
    counts = {name: attrs[name] + more[name] for name in COUNTS if name in attrs and name in more}
    noise = [one[BIN_NOISE] for one in (attrs, more) if BIN_NOISE in one]
    return more | attrs | counts | ({BIN_NOISE: max(noise)} if noise else {})
