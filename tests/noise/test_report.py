"""The noise report: its numbers against the simulation's, and what it says and draws."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from conftest import DARK, RUN
from hrixs import HrixsWarning, NonFinitePixelsError, find_photons, noise_report
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
        frames, threshold=report.threshold, dbl_threshold=report.dbl_threshold, threads=1
    )
    counted = int(np.where(table.double, 2, 1).sum())
    # Of 100 photons in a frame some two are at its edge or on top of each other.
    assert 0.95 < counted / truth.sizes["photon"] < 1.01
    assert report.false_hits < 1e-3
    dark = simulated(0)[0]
    assert find_photons(dark, threshold=report.threshold, threads=1).sizes["photon"] == 0
    assert report.settings == {
        "THRESHOLD": report.threshold,
        "DBL_THRESHOLD": report.dbl_threshold,
        "MAX_CHARGE": report.max_charge,
    }


def test_the_max_charge_leaves_out_cosmic_rays_and_no_photons(report, frames):
    assert report.max_charge == pytest.approx(3.5 * report.peaks.adu_per_photon, rel=0.03)
    options = {"threshold": report.threshold, "threads": 1}
    table = find_photons(frames, max_charge=report.max_charge, **options)
    assert table.sizes["photon"] >= 0.998 * find_photons(frames, **options).sizes["photon"]
    struck = frames.astype(float)
    struck[:, 20:24, 40] += 400
    n_struck = find_photons(struck, **options).sizes["photon"]
    kept = find_photons(struck, max_charge=report.max_charge, **options)
    assert n_struck - kept.sizes["photon"] >= 8


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
    text = repr(report)
    assert "dark frames    " in text
    assert "!" not in text


@pytest.mark.parametrize("photons", [0, 3])
def test_too_few_photons_are_said_to_be_too_few(photons):
    report = noise_report(simulated(photons, n_frames=4)[0], threads=1)
    assert report.peaks is None
    assert report.dbl_threshold is None
    assert 0 < report.false_hits <= 0.1
    assert report.max_charge is None
    assert "MAX_CHARGE" not in report.settings
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
    assert "for frames without a dark subtracted" in text
    assert f"MAX_CHARGE     {report.max_charge:.1f}" in text
    assert "±" in report._repr_html_()
    moved = frames.astype(float) + np.linspace(0, 5, 8)[:, None, None]
    assert "the pedestal moves by" in repr(noise_report(moved, threads=1))


def test_dark_frames_with_hits_are_worth_a_look():
    darks = simulated(0, seed=9, n_frames=10, cosmics_per_frame=1)[0]
    text = repr(noise_report(simulated(100)[0], darks, threads=1))
    assert "! the dark frames have" in text


@pytest.mark.parametrize(
    ("in_use", "what"),
    [(450.0, None), (50.8, "lies in the noise"), (900.0, "finds 0 % of the hits")],
)
def test_a_threshold_in_use_that_does_not_fit_is_named(report, in_use, what):
    checked = replace(report, attrs=report.attrs | {"threshold_in_use": in_use})
    if what is None:
        assert "!" not in repr(checked)
    else:
        assert f"! THRESHOLD = {in_use:g}, as it is set," in repr(checked)
        assert what in repr(checked)


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


@pytest.mark.parametrize(("value", "kind"), [(0, "blank"), (65_535, "saturated")])
def test_frames_unlike_the_others_are_left_out_and_named(frames, value, kind):
    spoilt = frames.values.copy()
    spoilt[5] = value
    good = noise_report(np.delete(frames.values, 5, axis=0), energy=530.0, threads=1)
    report = noise_report(spoilt, energy=530.0, threads=1)
    assert report.settings == good.settings
    assert report.attrs["n_left_out"] == 1
    assert report.attrs["n_frames"] == 7
    assert f"! 1 frame is unlike the others and left out: number 5 ({kind})." in repr(report)


def test_names_are_the_numbers_of_all_frames(frames):
    many = np.concatenate([frames.values] * 2)
    many[15] = 0
    report = noise_report(many, max_frames=4, threads=1)
    assert report.attrs["left_out"] == "number 15 (blank)"


def test_bad_darks_are_left_out_and_named(frames):
    darks = simulated(0, seed=9, n_frames=10)[0].values.copy()
    clean = noise_report(frames, darks, threads=1)
    darks[4] = 0
    darks[7, 20:40, 50] = 4000
    report = noise_report(frames, darks, threads=1)
    assert report.threshold == pytest.approx(clean.threshold, abs=5)
    assert report.attrs["n_darks_left_out"] == 1
    assert "dark images differ from the others and are left out: number 4 (blank)" in repr(report)


@pytest.mark.parametrize("unit", [0.003, 40.0])
@pytest.mark.parametrize("with_dark", [False, True])
def test_the_unit_of_the_pixels_does_not_matter(frames, unit, with_dark):
    dark = simulated(0, seed=9, n_frames=6)[0].values.mean(axis=0) if with_dark else None
    one = noise_report(frames.astype(float), dark, energy=530.0, threads=1)
    scaled = None if dark is None else dark * unit
    other = noise_report(frames.astype(float) * unit, scaled, energy=530.0, threads=1)
    noise = float(one.frames.square_noise.mean())
    for name, value in one.settings.items():
        assert other.settings[name] / unit == pytest.approx(value, rel=0.01, abs=0.2 * noise), name
    assert other.electrons_per_adu * unit == pytest.approx(one.electrons_per_adu, rel=1e-3)
    assert other.false_hits == pytest.approx(one.false_hits, rel=0.3, abs=1e-9)
    assert "THRESHOLD      0.0 " not in repr(other)


@pytest.mark.parametrize(
    ("sigma", "shape"), [(0.6, (128, 160)), (1.6, (128, 160)), (4.0, (96, 96))]
)
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.one_in(2)
def test_noise_makes_as_many_hits_as_promised(sigma, shape, whole):
    rng = np.random.default_rng(3)

    def noise(n):
        values = rng.normal(100.2, sigma, (n, *shape))
        return np.rint(values).astype(np.uint16) if whole else values.astype(np.float32)

    report = noise_report(noise(16), threads=1)
    n = 1500
    found = find_photons(noise(n), threshold=report.threshold, threads=1).sizes["photon"]
    assert 0 < report.false_hits <= 0.1
    assert 1 / 1.5 < found / (n * report.false_hits) < 1.5


@pytest.mark.parametrize("photons", [150, 500])
def test_in_crowds_spots_alone_tell_the_charge(photons):
    frames, truth = simulate_frames(
        12, sensor=Sensor(shape=(512, 128)), lines=[SpectralLine(60.0, 1.3, 1.0)],
        photons_per_frame=photons,
    )  # fmt: skip
    report = noise_report(frames, energy=530.0, threads=1)
    assert report.attrs["crowded"]
    assert report.max_charge is None
    assert "MAX_CHARGE" not in report.settings
    assert "of the spots overlap with another one" in repr(report)
    if report.peaks is None:
        assert photons == 500
        assert report.electrons_per_adu is None
        assert "too few are alone" in repr(report)
    else:
        # Some permille of the charge lie outside of the spot.
        off = report.peaks.adu_per_photon - 0.996 * truth.attrs["adu_per_photon"]
        assert abs(off) < 3 * report.peaks.adu_per_photon_err


def test_frames_without_noise():
    with pytest.raises(ValueError, match="the frames have no noise"):
        noise_report(np.full((3, 16, 16), 100.0))
    with pytest.raises(ValueError, match="expected at least one frame"):
        noise_report(np.zeros((0, 16, 16)))


def test_plot(report):
    figure = report.plot()
    charges, hits, pixels, *_ = figure.axes
    assert charges.get_title() == "charge of the spots"
    assert figure.get_suptitle().startswith("noise report\n")
    assert figure.get_suptitle().endswith(" frames")
    assert f"THRESHOLD = {report.threshold:.4g}" in hits.get_legend_handles_labels()[1]
    assert pixels.get_title() == "spread of the pixels in these frames, photons too"
    assert pixels.get_ylabel() == "y (pixel of the frames given, along the energy)"
    plt.close(figure)


def test_plot_of_darks_shows_their_noise(frames):
    figure = noise_report(frames, simulated(0, n_frames=4)[0], threads=1).plot()
    assert figure.axes[2].get_title() == "noise of the pixels in the dark frames"
    plt.close(figure)


def test_plot_in_pixels_of_the_chip(frames):
    placed = frames.assign_coords(x=np.arange(256) + 10, y=np.arange(256) + 700)
    figure = noise_report(placed, threads=1).plot()
    pixels = figure.axes[2]
    assert pixels.get_ylabel() == "y (pixel of the chip, along the energy)"
    assert pixels.get_images()[0].get_extent() == [9.5, 265.5, 699.5, 955.5]
    plt.close(figure)


def test_plot_without_photons():
    figure = noise_report(simulated(0, n_frames=2)[0], threads=1).plot()
    assert any("no peak" in text.get_text() for text in figure.axes[0].texts)
    plt.close(figure)


class TestOfTheClass:
    def test_is_that_of_the_cropped_frames_with_the_energy_of_the_run(self, h, data):
        h.MASK = np.zeros((256, 1024), bool)
        h.MASK[5, 710] = True
        of_run = h.noise_report(RUN)
        of_frames = noise_report(data.MaranaX[:, :, 700:900], mask=h.MASK[:, 700:900], energy=530.0)
        assert of_run.threshold == h.noise_report(data).threshold == of_frames.threshold
        assert of_run.electrons_per_adu == of_frames.electrons_per_adu
        assert of_run.attrs["n_masked"] == 1
        assert h.THRESHOLD is None
        assert h.noise_report(data, n_images=3).attrs["n_frames"] == 3

    def test_its_settings_are_those_of_the_class(self, h, data):
        report = h.noise_report(data)
        h.set_params(**report.settings)
        assert h.get_params(*report.settings) == report.settings
        assert 0.9 * 8 * 120 < h.centroid(data).spectrum.sum() < 1.1 * 8 * 120

    def test_the_dark_of_the_object_and_dark_frames(self, h, data):
        h.load_dark(DARK)
        subtracted = h.noise_report(data)
        assert 15 < subtracted.threshold < 90
        with_darks = h.noise_report(data, dark=DARK)
        assert with_darks.attrs["n_darks"] == 6
        assert with_darks.threshold == pytest.approx(subtracted.threshold, abs=10)

    def test_dark_frames_without_use_dark_are_warned_of(self, h, data):
        with pytest.warns(HrixsWarning, match="USE_DARK is not set"):
            report = h.noise_report(data, dark=DARK)
        assert report.attrs["dark_subtracted"]

    def test_a_threshold_of_another_dark_is_named(self, h, data):
        h.THRESHOLD = 50.8
        assert "! THRESHOLD = 50.8, as it is set, lies in the noise" in repr(h.noise_report(data))
        h.load_dark(DARK)
        assert "as it is set" not in repr(h.noise_report(data))
        h.THRESHOLD = 451.9
        assert "finds 0 % of the hits" in repr(h.noise_report(data))

    def test_without_an_energy_there_is_no_gain(self, h, data):
        assert h.noise_report(data.drop_vars("nrj")).electrons_per_adu is None
        with pytest.warns(HrixsWarning, match="nrj is left out"):
            assert h.noise_report(DARK).peaks is None
        given = h.noise_report(data.drop_vars("nrj"), energy=530.0)
        assert given.electrons_per_adu == pytest.approx(1.06, rel=0.02)

    def test_a_dark_of_another_chip_is_refused_though_its_crop_fits(self, h, data):
        h.USE_DARK = True
        h.dark_image, h.dark_detector = np.full((256, 1024), 100.0), "MaranaX"
        larger = xr.Dataset({"MaranaX": (("trainId", "x", "y"), np.full((3, 256, 1030), 100.0))})
        with pytest.raises(ValueError, match=r"the dark has shape \(256, 1030\)"):
            h.noise_report(data, dark=larger)
