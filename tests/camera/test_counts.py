"""What is counted in frames and pixels, against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrixs import NonFinitePixelsError, find_photons
from hrixs.camera import as_frames, count_frames, pixel_statistics, square_maxima
from hrixs.camera.counts import step_of
from hrixs.simulation import Sensor, simulate_frames
from oracles import counts as reference
from oracles.frames import corrected, squares

many_examples = settings(derandomize=True, deadline=None, max_examples=60, database=None)


def assert_counted(found, number, expected):
    for name in ("n", "lowest", "highest", "median", "lower"):
        np.testing.assert_equal(getattr(found, name)[number], getattr(expected, name), name)
    np.testing.assert_allclose(found.level[number], expected.level, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(found.noise[number], expected.noise, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.edges(number), expected.edges, rtol=1e-12, atol=1e-9)
    assert found.counts[number].tolist() == expected.counts.tolist()


@many_examples
@given(data=st.data())
def test_whole_counts_are_those_of_numpy(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(4, 30), st.integers(4, 30)))
    dtype = data.draw(st.sampled_from(["u1", "u2", "i2", "u4", "i4", "f4", "f8"]))
    sigma = data.draw(st.sampled_from([0.3, 1.5, 20.0]))
    frames = np.rint(rng.normal(100, sigma, shape)).clip(0, 250).astype(dtype)
    frames[:, 0, 0] = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 120
    mask = rng.random(shape[1:]) < data.draw(st.sampled_from([0.0, 0.2, 1.0]))
    stack = as_frames(frames)
    counted = count_frames(stack, mask=mask.view(np.uint8) if mask.any() else None, threads=2)
    step = 1.0 if np.dtype(dtype).kind in "iu" else None
    for number, frame in enumerate(frames):
        image = corrected(frame, None, mask)
        for found, values in zip(counted, (image, squares(image)), strict=True):
            if step is None and np.count_nonzero(found.bin_width) == 0:
                continue  # a frame of one value tells no step
            expected = reference.counted(values, 1.0)
            if step is None and not np.array_equal(found.edges(number), expected.edges):
                # Few values may go by another step than 1.
                assert found.median[number] == expected.median
                continue
            assert_counted(found, number, expected)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_with_a_dark_values_are_real(dtype):
    frames, _ = simulate_frames(3, sensor=Sensor(shape=(100, 120)), photons_per_frame=40)
    dark = np.random.default_rng(1).normal(100, 1, (100, 120))
    mask = np.zeros((100, 120), np.uint8)
    mask[40, 50:60] = 1
    stack = as_frames(frames.values.astype(dtype))
    pixels, sums = count_frames(stack, dark=dark, mask=mask)
    for number in range(3):
        of_pixels, of_squares = reference.count_frame(frames.values[number], 0.0, dark, mask)
        assert_counted(pixels, number, of_pixels)
        assert_counted(sums, number, of_squares)


@pytest.mark.parametrize(("sigma", "rows"), [(1.5, 0), (1.5, 20), (8.0, 4)])
def test_level_and_noise_hold_through_stuck_rows(sigma, rows):
    image = np.rint(np.random.default_rng(2).normal(100, sigma, (256, 256))).astype(np.uint16)
    image[:, 60 : 60 + rows] = 60_000
    pixels, sums = count_frames(as_frames(image))
    assert pixels.level[0] == pytest.approx(100, abs=0.1)
    assert pixels.noise[0] == pytest.approx(np.hypot(sigma, 0.29), rel=0.03)
    assert sums.noise[0] == pytest.approx(2 * np.hypot(sigma, 0.29), rel=0.05)


def test_any_unit_counts_the_same():
    counts = np.rint(np.random.default_rng(2).normal(100, 1.5, (128, 128)))
    one, _ = count_frames(as_frames(counts))
    other, _ = count_frames(as_frames(counts * 0.003))
    assert other.counts.tolist() == one.counts.tolist()
    np.testing.assert_allclose(other.noise, 0.003 * one.noise, rtol=1e-9)


def test_threads_and_layouts_give_the_same_bytes():
    frames = np.random.default_rng(4).normal(100, 2, (5, 40, 50)).round().astype(np.uint16)
    one = count_frames(as_frames(frames), threads=1)
    for layout in (np.asfortranarray(frames), frames[:, ::-1].copy()[:, ::-1]):
        for threads in (1, 3):
            other = count_frames(as_frames(layout), threads=threads)
            for a, b in zip(one, other, strict=True):
                assert all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in vars(a))


def test_nan_is_refused():
    frames = np.ones((2, 8, 8))
    frames[1, 2, 3] = np.nan
    with pytest.raises(NonFinitePixelsError, match="frame 1 has 1 pixel"):
        count_frames(as_frames(frames))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f8"])
@pytest.mark.parametrize("with_mask", [False, True])
def test_pixels_are_counted_the_same_without_the_squares(dtype, with_mask):
    rng = np.random.default_rng(2)
    frames = as_frames(rng.normal(100, 4, (3, 40, 51)).round().astype(dtype))
    mask = (rng.random((40, 51)) < 0.2).view(np.uint8) if with_mask else None
    both, _ = count_frames(frames, mask=mask)
    alone, none = count_frames(frames, mask=mask, squares=False)
    for name, column in vars(both).items():
        assert getattr(alone, name).tobytes() == column.tobytes(), name
    assert none.n.tolist() == [0, 0, 0]
    assert np.isnan(none.noise).all()


def test_steps():
    whole = np.array([97.0, 98, 100, 101, 103, 250.4])
    assert step_of(whole, 100.0, 2.0) == 1.0
    assert step_of(whole, 100.0, 0.0) == 0.0
    assert step_of(np.random.default_rng(1).normal(0, 1, 500), 0.0, 1.0) == 0.0
    assert step_of(np.full(9, 3.0), 3.0, 0.0) == 0.0


@many_examples
@given(data=st.data())
def test_pixel_statistics_are_those_of_numpy(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 17))
    dtype = data.draw(st.sampled_from(["u1", "u2", "i4", "f4", "f8"]))
    frames = np.rint(rng.normal(100, 3, (n, 5, 300))).astype(dtype)
    struck = rng.random(frames.shape) < 0.05
    frames[struck] = 240
    offsets = rng.integers(-3, 4, n) / 2
    found = pixel_statistics(
        as_frames(frames), n_sigma=4.0, least_noise=2.0, offsets=offsets, threads=2
    )
    expected = reference.pixel_statistics(frames, offsets, 4.0, 2.0)
    assert found.median.tolist() == expected.median.tolist()
    assert found.n_kept.tolist() == expected.n_kept.tolist()
    assert found.n_left_out.tolist() == expected.n_left_out.tolist()
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.noise, expected.noise, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.lower_noise, expected.lower_noise, rtol=1e-12)
    about = np.full((5, 300), 100.0), np.full((5, 300), 6.0)
    found = pixel_statistics(as_frames(frames), n_sigma=0.0, offsets=offsets, about=about)
    expected = reference.pixel_statistics_about(frames, offsets, *about)
    assert found.n_kept.tolist() == expected.n_kept.tolist()
    assert found.median is None
    kept = expected.n_kept > 0
    np.testing.assert_allclose(found.mean[kept], expected.mean[kept], rtol=1e-12)
    assert np.isnan(found.mean[~kept]).all()


@pytest.mark.parametrize("dtype", ["u2", "f8"])
def test_sums_about_a_reference_are_added_to_those_before(dtype):
    frames = np.random.default_rng(4).normal(100, 2, (9, 40, 50)).round().astype(dtype)
    about = np.full((40, 50), 100.25), np.full((40, 50), 4.0)
    options = {"n_sigma": 1.0, "about": about}
    whole = pixel_statistics(as_frames(frames), **options)
    sums = np.zeros((40, 50)), np.zeros((40, 50), np.int32)
    for part in (frames[:4], frames[4:]):
        found = pixel_statistics(as_frames(part), add_to=sums, **options)
        assert found.total is sums[0]
    assert sums[0].tobytes() == whole.total.tobytes()
    assert sums[1].tobytes() == whole.n_kept.tobytes()


@pytest.mark.parametrize("shape", [(40, 49), (1, 40, 50)])
def test_sums_of_another_shape_are_refused(shape):
    frames = as_frames(np.ones((3, 40, 50)))
    about = np.full((40, 50), 100.25), np.full((40, 50), 4.0)
    sums = np.zeros(shape), np.zeros(shape, np.int32)
    with pytest.raises(ValueError, match="total can't be added to, expected an array of the"):
        pixel_statistics(frames, n_sigma=1.0, about=about, add_to=sums)
    across = np.zeros((50, 40)).T, np.zeros((50, 40), np.int32).T
    with pytest.raises(ValueError, match="in C order"):
        pixel_statistics(frames, n_sigma=1.0, about=about, add_to=across)


def test_the_mean_of_clean_frames_is_the_plain_mean():
    frames = np.random.default_rng(4).normal(100, 2, (9, 40, 50)).round().astype(np.uint16)
    found = pixel_statistics(as_frames(frames), n_sigma=20.0, least_noise=2.0)
    np.testing.assert_array_equal(found.mean, frames.mean(axis=0))


@pytest.mark.parametrize("with_dark", [False, True])
def test_square_maxima_are_the_hits_of_the_finder(with_dark):
    frames, _ = simulate_frames(4, sensor=Sensor(shape=(100, 120)), photons_per_frame=40)
    dark = np.full((100, 120), 99.5) if with_dark else None
    level = 2.0 if with_dark else 400.0
    stack = as_frames(frames)
    hits = square_maxima(stack, level + 12.0, dark=dark, threads=2)
    table = find_photons(stack, threshold=level + 12.0, dark=dark, threads=1)
    n = np.bincount(hits.frame, minlength=4)
    assert n.tolist() == (np.bincount(table.frame, minlength=4) + table.n_dropped.values).tolist()
    sums = squares(corrected(frames.values[2], dark))
    here = hits.frame == 2
    assert hits.height[here].tolist() == sums[hits.x[here], hits.y[here]].tolist()
