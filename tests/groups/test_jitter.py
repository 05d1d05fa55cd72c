"""Whether values are set-points that jitter: told where they are, and silent where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from hrixs.groups.jitter import advice_on_singles, clear_tolerance, split_groups
from hrixs.groups.rules import best_origin, by_gaps, in_steps


def jittered(setpoints, n_each: int, sigma: float, seed: int = 1) -> np.ndarray:
    values = np.repeat(np.asarray(setpoints, dtype=float), n_each)
    return values + np.random.default_rng(seed).normal(0, sigma, len(values))


def n_groups(values: np.ndarray) -> int:
    tolerance = clear_tolerance(values)
    assert tolerance is not None
    return int(by_gaps(values, tolerance).max()) + 1


class TestClearTolerance:
    @pytest.mark.parametrize(
        ("setpoints", "n_each", "sigma"),
        [
            (np.linspace(528.5, 531, 15), 6, 0.01),
            ([-1.0, 0.0, 2.0], 4, 1e-5),
            ([299.9, 300.0, 300.1], 8, 1e-4),
            # Far set-points do not hide those that lie close together.
            ([-1, 0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100], 10, 0.005),
            ([-1, 0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100], 10, 0.0),
        ],
    )
    def test_finds_the_set_points(self, setpoints, n_each, sigma):
        assert n_groups(jittered(setpoints, n_each, sigma)) == len(setpoints)

    @pytest.mark.parametrize("n", [12, 30, 100, 300])
    def test_none_where_there_is_no_step(self, n):
        rng = np.random.default_rng(n)
        for draw in (rng.uniform, rng.normal):
            assert sum(clear_tolerance(draw(0, 1, n)) is not None for _ in range(50)) <= 1

    def test_none_for_a_read_back_in_whole_steps_which_may_be_set_points(self):
        coarse = np.round(jittered(np.arange(10) * 0.1, 20, 0.003) / 0.002) * 0.002
        assert clear_tolerance(coarse) is None

    @pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0], [5.0] * 9])
    def test_none_for_too_few_values(self, values):
        assert clear_tolerance(np.array(values)) is None


class TestAdvice:
    @pytest.mark.parametrize(
        "values",
        [
            np.repeat([-1.0, 0.0, 2.0], 4),  # set-points as they are written
            np.array([-1, -0.9, -0.8, 0, 10, 10.1]),  # one image each
            np.linspace(528.5, 531, 15),
            np.linspace(528.5, 531, 15).round(4),
            np.linspace(528.5, 531, 15, dtype="f4"),
            np.geomspace(0.1, 10, 13).round(3),
            np.arange(50),
            np.array([1.0, 2.0]),
        ],
    )
    def test_none_for_clean_set_points(self, values):
        assert advice_on_singles(values, len(np.unique(values)), "nrj") is None

    def test_jitter_gets_the_tolerance_to_give(self):
        values = jittered(np.linspace(528.5, 531, 15), 6, 0.01)
        advice = advice_on_singles(values, 90, "nrj")
        assert advice is not None
        tolerance = float(advice.split("tolerance=")[1].split()[0])
        assert by_gaps(values, tolerance).max() + 1 == 15
        assert "about 15 set-points" in advice

    def test_a_continuous_scan_gets_a_step(self):
        values = np.random.default_rng(3).uniform(-1, 3, 200)
        advice = advice_on_singles(values, 200, "hRIXS_delay")
        assert advice is not None
        assert "without clear steps" in advice
        assert "step=0.2" in advice


class TestSplitSetPoints:
    def test_told_where_bins_cut_them(self):
        values = jittered(np.arange(6) * 0.05 + 0.025, 6, 0.003)
        number = in_steps(values, 0.05, 0.0)
        borders = 0.05 * (np.arange(8) - 0.5)
        np.testing.assert_allclose(split_groups(values, number, borders), borders[1:-1])

    def test_one_among_others(self):
        values = np.concatenate([jittered([0.0, 1.0, 4.0, 6.0], 6, 0.01), jittered([2.5], 6, 0.01)])
        borders = np.arange(-0.5, 7.0)
        number = np.floor(values + 0.5).astype(np.int64)
        assert split_groups(values, number, borders) == [2.5]

    @pytest.mark.parametrize("n", [30, 300])
    def test_not_of_values_all_over_the_place(self, n):
        rng = np.random.default_rng(n)
        borders = np.linspace(-0.05, 1.05, 12)
        for _ in range(100):
            values = rng.uniform(0, 1, n)
            assert not split_groups(values, np.digitize(values, borders) - 1, borders)


@pytest.mark.parametrize("offset", [0.0, 0.025, 0.01, -0.025])
def test_borders_keep_clear_of_set_points(offset):
    setpoints = 530 + 0.05 * np.arange(8) + offset
    for sigma in (0.0, 0.004):
        values = jittered(setpoints, 6, sigma)
        number = in_steps(values, 0.05, best_origin(values, 0.05))
        np.testing.assert_array_equal(number, np.repeat(np.arange(8), 6))
    if offset != 0.025:
        return
    continuous = np.random.default_rng(1).uniform(0, 5, 500)
    assert best_origin(continuous, 0.05) == 0.0
