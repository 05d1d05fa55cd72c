"""From a dataset of frames to its spectra, with an energy axis, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import xarray as xr

from hrixs.frames import Frames, as_frames
from hrixs.histogram import photon_spectrum
from hrixs.integration import integrate_frames

#: Finds the photons of a stack of frames: the frames, and the slice along the first dim they are.
FindPhotons = Callable[[Frames, slice], xr.Dataset]

_BYTES_PER_PART = 512 * 2**20


def centroid_spectra(
    frames: xr.DataArray,
    find: FindPhotons,
    *,
    bins: int,
    curvature: tuple[float, float],
) -> xr.DataArray:
    """Photon spectra of `frames` over ``bins`` bins on ``[0, ny)``; memory for photons is bounded.

    Raises
    ------
    ValueError
        As `find` and `hrixs.photon_spectrum`.
    """
    ny = frames.sizes["y"]
    parts = [
        photon_spectrum(find(piece, part), bins=bins, range=(0, ny), curvature=curvature)
        for piece, part in _parts(frames)
    ]
    spectrum = _joined(parts, frames)
    for count in ("n_photons", "n_outside", "n_hits", "n_dropped"):
        spectrum.attrs[count] = sum(part.attrs[count] for part in parts)
    return spectrum


def integrated_spectra(
    frames: xr.DataArray, *, curvature: tuple[float, float], **chip_options: Any
) -> xr.DataArray:
    """Integrated spectra of `frames`, part by part.

    Raises
    ------
    ValueError
        As `hrixs.integrate_frames`.
    """
    parts = [
        cast(xr.DataArray, integrate_frames(piece, curvature=curvature, **chip_options))
        for piece, _ in _parts(frames)
    ]
    return _joined(parts, frames)


def with_energy(
    spectrum: xr.DataArray, *, intercept: float, slope: float, first_row: int
) -> xr.DataArray:
    """Replace the coordinate ``y``, rows of the crop, by the energy of full-chip rows."""
    calibrated = (intercept, slope) != (0.0, 1.0)
    energy = intercept + slope * (first_row + spectrum["y"].values)
    attrs = {"units": "eV" if calibrated else "px", "long_name": "energy"}
    return (
        spectrum.rename(y="energy")
        .assign_coords(energy=("energy", energy, attrs))
        .assign_attrs(energy_intercept=float(intercept), energy_slope=float(slope))
    )


def store_spectrum(data: xr.Dataset, spectrum: xr.DataArray) -> xr.Dataset:
    """Put `spectrum` into `data` in place of an earlier one; return a shallow copy of it.

    Everything that can fail is tried on a copy first.
    """
    if "energy" in data.variables and data["energy"].dims != ("energy",):
        raise ValueError(
            f"the dataset has a variable 'energy' over {data['energy'].dims}, whose place the "
            "spectrum's energy axis would take. Rename it first."
        )
    stale: list[Any] = [name for name in ("spectrum", "normalized") if name in data]
    new = data.drop_vars([*stale, *(["energy"] if "energy" in data.variables else [])])
    others = [str(name) for name, v in new.variables.items() if "energy" in v.dims]
    same_axis = "energy" in data.variables and data["energy"].equals(spectrum["energy"])
    if others and not same_axis:
        raise ValueError(
            f"the dataset's variables {', '.join(others)} lie on the present energy axis and "
            "would not fit the new one. Drop them, or rename their dimension, first."
        )
    new = new.assign_coords(energy=spectrum["energy"].variable)
    new["spectrum"] = spectrum.variable
    for name in stale:
        del data[name]
    if "energy" in data.variables:
        del data["energy"]
    data.coords["energy"] = spectrum["energy"].variable
    data["spectrum"] = spectrum.variable
    return data.copy(deep=False)


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


def _joined(parts: list[xr.DataArray], frames: xr.DataArray) -> xr.DataArray:
    spectrum = parts[0] if len(parts) == 1 else xr.concat(parts, frames.dims[0])
    spectrum.attrs = dict(parts[0].attrs)
    return spectrum
