"""Tracks of cosmic rays: found by what the other images show, while photons are kept."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hrixs.level.cosmic_limits import LightLearner, limit_of_light
from hrixs.level.tracks import TrackRemover
from oracles import level as oracle

SHAPE = (256, 256)
ROWS, COLUMNS = np.arange(SHAPE[1]), np.arange(SHAPE[0])[:, None]
LINES = np.exp(-0.5 * ((ROWS - 120 - 0.024 * COLUMNS) / 1.5) ** 2)
LINES = LINES + 0.3 * np.exp(-0.5 * ((ROWS - 80 - 0.024 * COLUMNS) / 15) ** 2)


def frame_of(rng, density, hit=0.0):
    light = oracle.light(rng, SHAPE, density * LINES)
    return np.round(100 + light + hit + rng.normal(0, 2, SHAPE)).clip(0, 65535).astype(np.uint16)


def learned(rng, density, n=16, **options):
    learner = LightLearner(SHAPE, options.get("zero"), options.get("mask"))
    for _ in range(n):
        learner.add(frame_of(rng, density, oracle.tracks(rng, SHAPE, 1)))
    limits = learner.learned()
    assert limits is not None
    return TrackRemover(limits, options.get("mask"), options.get("keep_light", True))


@pytest.mark.parametrize("density", [0.02, 0.1, 0.4, 2.0, 5.0])
def test_photons_are_kept_and_tracks_are_not(density):
    rng = np.random.default_rng(3)
    remover = learned(rng, density)
    kept, lost = 0.0, 0.0
    for _ in range(4):
        frame = frame_of(rng, density)
        clean = frame.copy()
        remover.remove(clean)
        kept += float((frame - 100.0).sum())
        lost += float((frame - clean.astype(float)).sum())
    assert abs(lost) <= 1e-3 * kept
    light = oracle.light(rng, SHAPE, density * LINES) + rng.normal(0, 2, SHAPE)
    track = oracle.tracks(rng, SHAPE, 12)
    hit = np.round(100 + light + track).clip(0, 65535).astype(np.uint16)
    charge = (hit - np.round(100 + light)).sum()
    mended = hit.copy()
    n = remover.remove(mended)
    left = (mended - np.round(100 + light)).sum()
    assert left < 0.05 * charge
    # As many pixels as differ clearly from the other images, and their neighbours.
    bright = oracle.tracks_by_comparison(np.array([hit, *[frame_of(rng, density)] * 5]), 0, 300)
    assert bright.sum() <= n < 8 * bright.sum() + 200


def test_a_track_in_an_image_that_is_learned_from_raises_no_limit():
    rng = np.random.default_rng(3)
    track = oracle.tracks(rng, SHAPE, 3, low=5000)
    frames = [frame_of(rng, 0.1, track if k == 2 else 0.0) for k in range(8)]
    learner = LightLearner(SHAPE, None, None)
    for frame in frames:
        learner.add(frame)
    frame = frames[2].copy()
    TrackRemover(learner.learned(), None, True).remove(frame)
    left = (frame.astype(float) - frames[3])[track > 100].mean()
    assert abs(left) < 20


def test_a_hot_pixel_of_all_images_is_no_track():
    rng = np.random.default_rng(3)
    hot = np.zeros(SHAPE)
    hot[40, 50] = 3000
    learner = LightLearner(SHAPE, None, None)
    for _ in range(8):
        learner.add(frame_of(rng, 0.1, hot))
    assert TrackRemover(learner.learned(), None, True).remove(frame_of(rng, 0.1, hot)) == 0


@pytest.mark.parametrize("brighter", [0.2, 3.0])
def test_another_brightness_is_no_track(brighter):
    rng = np.random.default_rng(3)
    remover = learned(rng, 1.0)
    assert remover.remove(frame_of(rng, brighter)) <= 20


def test_lines_that_move_are_no_tracks():
    rng = np.random.default_rng(3)
    remover = learned(rng, 2.0)
    moved = np.roll(2.0 * LINES, 60, axis=1)
    light = oracle.light(rng, SHAPE, moved)
    frame = np.round(100 + light + rng.normal(0, 2, SHAPE)).astype(np.uint16)
    clean = frame.copy()
    remover.remove(clean)
    assert abs((frame - clean.astype(float)).sum()) < 2e-3 * light.sum()


def test_a_frame_unlike_all_others_is_left_as_it_is():
    rng = np.random.default_rng(3)
    remover = learned(rng, 0.1)
    frame = rng.integers(0, 60000, SHAPE).astype(np.uint16)
    before = frame.copy()
    assert remover.remove(frame) == -1
    np.testing.assert_array_equal(frame, before)


def test_masked_pixels_are_left_alone():
    rng = np.random.default_rng(3)
    mask = np.zeros(SHAPE, bool)
    mask[30, 40] = True
    remover = learned(rng, 0.1, mask=mask)
    frame = frame_of(rng, 0.1)
    frame[30, 40] = 50000
    assert remover.remove(frame) == 0


def test_a_pixel_without_a_value_is_left_to_be_told():
    rng = np.random.default_rng(3)
    remover = learned(rng, 0.1)
    frame = frame_of(rng, 0.1).astype(np.float32)
    frame[30, 40:43] = np.nan, np.inf, 50000
    remover.remove(frame)
    assert np.isnan(frame[30, 40])
    assert np.isinf(frame[30, 41])
    assert frame[30, 42] < 200


def test_counting_gets_the_level_in_the_place_of_a_track():
    rng = np.random.default_rng(3)
    frame = frame_of(rng, 5.0)
    row = int(np.argmax(LINES[100]))
    frame[90:110, row] = 60000
    mended = []
    for keep_light in (True, False):
        own = frame.copy()
        learned(np.random.default_rng(4), 5.0, keep_light=keep_light).remove(own)
        mended.append(own[90:110, row].mean() - 100)
    assert mended[0] > 300  # the light that is usual there
    assert abs(mended[1]) < 0.3 * mended[0]


def test_the_same_wherever_it_is_done():
    rng = np.random.default_rng(3)
    remover = learned(rng, 0.1)
    frame = frame_of(rng, 0.1, oracle.tracks(rng, SHAPE, 3))
    other = frame_of(rng, 0.1, oracle.tracks(rng, SHAPE, 3))
    alone, later = frame.copy(), frame.copy()
    sent = pickle.loads(pickle.dumps(remover))
    sent.remove(alone)
    remover.remove(other)
    remover.remove(later)
    np.testing.assert_array_equal(alone, later)


def test_too_little_light_tells_nothing():
    rng = np.random.default_rng(3)
    learner = LightLearner(SHAPE, None, None)
    for _ in range(8):
        learner.add(frame_of(rng, 0.0, oracle.tracks(rng, SHAPE, 2)))
    assert learner.learned() is None


@pytest.mark.parametrize("mean", [0.5, 5.0, 50.0])
def test_the_limit_is_above_what_chance_makes(mean):
    # Photons that all fall on the middle of a pixel, by far the worst.
    rng = np.random.default_rng(3)
    pixels = 100.0 * rng.poisson(mean, 400_000) + rng.normal(0, 5, 400_000)
    limit = limit_of_light(np.array(100 * mean), part=100, scatter=100, noise=5, chance=1e-5)
    assert 0 < np.quantile(pixels, 0.999) < limit < 100 * (mean + 9 * np.sqrt(mean) + 8)
    assert (pixels > limit).mean() <= 1e-5
