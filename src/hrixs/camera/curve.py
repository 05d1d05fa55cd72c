"""Stand-in until the real one is merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.checks import curvature_pair

Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True)
class Curvature:
    coefficients: tuple[float, ...] = (0.0, 0.0)
    reference: float = 0.0

    @classmethod
    def of(cls, value: Any) -> Curvature:
        return value if isinstance(value, Curvature) else cls(curvature_pair(value))

    @property
    def a(self) -> float:
        return self.coefficients[0]

    @property
    def b(self) -> float:
        return self.coefficients[1]

    @property
    def degree(self) -> int:
        return len(self.coefficients)

    def __call__(self, x):
        return (self.b * x + self.a) * x

    def __array__(self, dtype=None, copy=None):
        return np.array(self.coefficients, dtype=dtype)

    def __iter__(self):
        return iter(self.coefficients)
