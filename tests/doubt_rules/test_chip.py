"""Rows, columns and pixels of the chip that stand out, on plain numbers."""

import numpy as np
import pytest

from hrixs.doubt_rules.chip import bad_lines, hot_pixels, lines_that_stand_out, ranges_text

NOISE = 1.5


def sample(n=96, n_lines=300, seed=1):
    return np.random.default_rng(seed).normal(0, NOISE, (n, n_lines))


@pytest.fixture(autouse=True)
def _raise():
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_not_told(seed):
    assert lines_that_stand_out(sample(24, seed=seed), NOISE).size == 0
    assert lines_that_stand_out(sample(seed=seed).round(), NOISE).size == 0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("first", [0, 100, 299])
def test_one_line_at_another_level(sign, first):
    values = sample()
    values[:, first] += sign * 0.5 * NOISE
    assert lines_that_stand_out(values, NOISE).size == 0
    values[:, first] += sign * 1.2 * NOISE
    assert lines_that_stand_out(values, NOISE).tolist() == [first]


@pytest.mark.parametrize("width", [3, 20, 40])
def test_a_band_of_lines(width):
    values = sample()
    values[:, 100 : 100 + width] += 8
    assert lines_that_stand_out(values, NOISE).tolist() == list(range(100, 100 + width))


@pytest.mark.parametrize("level", [60000.0, -100.0, 0.0])
def test_lines_without_noise(level):
    values = sample()
    values[:, 50:52] = level
    assert lines_that_stand_out(values, NOISE).tolist() == [50, 51]


def test_a_slow_slope_is_not_told():
    assert lines_that_stand_out(sample() + np.linspace(0, 8, 300), NOISE).size == 0


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("charge", [5.0, 15.0, 60.0])
@pytest.mark.parametrize("width", [1.3, 8.0])
def test_a_line_of_the_spectrum_is_not_told(share, charge, width):
    rng = np.random.default_rng(3)
    for n in (24, 96):
        values = sample(n)
        lit = rng.random(values.shape) < share * np.exp(
            -((np.arange(300) - 150) ** 2) / 2 / width**2
        )
        values += lit * rng.exponential(charge, values.shape)
        assert lines_that_stand_out(values, NOISE).size == 0


def test_a_line_of_few_photons_hides_no_bad_row():
    values = sample()
    values[:, 100] += 8
    values[::10, 100] += 60
    assert lines_that_stand_out(values, NOISE).tolist() == [100]


def test_masked_pixels_are_left_out():
    values = sample()
    values[:, 100] = np.nan
    values[::2, 200] = np.nan
    values[1::2, 200] += 8
    assert lines_that_stand_out(values, NOISE).tolist() == [200]
    assert lines_that_stand_out(np.full((96, 300), np.nan), NOISE).size == 0


@pytest.mark.parametrize("shape", [(7, 300), (96, 31), (0, 300), (96, 0), (8, 32), (8, 33)])
def test_small_crops_tell_nothing(shape):
    assert lines_that_stand_out(np.zeros(shape) + sample(1, 1), NOISE).size in (0, shape[1])
    assert lines_that_stand_out(sample(*shape), NOISE).size == 0


@pytest.mark.parametrize("noise", [0.0, -1.0, np.nan])
def test_frames_without_noise_tell_nothing(noise):
    assert lines_that_stand_out(np.zeros((96, 300)), noise).size == 0


def test_rows_and_columns_have_a_doubt_each():
    rows, columns = np.array([3, 17, 18, 19]), np.array([7])
    found = bad_lines(rows, columns)
    assert [doubt.code for doubt in found] == ["bad_rows", "bad_columns"]
    assert "(3, 17-19)" in found[0].text
    assert found[0].figures == {"n": 4, "rows": [3, 17, 18, 19]}
    assert found[1].figures == {"n": 1, "columns": [7]}
    assert bad_lines(np.array([], int), np.array([], int)) == []
    assert ranges_text(np.arange(0, 40, 2)) == "0, 2, 4, 6, 8, 10 and 14 more"


def even_photons(n, seed=1, shape=(256, 300)):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, shape[0], n), rng.uniform(0, shape[1], n)


def line_photons(n, seed=1, n_columns=256):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, n_columns, n), rng.normal(150, 1.0, n)


@pytest.mark.parametrize("photons", [even_photons, line_photons])
@pytest.mark.parametrize("n", [0, 1, 100, 2000])
def test_photons_by_chance_make_no_hot_pixel(photons, n):
    for seed in range(5):
        assert hot_pixels(*photons(n, seed), 32) == []


@pytest.mark.parametrize(("hits", "is_told"), [(3, False), (12, True)])
def test_a_pixel_with_a_hit_again_and_again(hits, is_told):
    x, y = even_photons(1000)
    x, y = np.append(x, np.full(hits, 90.2)), np.append(y, np.full(hits, 20.3))
    found = hot_pixels(x, y, 32)
    assert [doubt.code for doubt in found] == ["hot_pixels"] * is_told
    if is_told:
        assert found[0].figures == {"n": 1, "pixels": [(90, 20)]}


def test_a_hot_pixel_in_a_line_needs_more_hits():
    x, y = line_photons(500)
    assert hot_pixels(np.append(x, np.full(5, 90)), np.append(y, np.full(5, 150)), 64) == []
    found = hot_pixels(np.append(x, np.full(60, 90)), np.append(y, np.full(60, 150)), 64)
    assert found[0].figures["pixels"] == [(90, 150)]


def test_few_images_tell_no_hot_pixel():
    x, y = np.full(50, 90.0), np.full(50, 20.0)
    assert hot_pixels(x, y, 3) == []


def test_many_hot_pixels_are_counted_and_cut_short():
    x, y = np.repeat(np.arange(0, 250, 10.0), 16), np.repeat(np.arange(0, 250, 10.0), 16)
    (found,) = hot_pixels(x, y, 16)
    assert found.figures["n"] == 25
    assert "and 19 more" in found.text
