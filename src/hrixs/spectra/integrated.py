"""From frames to spectra by integrating intensity along the curved spectral lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.curve import Curvature, CurveLike
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.utils.provenance import provenance
from hrixs.utils.threads import resolve_threads


def integrate_frames(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    curvature: CurveLike = (0.0, 0.0),
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
) -> xr.DataArray | NDArray[np.float64]:
    """Average the intensity of each frame along curved lines.

    A pixel ``(x, y)`` covers one pixel width around ``y - curvature(x)`` and is
    shared between the two rows it overlaps, in proportion. Each row's sum is divided by its
    summed shares.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype. Coordinates ``x`` and
        ``y`` that are consecutive whole numbers tell its pixels' place on the full chip.
    curvature : Curvature or (float, float)
        The curve that the lines follow on the full chip, or ``(CURVE_A, CURVE_B)``. Without
        coordinates columns are counted from the frame's first one. A curve of a higher degree than
        2 takes longer.
    dark : array_like, shape (x, y), optional
        Subtracted from every frame first, in ADU.
    mask : array_like of bool, shape (x, y), optional
        True where a pixel is bad. Bad pixels take part in nothing.
    threads : int, optional
        Threads over frames; by default all that the CPU affinity and ``OMP_NUM_THREADS`` allow.

    Returns
    -------
    numpy.ndarray or xarray.DataArray, shape (..., y)
        Mean intensity per pixel in each row of the frame, in ADU; NaN in a row that no pixel
        reaches. A DataArray if `frames` is one, with ``y`` in rows of the full chip where these are
        known.

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


def row_sums(
    frames: Frames,
    curve: Curvature,
    *,
    dark: xr.DataArray | ArrayLike | None,
    mask: xr.DataArray | ArrayLike | None,
    threads: int | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intensity along the lines in each row, shape (frames, y), and pixels of it, shape (y,)."""
    return _core.integrate_frames(
        frames.pixels,
        **_core_curve(curve, frames.origin[0], frames.frame_shape[0]),
        dark=as_dark(dark, frames),
        mask=as_mask(mask, frames),
        threads=resolve_threads(threads),
        first_frame=frames.first_frame,
    )


def _core_curve(curve: Curvature, first_column: int, n_columns: int) -> dict[str, Any]:
    """The curve as the core takes it, for a frame that begins at `first_column` of the chip."""
    if curve.degree > 2:
        displacements = curve(first_column + np.arange(n_columns, dtype=np.float64))
        return {"curve_a": 0.0, "curve_b": 0.0, "displacements": displacements}
    curve_a, curve_b = (*curve.coefficients, 0.0)[:2]
    first = first_column - curve.reference
    return {"curve_a": curve_a, "curve_b": curve_b, "first_column": first}
