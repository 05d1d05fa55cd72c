"""A threshold in standard deviations of the frame's own noise."""

import numpy as np
import pytest

from hrixs import find_photons
from hrixs.noise.false_hits import expected_false_hits
from hrixs.photons.defaults import threshold_options
from hrixs.photons.noise_threshold import noise_of_differences
from hrixs.simulation import Sensor, SpectralLine, simulate_frames


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    lines = (SpectralLine(200, 1.3, 0.6), SpectralLine(150, 4.0, 0.4))
    frames, _ = simulate_frames(
        4, photons_per_frame=80, seed=3, sensor=Sensor(shape=(512, 300)), energy=530.0,
        curvature=(0.04, -1e-5), lines=lines,
    )  # fmt: skip
    return frames.values


def n_found(frames, **options):
    return find_photons(frames, threshold="6 sigma", **options).sizes["photon"]


def test_it_is_that_of_the_level_and_the_noise(frames):
    by_noise = find_photons(frames, threshold="7.5 sigma")
    dark = np.median(frames, axis=0)
    for number, frame in enumerate(frames):
        calm = frame[:, :60].astype(float)  # no light there
        expected = 4 * calm.mean() + 2 * 7.5 * calm.std()
        assert abs(by_noise.threshold[number] - expected) < 1.0
    assert find_photons(frames, threshold="7.5 sigma", dark=dark).threshold.max() < 40


WRONG = {
    "rows set to 0": lambda f: f[:, :, 100:120].fill(0),
    "halves of rows": lambda f: np.add(f[:, :, 150:], 30, out=f[:, :, 150:]),
    "halves of columns": lambda f: np.add(f[:, 256:], 30, out=f[:, 256:]),
    "columns at the limit": lambda f: f[:, 100:106].fill(65_535),
    "rows at another level": lambda f: np.add(f[:, :, 60:63], 8, out=f[:, :, 60:63]),
    "a bright row": lambda f: np.add(f[:, :, 60], 20, out=f[:, :, 60]),
    "a blank frame beside": lambda f: f[3].fill(100),
}


@pytest.mark.parametrize("kind", WRONG)
def test_it_holds_where_the_standard_deviation_does_not(frames, kind):
    wrong = frames.copy()
    WRONG[kind](wrong)
    use = slice(3) if kind.startswith("a blank") else slice(None)
    good = n_found(frames[use])
    assert abs(n_found(wrong) - good) <= 0.03 * good
    assert good > 0.75 * 80 * len(frames[use])


def test_clean_frames_are_not_changed(frames):
    assert "n_uneven_pixels" not in find_photons(frames, threshold="6 sigma").attrs


def test_noise_makes_as_many_hits_as_expected():
    sensor = Sensor(shape=(512, 512))
    darks, _ = simulate_frames(8, photons_per_frame=0, seed=5, sensor=sensor)
    for sigma in (3.0, 3.5, 4.0):
        seen = find_photons(darks.values, threshold=f"{sigma} sigma").sizes["photon"] / 8
        expected = expected_false_hits(sigma, level=0, noise=1.0, shape=sensor.shape)
        assert 1 / 1.5 < seen / expected < 1.5


@pytest.mark.parametrize("text", ["6", "sigma", "-6 sigma", "0 sigma", "6 sigmas", ""])
def test_other_texts_are_refused(text, frames):
    with pytest.raises(ValueError, match="expected a number in ADU"):
        find_photons(frames, threshold=text)


def test_texts_that_are_understood():
    for text in ("6 sigma", "6sigma", " 6.0 Sigma ", "6. sigma"):
        assert threshold_options(text) == {"threshold": None, "noise_threshold": 6.0}


def test_a_frame_that_is_all_masked_is_an_error(frames):
    with pytest.raises(ValueError, match="mask masks 100 %"):
        n_found(frames[0], mask=np.ones(frames.shape[1:], bool))


def test_the_noise_of_differences_is_that_of_a_pixel():
    pixels = np.random.default_rng(5).normal(100.0, 1.6, (2, 20_000))
    pixels[0, :200] += 500.0  # light
    assert noise_of_differences(np.abs(pixels[0] - pixels[1])) == pytest.approx(1.6, rel=0.04)
