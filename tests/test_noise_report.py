"""The noise report: its numbers against the simulation's, and what it says and draws."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from hrixs import NonFinitePixelsError, find_photons, noise_report
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

BROAD = [SpectralLine(128.0, 60.0, 1.0)]
SENSOR = {"shape": (256, 256), "pedestal_spread": 0.5}


def simulated(photons, n_frames=8, seed=0, **sensor):
    return simulate_frames(
        n_frames,
        sensor=Sensor(**SENSOR | sensor),
        lines=BROAD,
        photons_per_frame=photons,
        seed=seed,
    )


@pytest.fixture(scope="module")
def frames():
    return simulated(100)[0]


@pytest.fixture(scope="module")
def report(frames):
    return noise_report(frames, energy=530.0, threads=1)


def test_noise_and_photon_are_those_of_the_camera(report):
    assert float(report.frames.noise.mean()) == pytest.approx(np.hypot(1.6 / 1.06, 0.5), rel=0.03)
    # Some permille of the charge lie outside of the spot.
    assert report.peaks.adu_per_photon == pytest.approx(138.9, rel=0.015)
    assert report.electrons_per_adu == pytest.approx(1.06, rel=0.015)
    assert report.pixels.shape == (256, 256)


def test_thresholds_find_the_photons_and_no_noise(report, frames):
    truth = simulated(100)[1]
    table = find_photons(
        frames, threshold=report.threshold, double_threshold=report.double_threshold, threads=1
    )
    counted = int(np.where(table.double, 2, 1).sum())
    # Of 100 photons in a frame some two are at its edge or on top of each other.
    assert 0.95 < counted / truth.sizes["photon"] < 1.01
    assert report.false_hits < 1e-3
    dark = simulated(0)[0]
    assert find_photons(dark, threshold=report.threshold, threads=1).sizes["photon"] == 0
    assert report.settings == {
        "THRESHOLD": report.threshold,
        "DBL_THRESHOLD": report.double_threshold,
    }


def test_more_noise_leaves_less_room():
    noisy = noise_report(simulated(100, read_noise=6.0)[0], threads=1)
    assert 400 + 4.5 * float(noisy.frames.square_noise.mean()) < noisy.threshold < 485
    assert noisy.peaks.adu_per_photon == pytest.approx(138.9, rel=0.02)


def test_a_dark_makes_the_thresholds_those_above_zero(frames):
    darks = simulated(0, seed=9, n_frames=10)[0]
    report = noise_report(frames, darks, threads=1)
    assert 15 < report.threshold < 90
    assert report.attrs["n_darks"] == 10
    at = report.scan.sel(threshold=3.6 * 4, method="nearest")
    assert float(report.scan.dark_hits[-1]) == 0
    assert float(at.dark_hits) < 2
    image = noise_report(frames, darks.mean("frame"), threads=1)
    assert image.threshold == pytest.approx(report.threshold, abs=10)
    assert "dark_hits" not in image.scan


@pytest.mark.parametrize("photons", [0, 3])
def test_too_few_photons_are_said_to_be_too_few(photons):
    report = noise_report(simulated(photons, n_frames=4)[0], threads=1)
    assert report.peaks is None
    assert report.double_threshold is None
    assert 0 < report.false_hits <= 0.1
    assert "no peak of single photons found" in repr(report)


def test_hot_pixels_are_seen_without_a_dark():
    sensor = Sensor(**SENSOR | {"hot_fraction": 5e-4})
    frames, _ = simulate_frames(8, sensor=sensor, lines=BROAD, photons_per_frame=60)
    report = noise_report(frames, threads=1)
    truth = sensor.pattern > 110
    assert int((report.repeating.values & truth).sum()) >= 0.9 * truth.sum()
    assert int((report.repeating.values & ~truth).sum()) == 0
    assert f"{report.attrs['n_repeating']} pixels make a hit in most frames" in repr(report)
    assert report.peaks.adu_per_photon == pytest.approx(138.9, rel=0.02)


def test_bright_lines_are_no_hot_pixels():
    frames, _ = simulate_frames(
        12, sensor=Sensor(**SENSOR), lines=[SpectralLine(128.0, 1.3, 1.0)],
        photons_per_frame=250, curvature=(0.0, 0.0),
    )  # fmt: skip
    assert int(noise_report(frames, threads=1).repeating.sum()) == 0


def test_words_say_what_to_set_and_what_to_look_at(report, frames):
    text = repr(report)
    assert f"THRESHOLD      {report.threshold:.1f}" in text
    assert "electrons an ADU" in text
    assert "!" not in text
    assert "±" in report._repr_html_()
    moved = frames.astype(float) + np.linspace(0, 5, 8)[:, None, None]
    assert "the pedestal moves by" in repr(noise_report(moved, threads=1))


def test_cosmic_rays_are_named():
    text = repr(noise_report(simulated(60, cosmics_per_frame=3)[0], threads=1))
    assert "charge of more than 3.5 photons: cosmic rays" in text


def test_inputs_stay_and_samples_are_even(frames):
    before = frames.copy(deep=True)
    report = noise_report(frames, max_frames=3, threads=1)
    assert report.attrs["n_frames"] == 3
    xr.testing.assert_identical(frames, before)
    cells = xr.DataArray(frames.values.reshape(4, 2, 256, 256), dims=("trainId", "cell", "x", "y"))
    assert noise_report(cells, max_frames=3, threads=1).threshold == report.threshold


def test_masked_pixels_take_part_in_nothing(report, frames):
    spoilt = frames.astype(float)
    mask = np.zeros((256, 256), bool)
    mask[40, 60:64] = True
    spoilt[:, 40, 60:64] = np.nan
    masked = noise_report(spoilt, mask=mask, threads=1)
    assert masked.threshold == pytest.approx(report.threshold, abs=10)
    with pytest.raises(NonFinitePixelsError, match="frame 0 has 4 pixels"):
        noise_report(spoilt, threads=1)


def test_frames_without_noise():
    with pytest.raises(ValueError, match="the frames have no noise"):
        noise_report(np.full((3, 16, 16), 100.0))
    with pytest.raises(ValueError, match="expected at least one frame"):
        noise_report(np.zeros((0, 16, 16)))


def test_plot(report):
    figure = report.plot()
    charges, hits, pixels, *_ = figure.axes
    assert charges.get_title() == "charge of the spots"
    assert f"THRESHOLD = {report.threshold:.4g}" in hits.get_legend_handles_labels()[1]
    assert pixels.get_ylabel() == "y (pixel along the energy)"
    plt.close(figure)


def test_plot_without_photons():
    figure = noise_report(simulated(0, n_frames=2)[0], threads=1).plot()
    assert any("no peak" in text.get_text() for text in figure.axes[0].texts)
    plt.close(figure)
