"""Photon tables of lazy frames, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.frames import as_frames, first_pixel
from hrixs.photons.classify import classify_photons
from hrixs.photons.find import find_photons
from hrixs.photons.placement import fits_clouds
from hrixs.photons.table import FIRST_FRAME
from hrixs.utils.dask_arrays import dask_array, in_whole_frames, is_lazy

if TYPE_CHECKING:
    pass


def photon_parts(frames: Any, *, energy: ArrayLike | None = None, **options: Any) -> list[Any]:
    """Make one lazy photon table for each chunk of lazy frames.

    Parameters
    ----------
    frames : xarray.DataArray or dask.array.Array, shape (..., x, y)
        Chunked along the first dimension, as from ``from_run(run, lazy=True)``.
    energy : float or array_like, optional
        Photon energy in eV, one number or one per frame: photons are then found by
        `classify_photons`, otherwise by `find_photons`.
    **options
        Options of `find_photons` or `classify_photons`. ``threads`` is 1 by default, since chunks
        are computed in parallel.

    Returns
    -------
    list of dask.delayed.Delayed
        One table for each chunk; ``frame`` and ``trainId`` are those of the whole.
        `photon_spectrum` makes the spectra of a table, `concat_photons` joins all tables.

    Raises
    ------
    TypeError, ValueError
        If `frames` are not dask arrays, if they are chunked along x or y, or if
        ``position='gaussian'`` is given without ``cloud_sigma``.

    Examples
    --------
    >>> data = h.from_run(145, lazy=True)  # doctest: +SKIP
    >>> images = data.MaranaX.isel(x=h.X_RANGE, y=h.Y_RANGE)  # doctest: +SKIP
    >>> parts = hrixs.photon_parts(images, std_threshold=3.5)  # doctest: +SKIP
    >>> photons = hrixs.concat_photons(dask.compute(*parts))  # doctest: +SKIP
    """
    import dask

    if fits_clouds(options.get("position")) and options.get("cloud_sigma") is None:
        raise ValueError(
            "position='gaussian' was given without cloud_sigma, so each chunk would estimate its "
            "own. Give cloud_sigma, for example from hrixs.estimate_cloud of some frames."
        )
    frames = in_whole_frames(_labelled(frames))
    begin = first_pixel(frames)
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
        parts.append(make(block, dims, dict(coords.items()), part, (first, begin), options))
    return parts


def _photons_of_block(
    block: NDArray[Any],
    dims: tuple[str, ...],
    coords: Mapping[str, Any],
    energy: ArrayLike | None,
    first: tuple[int, tuple[int, int] | None],
    options: dict[str, Any],
) -> xr.Dataset:
    first_frame, begin = first
    stack = as_frames(xr.DataArray(block, coords, dims))
    stack = replace(stack, first_frame=first_frame, first_pixel=begin)
    options = {"threads": 1} | options
    if energy is None:
        table = find_photons(stack, **options)
    else:
        table = classify_photons(stack, energy, **options)
    frame = table["frame"]
    table = table.assign_coords(frame=frame.copy(data=frame.values + first_frame))
    return table.assign_attrs({FIRST_FRAME: first_frame})


def _labelled(frames: Any) -> xr.DataArray:
    if not isinstance(frames, xr.DataArray):
        if not isinstance(frames, dask_array().Array):
            raise TypeError(
                f"frames is {type(frames).__name__}, expected a dask array. Use find_photons for "
                "arrays in memory."
            )
        ndim = frames.ndim
        dims = ["frame"] if ndim == 3 else [f"dim_{d}" for d in range(ndim - 2)]
        frames = xr.DataArray(frames, dims=[*dims, "x", "y"])
    if not is_lazy(frames):
        raise TypeError(
            "frames are in memory already, expected lazy ones. Use find_photons or "
            "classify_photons, or load the run with from_run(..., lazy=True)."
        )
    if not {"x", "y"} <= set(frames.dims):
        raise ValueError(f"frames have dimensions {frames.dims}, expected (..., x, y).")
    labelled: xr.DataArray = frames
    return labelled
