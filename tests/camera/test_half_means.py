"""The mean of frames in two halves, without frames that are unlike the others."""

import numpy as np
import pytest

from hrixs.camera.half_means import HalvesAdder

RNG = np.random.default_rng(1)


def frames(n=9, dtype=np.uint16):
    return RNG.normal(100, 2, (n, 48, 40)).round().astype(dtype)


def halves(stack, *cuts):
    adder = HalvesAdder()
    for part in np.split(stack, cuts):
        adder.add(part)
    return adder.result()


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4", "f8"])
def test_mean_and_difference_of_every_second_frame(dtype):
    stack = frames(dtype=dtype)
    found = halves(stack)
    assert found.n_images == 9
    np.testing.assert_allclose(found.mean, stack.mean(axis=0, dtype=float))
    expected = stack[::2].mean(axis=0, dtype=float) - stack[1::2].mean(axis=0, dtype=float)
    np.testing.assert_allclose(found.difference, expected * np.sqrt(5 * 4 / 9), atol=1e-9)
    assert found.difference.std() == pytest.approx(2, rel=0.1)
    assert found.remarks() == []


@pytest.mark.parametrize("cuts", [(1,), (1, 2, 3), (4,), (8,), range(1, 9)])
def test_parts_change_nothing(cuts):
    stack = frames()
    stack[5] = 0
    whole, parts = halves(stack), halves(stack, *cuts)
    np.testing.assert_array_equal(parts.mean, whole.mean)
    np.testing.assert_allclose(parts.difference, whole.difference)
    assert parts.left_out == whole.left_out == {5: "blank"}


def test_odd_frames_are_left_out_and_named():
    stack = frames(12).astype(float)
    stack[2], stack[4], stack[7] = 0, 65535, stack[7] + 300
    adder = HalvesAdder(word="train")
    adder.add(stack, 100 + np.arange(12))
    found = adder.result()
    assert found.n_images == 9
    (text,) = found.remarks()
    assert "3 of 12 images" in text
    assert "train 102 (blank), train 104 (saturated), train 107 (at another level)" in text


def test_one_frame_has_no_difference_and_none_is_an_error():
    assert halves(frames(1)).difference is None
    with pytest.raises(ValueError, match="at least one"):
        HalvesAdder().result()


def test_pixels_without_a_number_stay_so():
    stack = frames().astype(float)
    stack[3, 4, 5] = np.nan
    found = halves(stack)
    assert np.isnan(found.mean[4, 5])
    assert np.isfinite(found.mean).sum() == found.mean.size - 1
