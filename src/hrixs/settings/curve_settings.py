"""The curve of the spectral lines as a setting: the whole curve, and two coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hrixs.camera.curve import Curvature
from hrixs.utils.errors import warn


class CurveSettings:
    """`curvature`, with `CURVE_A` and `CURVE_B` as its first two coefficients."""

    _curve: Curvature | tuple[Any, Any] = (0.0, 0.0)

    @property
    def curvature(self) -> Curvature:
        """The curve that the spectral lines follow on the whole chip.

        Raises
        ------
        ValueError
            If `CURVE_A` or `CURVE_B` is not a finite number.
        """
        return Curvature.of(self._curve)

    @curvature.setter
    def curvature(self, curvature: Curvature | tuple[float, float]) -> None:
        self._curve = Curvature.of(curvature)

    @property
    def CURVE_A(self) -> Any:
        """Tilt of the lines at column 0 of the chip; setting it makes the curve a parabola."""
        return self._curve.a if isinstance(self._curve, Curvature) else self._curve[0]

    @CURVE_A.setter
    def CURVE_A(self, value: Any) -> None:
        self._set_parabola(value, self.CURVE_B)

    @property
    def CURVE_B(self) -> Any:
        """Bend of the lines; setting it makes the curve a parabola."""
        return self._curve.b if isinstance(self._curve, Curvature) else self._curve[1]

    @CURVE_B.setter
    def CURVE_B(self, value: Any) -> None:
        self._set_parabola(self.CURVE_A, value)

    def _set_parabola(self, a: Any, b: Any) -> None:
        if isinstance(self._curve, Curvature) and self._curve.degree > 2:
            warn(
                f"the curvature of degree {self._curve.degree} is replaced by the parabola "
                f"CURVE_A = {a!r}, CURVE_B = {b!r}. Set h.curvature for other curves."
            )
        self._curve = (a, b)


def curve_of_params(curve: Any, a: Any, b: Any) -> Curvature:
    """Make the curve from parameters: a `Curvature`, or a dict of plain values.

    Raises
    ------
    ValueError
        If it is not a curve, or if `a` or `b` differ from its first two coefficients.
    """
    if isinstance(curve, Mapping):
        try:
            curve = Curvature(**curve)
        except TypeError as error:
            raise ValueError(
                f"curvature = {dict(curve)!r}, expected coefficients and, optionally, a reference "
                "column."
            ) from error
    made = Curvature.of(curve)
    for name, given, of_curve in (("curve_a", a, made.a), ("curve_b", b, made.b)):
        if given is not None and given != of_curve:
            raise ValueError(
                f"{name} = {given!r} was given together with a curvature whose {name} is "
                f"{of_curve!r}. Give only one of them."
            )
    return made
