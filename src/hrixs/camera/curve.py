"""The curve of spectral lines on the camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True, repr=False)
class Curvature:
    """Displacement of a spectral line along y at each column x of the full chip.

    With ``u = x - reference`` the displacement is ``coefficients[0] * u + coefficients[1] * u**2 +
    ...``, in pixels; it is 0 in the reference column. A corrected position is ``y - curvature(x)``:
    the row at which its line crosses the reference column. An energy axis belongs to this column;
    curves about other columns differ by a constant.

    Attributes
    ----------
    coefficients : tuple of float
        Coefficients of ``u``, ``u**2`` and so on.
    reference : float
        Column of the full chip in which no line is displaced, in pixels.
    covariance : tuple of tuple of float, or None
        Covariance of the coefficients, if a fit gives it. It is ignored in comparisons.

    Raises
    ------
    ValueError
        If there is no coefficient, a number is not finite, or the covariance has another size.

    Examples
    --------
    >>> curve = Curvature((3.0, 0.5))
    >>> curve(2.0), curve.about(2.0)
    (8.0, Curvature((5.0, 0.5), reference=2.0))
    """

    coefficients: tuple[float, ...] = (0.0, 0.0)
    reference: float = 0.0
    covariance: tuple[tuple[float, ...], ...] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        coefficients = _finite(self.coefficients, 1)
        reference = _finite(self.reference, 0)
        if coefficients is None or not coefficients.size or reference is None:
            raise ValueError(
                f"coefficients = {self.coefficients!r}, reference = {self.reference!r}, expected "
                "finite numbers: coefficients of x, x**2 and so on, and a column."
            )
        object.__setattr__(self, "coefficients", tuple(coefficients.tolist()))
        object.__setattr__(self, "reference", float(reference))
        if self.covariance is not None:
            covariance = np.asarray(self.covariance, dtype=np.float64)
            if covariance.shape != (self.degree, self.degree):
                raise ValueError(
                    f"covariance has shape {covariance.shape}, expected ({self.degree}, "
                    f"{self.degree}): that of the coefficients."
                )
            object.__setattr__(self, "covariance", tuple(map(tuple, covariance.tolist())))

    @classmethod
    def of(cls, value: CurveLike) -> Curvature:
        """Return `value` itself, or the curve of coefficients about column 0.

        Parameters
        ----------
        value : Curvature or sequence of float
            Two coefficients or more, for example ``(CURVE_A, CURVE_B)``.

        Raises
        ------
        ValueError
            If it is neither.
        """
        if isinstance(value, Curvature):
            return value
        coefficients = _finite(value, 1)
        if coefficients is None or coefficients.size < 2:
            raise ValueError(
                f"curvature = {value!r}, expected a pair of finite numbers (CURVE_A, CURVE_B), "
                "coefficients of x, x**2 and so on, or a Curvature."
            )
        return cls(tuple(coefficients.tolist()))

    def __call__(self, x: Number) -> Number:
        """Displacement of a line at the columns `x` of the full chip, in pixels."""
        u = x - self.reference if self.reference else x
        total = self.coefficients[-1] * u
        for coefficient in self.coefficients[-2::-1]:
            total = (total + coefficient) * u
        return total

    def __repr__(self) -> str:
        reference = f", reference={self.reference!r}" if self.reference else ""
        return f"Curvature({self.coefficients!r}{reference})"

    @property
    def degree(self) -> int:
        """Degree of the polynomial."""
        return len(self.coefficients)

    @property
    def a(self) -> float:
        """Coefficient of ``x`` about column 0 of the full chip, as `CURVE_A`."""
        return self.about(0.0).coefficients[0]

    @property
    def b(self) -> float:
        """Coefficient of ``x**2`` about column 0 of the full chip, as `CURVE_B`; 0 for degree 1."""
        return self.about(0.0).coefficients[1] if self.degree > 1 else 0.0

    @property
    def errors(self) -> tuple[float, ...] | None:
        """One standard deviation of each coefficient, or None."""
        if self.covariance is None:
            return None
        variance = np.diag(np.asarray(self.covariance))
        return tuple(np.sqrt(np.maximum(variance, 0.0)).tolist())

    def about(self, column: float) -> Curvature:
        """Return the same curve about another reference column.

        Displacements are then relative to `column`: all of them, and all corrected positions,
        change by ``self(column)``. The covariance is transformed, too.

        Parameters
        ----------
        column : float
            Column of the full chip.
        """
        if column == self.reference:
            return self
        distance = float(column) - self.reference
        powers = range(1, self.degree + 1)
        to_column = np.array(
            [[comb(m, k) * distance ** (m - k) if m >= k else 0.0 for m in powers] for k in powers]
        )
        covariance = None
        if self.covariance is not None:
            covariance = _as_tuples(to_column @ np.asarray(self.covariance) @ to_column.T)
        return Curvature(
            tuple((to_column @ np.asarray(self.coefficients)).tolist()), column, covariance
        )

    def counted_from(self, column: float) -> Curvature:
        """Return a curve with the same displacements for columns counted from `column`.

        Parameters
        ----------
        column : float
            Column of the full chip that is column 0 of the new curve, such as the first one of a
            crop.
        """
        if not column:
            return self
        return Curvature(self.coefficients, self.reference - column, self.covariance)

    def attrs(self) -> dict[str, Any]:
        """The curve as ``attrs``: numbers and arrays that netCDF can store.

        Returns
        -------
        dict
            ``curve_a`` and ``curve_b``; for a higher degree or another reference column than 0,
            also ``curve_coefficients`` and ``curve_reference``.
        """
        pair: dict[str, Any] = {"curve_a": self.a, "curve_b": self.b}
        if self.degree <= 2 and not self.reference:
            return pair
        return pair | {
            "curve_coefficients": np.array(self.coefficients),
            "curve_reference": self.reference,
        }

    @classmethod
    def of_attrs(cls, attrs: Mapping[Any, Any]) -> Curvature:
        """Return the curve in ``attrs`` of a result, as `Curvature.attrs` wrote it.

        Raises
        ------
        ValueError
            If they contain no curve.

        Examples
        --------
        >>> Curvature.of_attrs(Curvature((3.0, 0.5), reference=2.0).attrs())
        Curvature((3.0, 0.5), reference=2.0)
        """
        if "curve_coefficients" in attrs:
            coefficients = np.atleast_1d(attrs["curve_coefficients"])
            return cls(tuple(coefficients.tolist()), float(attrs["curve_reference"]))
        if "curve_a" not in attrs or "curve_b" not in attrs:
            raise ValueError(
                "the attributes have no curve_a and curve_b, expected those of a result that was "
                "made with a curve. Give the curve itself: Curvature((CURVE_A, CURVE_B))."
            )
        return cls((float(attrs["curve_a"]), float(attrs["curve_b"])))


#: A curve, or its coefficients about column 0.
CurveLike: TypeAlias = Curvature | Sequence[float]


def _finite(value: Any, n_dims: int) -> NDArray[np.float64] | None:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array.ndim == n_dims and np.isfinite(array).all() else None


def _as_tuples(matrix: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))
