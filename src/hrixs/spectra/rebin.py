"""Move spectra to other axes; values between two bins are divided in proportion."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.spectra.axes import same_axis
from hrixs.utils.typing import Floats


def axis_and_values(
    spectrum: xr.DataArray,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Bin centres, values and bin width of a spectrum; the width is negative if the axis descends.

    Raises
    ------
    TypeError, ValueError
        If it is not a one-dimensional DataArray with equal bins.
    """
    if not isinstance(spectrum, xr.DataArray):
        raise TypeError(f"got {type(spectrum).__name__}, expected a spectrum (xarray.DataArray).")
    if spectrum.ndim != 1:
        raise ValueError(
            f"the spectrum has dimensions {spectrum.dims}, expected one, the energy or y. First "
            "sum over the others or select, for example spectrum.sum('trainId')."
        )
    dim = spectrum.dims[0]
    if dim not in spectrum.coords:
        raise ValueError(f"the spectrum has no coordinate {dim!r}, expected the centres of bins.")
    axis = np.asarray(spectrum[dim].values, dtype=np.float64)
    return axis, np.asarray(spectrum.values, dtype=np.float64), equal_step(axis, str(dim))


def equal_step(axis: NDArray[np.float64], name: str) -> float:
    """Width of the bins with centres `axis`, negative if it descends.

    Raises
    ------
    ValueError
        If the width is not constant, or there are less than two bins.
    """
    steps = np.diff(axis)
    step = float(steps.mean()) if len(steps) else 0.0
    equal = np.allclose(steps, step, rtol=1e-3, atol=1e-9 * float(np.abs(axis).max(initial=0)))
    # In single precision the steps of an axis differ more, although its values are correct.
    if not (step and (equal or same_axis(axis, np.linspace(axis[0], axis[-1], len(axis))))):
        raise ValueError(
            f"the axis {name!r} does not have equal steps, expected bins of equal width."
        )
    return step


def rebin_shifted(values: NDArray[Any], shifts: Floats, n_bins: int) -> Floats:
    """Move spectra by `shifts` bins; each bin is divided between the two that it then overlaps.

    Parameters
    ----------
    values : array_like, shape (n, bins)
        Spectra.
    shifts : numpy.ndarray, shape (n,)
        Shifts in bins, of any size.
    n_bins : int
        Bins of the result; values outside are lost.

    Returns
    -------
    numpy.ndarray, shape (n, n_bins)

    Examples
    --------
    >>> import numpy as np
    >>> rebin_shifted(np.array([[4.0, 0.0]]), np.array([1.25]), 4)
    array([[0., 3., 1., 0.]])
    """
    whole = np.floor(shifts).astype(np.int64)
    fraction = (shifts - whole)[:, None]
    moved = np.zeros((len(values), n_bins))
    columns = np.arange(values.shape[1]) + whole[:, None]
    for offset, share in ((0, 1.0 - fraction), (1, fraction)):
        target = columns + offset
        inside = (target >= 0) & (target < n_bins)
        row, column = np.nonzero(inside)
        # A share of 0 gives 0, also for NaN.
        part = np.where(share > 0, values * share, 0.0)
        moved[row, target[row, column]] += part[row, column]
    return moved


def moved_variable(
    variable: xr.DataArray, dim: str, shifts: xr.DataArray, n_bins: int
) -> xr.DataArray:
    """Move `variable` by `shifts` along `dim`, to `n_bins` bins; see `rebin_shifted`.

    An error, named ``..._err``, is squared before.
    """
    square = str(variable.name).endswith("_err")
    spread, given = xr.broadcast(shifts, variable.isel({dim: 0}, drop=True))
    leading = given.dims
    spread = spread.transpose(*leading)
    full = variable.broadcast_like(spread).transpose(*leading, dim)
    values = np.asarray(full.values, dtype=np.float64).reshape(-1, full.shape[-1])
    moved = rebin_shifted(values**2 if square else values, spread.values.ravel(), n_bins)
    moved = np.sqrt(moved) if square else moved
    coords = {name: coord for name, coord in full.coords.items() if dim not in coord.dims}
    return xr.DataArray(
        moved.reshape(*full.shape[:-1], n_bins),
        coords=coords,
        dims=full.dims,
        name=variable.name,
        attrs=variable.attrs,
    )
