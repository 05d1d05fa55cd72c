"""Expressions of names: what they may hold, and what they are worth."""

import numpy as np
import pytest
import xarray as xr

from hrixs import MissingDataError
from hrixs.spectra.expression import Expression


def test_arithmetic_is_that_of_numpy():
    a, b = np.array([1.0, 2.0, 4.0]), np.array([3.0, 0.5, 8.0])
    text = "-a ** 2 + (b - 1) * 2 / a"
    np.testing.assert_array_equal(Expression(text).of({"a": a, "b": b}), -(a**2) + (b - 1) * 2 / a)
    assert Expression(text).names == ("a", "b")


def test_conditions_are_those_of_numpy():
    n = xr.DataArray([10.0, 60.0, 70.0, np.nan], dims="trainId")
    i = xr.DataArray([1.0, 1.0, 9.0, 1.0], dims="trainId")
    wanted = {
        "n > 50": n > 50,
        "20 < n <= 60": (n > 20) & (n <= 60),
        "n > 50 and i < 5": (n > 50) & (i < 5),
        "not n > 50 or i == 9": ~(n > 50) | (i == 9),
        "abs(i - median(i)) < 3 * max(i) / 9": abs(i - 1) < 3,
    }
    for text, expected in wanted.items():
        condition = Expression(text, conditions=True)
        assert condition.is_condition
        assert condition.of({"n": n, "i": i}).values.tolist() == expected.values.tolist()


def test_sigma_is_not_moved_by_outliers():
    values = np.random.default_rng(1).normal(5.0, 2.0, 4001)
    values[:40] = 1e6
    assert Expression("sigma(a)", conditions=True).of({"a": values}) == pytest.approx(2.0, rel=0.06)


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "a.b", "a[0]", "lambda: a", "'a' * 3", "a > 1", "abs(a)", "a if a else a",
     "a +", "", "a // 2", "a @ a", "(" * 500 + "a" + ")" * 500],
)  # fmt: skip
def test_nothing_else_is_understood(text):
    with pytest.raises(ValueError, match="Expected names and numbers"):
        Expression(text)


def test_conditions_call_nothing_but_what_is_listed():
    for text in ("open('x')", "median.f(a)", "abs(a, a)", "abs(a, b=1)"):
        with pytest.raises(ValueError, match="is not understood"):
            Expression(text, conditions=True)


def test_a_number_that_grows_for_ever_is_an_error():
    with pytest.raises(ValueError, match="cannot be evaluated"):
        Expression("9 ** 9 ** 9 ** 9").of({})


def test_unknown_names_are_told_with_the_expression():
    with pytest.raises(MissingDataError, match=r"Did you mean 'hRIXS_norm'.*'hRIXS_nrm / 2'"):
        Expression("hRIXS_nrm / 2").of({"hRIXS_norm": 1.0})


def test_numbers_are_no_conditions():
    with pytest.raises(ValueError, match="need conditions"):
        Expression("a and b", conditions=True).of({"a": np.ones(2), "b": np.ones(2)})
