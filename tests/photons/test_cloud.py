"""The width of the charge cloud, from the data themselves."""

import numpy as np
import pytest

from hrixs import CloudEstimate, HrixsWarning, MissingDataError, estimate_cloud, find_photons
from hrixs.simulation import Sensor, simulate_frames

GAIN = 1.06


def frames_of(cloud_sigma, n_frames=4, photons=150, **sensor):
    camera = Sensor(shape=(512, 512), cloud_sigma=cloud_sigma, electrons_per_adu=GAIN, **sensor)
    frames, _ = simulate_frames(n_frames, sensor=camera, photons_per_frame=photons, seed=11)
    return frames


@pytest.mark.parametrize("read_noise", [1.6, 4.0])
@pytest.mark.parametrize("cloud_sigma", [0.35, 0.45, 0.55, 0.7, 0.9])
def test_within_two_percent(cloud_sigma, read_noise):
    """From 0.35 to 0.9 pixels; what chance makes of some hundred photons comes on top."""
    frames = frames_of(cloud_sigma, read_noise=read_noise)
    estimate = estimate_cloud(frames, std_threshold=5, electrons_per_adu=GAIN)
    assert estimate.n_photons > 300
    assert estimate.cloud_sigma_err < 0.01
    allowed = 0.02 * cloud_sigma + 2 * estimate.cloud_sigma_err
    assert abs(estimate.cloud_sigma - cloud_sigma) < allowed
    assert estimate.spread < 0.1


def test_mean_clouds_without_the_noise_of_electrons():
    frames = frames_of(0.6, electron_statistics=False)
    estimate = estimate_cloud(frames, std_threshold=5)
    assert estimate.cloud_sigma == pytest.approx(0.6, rel=0.01)


def test_hot_pixels_are_no_clouds():
    """More of them than photons, and no mask."""
    frames = frames_of(0.6, n_frames=8, photons=30, hot_fraction=5e-4)
    estimate = estimate_cloud(frames, electrons_per_adu=GAIN)
    assert estimate.cloud_sigma == pytest.approx(0.6, rel=0.03)
    with pytest.raises(MissingDataError, match="hot"):
        estimate_cloud(frames[:1], electrons_per_adu=GAIN)


def test_a_table_tells_the_same_as_its_frames():
    frames = frames_of(0.6)
    options = {"std_threshold": 5, "electrons_per_adu": GAIN}
    of_frames = estimate_cloud(frames, **options)
    photons = find_photons(
        frames, position="gaussian", cloud_sigma=of_frames.cloud_sigma, **options
    )
    assert estimate_cloud(photons).cloud_sigma == pytest.approx(of_frames.cloud_sigma, rel=1e-3)


def test_a_table_fitted_with_a_width_that_is_far_off():
    frames = frames_of(0.8)
    photons = find_photons(
        frames, std_threshold=5, position="gaussian", cloud_sigma=0.5, electrons_per_adu=GAIN
    )
    with pytest.warns(HrixsWarning, match="only a first estimate"):
        estimate = estimate_cloud(photons)
    assert 0.6 < estimate.cloud_sigma < 1.0


def test_is_used_where_no_width_is_given():
    frames = frames_of(0.7)
    options = {"std_threshold": 5, "position": "gaussian", "electrons_per_adu": GAIN}
    photons = find_photons(frames, **options)
    assert photons.attrs["cloud_sigma"] == pytest.approx(0.7, rel=0.02)
    assert photons.attrs["cloud_sigma_estimated"] == 1
    again = find_photons(frames, cloud_sigma=photons.attrs["cloud_sigma"], **options)
    np.testing.assert_array_equal(photons.x, again.x)


def test_a_table_without_a_fit():
    photons = find_photons(frames_of(0.6, n_frames=1))
    with pytest.raises(MissingDataError, match="the photon table has no 'sigma_x'"):
        estimate_cloud(photons)


def test_too_few_photons():
    with pytest.raises(MissingDataError, match=r"expected 20 or more\. Give cloud_sigma"):
        estimate_cloud(frames_of(0.6, n_frames=1, photons=5), std_threshold=6)


def test_noise_alone():
    with pytest.raises(MissingDataError, match="isolated single photons"):
        estimate_cloud(frames_of(0.6, n_frames=1, photons=0))


@pytest.mark.parametrize("cloud_sigma", [1.5, 3.0])
def test_a_cloud_that_no_window_holds(cloud_sigma):
    frames = frames_of(cloud_sigma, photons=40)
    with pytest.raises(MissingDataError, match=r"cannot measure a width above 1\.25 px|isolated"):
        estimate_cloud(frames, std_threshold=5, electrons_per_adu=GAIN)


def test_the_text_tells_the_width_with_its_error():
    estimate = CloudEstimate(0.43217, 0.00312, 812, 0.0214)
    assert repr(estimate) == "<CloudEstimate: 0.4322 ± 0.0031 px from 812 photons, spread 0.021 px>"
