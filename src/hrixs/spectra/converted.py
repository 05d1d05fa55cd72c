"""Convert integrated spectra to photons in the bins of counted ones, to add up both."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature
from hrixs.camera.frame_pedestals import PIXELS_FOR_A_LEVEL, frame_pedestals
from hrixs.camera.frames import Frames, camera_of_core
from hrixs.spectra.errors import BIN_NOISE
from hrixs.spectra.integrated import row_sums
from hrixs.utils.provenance import provenance


def photons_by_intensity(
    frames: Frames,
    charges: NDArray[np.float64],
    *,
    curvature: Curvature,
    bins: int,
    noise: float,
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
) -> xr.DataArray:
    """Divide the intensity above each frame's level by the charge of one photon.

    Parameters
    ----------
    frames : Frames
        A stack of frames, with their position on the chip if known.
    charges : numpy.ndarray, shape (frames,)
        Charge of one photon, in ADU.
    curvature : Curvature
        The curve that the lines follow on the full chip.
    bins : int
        Number of equal bins over all rows of the frames, as in a counted spectrum.
    noise : float
        Noise of a pixel in ADU, for the error.
    dark, mask, threads
        As in `integrate_frames`.

    Returns
    -------
    xarray.DataArray
        Photons, as from `photon_spectrum`. The intensity of a row is divided between the bins that
        it overlaps; photons in masked or missing pixels are not replaced. ``attrs`` have
        ``bin_noise``: the largest standard deviation of a bin due to noise and level, in photons.
        The variance of a bin is its number of photons plus the square of that.
    """
    n_columns, n_rows = frames.frame_shape
    sums, pixels = row_sums(frames, curvature, dark=dark, mask=mask, threads=threads)
    camera = camera_of_core(frames, dark=dark, mask=mask, threads=threads)
    level, _ = frame_pedestals(frames.pixels, camera)
    light = (sums - level[:, None] * pixels) / charges[:, None]
    share = _shares(n_rows, bins)
    spectra = _shared_by_bins(light, bins)
    n_photons, n_outside = float(spectra.sum()), float(light.sum() - spectra.sum())
    of_pixels = (share**2 * pixels[:, None]).sum(axis=0)
    of_level = (pixels @ share) ** 2 / min(PIXELS_FOR_A_LEVEL, n_rows * n_columns)
    least_charge = float(charges.min(initial=np.inf))
    bin_noise = noise * float(np.sqrt(np.max(of_pixels + of_level))) / least_charge
    first_row = frames.origin[1]
    edges = np.linspace(0, n_rows, bins + 1)
    y: Any = (
        "y",
        first_row + (edges[:-1] + edges[1:]) / 2,
        {"units": "px", "long_name": "position along the energy"},
    )
    one_charge = len(charges) > 0 and bool((charges == charges[0]).all())
    attrs = provenance(
        "integrate",
        **curvature.attrs(),
        bins=bins,
        range=(float(first_row), float(first_row + n_rows)),
        photon_charge=float(charges[0]) if one_charge else "per frame",
        n_photons=n_photons,
        n_outside=n_outside,
        **{BIN_NOISE: bin_noise},
    )
    where = {} if frames.first_pixel is None else {"first_pixel": np.array(frames.first_pixel)}
    return xr.DataArray(
        spectra.reshape(*frames.leading_shape, bins),
        dims=(*frames.dims, "y"),
        coords={**frames.coords, "y": y},
        name="spectrum",
        attrs=attrs | where | {"units": "photons", "long_name": "photons"},
    )


def _shared_by_bins(light: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Divide the light of rows, shape (frames, y), between equal bins, each frame by itself."""
    n_frames, n_rows = light.shape
    ends = np.minimum(
        np.linspace(0, n_rows, bins + 1) + 0.5, n_rows
    )  # in rows from the end of the first
    whole = ends.astype(np.int64)
    below = np.concatenate([np.zeros((n_frames, 1)), np.cumsum(light, axis=1)], axis=1)
    beyond = np.concatenate([light, np.zeros((n_frames, 1))], axis=1)
    return np.diff(below[:, whole] + (ends - whole) * beyond[:, whole], axis=1)


def _shares(n_rows: int, bins: int) -> NDArray[np.float64]:
    """Part of each row (one pixel around its number) that is in each bin."""
    edges = np.linspace(0, n_rows, bins + 1)
    rows = np.arange(n_rows)[:, None]
    overlap = np.minimum(rows + 0.5, edges[1:]) - np.maximum(rows - 0.5, edges[:-1])
    return np.asarray(np.maximum(overlap, 0.0))
