"""Checks of plain arguments, shared by all: what was given, and what was expected."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np


def whole_number(name: str, value: Any) -> int:
    """`value` as an int of 1 or more.

    Raises
    ------
    ValueError
        If it is not.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else np.nan
    if not (number.is_integer() and 1 <= number < 2**31):
        raise ValueError(f"{name} = {value!r}, expected a whole number of 1 or more.")
    return int(number)


def curvature_pair(curvature: Any) -> tuple[float, float]:
    """`curvature` as the pair ``(CURVE_A, CURVE_B)``.

    Raises
    ------
    ValueError
        If it is not a pair of finite numbers.
    """
    pair = np.asarray(curvature, dtype=np.float64)
    if pair.shape != (2,) or not np.isfinite(pair).all():
        raise ValueError(
            f"curvature = {curvature!r}, expected a pair of finite numbers (CURVE_A, CURVE_B)."
        )
    return float(pair[0]), float(pair[1])
