"""Reduce a stack of frames in memory to spectra, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.doubt_rules.doubt import DOUBTS, from_text, new_ones, tell, with_doubts
from hrixs.doubt_rules.images import Names
from hrixs.level.mend import Mending
from hrixs.level.told import told, variables
from hrixs.photons.charge_balance import with_ratio
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.evidence import Evidence, evidence_of
from hrixs.reduction.first_images import settled
from hrixs.reduction.judge import Seen, judged
from hrixs.reduction.losses import FRAMES_FOR_A_LOSS, losses_of
from hrixs.spectra.dataset import COUNTS
from hrixs.spectra.errors import BIN_NOISE
from hrixs.utils.dask_arrays import is_lazy
from hrixs.utils.errors import FaultyRunError, NonFinitePixelsError, TooManyPhotonsError

_BYTES_PER_PART = 512 * 2**20
# When the first frames are checked; and how many lazy frames are used for doubts.
_ENTRIES_AT_A_TIME = 8
_ENTRIES_OF_LAZY = 4


def settled_by_first(
    analysis: Analysis,
    frames: xr.DataArray,
    energies: NDArray[np.float64] | None,
    *,
    losses: bool = True,
    look: bool = True,
) -> Analysis:
    """`analysis` with what the first frames decide for all, as `settled`.

    Lazy frames that cannot be read are left out; they are reported when it is their turn.
    """
    if frames.ndim == 2:
        frames = frames.expand_dims("frame")
    first: dict[int, xr.DataArray] = {}

    def parts(n: int) -> Iterator[tuple[xr.DataArray, Any]]:
        for begin, end in _first_parts(frames):
            if begin >= n:
                return
            part = slice(begin, min(end, n))
            try:
                loaded = first.get(begin)
                if loaded is None or len(loaded) < part.stop - begin:
                    # Lazy frames are read once, with those that are checked afterwards.
                    least = _ENTRIES_OF_LAZY if is_lazy(frames) else 0
                    loaded = frames[begin : min(end, max(n, least))].compute()
            except FaultyRunError:
                continue
            if is_lazy(frames) and begin < _ENTRIES_OF_LAZY:
                first[begin] = loaded
            energy = energies[part] if energies is not None and energies.ndim else energies
            yield loaded[: part.stop - begin], energy

    analysis = settled(analysis, len(frames), parts, losses=losses, look=look)
    return _with_doubts_of_first(analysis, parts(_ENTRIES_OF_LAZY)) if is_lazy(frames) else analysis


def _first_parts(frames: xr.DataArray) -> Iterator[tuple[int, int]]:
    """Begin and end of parts that are checked together; chunks are read once."""
    sizes = [_ENTRIES_AT_A_TIME] * -(-len(frames) // _ENTRIES_AT_A_TIME)
    if frames.chunks is not None:
        sizes = list(frames.chunks[0])
    return pairwise(accumulate(sizes, initial=0))


def spectra_of(
    frames: xr.DataArray,
    analysis: Analysis,
    energies: NDArray[np.float64] | None = None,
    *,
    keep: list[Seen] | None = None,
    tables: list[xr.Dataset] | None = None,
) -> xr.DataArray:
    """Make spectra of cropped frames, part by part, so that the memory for photons is limited.

    Losses of a threshold are estimated from the photons of the first frames. Doubts are found now,
    or the evidence is added to `keep` for later. The photons of each part are added to `tables`,
    in pixels of the full chip.

    Raises
    ------
    ValueError
        As the methods of `Analysis`.
    """
    parts: list[xr.DataArray] = []
    evidence = []
    columns: list[dict[str, NDArray[Any]]] = []

    def energy_of(part: slice) -> Any:
        return energies[part] if energies is not None and energies.ndim else energies

    for raw, part in _parts(frames):
        piece, mended = analysis.mended(raw)
        columns.append(mended)
        energy = energy_of(part)
        table = analysis.photons(piece, energy) if analysis.counts_photons else None
        if table is None:
            spectra = analysis.integrated(piece, energy)
        else:
            spectra = analysis.counted(table, piece.frame_shape[1])
            if tables is not None:
                tables.append(analysis.on_chip(table))
        if table is not None and analysis.takes_thresholds and not parts:
            is_all = frames.ndim == 2 or len(frames[part]) == len(frames)
            if len(piece) >= FRAMES_FOR_A_LOSS or is_all:
                lost = losses_of(analysis, [(piece, energy)], table)
            else:  # parts smaller than that count as one
                of_parts = ((analysis.mended(one)[0], energy_of(at)) for one, at in _parts(frames))
                lost = losses_of(analysis, of_parts)
            spectra = spectra.assign_attrs(lost)
        parts.append(spectra)
        evidence.append(vars(evidence_of(piece, analysis, table)))
    spectrum = parts[0] if len(parts) == 1 else xr.concat(parts, frames.dims[0])
    spectrum.attrs = dict(parts[0].attrs)
    for count in COUNTS:
        if count in spectrum.attrs:
            spectrum.attrs[count] = sum(part.attrs[count] for part in parts)
    if BIN_NOISE in spectrum.attrs:
        spectrum.attrs[BIN_NOISE] = max(part.attrs[BIN_NOISE] for part in parts)
    spectrum.attrs = with_ratio(spectrum.attrs)
    if analysis.mending is not None:
        spectrum = _with_columns(spectrum, analysis.mending, columns, _names_of(frames))
    seen = Seen(analysis, Evidence.joined(evidence), (frames.sizes["x"], frames.sizes["y"]))
    if keep is not None:
        keep.append(seen)
        return spectrum
    of_frames = spectrum.values.reshape(-1, spectrum.shape[-1])
    doubts = judged(seen, spectrum.attrs, of_frames, names=_names_of(frames))
    tell(new_ones(doubts, analysis.doubts))
    spectrum.attrs = with_doubts(spectrum.attrs, doubts)
    return spectrum


def _with_columns(
    spectrum: xr.DataArray, mending: Mending, parts: list[dict[str, NDArray[Any]]], names: Names
) -> xr.DataArray:
    """Add the corrections to `spectrum` as coordinates of its images, with a warning."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in mending.columns}
    spectrum = spectrum.assign_attrs(mending.attrs() | told(columns, names))
    shape, dims = spectrum.shape[:-1], spectrum.dims[:-1]
    return spectrum.assign_coords(
        {
            name: (dims, values.reshape(shape), attrs)
            for name, (values, attrs) in variables(columns).items()
        }
    )


