"""Trains of an exposure, and the sum over them, against plain loops."""

import numpy as np
import pytest

from hrixs import HrixsWarning, MissingDataError
from hrixs.i0.exposures import exposures_of, overlapping, sum_over_exposures
from hrixs.i0.pulses import sum_over_pulses

IMAGES = np.array([110, 120, 130, 150], dtype=np.uint64)


def truth(image_ids, n_trains, shift, values: dict[int, float]) -> list[float]:
    """Sum train by train; NaN where one is lacking."""
    sums = []
    for image, n in zip(image_ids.tolist(), n_trains, strict=True):
        trains = range(image + shift - n + 1, image + shift + 1)
        sums.append(sum(values.get(train, np.nan) for train in trains))
    return sums


@pytest.mark.parametrize("shift", [0, -1, 3, 9, -200])
@pytest.mark.parametrize("n_trains", [[1] * 4, [10] * 4, [10, 3, 1, 20]])
def test_sums_are_those_of_a_loop(shift, n_trains):
    rng = np.random.default_rng(1)
    ids = np.setdiff1d(np.arange(101, 156), [125])  # a train was lost
    values = rng.uniform(1, 2, len(ids))
    values[40] = np.nan
    n = np.array(n_trains)
    found = sum_over_exposures(IMAGES, n, shift, ids.astype(np.uint64), values)
    expected = truth(IMAGES, n_trains, shift, dict(zip(ids.tolist(), values, strict=True)))
    np.testing.assert_allclose(found, expected)


def test_the_first_train_is_the_images_with_a_shift_of_all_but_one():
    ids = np.arange(100, 140, dtype=np.uint64)
    n = np.full(1, 10)
    found = sum_over_exposures(IMAGES[:1], n, 9, ids, (ids - 100.0).astype(float))
    assert found[0] == sum(range(10, 20))  # trains 110 to 119


def test_what_is_given_comes_before_the_time_and_that_before_the_distance():
    seconds = np.array([0.3, 0.3, np.nan, 0.5])
    options = {"seconds": seconds, "all_images": IMAGES}
    assert exposures_of(4, given=7, **options).n_trains.tolist() == [7] * 4
    by_time = exposures_of(4, **options)
    assert by_time.n_trains.tolist() == [3, 3, 3, 5]
    assert by_time.attr.tolist() == [3, 5]
    assert exposures_of(4, seconds=np.full(4, np.nan), all_images=IMAGES).attr == 10
    assert exposures_of(4, all_images=IMAGES).source == "the distance of images"


def test_exposures_shorter_than_a_train_have_one():
    assert exposures_of(1, seconds=np.array([1e-4]), all_images=IMAGES).attr == 1


def test_exposures_that_are_no_whole_trains_are_told():
    with pytest.warns(HrixsWarning, match=r"0.95 s is 9.5 trains .* summed over 10. Set I0_TRAINS"):
        assert exposures_of(1, seconds=np.array([0.95]), all_images=IMAGES).attr == 10


def test_one_image_without_a_time_tells_nothing():
    with pytest.raises(MissingDataError, match="Set I0_TRAINS"):
        exposures_of(1, all_images=IMAGES[:1])


def test_overlapping_exposures():
    n = np.array([10, 11, 10, 10])
    assert overlapping(IMAGES, n).tolist() == [True, True, False, False]
    assert overlapping(np.array([5, 5, 9], np.uint64), np.ones(3, int)).tolist() == [1, 1, 0]


def test_pulses_without_a_pulse_are_left_out_and_unknown_ones_stay_unknown():
    pulses = np.array([[3.0, 1.0, 4.0], [1.0, 1.0, 1.0], [np.nan, 2.0, 1.0]], np.float32)
    np.testing.assert_array_equal(sum_over_pulses(pulses, 1.0), [7.0, 0.0, np.nan])
    np.testing.assert_array_equal(sum_over_pulses(pulses, None), [8.0, 3.0, np.nan])
    np.testing.assert_array_equal(sum_over_pulses(np.array([2, 3]), 1.0), [2.0, 3.0])
