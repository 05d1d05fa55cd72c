"""The level of pixels without light: not pulled by light, tracks or bad pixels."""

from __future__ import annotations

import numpy as np
import pytest

from hrixs.level.unlit import Sample, clipped_mean, unlit_level
from oracles import level as oracle

SHAPE = (512, 512)


def found_level(frame):
    return unlit_level(Sample(frame.shape).of(frame))


@pytest.mark.parametrize("density", [0.0, 0.02, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("noise", [1.5, 6.0])
def test_light_on_all_of_the_chip_does_not_pull_it(density, noise):
    rng = np.random.default_rng(3)
    light = oracle.light(rng, SHAPE, density)
    frame = np.round(100 + light + rng.normal(0, noise, SHAPE)).astype(np.uint16)
    found = found_level(frame)
    assert abs(found.level - 100) < 0.12 * noise
    assert not found.lit
    if density > 0.1:
        assert np.median(frame) - 100 > noise  # which a median is pulled by


def test_a_bright_line_does_not_pull_it():
    rng = np.random.default_rng(3)
    rows = np.arange(SHAPE[1])
    line = 5.0 * np.exp(-0.5 * ((rows - 200) / 20) ** 2)
    frame = 100 + oracle.light(rng, SHAPE, line) + rng.normal(0, 2, SHAPE)
    frame += oracle.tracks(rng, SHAPE, 5)
    found = found_level(frame)
    # As of those that are known to have none.
    assert found.level == pytest.approx(oracle.clipped_mean(frame[:, 400:].ravel()), abs=0.05)
    assert found.noise == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("density", [0.5, 1.0, 2.0])
def test_it_is_told_where_nearly_all_is_lit(density):
    rng = np.random.default_rng(3)
    frame = 100 + oracle.light(rng, SHAPE, density) + rng.normal(0, 2, SHAPE)
    assert found_level(frame).lit


def test_masked_pixels_take_part_in_nothing():
    rng = np.random.default_rng(3)
    strips = Sample(SHAPE).of(rng.normal(100, 2, SHAPE))
    strips[:, :, ::2] = np.nan
    assert np.isnan(unlit_level(strips).level)  # no pixel has all its neighbours
    strips = Sample(SHAPE).of(rng.normal(100, 2, SHAPE))
    strips[:, :, :100] = np.nan
    assert unlit_level(strips).level == pytest.approx(100, abs=0.05)


def test_pixels_that_are_all_alike_have_their_level():
    assert found_level(np.full((8, 8), 7.0)).level == 7.0


@pytest.mark.parametrize("shape", [(4, 4), (4, 2048), (2048, 4), (10, 300)])
def test_frames_of_any_shape(shape):
    frame = np.random.default_rng(1).normal(50, 1, shape)
    assert found_level(frame).level == pytest.approx(50, abs=1.2)


def test_a_clipped_mean_leaves_out_what_is_far():
    values = np.concatenate([np.random.default_rng(1).normal(0, 1, 10_000), np.full(50, 300.0)])
    level, noise = clipped_mean(values)
    assert level == pytest.approx(oracle.clipped_mean(values), abs=0.01)
    assert noise == pytest.approx(1, rel=0.03)
