"""From frames to spectra by integrating intensity along the curved spectral lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.frames import Frames, as_dark, as_frames, as_mask
from hrixs.utils.checks import curvature_pair
from hrixs.utils.provenance import provenance
from hrixs.utils.threads import resolve_threads


def integrate_frames(
    frames: xr.DataArray | ArrayLike | Frames,
    *,
    curvature: tuple[float, float] = (0.0, 0.0),
    dark: xr.DataArray | ArrayLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    threads: int | None = None,
) -> xr.DataArray | NDArray[np.float64]:
    """Average the intensity of each frame along curved lines.

    A pixel ``(x, y)`` covers one pixel width around ``y - (CURVE_B * x + CURVE_A) * x`` and is
    shared between the two rows it overlaps, in proportion. Each row's sum is divided by its
    summed shares.

    Parameters
    ----------
    frames : array_like or xarray.DataArray, shape (..., x, y)
        One frame or a stack with any leading dimensions; any real dtype.
    curvature : (float, float)
        ``(CURVE_A, CURVE_B)`` of the parabola that the lines follow.
    dark : array_like, shape (x, y), optional
        Subtracted from every frame first, in ADU.
    mask : array_like of bool, shape (x, y), optional
        True where a pixel is bad. Bad pixels take part in nothing.
    threads : int, optional
        Threads over frames; by default all that the CPU affinity and ``OMP_NUM_THREADS`` allow.

    Returns
    -------
    numpy.ndarray or xarray.DataArray, shape (..., y)
        Mean intensity per pixel in each row, in ADU; NaN in a row that no pixel reaches. A
        DataArray if `frames` is one.

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
    curve_a, curve_b = curvature_pair(curvature)
    sums, weights = _core.integrate_frames(
        stack.pixels,
        curve_a=curve_a,
        curve_b=curve_b,
        dark=as_dark(dark, stack),
        mask=as_mask(mask, stack),
        threads=resolve_threads(threads),
        first_frame=stack.first_frame,
    )
    reached = np.where(weights > 0, weights, np.nan)
    spectrum = (sums / reached).reshape(*stack.leading_shape, stack.frame_shape[1])
    if not stack.labelled:
        return spectrum
    rows: Any = ("y", np.arange(stack.frame_shape[1]), {"units": "px", "long_name": "row"})
    return xr.DataArray(
        spectrum,
        dims=(*stack.dims, "y"),
        coords={**stack.coords, "y": rows},
        name="spectrum",
        attrs=provenance(
            "integrate",
            curve_a=curve_a,
            curve_b=curve_b,
            n_rows_not_reached=int((weights == 0).sum()),
        )
        | {"units": "ADU", "long_name": "mean intensity per pixel"},
    )
