"""Frames that share a dark are searched together, a few at a time: none may notice the others."""

import numpy as np
import pytest

from hrixs import TooManyPhotonsError, find_photons
from oracles import frames as reference

SHAPE = (300, 130)
N_FRAMES = 19
DARK = np.random.default_rng(1).normal(100.0, 0.3, SHAPE).astype(np.float32)


def stack(n_photons, step=20.0):
    """Frames above the dark, with as many photons as are asked; noise and pedestal grow."""
    rng = np.random.default_rng(2)
    frames = np.empty((len(n_photons), *SHAPE), np.uint16)
    for k, n in enumerate(n_photons):
        frame = DARK + rng.normal(step * k, 1.0 + 0.2 * k, SHAPE)
        frame[rng.integers(3, SHAPE[0] - 3, n), rng.integers(3, SHAPE[1] - 3, n)] += 200.0
        frames[k] = np.rint(frame)
    return frames


FRAMES = stack([5 * k for k in range(N_FRAMES)])


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("n_frames", [1, 7, 8, 9, N_FRAMES])
@pytest.mark.parametrize("threshold", [None, 250.0])
def test_each_frame_gives_what_it_gives_alone(threshold, n_frames, threads):
    found = find_photons(FRAMES[:n_frames], threshold=threshold, dark=DARK, threads=threads)
    for k in range(n_frames):
        alone = find_photons(FRAMES[k], threshold=threshold, dark=DARK, threads=1)
        of_frame = found.isel(photon=found["frame"].values == k)
        for name in ("x", "y", "charge"):
            np.testing.assert_array_equal(of_frame[name], alone[name])
        assert found["threshold"].values[k] == alone["threshold"].values[0]
        assert found["base"].values[k] == alone["base"].values[0]


def test_all_find_what_the_oracle_finds():
    found = find_photons(FRAMES, std_threshold=6.0, dark=DARK, threads=1)
    for k, frame in enumerate(FRAMES):
        expected = reference.find_photons(frame, std_threshold=6.0, dark=DARK)
        of_frame = found.isel(photon=found["frame"].values == k)
        np.testing.assert_allclose(of_frame["x"], expected.x, rtol=0, atol=1e-9)
        np.testing.assert_allclose(of_frame["y"], expected.y, rtol=0, atol=1e-9)


def test_one_that_needs_a_second_pass_does_not_disturb_the_others():
    # Hot rows between those that tell where the threshold will lie about: it is expected too high.
    frames = FRAMES.copy()
    rows = [k * SHAPE[0] // 16 for k in range(16)]
    frames[4, rows, ::2] += 3000
    found = find_photons(frames[3:6], std_threshold=1.0, dark=DARK, threads=1)
    assert np.count_nonzero(found["frame"] == 1) > 500  # all missed by the first pass
    for k, frame in enumerate(frames[3:6]):
        expected = reference.find_photons(frame, std_threshold=1.0, dark=DARK)
        of_frame = found.isel(photon=found["frame"].values == k)
        np.testing.assert_allclose(of_frame["x"], expected.x, rtol=0, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_frame_with_too_many_photons_is_named(threads):
    frames = stack([5, 5, 5, 60, 5, 60, 5, 5, 5, 60, 5], step=0.0)
    with pytest.raises(TooManyPhotonsError, match="frame 3"):
        find_photons(frames, threshold=150.0, dark=DARK, max_photons=30, threads=threads)