def _with_doubts_of_first(analysis: Analysis, parts: Iterable[tuple[Any, Any]]) -> Analysis:
    """`analysis` with the doubts from spectra of the first lazy frames, with warnings."""
    first = list(parts)
    if not first:
        return analysis
    frames = xr.concat([one for one, _ in first], first[0][0].dims[0])
    energies = [energy for _, energy in first]
    one_for_all = energies[0] is None or not np.ndim(energies[0])
    try:
        seen = spectra_of(
            frames, analysis, energies[0] if one_for_all else np.concatenate(energies)
        )
    except (NonFinitePixelsError, TooManyPhotonsError):
        return analysis  # reported when it is their turn
    return analysis.with_doubts(new_ones(from_text(seen.attrs[DOUBTS]), analysis.doubts))


def _names_of(frames: xr.DataArray) -> Names:
    """Names of the frames."""
    n_frames = int(np.prod(frames.shape[:-2], dtype=np.int64))
    dim = frames.dims[0]
    if dim != "trainId" or "trainId" not in frames.coords or not n_frames:
        return Names("number", list(range(n_frames)))
    ids = frames["trainId"].values
    return Names("train", np.repeat(ids, n_frames // len(ids)).tolist())


def _parts(frames: xr.DataArray) -> Iterator[tuple[Frames, slice]]:
    """Yield parts along the first dimension, checked and loaded, and their slices."""
    if frames.ndim == 2:
        yield as_frames(frames), slice(None)
        return
    frames_per_entry = int(np.prod(frames.shape[1:-2]))
    bytes_per_entry = max(int(np.prod(frames.shape[1:])) * frames.dtype.itemsize, 1)
    step = max(1, _BYTES_PER_PART // bytes_per_entry)
    for begin in range(0, len(frames), step):
        part = slice(begin, begin + step)
        yield replace(as_frames(frames[part]), first_frame=begin * frames_per_entry), part
