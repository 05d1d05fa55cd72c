"""From a stack of frames in memory to its spectra, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.doubt_rules.doubt import DOUBTS, Doubt, from_text, new_ones, tell, with_doubts
from hrixs.doubt_rules.images import Names
from hrixs.photons.charge_balance import with_ratio
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.evidence import Evidence, evidence_of
from hrixs.reduction.first_images import report_doubts, settled
from hrixs.reduction.judge import judged
from hrixs.spectra.dataset import COUNTS
from hrixs.utils.errors import FaultyRunError, NonFinitePixelsError, TooManyPhotonsError

_BYTES_PER_PART = 512 * 2**20


# When the first frames are looked at; they may be lazy.
_ENTRIES_AT_A_TIME = 8


def settled_by_first(
    analysis: Analysis,
    frames: xr.DataArray,
    energies: NDArray[np.float64] | None,
    *,
    losses: bool = True,
    look: bool = True,
) -> Analysis:
    """`analysis` with what the first frames decide for all of them, as `settled`."""
    if frames.ndim == 2:
        frames = frames.expand_dims("frame")

    def parts(n: int) -> Iterator[tuple[xr.DataArray, Any]]:
        for begin in range(0, n, _ENTRIES_AT_A_TIME):
            part = slice(begin, min(begin + _ENTRIES_AT_A_TIME, n))
            energy = energies[part] if energies is not None and energies.ndim else energies
            yield frames[part].compute(), energy

    return settled(analysis, len(frames), parts, losses=losses, look=look)


def spectra_of(
    frames: xr.DataArray,
    analysis: Analysis,
    energies: NDArray[np.float64] | None = None,
) -> xr.DataArray:
    """Spectra of cropped frames, part by part, so that memory for photons is bounded.

    Raises
    ------
    ValueError
        As the functions of `Analysis`.
    """
    parts, evidence = [], []
    for piece, part in _parts(frames):
        energy = energies[part] if energies is not None and energies.ndim else energies
        table = analysis.photons(piece, energy) if analysis.counts_photons else None
        parts.append(
            analysis.integrated(piece, energy)
            if table is None
            else analysis.counted(table, piece.frame_shape[1])
        )
        evidence.append(vars(evidence_of(piece, analysis, table)))
    spectrum = parts[0] if len(parts) == 1 else xr.concat(parts, frames.dims[0])
    spectrum.attrs = dict(parts[0].attrs)
    for count in COUNTS:
        if count in spectrum.attrs:
            spectrum.attrs[count] = sum(part.attrs[count] for part in parts)
    spectrum.attrs = with_ratio(spectrum.attrs)
    report_doubts(spectrum.attrs, spectrum.values)
    doubts = judged(
        analysis,
        Evidence.joined(evidence),
        spectrum.attrs,
        spectrum.values.reshape(-1, spectrum.shape[-1]),
        shape=(frames.sizes["x"], frames.sizes["y"]),
        names=_names_of(frames),
    )
    tell(new_ones(doubts, analysis.doubts))
    spectrum.attrs = with_doubts(spectrum.attrs, doubts)
    return spectrum


def doubts_of_first(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None
) -> list[Doubt]:
    """What the first of many lazy frames show, which is told."""
    if frames.ndim == 2 or not len(frames):
        return list(analysis.doubts)
    of_few = energies
    if energies is not None and energies.ndim:
        of_few = energies[:_ENTRIES_AT_A_TIME]
    try:
        few = frames[:_ENTRIES_AT_A_TIME].compute()
        spectrum = spectra_of(few, analysis, of_few)
    except (FaultyRunError, NonFinitePixelsError, TooManyPhotonsError):
        return list(analysis.doubts)  # told when it is their turn
    return from_text(spectrum.attrs[DOUBTS])


def _names_of(frames: xr.DataArray) -> Names:
    """What the frames are called by."""
    n_frames = int(np.prod(frames.shape[:-2], dtype=np.int64))
    dim = frames.dims[0]
    if dim != "trainId" or "trainId" not in frames.coords or not n_frames:
        return Names("number", list(range(n_frames)))
    ids = frames["trainId"].values
    return Names("train", np.repeat(ids, n_frames // len(ids)).tolist())


def _parts(frames: xr.DataArray) -> Iterator[tuple[Frames, slice]]:
    """Parts along the first dimension, checked and loaded one by one, and where they lie."""
    if frames.ndim == 2:
        yield as_frames(frames), slice(None)
        return
    frames_per_entry = int(np.prod(frames.shape[1:-2]))
    bytes_per_entry = max(int(np.prod(frames.shape[1:])) * frames.dtype.itemsize, 1)
    step = max(1, _BYTES_PER_PART // bytes_per_entry)
    for begin in range(0, len(frames), step):
        part = slice(begin, begin + step)
        yield replace(as_frames(frames[part]), first_frame=begin * frames_per_entry), part
