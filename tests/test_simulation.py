"""The simulator: what it promises about its truth."""

import numpy as np
import pytest

from hrixs.simulation import Sensor, SpectralLine, rixs_lines, simulate_frames

QUIET = {"read_noise": 0.0, "pedestal_spread": 0.0}
LINE = (SpectralLine(60.0, 2.0, 1.0, "elastic"),)


def test_same_seed_same_frames():
    options = {"sensor": Sensor(shape=(64, 96), cosmics_per_frame=1), "photons_per_frame": 20}
    one, truth = simulate_frames(3, seed=5, **options)
    two, again = simulate_frames(3, seed=5, **options)
    other, _ = simulate_frames(3, seed=6, **options)
    assert one.identical(two)
    assert truth.identical(again)
    assert not one.equals(other)


@pytest.mark.parametrize("electron_statistics", [True, False])
def test_charge_is_conserved(electron_statistics):
    sensor = Sensor(
        shape=(128, 128), electrons_per_adu=1.0, electron_statistics=electron_statistics, **QUIET
    )
    frames, truth = simulate_frames(
        2, sensor=sensor, photons_per_frame=30, lines=LINE, curvature=(0.0, 0.0)
    )
    total = frames.values.astype(float) - 100
    # Photons at the edge lose a part of their cloud; rounding to whole ADU is the rest.
    assert total.sum() == pytest.approx(float(truth.electrons.sum()), rel=0.03)


def test_centre_of_charge_is_where_the_photon_hit():
    sensor = Sensor(shape=(64, 64), electrons_per_adu=0.01, electron_statistics=False, **QUIET)
    frames, truth = simulate_frames(
        6, sensor=sensor, photons_per_frame=1, lines=(SpectralLine(30.0, 3.0, 1.0),), seed=3
    )
    number = int(np.flatnonzero(np.bincount(truth.frame, minlength=6) == 1)[0])
    weight = frames.values[number].astype(float) - 100
    (photon,) = np.flatnonzero(truth.frame.values == number)
    x, y = np.mgrid[:64, :64]
    assert (weight * x).sum() / weight.sum() == pytest.approx(float(truth.x[photon]), abs=0.01)
    assert (weight * y).sum() / weight.sum() == pytest.approx(float(truth.y[photon]), abs=0.01)


def test_truth_follows_the_curvature_and_the_spectrum():
    _, truth = simulate_frames(
        4,
        sensor=Sensor(shape=(256, 256)),
        photons_per_frame=[0, 500, 500, 1000],
        lines=LINE,
        curvature=(0.2, 1e-4),
    )
    np.testing.assert_allclose(truth.y - truth.y_straight, 0.2 * truth.x + 1e-4 * truth.x**2)
    assert float(truth.y_straight.mean()) == pytest.approx(60, abs=0.2)
    assert float(truth.y_straight.std()) == pytest.approx(2, abs=0.15)
    counts = np.bincount(truth.frame, minlength=4)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:], [500, 500, 1000], atol=120)


def test_electron_statistics():
    _, truth = simulate_frames(
        1, sensor=Sensor(shape=(256, 256)), photons_per_frame=4000, lines=LINE, energy=900.0
    )
    assert float(truth.electrons.mean()) == pytest.approx(250, abs=1)
    assert float(truth.electrons.std()) == pytest.approx(np.sqrt(0.12 * 250), rel=0.1)


def test_noise_pattern_and_hot_pixels():
    sensor = Sensor(shape=(200, 200), read_noise=2.12, hot_fraction=1e-3, pedestal_spread=0.0)
    frames, _ = simulate_frames(2, sensor=sensor, photons_per_frame=0)
    difference = frames.values[0].astype(float) - frames.values[1]
    assert difference.std() == pytest.approx(np.sqrt(2) * np.hypot(2.0, np.sqrt(1 / 12)), rel=0.02)
    assert np.count_nonzero(sensor.pattern > 110) == 40
    assert (frames.values[0][sensor.pattern > 200] > 150).all()


def test_cosmics_are_counted_and_saturate():
    sensor = Sensor(shape=(200, 200), cosmics_per_frame=3, electrons_per_adu=0.01)
    frames, truth = simulate_frames(5, sensor=sensor, photons_per_frame=0)
    assert int(truth.n_cosmics.sum()) > 5
    assert frames.max() == 65535


def test_lines_of_the_default_spectrum():
    elastic, magnon, *_ = rixs_lines(1000.0)
    assert elastic.y == 1000
    assert magnon.y == pytest.approx(1000 - 0.25 / 0.018387)
