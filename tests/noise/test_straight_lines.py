"""Lines whose pedestal is not that of those beside them."""

import numpy as np
import pytest

from hrixs.noise.straight_lines import odd_lines


def levels(n=200, seed=1):
    return np.random.default_rng(seed).normal(100, 0.1, n)


def found(values, noise=1.5):
    return np.flatnonzero(odd_lines(values, noise)).tolist()


@pytest.mark.parametrize("where", [(50, 51), (50, 53), (50, 140), (0, 3), (198, 200)])
@pytest.mark.parametrize("adu", [-8, 4, 20])
def test_a_band_is_found(where, adu):
    values = levels()
    values[slice(*where)] += adu
    assert found(values) == list(range(*where))


def test_good_ones_are_not():
    assert found(levels()) == []
    assert found(levels() + np.linspace(0, 60, 200)) == []
    halves = levels()
    halves[100:] += 30
    assert found(halves) == []
    assert found(np.random.default_rng(2).normal(100, 5, 200)) == []
    low = levels()
    low[50] += 2.5  # less than twice the noise of a pixel
    assert found(low) == []


def test_a_band_in_a_half_and_unknown_lines():
    values = levels()
    values[100:] += 30
    values[150:152] += 10
    values[[20, 60]] = np.nan
    values[61] = 120
    assert found(values) == [61, 150, 151]
    assert found(np.full(30, np.nan)) == []
