import numpy as np
import pytest

from hrixs.deconvolution.fit import Light
from hrixs.deconvolution.floor import floor_of


def light(n_lit, level=0.3, n_rows=40):
    rng = np.random.default_rng(4)
    pixels = np.full((4, n_rows), 100.0)
    noise = 0.04 * pixels
    sums = level * pixels + rng.normal(0, np.sqrt(noise))
    sums[:, 3 : 3 + n_lit] += 900.0
    return Light(sums, pixels, noise, 400, 150.0)


@pytest.mark.parametrize("n_lit", [0, 10, 25])
def test_rows_without_light_tell_the_floor(n_lit):
    floor, variance = floor_of(light(n_lit))
    assert abs(floor - 0.3) < 4 * np.sqrt(variance)
    assert 0.04 / (400 * 40) <= variance < 0.04 / (400 * (40 - n_lit)) * 1.5


def test_too_few_rows_tell_none():
    floor, variance = floor_of(light(0, n_rows=5))
    assert floor == 0.0
    assert np.isnan(variance)
