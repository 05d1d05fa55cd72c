"""Sums of each frame by phase and height, in photons above its level."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature
from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import Frames, camera_of_core
from hrixs.deconvolution.defaults import N_PHASES
from hrixs.deconvolution.sampled import FloatArray, Phases, in_order, sample
from hrixs.utils.provenance import provenance


def sampled_photons(
    frames: Frames,
    charges: FloatArray,
    *,
    curvature: Curvature,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
    n_phases: int = N_PHASES,
) -> xr.DataArray:
    """Sum the light of each frame by the heights of pixels above the curve, in photons.

    Parameters
    ----------
    frames : Frames
        A stack of frames, with their position on the chip if known.
    charges : numpy.ndarray, shape (frames,)
        Charge of one photon in each frame, in ADU.
    curvature : Curvature
        The curve that the lines follow on the full chip.
    dark, mask, threads
        As in `hrixs.integrate_frames`.

    Returns
    -------
    xarray.DataArray
        With the dims of the frames and ``y``, `n_phases` heights per row. Add up the values of
        several frames; `deconvolved` makes a spectrum from the sum.
    """
    sums, pixels, _ = sample(
        frames, curvature, dark=dark, mask=mask, threads=threads, n_phases=n_phases
    )
    camera = camera_of_core(frames, dark=dark, mask=mask, threads=threads)
    level, _ = frame_pedestals(frames.pixels, camera)
    light = in_order((sums - level[:, None, None] * pixels) / charges[:, None, None])
    n_rows = frames.frame_shape[1]
    attrs = provenance(
        "integrate", **curvature.attrs(), n_photons=float(light.sum()), n_outside=0.0
    )
    where = {} if frames.first_pixel is None else {"first_pixel": np.array(frames.first_pixel)}
    return xr.DataArray(
        light.reshape(*frames.leading_shape, light.shape[-1]),
        dims=(*frames.dims, "y"),
        coords={**frames.coords, "y": heights(n_rows, n_phases, frames.origin[1])},
        name="spectrum",
        attrs=attrs | where | {"units": "photons", "long_name": "photons"},
    )


def heights(n_rows: int, n_phases: int, first_row: int) -> Any:
    """The coordinate ``y`` of sums by height, in rows of the full chip."""
    values = first_row + np.arange(n_rows * n_phases) / n_phases + 0.5 / n_phases
    return ("y", values, {"units": "px", "long_name": "height of pixels above the curve"})


def pixel_counts(
    curvature: Curvature,
    origin: tuple[int, int],
    shape: tuple[int, int],
    mask: NDArray[Any] | None,
    n_phases: int = N_PHASES,
) -> tuple[FloatArray, Phases]:
    """Number of pixels at each height of the frames, and the phases."""
    where = Phases.of(curvature, origin[0], *shape, n_phases)
    return in_order(where.pixels(shape[1], mask)), where
