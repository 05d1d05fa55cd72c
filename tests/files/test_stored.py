"""Which axis of a stored array counts images: stated by the shape, or asked for."""

import numpy as np
import pytest

from hrixs.files.stored import Stored, as_stack, date


def stack_of(shape, stack_axis=None, **options):
    dtype = np.dtype("u2")
    stored = Stored("test", shape, dtype, lambda: np.zeros(shape, dtype), **options)
    return as_stack("a.dat", stored, stack_axis)


@pytest.mark.parametrize(
    ("shape", "n", "frame"),
    [
        ((64, 128), 1, (64, 128)),
        ((6, 800, 1632), 6, (800, 1632)),
        ((300, 128, 128), 300, (128, 128)),
        ((300, 64, 80), 300, (64, 80)),
        ((1, 800, 1632), 1, (800, 1632)),
        ((800, 1632, 1), 1, (800, 1632)),
        ((800, 1, 1632), 1, (800, 1632)),
        ((1, 1, 1, 512, 512), 1, (512, 512)),
        ((15, 1, 40, 40), 15, (40, 40)),
        ((6, 800, 1632, 1), 6, (800, 1632)),
        ((2, 3, 800, 1632), 6, (800, 1632)),
    ],
)
def test_stated_where_the_shape_leaves_no_doubt(shape, n, frame):
    stack = stack_of(shape)
    assert (stack.n, stack.frame) == (n, frame)
    assert stack.read().shape == (n, *frame)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((800, 1632, 6), 2), ((800, 1632, 300), 2), ((800, 6, 1632), 1), ((64, 128, 6, 1), 2)],
)
def test_asked_for_where_an_axis_behind_the_first_is_short(shape, axis):
    told = rf"a\.dat has shape .*--stack-axis 0 or --stack-axis {axis}"
    with pytest.raises(ValueError, match=told):
        stack_of(shape)
    assert stack_of(shape, axis).n == shape[axis]
    assert stack_of(shape, 0).n >= shape[0]


def test_images_along_the_last_axis_are_turned():
    pixels = np.arange(4 * 5 * 6, dtype="u2").reshape(4, 5, 6)
    stored = Stored("test", pixels.shape, pixels.dtype, lambda: pixels)
    read = as_stack("a.dat", stored, -1).read()
    np.testing.assert_array_equal(read, np.moveaxis(pixels, -1, 0))
    assert read.flags.c_contiguous


def test_what_the_file_tells_is_not_asked_for():
    assert stack_of((64, 128, 6), axis=0).n == 64
    assert stack_of((64, 128, 6), axis=2).n == 6


def test_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match=r"stack_axis = 3 was given, expected -3 to 2"):
        stack_of((6, 64, 128), 3)


@pytest.mark.parametrize("shape", [(), (5,), (0, 64, 128), (64, 128, 0)])
def test_no_image(shape):
    with pytest.raises(ValueError, match="there is no image in it"):
        stack_of(shape)


def test_dates_are_in_utc_where_they_have_an_offset():
    assert date("2026-05-04T10:00:00+02:00") == np.datetime64("2026-05-04T08:00")
    assert date(" 2026-05-04 10:00:00.5") == np.datetime64("2026-05-04T10:00:00.5")
    with pytest.raises(ValueError, match="yesterday"):
        date("yesterday")
