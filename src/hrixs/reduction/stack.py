"""From a stack of frames in memory to its spectra, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.photons.charge_balance import with_ratio
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.doubts import report_doubts
from hrixs.reduction.first_images import settled
from hrixs.reduction.losses import FRAMES_FOR_A_LOSS, losses_of, report_losses
from hrixs.spectra.dataset import COUNTS
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.errors import FaultyRunError

_BYTES_PER_PART = 512 * 2**20
# When the first frames are looked at.
_ENTRIES_AT_A_TIME = 8


def settled_by_first(
    analysis: Analysis,
    frames: xr.DataArray,
    energies: NDArray[np.float64] | None,
    *,
    losses: bool = True,
) -> Analysis:
    """`analysis` with what the first frames decide for all of them, as `settled`.

    Lazy ones that can't be read are left out: they are told of when it is their turn.
    """
    if not analysis.counts_photons:
        return analysis
    if frames.ndim == 2:
        frames = frames.expand_dims("frame")

    def parts(n: int) -> Iterator[tuple[xr.DataArray, Any]]:
        for begin, end in _first_parts(frames):
            if begin >= n:
                return
            part = slice(begin, min(end, n))
            try:
                loaded = frames[part].compute()
            except FaultyRunError:
                continue
            yield loaded, energies[part] if energies is not None and energies.ndim else energies

    return settled(analysis, len(frames), parts, losses=losses)


def _first_parts(frames: xr.DataArray) -> Iterator[tuple[int, int]]:
    """Where parts begin and end that are looked at together; chunks are read once."""
    sizes = [_ENTRIES_AT_A_TIME] * -(-len(frames) // _ENTRIES_AT_A_TIME)
    if is_lazy(frames):
        sizes = list(frames.chunks[0])
    return pairwise(accumulate(sizes, initial=0))


def spectra_of(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None = None
) -> xr.DataArray:
    """Spectra of cropped frames, part by part, so that memory for photons is bounded.

    What a threshold loses is estimated from the photons of the first frames, found once.

    Raises
    ------
    ValueError
        As the functions of `Analysis`.
    """
    parts: list[xr.DataArray] = []

    def energy_of(part: slice) -> Any:
        return energies[part] if energies is not None and energies.ndim else energies

    for piece, part in _parts(frames):
        energy = energy_of(part)
        if parts or not analysis.takes_thresholds:
            parts.append(analysis.spectra(piece, energy))
            continue
        photons = analysis.photons(piece, energy)
        if len(piece) >= FRAMES_FOR_A_LOSS or frames.ndim == 2 or len(frames[part]) == len(frames):
            lost = losses_of(analysis, [(piece, energy)], photons)
        else:  # of parts that are smaller than that, as of one
            lost = losses_of(analysis, ((one, energy_of(at)) for one, at in _parts(frames)))
        report_losses(lost)
        counted = analysis.counted(photons, piece.frame_shape[1])
        parts.append(counted.assign_attrs(lost))
    spectrum = parts[0] if len(parts) == 1 else xr.concat(parts, frames.dims[0])
    spectrum.attrs = dict(parts[0].attrs)
    for count in COUNTS:
        if count in spectrum.attrs:
            spectrum.attrs[count] = sum(part.attrs[count] for part in parts)
    spectrum.attrs = with_ratio(spectrum.attrs)
    report_doubts(spectrum.attrs, spectrum.values)
    return spectrum


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
