"""Pairs of photons in the same row, peaks of a profile, and the curve that makes rows sharpest."""

import numpy as np
import pytest

from hrixs.doubt_rules.profile import even_pairs, pairs, peaks_of, sharpest


@pytest.fixture(autouse=True)
def _raise():
    with np.errstate(all="raise", under="ignore"):
        yield


def test_pairs_in_the_same_bin():
    assert pairs(np.array([0.1, 0.2, 0.9, 1.5]), 1.0)[0] == 6  # 3 x 2
    assert pairs(np.array([0.1, 0.2, 0.9, 1.5]), 2.0)[0] == 12
    assert pairs(np.array([5.0]), 1.0)[0] == 0
    rng = np.random.default_rng(1)
    even = rng.uniform(0, 300, 5000)
    n_pairs, variance = pairs(even, 1.0)
    assert abs(n_pairs - even_pairs(even, 1.0)) < 5 * np.sqrt(variance)


@pytest.mark.parametrize("width", [0.8, 1.3, 3.0])
def test_a_line_has_its_row_and_width(width):
    rng = np.random.default_rng(2)
    rows = np.concatenate([rng.normal(150.25, width, 3000), rng.uniform(0, 300, 1000)])
    (peak,) = peaks_of(rows)
    assert peak.row == pytest.approx(150.25, abs=0.4)
    assert peak.fwhm == pytest.approx(np.hypot(2.355 * width, 0.8), rel=0.25)


def test_two_lines_are_two_peaks_and_a_low_one_is_none():
    rng = np.random.default_rng(3)
    rows = np.concatenate(
        [rng.normal(200, 1.3, 1000), rng.normal(150, 1.3, 600), rng.normal(100, 1.3, 150)]
    )
    assert sorted(round(peak.row) for peak in peaks_of(rows)) == [150, 200]


def test_a_line_without_other_light_is_a_peak_in_its_crop():
    rows = np.random.default_rng(5).normal(150, 1.0, 400)
    assert peaks_of(rows) == []
    (peak,) = peaks_of(rows, 300)
    assert peak.row == pytest.approx(150, abs=0.5)
    assert peak.fwhm == pytest.approx(2.5, rel=0.3)


@pytest.mark.parametrize("seed", range(5))
def test_even_photons_have_no_peak(seed):
    rng = np.random.default_rng(seed)
    assert peaks_of(rng.uniform(0, 300, 2000)) == []
    assert peaks_of(rng.uniform(0, 300, 150)) == []


def test_few_rows_have_no_peak():
    assert peaks_of(np.full(1000, 3.0)) == []
    assert peaks_of(np.random.default_rng(1).uniform(0, 7, 1000)) == []


@pytest.mark.parametrize("tilt", [-25.0, 0.0, 7.5])
@pytest.mark.parametrize("bend", [-3.0, 0.0])
def test_the_curve_of_a_line_is_found(tilt, bend):
    rng = np.random.default_rng(4)
    u = rng.uniform(-1, 1, 1000)
    rows = rng.normal(150, 1.0, 1000) + tilt * u + bend * (u**2 - 1 / 3)
    found, found_bend, n_pairs = sharpest(rows, u, 40.0)
    assert found == pytest.approx(tilt, abs=1.0)
    assert found_bend == pytest.approx(bend, abs=1.5)
    straight = rows - tilt * u - bend * (u**2 - 1 / 3)
    assert n_pairs > 0.8 * pairs(straight, 1.0)[0]


def test_of_equal_curves_the_one_in_use_stays():
    tilt, bend, _ = sharpest(np.array([1.0]), np.array([0.5]), 40.0)
    assert (tilt, bend) == (0, 0)
