"""From a stack of frames in memory to its spectra, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.photons.charge_balance import with_ratio
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.first_images import report_doubts, settled
from hrixs.spectra.dataset import COUNTS

_BYTES_PER_PART = 512 * 2**20


# When the first frames are looked at; they may be lazy.
_ENTRIES_AT_A_TIME = 8


def settled_by_first(
    analysis: Analysis,
    frames: xr.DataArray,
    energies: NDArray[np.float64] | None,
    *,
    losses: bool = True,
) -> Analysis:
    """`analysis` with what the first frames decide for all of them, as `settled`."""
    if not analysis.counts_photons:
        return analysis
    if frames.ndim == 2:
        frames = frames.expand_dims("frame")

    def parts(n: int) -> Iterator[tuple[xr.DataArray, Any]]:
        for begin in range(0, n, _ENTRIES_AT_A_TIME):
            part = slice(begin, min(begin + _ENTRIES_AT_A_TIME, n))
            energy = energies[part] if energies is not None and energies.ndim else energies
            yield frames[part].compute(), energy

    return settled(analysis, len(frames), parts, losses=losses)


def spectra_of(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None = None
) -> xr.DataArray:
    """Spectra of cropped frames, part by part, so that memory for photons is bounded.

    Raises
    ------
    ValueError
        As the functions of `Analysis`.
    """
    parts = []
    for piece, part in _parts(frames):
        energy = energies[part] if energies is not None and energies.ndim else energies
        parts.append(analysis.spectra(piece, energy))
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
