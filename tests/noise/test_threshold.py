"""The threshold with the fewest mistakes."""

import numpy as np
import pytest
from scipy.special import ndtr

from hrixs.noise.threshold import best_threshold, photon_onset

HEIGHTS = np.linspace(15, 140, 126)


def scan(noise_hits, *, noise=4.0, photons=1000.0, least=90.0, spread=8.0):
    false = noise_hits * ndtr(-HEIGHTS / noise)
    return false + photons * ndtr(-(HEIGHTS - least) / spread), false


def test_in_the_middle_between_noise_and_photons():
    hits, false = scan(4e6)
    threshold = best_threshold(HEIGHTS, hits, false, as_good=1)
    assert 35 < threshold < 55


def test_fewest_mistakes_where_noise_reaches_the_photons():
    hits, false = scan(4e6, noise=14.0, photons=1000.0)
    threshold = best_threshold(HEIGHTS, hits, false, as_good=1)
    mistakes = false + 1000 - (hits - false)
    at = np.interp(threshold, HEIGHTS, mistakes)
    assert at < mistakes.min() + 5
    assert 55 < threshold < 90


@pytest.mark.parametrize("photons", [10.0, 100.0, 10_000.0])
def test_more_photons_allow_more_false_hits(photons):
    few, many = (
        best_threshold(HEIGHTS, *scan(4e6, noise=14.0, photons=n), as_good=n / 1000)
        for n in (photons, 10 * photons)
    )
    assert few > many


def test_photons_begin_where_noise_makes_few_of_the_hits():
    tried = np.array([10.0, 20.0, 30.0])
    heights = np.array([12.0] * 100 + [25.0] * 100 + [90.0] * 100)
    assert photon_onset(heights, tried, np.array([90.0, 3.0, 0.0])) == 20.0
    assert photon_onset(heights, tried, np.array([90.0, 9.0, 0.0])) == 30.0
    assert photon_onset(heights[:100], tried, np.array([90.0, 1.0, 0.0])) == np.inf
