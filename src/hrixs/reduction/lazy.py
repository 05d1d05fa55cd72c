"""Runs whose images are read when they are needed: dask arrays.

A chunk holds whole frames of one file. Results stay lazy, and have the same values as without
dask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.frames import as_frames
from hrixs.doubt_rules.doubt import tell, with_doubts
from hrixs.doubt_rules.images import Names
from hrixs.level.told import told, variables
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.denser import WITHOUT_LIGHT, denser
from hrixs.spectra.dataset import OF_ALL_IMAGES
from hrixs.spectra.errors import BIN_NOISE
from hrixs.utils.dask_arrays import as_task, dask_array, in_whole_frames


def lazy_spectra(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None = None
) -> xr.DataArray:
    """Spectra of cropped frames in dask arrays, as `spectra_of` for arrays in memory.

    Settings are checked now, pixels when the result is computed. The first frames are read now,
    for decisions and doubts. ``attrs`` lack the counts. Images that are denser than the first ones
    are reported when they are computed.

    Raises
    ------
    ValueError
        If frames are chunked along x or y, or as methods of `Analysis`.
    """
    frames = in_whole_frames(frames)
    analysis = analysis.with_threads(1)  # dask runs threads itself
    like = _spectrum_of_nothing(frames, analysis, energies)
    leading = frames.data.chunks[:-2]
    # A separate task, so that dask does not send these to a worker with every chunk.
    heavy = energies is not None or any(analysis.camera[n] is not None for n in ("dark", "mask"))
    heavy = heavy or analysis.mending is not None
    heavy = heavy or isinstance(analysis.options.get("read_noise"), np.ndarray)
    work = (analysis, energies)
    n_columns = 0 if analysis.mending is None else len(analysis.mending.columns)
    dtype = np.float64 if n_columns else like.dtype
    data = dask_array().map_blocks(
        _spectra_of_block,
        frames.data,
        drop_axis=[len(leading), len(leading) + 1],
        new_axis=[len(leading)],
        chunks=(*leading, (like.sizes["y"] + n_columns,)),
        dtype=dtype,
        meta=np.empty((0,) * (len(leading) + 1), dtype),
        work=as_task(work) if heavy else work,
    )
    coords = {name: c for name, c in frames.coords.items() if not {"x", "y"} & set(c.dims)}
    attrs = {name: value for name, value in like.attrs.items() if name not in OF_ALL_IMAGES}
    attrs = with_doubts(attrs, analysis.doubts)
    if analysis.mending is not None:
        attrs |= analysis.mending.attrs()
        names = analysis.mending.columns
        # Corrections are stored after the spectra, so that frames are read once for both.
        columns = {name: data[..., like.sizes["y"] + at] for at, name in enumerate(names)}
        data = data[..., : like.sizes["y"]]
        for name, (values, own_attrs) in variables(columns).items():
            coords[name] = xr.DataArray(values, dims=frames.dims[:-2], attrs=own_attrs)
    spectrum = xr.DataArray(data, coords, (*frames.dims[:-2], "y"), "spectrum", attrs)
    return spectrum.assign_coords(y=like["y"])


def _spectra_of_block(
    block: NDArray[Any],
    work: tuple[Analysis, NDArray[np.float64] | None],
    block_info: Any = None,
) -> NDArray[Any]:
    analysis, energies = work
    stack = as_frames(block)
    energy, begin = energies, 0
    if block.ndim > 2:
        begin = int(block_info[0]["array-location"][0][0])
        per_entry = int(np.prod(block.shape[1:-2], dtype=np.int64))
        # The numbers of its frames in the whole are for the texts of errors.
        stack = replace(stack, first_frame=begin * per_entry)
        energy = None if energies is None else energies[begin : begin + len(block)]
    stack, mended = analysis.mended(stack)
    spectra = analysis.spectra(stack, energy)
    if not WITHOUT_LIGHT & {doubt.code for doubt in analysis.doubts}:
        tell(denser(spectra.attrs, spectra.values, are_all=False))
    if not mended:
        return np.asarray(spectra.values)
    first = stack.first_frame
    told(mended, Names("number", list(range(first, first + len(stack)))))
    behind = [values.reshape(spectra.shape[:-1])[..., None] for values in mended.values()]
    return np.concatenate([spectra.values, *behind], axis=-1)


def _spectrum_of_nothing(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None
) -> xr.DataArray:
    """Make the spectra of zero frames, with the axis and settings of all others."""
    energy: Any = energies
    if energies is not None and energies.ndim:
        energy = np.empty(0)
    nothing = as_frames(np.empty((0, *frames.shape[-2:]), frames.dtype))
    none = analysis.spectra(analysis.mended(nothing)[0], energy)
    if BIN_NOISE in none.attrs:
        # Noise in photons is largest for the smallest photon charge, which is not known here.
        least = None if energies is None else np.nanmin(energies, keepdims=True).reshape(-1)[:1]
        blank = as_frames(np.zeros((1, *frames.shape[-2:]), frames.dtype))
        none.attrs[BIN_NOISE] = analysis.spectra(blank, least).attrs[BIN_NOISE]
    return none
