"""Where the level of rows or columns steps."""

import numpy as np
import pytest

from hrixs.doubt_rules.steps import level_steps, steps_of_level


def sample(n=24, lines=200, noise=2.0):
    return np.random.default_rng(1).normal(0, noise, (n, lines))


@pytest.mark.parametrize("by", [-30.0, 4.0, 8.0, 300.0])
@pytest.mark.parametrize("at", [40, 121])
def test_a_step_is_found_where_it_is(at, by):
    lines = sample()
    lines[:, at:] += by
    first, step = steps_of_level(lines, 2.0)
    assert first.tolist() == [pytest.approx(at, abs=2)]
    assert step.tolist() == [pytest.approx(by, abs=1.5)]


def test_several_steps():
    lines = sample()
    lines[:, 60:] += 20
    lines[:, 130:] -= 45
    first, step = steps_of_level(lines, 2.0)
    assert first.tolist() == [pytest.approx(60, abs=2), pytest.approx(130, abs=2)]
    assert step.tolist() == [pytest.approx(20, abs=1.5), pytest.approx(-45, abs=1.5)]


def test_no_step_of_noise_slopes_and_light():
    for seed in range(50):
        lines = np.random.default_rng(seed).normal(0, 2.0, (24, 200))
        assert not len(steps_of_level(lines, 2.0)[0])
    assert not len(steps_of_level(sample() + 0.1 * np.arange(200), 2.0)[0])
    lit = sample()
    lit[::3, 90:110] += 150  # photons in a third of the pixels
    assert not len(steps_of_level(lit, 2.0)[0])


@pytest.mark.parametrize(("n", "lines", "noise"), [(4, 200, 2.0), (24, 20, 2.0), (24, 200, 0.0)])
def test_too_little_to_tell(n, lines, noise):
    assert not len(steps_of_level(sample(n, lines), noise)[0])


def test_masked_lines_are_passed_over():
    lines = sample()
    lines[:, 100:] += 30
    lines[:, 20:30] = np.nan
    assert steps_of_level(lines, 2.0)[0].tolist() == [pytest.approx(100, abs=2)]
    assert not len(steps_of_level(np.full((24, 200), np.nan), 2.0)[0])


def test_the_doubt_names_place_and_size():
    (doubt,) = level_steps("row", np.array([512]), np.array([30.0]))
    assert doubt.code == "row_steps"
    assert "+30.0 ADU at row 512" in doubt.text
    assert level_steps("row", np.empty(0, int), np.empty(0)) == []
