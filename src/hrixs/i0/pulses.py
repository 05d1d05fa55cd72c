"""Add up values of pulses in a train, without the fill values where there is no pulse."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.runs.mnemonic_table import NO_PULSE
from hrixs.utils.errors import warn


def sum_over_pulses(values: NDArray[Any], no_pulse: float | None) -> NDArray[np.float64]:
    """Sum of the pulses of each train, shape (n_trains,), without values equal to `no_pulse`.

    If a pulse is NaN, the sum of its train is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.i0.pulses import sum_over_pulses
    >>> sum_over_pulses(np.array([[900.0, 1100.0, 1.0], [1.0, 1.0, 1.0]]), no_pulse=1.0)
    array([2000.,    0.])
    """
    pulses = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    if no_pulse is not None:
        pulses = np.where(pulses == no_pulse, 0.0, pulses)
    return np.asarray(pulses.sum(axis=1))


def per_train(variable: xr.DataArray, kept: tuple[Any, ...], name: str) -> xr.DataArray:
    """`variable` summed over pulses: all dimensions that are not in `kept`.

    Parameters
    ----------
    variable : xarray.DataArray
        One value for each train or each pulse; ``attrs['no_pulse']`` is the value where there is
        no pulse.
    kept : tuple of str
        Dimensions that are kept: those of the variables to combine it with.
    name : str
        Name of the variable; for well-known fields it gives the fill value.
    """
    pulses = [dim for dim in variable.dims if dim not in kept]
    if not pulses:
        return variable
    fill = no_pulse_of(variable, name)
    if fill is None:
        warn(
            f"{name} has values over {', '.join(map(str, pulses))}, which are all added up: its "
            f"value where there is no pulse is not known. Set it with "
            f"data[{name!r}].attrs['no_pulse'] = 1.0."
        )
    real = variable if fill is None else variable.where(variable != fill, 0.0)
    total: xr.DataArray = real.astype(np.float64).sum(pulses, skipna=False, keep_attrs=True)
    total.attrs = {key: value for key, value in variable.attrs.items() if key != "no_pulse"}
    return total


def error_per_train(
    error: xr.DataArray, variable: xr.DataArray, kept: tuple[Any, ...], name: str
) -> xr.DataArray:
    """Error of the sum by `per_train`: errors of pulses added in quadrature."""
    fill = no_pulse_of(variable, name)
    if fill is not None and set(variable.dims) <= set(error.dims):
        error = error.where(variable != fill, 0.0)
    pulses = [dim for dim in error.dims if dim not in kept]
    squares: xr.DataArray = (error**2).sum(pulses, skipna=False) if pulses else error**2
    return squares**0.5


def no_pulse_of(variable: xr.DataArray, name: str) -> float | None:
    """Value of a variable where there is no pulse; None if unknown."""
    known = variable.attrs.get("no_pulse", NO_PULSE.get(name))
    return None if known is None else float(known)
