"""Delays of a pump beam, from the position of its delay stage."""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.utils.checks import number, whole_number

#: Speed of light, in mm/ps; exact by the definition of the metre.
LIGHT = 0.299792458
_IN_MM = {"m": 1e3, "mm": 1.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "nm": 1e-6}

Position = TypeVar("Position", xr.DataArray, ArrayLike)


def delay_from_position(
    position: Position, *, t0: float, passes: int = 2, sign: int = 1, units: str | None = None
) -> Position:
    """Convert stage positions to delays: ``sign * passes * (position - t0) / c``.

    Parameters
    ----------
    position : xarray.DataArray or array_like
        Position of the stage; NaN if not known.
    t0 : float
        Position at which both pulses arrive together, in the same unit.
    passes : int
        How often the beam passes the length of the stage: 2 for a retro-reflector.
    sign : {1, -1}
        1 if a larger position is a larger delay, -1 if it is a smaller one.
    units : {'mm', 'm', 'um', 'nm'}, optional
        Unit of `position` and `t0`. Default: the attribute ``units`` of `position`, or else mm.

    Returns
    -------
    xarray.DataArray or numpy.ndarray of float64
        Delays in ps, with the same shape; ``attrs`` have `t0`, `passes` and `sign`.

    Raises
    ------
    ValueError
        If the unit is not a length, or not that of `position`; or for another sign.

    Examples
    --------
    >>> from hrixs import delay_from_position
    >>> delay_from_position([100.0, 100.15], t0=100.0).round(4)
    array([0.    , 1.0007])

    >>> data["delay"] = delay_from_position(data["stage"], t0=141.23)  # doctest: +SKIP
    >>> h.aggregate(data, "delay", tolerance="auto")  # doctest: +SKIP
    """
    attrs = position.attrs if isinstance(position, xr.DataArray) else {}
    told = str(attrs.get("units", "")).strip()
    if units is not None and told in _IN_MM and _IN_MM.get(units) != _IN_MM[told]:
        raise ValueError(
            f"units = {units!r}, and the position says that it is in {told!r}; expected the same. "
            "Leave units out, and give t0 in the unit of the position."
        )
    unit = units if units is not None else told or "mm"
    if unit not in _IN_MM:
        raise ValueError(
            f"the position is in {unit!r}, expected a length: {', '.join(_IN_MM)}. Give units=, "
            "where its attribute is wrong."
        )
    if sign not in (1, -1) or isinstance(sign, bool):
        raise ValueError(f"sign = {sign!r}, expected 1 or -1.")
    zero, n_passes = number("t0", t0), whole_number("passes", passes)
    if not np.isfinite(zero):
        raise ValueError(f"t0 = {zero}, expected the position of the stage at zero delay.")
    per_unit = sign * n_passes * _IN_MM[unit] / LIGHT
    if not isinstance(position, xr.DataArray):
        return cast("Position", _delays(np.asarray(position, dtype=np.float64), zero, per_unit))
    delay = position.copy(data=_delays(position.data, zero, per_unit)).rename("delay")
    delay.attrs = {"units": "ps", "long_name": "delay", "t0": zero, "t0_units": unit}
    delay.attrs |= {"passes": n_passes, "sign": sign}
    if position.name is not None:
        delay.attrs["made_of"] = str(position.name)
    return delay


def _delays(position: NDArray[np.float64], zero: float, per_unit: float) -> NDArray[np.float64]:
    # The difference first: it is small beside the position.
    return (position - zero) * per_unit
