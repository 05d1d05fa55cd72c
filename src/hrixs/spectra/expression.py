"""Read, check and evaluate expressions of names, such as ``'SCS_SA3 * transmission / 100'``.

Only names, numbers, arithmetic, comparisons and a few functions are allowed; text cannot call
anything else.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import xarray as xr

from hrixs.utils.errors import MissingDataError, unknown_name

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _robust_sigma(values: Any) -> float:
    """Standard deviation from the median distance to the median."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(1.4826 * np.median(np.abs(known - np.median(known)))) if known.size else np.nan


#: Functions in conditions, of each value or of all values.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "log": np.log,
    "min": lambda values: float(np.nanmin(np.asarray(values, dtype=np.float64))),
    "max": lambda values: float(np.nanmax(np.asarray(values, dtype=np.float64))),
    "mean": lambda values: float(np.nanmean(np.asarray(values, dtype=np.float64))),
    "median": lambda values: float(np.nanmedian(np.asarray(values, dtype=np.float64))),
    "std": lambda values: float(np.nanstd(np.asarray(values, dtype=np.float64))),
    "sigma": _robust_sigma,
}


class Expression:
    """An expression of names.

    Parameters
    ----------
    text : str
        Names, numbers, ``+ - * / **`` and parentheses.
    conditions : bool
        Whether comparisons, ``and``, ``or``, ``not`` and `FUNCTIONS` are allowed, too.

    Attributes
    ----------
    text : str
        The given text.
    names : tuple of str
        Names in it, in order, each once.
    is_condition : bool
        Whether its value is True or False.

    Raises
    ------
    ValueError
        If the text is not a valid expression.

    Examples
    --------
    >>> from hrixs.spectra.expression import Expression
    >>> intensity = Expression("xgm * transmission / 100")
    >>> intensity.names
    ('xgm', 'transmission')
    >>> intensity.of({"xgm": 50.0, "transmission": 20.0})
    10.0
    """

    def __init__(self, text: str, *, conditions: bool = False) -> None:
        self.text = text
        self._conditions = conditions
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"{text!r} cannot be read: {error}. {self._expected()}") from error
        self._check(self._tree)
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        found = [
            node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Name) and id(node) not in called
        ]
        found.sort(key=lambda node: (node.lineno, node.col_offset))
        self.names = tuple(dict.fromkeys(node.id for node in found))
        self.is_condition = isinstance(self._tree, ast.Compare | ast.BoolOp) or (
            isinstance(self._tree, ast.UnaryOp) and isinstance(self._tree.op, ast.Not)
        )

    @property
    def is_name(self) -> bool:
        """Whether it is only a name."""
        return isinstance(self._tree, ast.Name)

    def of(self, values: Mapping[str, Any]) -> Any:
        """Evaluate it for `values` of the names: numbers, arrays or DataArrays.

        Raises
        ------
        MissingDataError
            If a name has no value.
        ValueError
            If it cannot be evaluated.
        """
        self.require_names(values)
        try:
            with np.errstate(all="ignore"), _exactly():
                return self._value(self._tree, values)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise ValueError(f"{self.text!r} cannot be evaluated: {error}.") from error

    def require_names(self, known: Iterable[str]) -> None:
        """Raise MissingDataError if a name is not among those that are known."""
        known = list(map(str, known))
        for name in self.names:
            if name not in known:
                raise MissingDataError(f"{unknown_name('variable', name, known)}{self._within()}")

    def _within(self) -> str:
        return "" if self.is_name else f" It is used in {self.text!r}."

    def _expected(self) -> str:
        if self._conditions:
            return (
                "Expected a condition such as 'n_photons > 50 and hRIXS_norm < 2e3', with names, "
                f"numbers, + - * / **, comparisons, and, or, not, {', '.join(FUNCTIONS)}."
            )
        return (
            "Expected names and numbers with + - * / ** and parentheses, such as 'SCS_SA3 * "
            "transmission / 100'."
        )

    def _check(self, node: ast.AST) -> None:
        parts: list[ast.expr]
        match node:
            case ast.Name() | ast.Constant(value=int() | float()):
                parts = []
            case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
                parts = [node.left, node.right]
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                parts = [node.operand]
            case ast.UnaryOp(op=ast.Not()) if self._conditions:
                parts = [node.operand]
            case ast.BoolOp() if self._conditions:
                parts = node.values
            case ast.Compare(ops=ops) if self._conditions and {*map(type, ops)} <= {*_COMPARISONS}:
                parts = [node.left, *node.comparators]
            case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]) if (
                self._conditions and name in FUNCTIONS
            ):
                parts = node.args
            case _:
                what = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
                raise ValueError(f"{what!r} in {self.text!r} is not understood. {self._expected()}")
        for part in parts:
            self._check(part)

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        match node:
            case ast.Name():
                return values[node.id]
            case ast.Constant():
                return float(node.value)  # type: ignore[arg-type]  # integers could grow without limit
            case ast.BinOp():
                left, right = self._value(node.left, values), self._value(node.right, values)
                return _ARITHMETIC[type(node.op)](left, right)
            case ast.UnaryOp(op=ast.Not()):
                return ~_condition(self._value(node.operand, values))
            case ast.UnaryOp():
                value = self._value(node.operand, values)
                return -value if isinstance(node.op, ast.USub) else value
            case ast.BoolOp():
                parts = [_condition(self._value(part, values)) for part in node.values]
                join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
                result = parts[0]
                for part in parts[1:]:
                    result = join(result, part)
                return result
            case ast.Compare():
                left, result = self._value(node.left, values), None
                for op, comparator in zip(node.ops, node.comparators, strict=True):
                    right = self._value(comparator, values)
                    one = _condition(_COMPARISONS[type(op)](left, right))
                    result, left = one if result is None else result & one, right
                return result
            case ast.Call(func=ast.Name(id=name)):
                return FUNCTIONS[name](self._value(node.args[0], values))
        raise ValueError(f"{ast.unparse(node)!r} is not understood")


def _exactly() -> AbstractContextManager[Any]:
    """Values of other trains are an error instead of being dropped."""
    options: Any = xr.set_options  # xarray does not type it
    exactly: AbstractContextManager[Any] = options(arithmetic_join="exact")
    return exactly


def _condition(value: Any) -> Any:
    """`value` as a NumPy bool: ``~`` does not negate a Python bool."""
    value = np.bool_(value) if isinstance(value, bool) else value
    if getattr(value, "dtype", None) != np.bool_:
        raise TypeError("and, or, not need conditions, such as 'hRIXS_norm > 0'")
    return value
