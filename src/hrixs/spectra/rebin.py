"""Spectra on other axes: what lies between two bins is shared in proportion."""

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
    """Bin centres, values and bin width, negative where the axis descends.

    Raises
    ------
    TypeError, ValueError
        If it is not a DataArray of one dimension in equal bins.
    """
    if not isinstance(spectrum, xr.DataArray):
        raise TypeError(f"{type(spectrum).__name__} given, expected a spectrum, a DataArray.")
    if spectrum.ndim != 1:
        raise ValueError(
            f"the spectrum has dimensions {spectrum.dims}, expected one, the energy or y. Add up "
            "or select the others first, for example spectrum.sum('trainId')."
        )
    dim = spectrum.dims[0]
    if dim not in spectrum.coords:
        raise ValueError(f"the spectrum has no coordinate {dim!r}, expected the centres of bins.")
    axis = np.asarray(spectrum[dim].values, dtype=np.float64)
    return axis, np.asarray(spectrum.values, dtype=np.float64), equal_step(axis, str(dim))


def equal_step(axis: NDArray[np.float64], name: str) -> float:
    """Width of the bins with centres `axis`, negative where it descends.

    Raises
    ------
    ValueError
        If it is not the same everywhere, or there are less than two bins.
    """
    steps = np.diff(axis)
    step = float(steps.mean()) if len(steps) else 0.0
    equal = np.allclose(steps, step, rtol=1e-3, atol=1e-9 * float(np.abs(axis).max(initial=0)))
    # Steps of an axis in single precision differ by more, though its values are where they were.
    if not (step and (equal or same_axis(axis, np.linspace(axis[0], axis[-1], len(axis))))):
        raise ValueError(f"the axis {name!r} is not in equal steps, expected bins of one width.")
    return step


def rebin_shifted(values: NDArray[Any], shifts: Floats, n_bins: int) -> Floats:
    """Move spectra by `shifts` bins; each bin is shared by the two it comes to overlap.

    Parameters
    ----------
    values : array_like, shape (n, bins)
        Spectra.
    shifts : numpy.ndarray, shape (n,)
        In bins, of any size.
    n_bins : int
        Bins of the result. What would lie outside of it is lost.

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
        # A share of nothing is nothing, also of NaN.
        part = np.where(share > 0, values * share, 0.0)
        moved[row, target[row, column]] += part[row, column]
    return moved


def moved_variable(
    variable: xr.DataArray, dim: str, shifts: xr.DataArray, n_bins: int
) -> xr.DataArray:
    """`variable` with its `n_bins` bins along `dim` moved by `shifts`; see `rebin_shifted`.

    An error, named ``..._err``, is moved as its square.
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
