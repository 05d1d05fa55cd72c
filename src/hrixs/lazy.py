"""Runs whose images are read when they are needed: arrays of dask.

A chunk holds whole frames of one file. What is made of it stays lazy, and gives the same values as
without dask.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.analysis import Analysis
from hrixs.camera.frames import as_frames
from hrixs.photons import classify_photons, find_photons
from hrixs.spectra import COUNTS, with_cloud_of_first
from hrixs.utils.dask_arrays import _as_task, _dask_array, _in_whole_frames, is_lazy

if TYPE_CHECKING:
    pass

#: Of photon tables: number of the first frame that was searched for it.
_FIRST_FRAME = "first_frame"


def lazy_spectra(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None = None
) -> xr.DataArray:
    """Spectra of cropped frames that are arrays of dask, as `hrixs.spectra.spectra_of` makes them.

    Settings are checked now, pixels when the result is computed; the first frames are read now if
    they have to tell the width of the charge cloud. ``attrs`` lack what has to be counted.

    Raises
    ------
    ValueError
        If frames are chunked along x or y, or as the functions of `Analysis`.
    """
    frames = _in_whole_frames(frames)
    analysis = with_cloud_of_first(analysis, frames, energies)
    analysis = analysis.with_threads(1)  # dask's threads are enough
    like = _spectrum_of_nothing(frames, analysis, energies)
    leading = frames.data.chunks[:-2]
    # dask would send these to a worker with every chunk, were they not a task by itself.
    heavy = energies is not None or any(analysis.chip[n] is not None for n in ("dark", "mask"))
    heavy = heavy or isinstance(analysis.options.get("read_noise"), np.ndarray)
    work = (analysis, energies)
    data = _dask_array().map_blocks(
        _spectra_of_block,
        frames.data,
        drop_axis=[len(leading), len(leading) + 1],
        new_axis=[len(leading)],
        chunks=(*leading, (like.sizes["y"],)),
        dtype=np.float64,
        meta=np.empty((0,) * (len(leading) + 1)),
        work=_as_task(work) if heavy else work,
    )
    coords = {name: c for name, c in frames.coords.items() if not {"x", "y"} & set(c.dims)}
    attrs = {name: value for name, value in like.attrs.items() if name not in COUNTS}
    spectrum = xr.DataArray(data, coords, (*frames.dims[:-2], "y"), "spectrum", attrs)
    return spectrum.assign_coords(y=like["y"])


def photon_parts(frames: Any, *, energy: ArrayLike | None = None, **options: Any) -> list[Any]:
    """Photon tables of the chunks of lazy frames, each to be computed by itself.

    Parameters
    ----------
    frames : xarray.DataArray or dask.array.Array, shape (..., x, y)
        Chunked along the first dimension, as from ``from_run(run, lazy=True)``.
    energy : float or array_like, optional
        Photon energy in eV, one or one for each frame: photons are found by `classify_photons`. By
        default by `find_photons`.
    **options
        Of `find_photons` or `classify_photons`. ``threads`` is 1 by default: the chunks go side
        by side.

    Returns
    -------
    list of dask.delayed.Delayed
        One table for each chunk; ``frame`` and ``trainId`` are those of the whole. Spectra of one
        table's frames come from `photon_spectrum`, one table of all from `concat_photons`.

    Raises
    ------
    TypeError, ValueError
        If `frames` are no arrays of dask, or chunked along x or y, or photons are to be placed by a
        fit without a ``cloud_sigma``.

    Examples
    --------
    >>> data = h.from_run(145, lazy=True)  # doctest: +SKIP
    >>> images = data.MaranaX.isel(x=h.X_RANGE, y=h.Y_RANGE)  # doctest: +SKIP
    >>> parts = hrixs.photon_parts(images, std_threshold=3.5)  # doctest: +SKIP
    >>> photons = hrixs.concat_photons(dask.compute(*parts))  # doctest: +SKIP
    """
    import dask

    if options.get("position") == "gaussian" and options.get("cloud_sigma") is None:
        raise ValueError(
            "position='gaussian' was given without cloud_sigma, which each chunk would estimate by "
            "itself. Give it, for example from hrixs.estimate_cloud of some frames."
        )
    frames = _in_whole_frames(_labelled(frames))
    dims = tuple(str(dim) for dim in frames.dims)
    leading = frames.shape[:-2]
    energies: Any = energy
    if energy is not None and np.ndim(energy):
        energies = np.broadcast_to(np.asarray(energy, dtype=np.float64), leading)
    labels = xr.Dataset(
        coords={name: c for name, c in frames.coords.items() if set(c.dims) <= set(dims[:-2])}
    )
    make = dask.delayed(_photons_of_block, pure=False)
    blocks = frames.data.to_delayed().reshape(-1)
    begins = np.cumsum([0, *frames.data.chunks[0]]) if leading else [0]
    frames_per_entry = int(np.prod(leading[1:], dtype=np.int64))
    parts = []
    for number, block in enumerate(blocks):
        coords, part = labels.coords, energies
        if leading:
            here = slice(begins[number], begins[number + 1])
            coords = labels.isel({dims[0]: here}, missing_dims="ignore").coords
            part = energies[here] if np.ndim(energies) else energies
        first = int(begins[number]) * frames_per_entry
        parts.append(make(block, dims, dict(coords.items()), part, first, options))
    return parts


def concat_photons(tables: Sequence[xr.Dataset]) -> xr.Dataset:
    """Put the photon tables of all chunks together to the one that `find_photons` would have given.

    Parameters
    ----------
    tables : sequence of xarray.Dataset
        As from `photon_parts`, computed; in any order.

    Returns
    -------
    xarray.Dataset
        The photon table.

    Raises
    ------
    TypeError
        If a table is not computed yet.
    ValueError
        If there is none, a table is of something else, or one is missing between two others.

    Examples
    --------
    >>> parts = hrixs.photon_parts(data.MaranaX)  # doctest: +SKIP
    >>> photons = hrixs.concat_photons(dask.compute(*parts))  # doctest: +SKIP
    """
    for table in tables:
        if not isinstance(table, xr.Dataset):
            raise TypeError(
                f"{type(table).__name__} given, expected photon tables. Compute the parts first: "
                "concat_photons(dask.compute(*parts))."
            )
        if _FIRST_FRAME not in table.attrs or "frames" not in table.sizes:
            raise ValueError("a table is not one of photon_parts, or was cut; expected them whole.")
    if not len(tables):
        raise ValueError("there is no table, expected those of photon_parts.")
    ordered = sorted(tables, key=lambda table: int(table.attrs[_FIRST_FRAME]))
    expected = 0
    for table in ordered:
        if table.attrs[_FIRST_FRAME] != expected:
            raise ValueError(
                f"a table begins at frame {table.attrs[_FIRST_FRAME]}, expected {expected}: one is "
                "missing or stands twice. Give all tables of photon_parts."
            )
        expected += table.sizes["frames"]
    first = ordered[0]

    def joined(name: Hashable) -> tuple[Any, ...]:
        values = np.concatenate([table[name].values for table in ordered])
        return first[name].dims, values, first[name].attrs

    attrs = {name: value for name, value in first.attrs.items() if name != _FIRST_FRAME}
    for count in ("n_hits", "n_dropped", "n_spikes"):
        attrs[count] = sum(table.attrs[count] for table in ordered)
    shapes = [str(table.attrs["frame_shape"]).partition(",") for table in ordered]
    if shapes[0][0]:
        attrs["frame_shape"] = f"{sum(int(s[0]) for s in shapes)}{shapes[0][1]}{shapes[0][2]}"
    return xr.Dataset(
        {name: joined(name) for name in first.data_vars},
        coords={name: joined(name) for name in first.coords},
        attrs=attrs,
    )


def _spectra_of_block(
    block: NDArray[Any],
    work: tuple[Analysis, NDArray[np.float64] | None],
    block_info: Any = None,
) -> NDArray[np.float64]:
    analysis, energies = work
    stack = as_frames(block)
    energy = energies
    if block.ndim > 2:
        begin = int(block_info[0]["array-location"][0][0])
        per_entry = int(np.prod(block.shape[1:-2], dtype=np.int64))
        # Its frames' numbers in the whole are for errors' texts.
        stack = replace(stack, first_frame=begin * per_entry)
        energy = None if energies is None else energies[begin : begin + len(block)]
    spectra: NDArray[np.float64] = analysis.spectra(stack, energy).values
    return spectra


def _photons_of_block(
    block: NDArray[Any],
    dims: tuple[str, ...],
    coords: Mapping[str, Any],
    energy: ArrayLike | None,
    first_frame: int,
    options: dict[str, Any],
) -> xr.Dataset:
    stack = replace(as_frames(xr.DataArray(block, coords, dims)), first_frame=first_frame)
    options = {"threads": 1} | options
    if energy is None:
        table = find_photons(stack, **options)
    else:
        table = classify_photons(stack, energy, **options)
    frame = table["frame"]
    table = table.assign_coords(frame=frame.copy(data=frame.values + first_frame))
    return table.assign_attrs({_FIRST_FRAME: first_frame})


def _spectrum_of_nothing(
    frames: xr.DataArray, analysis: Analysis, energies: NDArray[np.float64] | None
) -> xr.DataArray:
    """Make the spectra of no frame, which have the axis and the settings of all others."""
    energy: Any = energies
    if energies is not None and energies.ndim:
        energy = np.empty(0)
    return analysis.spectra(as_frames(np.empty((0, *frames.shape[-2:]), frames.dtype)), energy)


def _labelled(frames: Any) -> xr.DataArray:
    if not isinstance(frames, xr.DataArray):
        if not isinstance(frames, _dask_array().Array):
            raise TypeError(
                f"frames is {type(frames).__name__}, expected an array of dask. Use find_photons "
                "for arrays in memory."
            )
        ndim = frames.ndim
        dims = ["frame"] if ndim == 3 else [f"dim_{d}" for d in range(ndim - 2)]
        frames = xr.DataArray(frames, dims=[*dims, "x", "y"])
    if not is_lazy(frames):
        raise TypeError(
            "frames are in memory already. Use find_photons or classify_photons, or load the run "
            "with from_run(..., lazy=True)."
        )
    if not {"x", "y"} <= set(frames.dims):
        raise ValueError(f"frames have dimensions {frames.dims}, expected (..., x, y).")
    labelled: xr.DataArray = frames
    return labelled
