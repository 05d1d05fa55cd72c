"""Hits of pure noise: the expected number against those that are found."""

import numpy as np
import pytest

from hrixs import find_photons
from hrixs.noise.false_hits import expected_false_hits
from hrixs.noise.levels import frame_noise
from oracles.counts import square_maxima
from oracles.frames import squares


def noise_frames(sigma, n_frames=3, shape=(512, 1024)):
    rng = np.random.default_rng(5)
    return rng.normal(100, sigma, (n_frames, *shape))


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("height", [2.5, 3.0, 3.5])
def test_as_many_as_in_pure_noise(whole, height):
    frames = noise_frames(1.6)
    if whole:
        frames = np.rint(frames).astype(np.uint16)
    measured = frame_noise(frames).mean()
    level, noise = float(measured.square_level), float(measured.square_noise)
    threshold = level + height * noise
    found = find_photons(frames, threshold=threshold, threads=1).sizes["photon"] / 3
    expected = expected_false_hits(
        threshold, level=level, noise=noise, shape=(512, 1024), step=float(whole)
    )
    # 180 hits of all frames at 3.5 standard deviations: their own scatter is 8 %.
    assert found == pytest.approx(float(expected), rel=0.2)


def test_whole_sums_make_steps():
    thresholds = np.array([414.0, 414.5, 414.99, 415.0])
    hits = expected_false_hits(thresholds, level=400, noise=4.0, shape=(100, 100), step=1.0)
    assert hits[0] == hits[1] == hits[2] > hits[3]


def test_more_noise_makes_more_hits():
    hits = [
        float(expected_false_hits(440, level=400, noise=noise, shape=(2048, 2048)))
        for noise in (4, 8, 12)
    ]
    assert hits[0] < 1e-12 < hits[1] < 10 < hits[2]
    with pytest.raises(ValueError, match=r"noise = 0\.0 ADU, expected a positive, finite"):
        expected_false_hits(440, level=400, noise=0.0, shape=(8, 8))


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_maxima_are_the_hits_of_the_finder(dtype):
    frame = (noise_frames(1.6, 1)[0, :200, :300] / 2).astype(dtype)  # many equal neighbours
    mask = np.zeros(frame.shape, bool)
    mask[50:60, 70] = True
    image = np.where(mask, np.nan, frame)
    sums = squares(image)
    threshold = float(np.nanmean(sums) + 3 * np.nanstd(sums))
    i, _ = square_maxima(sums, threshold)
    table = find_photons(frame, threshold=threshold, mask=mask, threads=1)
    assert len(i) == table.sizes["photon"] + int(table.attrs["n_dropped"]) > 20


def test_a_maximum_lies_at_its_photon():
    frame = np.zeros((20, 20))
    frame[5:7, 8:10] = [[10, 30], [10, 30]]
    frame[12, 3] = 90
    i, j = square_maxima(squares(frame), 50.0)
    # Of four equal squares around one pixel the last is the hit.
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(5, 8), (12, 3)]
    assert find_photons(frame, threshold=50.0).sizes["photon"] == 2
