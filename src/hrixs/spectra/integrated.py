"""Make spectra from frames by integrating intensity along curved lines."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.curve import Curvature, CurveLike
from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask, camera_of_core
from hrixs.deconvolution.defaults import OVERSAMPLE, SMOOTHING
from hrixs.deconvolution.options import Deconvolution
from hrixs.deconvolution.photons import heights, sampled_photons
from hrixs.deconvolution.result import SAMPLED, as_sampled, spectra_of_sums
from hrixs.deconvolution.sampled import in_order, sample
from hrixs.utils.checks import number, whole_number
from hrixs.utils.provenance import provenance
from hrixs.utils.threads import resolve_threads

_FramesLike = xr.DataArray | ArrayLike | Frames


@overload
def integrate_frames(
    frames: _FramesLike,
    *,
    curvature: CurveLike = ...,
    dark: xr.DataArray | ArrayLike | None = ...,
    mask: xr.DataArray | ArrayLike | None = ...,
    threads: int | None = ...,
    oversample: int | None = ...,
    deconvolve: Literal[False] = ...,
) -> xr.DataArray | NDArray[np.float64]: ...


@overload
def integrate_frames(
    frames: _FramesLike,
    *,
    curvature: CurveLike = ...,
    dark: xr.DataArray | ArrayLike | None = ...,
    mask: xr.DataArray | ArrayLike | None = ...,
    threads: int | None = ...,
    oversample: int | None = ...,
    deconvolve: Literal[True],
    cloud_sigma: float | None = ...,
    photon_charge: ArrayLike | None = ...,
    electrons_per_adu: float = ...,
    smoothing: float = ...,
) -> xr.Dataset: ...


def integrate_frames(
    frames: _FramesLike,
    *,
    curvature: CurveLike = (0.0, 0.0),
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
    oversample: int | None = None,
    deconvolve: bool = False,
    cloud_sigma: float | None = None,
    photon_charge: ArrayLike | None = None,
    electrons_per_adu: float = 1.0,
    smoothing: float = SMOOTHING,
) -> xr.DataArray | xr.Dataset | NDArray[np.float64]:
    """Average the intensity of each frame along curved lines.

    A pixel ``(x, y)`` covers one pixel width around ``y - curvature(x)``. Its value is divided
    between the two rows that it overlaps, in proportion. The sum of each row is divided by the sum
    of its shares.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype. If coordinates ``x`` and
        ``y`` are consecutive whole numbers, they are taken as pixel numbers on the full chip.
    curvature : Curvature or (float, float)
        The curve that the lines follow on the full chip, or ``(CURVE_A, CURVE_B)``. Without
        coordinates, columns count from the first one of the frame. A curve of degree above 2 takes
        longer.
    dark : array_like, shape (x, y), optional
        Dark image in ADU, subtracted from every frame first.
    mask : array_like of bool, shape (x, y), optional
        True at bad pixels, which are not used.
    threads : int, optional
        Number of threads; by default all that the CPU affinity and ``OMP_NUM_THREADS`` allow.
    oversample : int, optional
        Bins per row. Each pixel then counts in the bin of its centre; a tilted line fills all
        bins.
    deconvolve : bool
        Whether to remove the blur of charge cloud and pixel, and make one spectrum of all frames,
        with errors; see docs/deconvolution.md. `oversample` is then 3 by default.
    cloud_sigma : float
        With `deconvolve`: width of the charge cloud, one standard deviation in pixels.
    photon_charge : float or array_like, shape (frames,)
        With `deconvolve`: charge of one photon, in ADU.
    electrons_per_adu : float
        With `deconvolve`: gain, for the noise of the electrons.
    smoothing : float
        With `deconvolve`: strength of the smoothing, in pixels to the fourth power.

    Returns
    -------
    numpy.ndarray or xarray.DataArray, shape (..., y)
        Mean intensity per pixel in each row of the frame, in ADU; NaN in a row that no pixel
        reaches. A DataArray if `frames` is one, with ``y`` in rows of the full chip if known. With
        `deconvolve` an xarray.Dataset: ``spectrum (y)`` in photons per bin, ``spectrum_err``,
        ``spectrum_cov (y, cov_lag)``, ``resolution``.

    Raises
    ------
    NonFinitePixelsError, TypeError, ValueError
        NaN or inf pixels that are not masked; unreadable dtype; wrong shapes or settings.

    Notes
    -----
    The rule is the one documented for ``toolbox_scs.detectors.hrixs.hRIXS.integrate``.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs import integrate_frames
    >>> frame = np.zeros((4, 6))
    >>> frame[np.arange(4), np.arange(4) + 1] = 8.0  # a line that climbs one row a column
    >>> integrate_frames(frame, curvature=(1.0, 0.0))
    array([0., 8., 0., 0., 0., 0.])
    """
    stack = as_frames(frames)
    curve = Curvature.of(curvature)
    y0 = stack.origin[1]
    camera: dict[str, Any] = {"dark": dark, "mask": mask, "threads": threads}
    if deconvolve:
        n = OVERSAMPLE if oversample is None else whole_number("oversample", oversample)
        if cloud_sigma is None or photon_charge is None:
            raise ValueError(
                "deconvolve needs the width of the charge cloud and the charge of one photon. "
                "Give cloud_sigma (px, as from estimate_cloud) and photon_charge (ADU)."
            )
        known: dict[str, Any] = {"cloud_sigma": cloud_sigma, "electrons_per_adu": electrons_per_adu}
        charges = np.broadcast_to(np.asarray(photon_charge, dtype=np.float64), len(stack))
        return _deconvolved(stack, curve, camera, charges, n, smoothing=smoothing, **known)
    if oversample is not None:
        return _oversampled(stack, curve, camera, whole_number("oversample", oversample))
    sums, weights = row_sums(stack, curve, dark=dark, mask=mask, threads=threads)
    reached = np.where(weights > 0, weights, np.nan)
    spectrum = (sums / reached).reshape(*stack.leading_shape, stack.frame_shape[1])
    if not stack.labelled:
        return spectrum
    rows: Any = ("y", y0 + np.arange(stack.frame_shape[1]), {"units": "px", "long_name": "row"})
    where = {} if stack.first_pixel is None else {"first_pixel": np.array(stack.first_pixel)}
    return xr.DataArray(
        spectrum,
        dims=(*stack.dims, "y"),
        coords={**stack.coords, "y": rows},
        name="spectrum",
        attrs=provenance(
            "integrate",
            **curve.attrs(),
            n_rows_not_reached=int((weights == 0).sum()),
        )
        | where
        | {"units": "ADU", "long_name": "mean intensity per pixel"},
    )


def _oversampled(
    frames: Frames, curve: Curvature, camera: dict[str, Any], n: int
) -> xr.DataArray | NDArray[np.float64]:
    """Mean intensity of the pixels whose centres are in each `n`-th of a row."""
    sums, pixels, _ = sample(frames, curve, n_phases=n, **camera)
    n_rows = frames.frame_shape[1]
    reached = np.where(pixels > 0, pixels, np.nan)
    values = in_order(sums / reached).reshape(*frames.leading_shape, n_rows * n)
    if not frames.labelled:
        return np.asarray(values)
    where = {} if frames.first_pixel is None else {"first_pixel": np.array(frames.first_pixel)}
    return xr.DataArray(
        values,
        dims=(*frames.dims, "y"),
        coords={**frames.coords, "y": heights(n_rows, n, frames.origin[1])},
        name="spectrum",
        attrs=provenance("integrate", **curve.attrs(), oversample=n)
        | where
        | {"units": "ADU", "long_name": "mean intensity per pixel"},
    )


def _deconvolved(
    frames: Frames,
    curve: Curvature,
    camera: dict[str, Any],
    charges: NDArray[np.float64],
    n: int,
    *,
    cloud_sigma: float,
    electrons_per_adu: float,
    smoothing: float,
) -> xr.Dataset:
    """One spectrum of all frames."""
    if not (np.isfinite(charges).all() and (charges > 0).all() and len(charges)):
        raise ValueError("photon_charge: expected a value above 0 in ADU, for one frame or more.")
    light = sampled_photons(frames, charges, curvature=curve, **camera)
    _, noise = frame_pedestals(frames.pixels, camera_of_core(frames, **camera))
    options = Deconvolution(
        n,
        smoothing,
        pixel_noise=float(np.sqrt(np.mean((noise / charges) ** 2))),
        electrons=float(np.mean(charges)) * number("electrons_per_adu", electrons_per_adu),
    )
    sampled = as_sampled(
        light,
        options,
        cloud_sigma=cloud_sigma,
        curvature=curve,
        origin=frames.origin,
        shape=frames.frame_shape,
        mask=as_mask(camera["mask"], frames),
    )
    made = spectra_of_sums(sampled.to_dataset())
    made["spectrum"].attrs |= provenance("integrate", **curve.attrs(), n_images=len(frames))
    return made.assign({SAMPLED: sampled})


def row_sums(
    frames: Frames,
    curve: Curvature,
    *,
    dark: xr.DataArray | ArrayLike | None,
    mask: xr.DataArray | ArrayLike | None,
    threads: int | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Summed intensity along lines in each row, shape (frames, y), and its pixels, shape (y,)."""
    return _core.integrate_frames(
        frames.pixels,
        **_core_curve(curve, frames.origin[0], frames.frame_shape[0]),
        dark=as_dark(dark, frames),
        mask=as_mask(mask, frames),
        threads=resolve_threads(threads),
        first_frame=frames.first_frame,
    )


def _core_curve(curve: Curvature, first_column: int, n_columns: int) -> dict[str, Any]:
    """The curve in the form of the core, for a frame that begins at `first_column` of the chip."""
    if curve.degree > 2:
        displacements = curve(first_column + np.arange(n_columns, dtype=np.float64))
        return {"curve_a": 0.0, "curve_b": 0.0, "displacements": displacements}
    curve_a, curve_b = (*curve.coefficients, 0.0)[:2]
    first = first_column - curve.reference
    return {"curve_a": curve_a, "curve_b": curve_b, "first_column": first}
