import numpy as np
import pytest

from hrixs import NonFinitePixelsError
from hrixs.camera.curve import Curvature
from hrixs.camera.frames import as_frames
from hrixs.deconvolution.sampled import Phases, by_phase, in_order, sample
from oracles import deconvolved as reference

PIXELS = [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64]
CURVES = [(0.024, -3e-7), (0.0, 0.0), (-0.31, 4e-4), (3.0, 0.0)]


def frames(dtype=np.uint16, shape=(3, 300, 21)):
    return np.random.default_rng(2).integers(0, 120, shape).astype(dtype)


@pytest.mark.parametrize("dtype", PIXELS)
@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("threads", [1, 2])
def test_sums_are_those_of_the_oracle(dtype, curve, threads):
    stack = frames(dtype)
    found, pixels, where = sample(
        as_frames(stack), Curvature.of(curve), dark=None, mask=None, threads=threads
    )
    height = -Curvature.of(curve)(np.arange(300.0))
    for one, sums in zip(stack, found, strict=True):
        expected, counts, mean, spread = reference.sums_by_phase(one.astype(float), height, 4)
        np.testing.assert_array_equal(sums, expected)
    np.testing.assert_array_equal(pixels, counts)
    np.testing.assert_allclose(where.offsets, mean, atol=1e-12)
    np.testing.assert_allclose(where.spreads, spread, atol=1e-9)


def test_dark_and_mask_take_part():
    stack, rng = frames(), np.random.default_rng(3)
    dark, mask = rng.uniform(0, 50, (300, 21)), rng.random((300, 21)) < 0.1
    curve = Curvature.of(CURVES[0])
    found, pixels, _ = sample(as_frames(stack), curve, dark=dark, mask=mask, threads=1)
    height = -curve(np.arange(300.0))
    expected, *_ = reference.sums_by_phase((stack[1] - dark) * ~mask, height, 4)
    counts, *_ = reference.sums_by_phase((~mask).astype(float), height, 4)
    np.testing.assert_allclose(found[1], expected, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(pixels, counts)


def test_strided_and_transposed_frames_give_the_same():
    stack = frames()
    turned = np.ascontiguousarray(stack.transpose(0, 2, 1)).transpose(0, 2, 1)
    curve = Curvature.of(CURVES[0])
    one, other = (
        sample(as_frames(two), curve, dark=None, mask=None, threads=1)[0] for two in (stack, turned)
    )
    np.testing.assert_array_equal(one, other)


def test_pixels_that_are_not_finite_are_told_of():
    stack = frames(np.float64)
    stack[1, 40, 3] = np.nan
    curve = Curvature.of(CURVES[0])
    with pytest.raises(NonFinitePixelsError):
        sample(as_frames(stack), curve, dark=None, mask=None, threads=1)
    mask = np.zeros((300, 21), bool)
    mask[40, 3] = True
    sample(as_frames(stack), curve, dark=None, mask=mask, threads=1)


def test_heights_stand_in_order():
    values = np.arange(24.0).reshape(1, 4, 6)
    np.testing.assert_array_equal(by_phase(in_order(values), 4), values)
    np.testing.assert_array_equal(in_order(values)[0, :5], [0, 6, 12, 18, 1])


def test_curves_far_off_the_frame_see_nothing():
    where = Phases.of(Curvature.of((50.0, 0.0)), 100, 10, 8)
    assert where.pixels(8, None).sum() == 0
    with pytest.raises(ValueError, match="expected a curve with which lines"):
        Phases.of(Curvature.of((1e12, 0.0)), 0, 10, 8)
