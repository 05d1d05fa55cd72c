"""Frames part by part, without those that are unlike the others."""

import numpy as np
import pytest

from hrixs.camera.good_frames import GoodFrames


def frames(n=9):
    return np.random.default_rng(1).normal(100, 2, (n, 32, 32)).round().astype(np.uint16)


def handed_on(stack, cuts=(), names=None):
    """Names and frames of all parts, and what was left out."""
    good = GoodFrames()
    names = np.arange(len(stack)) if names is None else names
    pairs = zip(np.split(stack, cuts), np.split(names, cuts), strict=True)
    parts = [good.of(part, own) for part, own in pairs]
    parts = [part for part in (*parts, good.rest()) if part is not None]
    assert good.n_added == len(stack)
    return (
        [name for part in parts for name in part.names],
        np.concatenate([part.frames for part in parts]),
        good.left_out,
    )


@pytest.mark.parametrize("cuts", [(), (1,), (1, 2, 3), range(1, 9)])
def test_parts_change_nothing(cuts):
    stack = frames()
    stack[0], stack[5] = 0, 65_535
    names, good, left_out = handed_on(stack, cuts)
    assert names == [1, 2, 3, 4, 6, 7, 8]
    assert left_out == {0: "blank", 5: "saturated"}
    np.testing.assert_array_equal(good, stack[names])


def test_frames_of_one_image_have_its_name():
    stack = frames(8).reshape(4, 2, 32, 32)
    part = GoodFrames().of(stack, [10, 11, 12, 13])
    assert part.names == [10, 10, 11, 11, 12, 12, 13, 13]
    assert abs(part.level - 100).max() <= 1
    assert part.noise == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("n", [1, 2])
def test_a_few_wait_and_are_handed_on_in_the_end(n):
    names, good, left_out = handed_on(frames(n))
    assert names == list(range(n))
    assert not left_out
    np.testing.assert_array_equal(good, frames(n))


def test_frames_without_noise_are_all_handed_on():
    stack = np.full((4, 32, 32), 7, np.uint16)
    assert handed_on(stack)[0] == [0, 1, 2, 3]


def test_nothing_waits_of_no_frames():
    assert GoodFrames().rest() is None
