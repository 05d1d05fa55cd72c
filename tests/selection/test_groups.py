"""Two groups of values: found where there are two, and not where there is one."""

import numpy as np
import pytest

from hrixs.selection.groups import two_groups


def light(rng, mean, scatter, n):
    """Photons of images at pulse energies that scatter as those of a SASE source."""
    energy = rng.gamma(1 / scatter**2, scatter**2, n)
    return rng.poisson(mean * energy)


@pytest.mark.parametrize("scatter", [0.1, 0.3])
@pytest.mark.parametrize("n", [8, 32, 500])
@pytest.mark.parametrize("mean", [30, 1000])
def test_false_alarms_on_clean_runs(scatter, n, mean):
    rng = np.random.default_rng(11)
    alarms = [two_groups(light(rng, mean, scatter, n), counts=True) for _ in range(1000)]
    assert sum(one is not None for one in alarms) <= 3


@pytest.mark.parametrize("shape", ["normal", "uniform"])
def test_false_alarms_on_other_fields(shape):
    """A box is as flat as one group can be."""
    rng = np.random.default_rng(12)
    alarms = [two_groups(getattr(rng, shape)(size=32)) for _ in range(1000)]
    assert sum(one is not None for one in alarms) <= 8


@pytest.mark.parametrize("n_blank", [1, 3, 16, 28])
@pytest.mark.parametrize("false", [2, 60])
def test_power(n_blank, false):
    """Blanks with `false` photons of noise; light of 150 more, which scatters by 10 %."""
    rng = np.random.default_rng(13)
    found = 0
    for _ in range(100):
        blank = rng.poisson(false, n_blank)
        lit = rng.poisson(false, 32 - n_blank) + light(rng, 150, 0.1, 32 - n_blank)
        groups = two_groups(np.concatenate([blank, lit]), counts=True)
        found += groups is not None and groups.n_low == n_blank
    assert found >= (98 if n_blank > 1 or false < 60 else 80)


def test_what_it_tells():
    groups = two_groups([0.0] * 4 + [5.0] * 6)
    assert (groups.n_low, groups.n_high, groups.low, groups.high) == (4, 6, 0.0, 5.0)
    assert groups.limit == 2.5
    assert groups.separation > 1


def test_order_scale_and_what_is_not_finite_do_not_matter():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(1.0, 0.1, 20), rng.normal(9.0, 0.1, 12)])
    expected = two_groups(values)
    mixed = np.concatenate([rng.permutation(values), [np.nan, np.inf]])
    assert two_groups(mixed) == expected
    moved = two_groups(1e9 + 1e-3 * values)
    assert (moved.n_low, moved.n_high) == (expected.n_low, expected.n_high) == (20, 12)


@pytest.mark.parametrize("values", [[], [1.0], [3.0] * 50, [0.0] * 3 + [9.0] * 4, [np.nan] * 20])
def test_too_few_or_equal_values_are_one_group(values):
    assert two_groups(values) is None
