"""What the chip adds to an image, told from light by photon noise; and whether a line is light."""

import numpy as np
import pytest

from hrixs.curvature import fit_curvature_image
from hrixs.curvature.chip_lines import along_rows, chip_lines, row_levels
from hrixs.curvature.doubts_of_line import (
    doubt_of_errors,
    doubt_of_hits,
    doubt_of_line,
    doubt_text,
)

SHAPE, N, NOISE, PER_ADU = (512, 200), 10, 1.5, 20.0


def image_of(light=0.0, seed=1):
    """Mean and difference of frames with so much light, in ADU, and its photon noise."""
    rng = np.random.default_rng(seed)
    light = np.broadcast_to(light, SHAPE)
    of_frame = np.sqrt(NOISE**2 + PER_ADU * light)
    mean = 100 + rng.normal(0, 1, SHAPE) + light + rng.normal(0, 1, SHAPE) * of_frame / np.sqrt(N)
    return mean, rng.normal(0, 1, SHAPE) * of_frame


def gaussian(height, *, tilt=0.0, sigma=1.5, row=100.0):
    x, y = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    return height * np.exp(-0.5 * ((y - row - tilt * x / SHAPE[0]) / sigma) ** 2)


def pattern_of(mean, difference):
    before = mean.copy(), difference.copy()
    found = chip_lines(mean, difference, N)
    np.testing.assert_array_equal(mean, before[0])
    np.testing.assert_array_equal(difference, before[1])
    return found


@pytest.mark.parametrize("height", [0.0, 0.3, 3.0, 30.0, 3000.0])
@pytest.mark.parametrize("tilt", [0.0, 2.0, 20.0, 80.0])
def test_light_is_left_in_the_image(height, tilt):
    mean, difference = image_of(gaussian(height, tilt=tilt))
    found = pattern_of(mean, difference)
    assert not found.bad.all(axis=0).any()
    assert np.abs(found.pattern).max() < 0.02 * height + 0.1
    assert found.remarks() == []


@pytest.mark.parametrize("tilt", [0.0, 20.0])
@pytest.mark.parametrize("height", [0.0, 3.0])
def test_rows_columns_and_steps_are_found(tilt, height):
    mean, difference = image_of(gaussian(height, tilt=tilt))
    true = np.zeros(SHAPE)
    true[:, 30:33] += 8
    true[:, 60] -= 5
    true[:, 150:] += 4
    true[200:202] += 50
    true[400:] += 3
    found = pattern_of(mean + true, difference)
    off = found.pattern - true
    assert np.abs(off - np.median(off))[~found.bad].max() < 0.7
    assert "5 rows" not in found.remarks()[0]
    assert "columns" in found.remarks()[0]


def test_parts_of_rows():
    mean, difference = image_of()
    mean[:256, 40:42] += 10
    found = pattern_of(mean, difference)
    assert np.abs(found.clean[:, 40:42].mean(axis=1)[:256] - 100).mean() < 1.5
    assert abs(found.clean[256:, 40:42].mean() - found.clean[:256, 40:42].mean()) < 1


def test_every_row_may_have_a_pedestal():
    mean, difference = image_of(gaussian(3.0, tilt=40.0))
    own = np.random.default_rng(2).normal(0, 1.5, SHAPE[1])
    left = row_levels(pattern_of(mean + own, difference).clean)
    assert left.std() < 0.3


def test_stuck_hot_and_noisy_pixels_are_bad():
    rng = np.random.default_rng(3)
    mean, difference = image_of(gaussian(3.0, tilt=20.0))
    mean[:, 40:60], difference[:, 40:60] = 60000.0, 0.0
    mean[100:132, 80], difference[100:132, 80] = 60000.0, 0.0
    mean[300, 150] += 700
    difference[:, 170] = rng.normal(0, 30, SHAPE[0])
    found = pattern_of(mean, difference)
    expected = np.zeros(SHAPE, bool)
    expected[:, 40:60] = expected[100:132, 80] = expected[300, 150] = expected[:, 170] = True
    assert (found.bad | ~expected).all()
    assert (found.bad & ~expected).sum() < 20
    assert np.isnan(found.clean[found.bad]).all()


def test_the_track_of_a_cosmic_ray_is_bad_and_photons_are_not():
    mean, difference = image_of()
    rng = np.random.default_rng(4)
    x, y = rng.integers(5, 500, 300), rng.integers(5, 190, 300)
    sign = rng.choice([-1, 1], 300)
    for dx, share in ((-1, 0.3), (0, 0.4), (1, 0.3)):
        mean[x + dx, y] += 140 * share
        difference[x + dx, y] += sign * 140 * share * np.sqrt(N)
    mean[200:210, 100] += 9000
    difference[200:210, 100] += 9000 * np.sqrt(N)
    bad = pattern_of(mean, difference).bad
    assert bad[200:210, 100].all()
    assert bad.sum() == 10


def test_of_one_frame_the_columns_tell():
    mean, _ = image_of(gaussian(30.0, tilt=20.0))
    mean[:, 30:33] += 12
    found = chip_lines(mean, along_rows(mean), 1)
    rows = found.pattern.mean(axis=0)
    assert rows[30:33] == pytest.approx(12, abs=1)
    assert np.abs(np.delete(rows, range(30, 33))).max() < 0.5


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_nothing_to_see(value):
    flat = np.full(SHAPE, value)
    found = chip_lines(flat, np.zeros(SHAPE), N)
    assert not found.pattern.any()


def doubt_of(mean, difference):
    return doubt_of_line(fit_curvature_image(mean), mean, difference)


@pytest.mark.parametrize("height", [0.5, 3.0, 300.0])
@pytest.mark.parametrize("tilt", [0.0, 1.0, 20.0])
def test_light_is_none(height, tilt):
    assert doubt_of(*image_of(gaussian(height, tilt=tilt))) is None


@pytest.mark.parametrize("rows", [2, 3, 20])
def test_rows_of_the_chip_have_no_photon_noise(rows):
    mean, difference = image_of()
    mean[:, 60 : 60 + rows] += 8
    assert "has no photon noise" in doubt_of(mean, difference)


def test_noisy_rows_end_within_a_row():
    mean, difference = image_of()
    mean[:, 60:64] += 8
    difference[:, 60:64] *= 8
    assert "begins and ends within one row" in doubt_of(mean, difference)


def test_hits():
    class Line:
        fwhm = 2.0

        def centre(self, x):
            return np.full(len(x), 60.0)

    rng = np.random.default_rng(1)
    x = rng.uniform(0, SHAPE[0], 2000)
    on_row, of_light = (60 + rng.normal(0, s, 2000) for s in (0.1, 0.6))
    assert "begins and ends within one row" in doubt_of_hits(Line(), x, on_row)
    assert doubt_of_hits(Line(), x, of_light) is None
    assert doubt_of_hits(Line(), x[:20], on_row[:20]) is None
    assert doubt_of_hits(Line(), x[:0], x[:0]) is None


def test_errors():
    assert doubt_of_errors(np.array([0.1, 0.3])) is None
    assert "uncertain by 2.5 pixels" in doubt_of_errors(np.array([0.1, 2.5]))
    assert "uncertain by inf" in doubt_of_errors(np.array([0.1, np.nan]))
    assert "find_bad_pixels(run)" in doubt_text("it is odd", "the fit")
