"""What goes wrong at night, from frames to the doubt that names the cause.

Others may be told, too: what is wrong in one thing shows in several.
"""

import re
import warnings

import numpy as np
import pytest
import xarray as xr

from hrixs import DoubtError, DoubtWarning, HrixsWarning, doubts, hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

# A line of so many photons is crowded for 'auto', which is told by its own warning.
pytestmark = pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
SENSOR = Sensor(shape=(512, 300))
CURVE = 0.04, -1.2e-5
ROW, ENERGY, SLOPE = 200.0, 530.0, 0.02
LINES = SpectralLine(ROW, 1.3, 0.6), SpectralLine(150.0, 4.0, 0.4)
N_IMAGES = 12
NOISE_OF_SQUARES = 3.7  # ADU


def simulated(n, photons, seed, **options):
    options = {"sensor": SENSOR, "lines": LINES, "curvature": CURVE, "energy": ENERGY} | options
    frames, _ = simulate_frames(n, photons_per_frame=photons, seed=seed, **options)
    return frames.values


@pytest.fixture(scope="module")
def light():
    return simulated(N_IMAGES, 150, 3)


@pytest.fixture(scope="module")
def no_light():
    return simulated(N_IMAGES, 0, 4)


@pytest.fixture
def frames(light):
    return light.copy()


def dataset(frames, **fields):
    fields = {"nrj": ENERGY, "hRIXS_exposure": 0.1} | fields
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), frames)})
    data = data.assign_coords(trainId=1000 + np.arange(len(frames)))
    return data.assign({k: ("trainId", np.full(len(frames), v)) for k, v in fields.items()})


@pytest.fixture
def h():
    h = hRIXS()
    h.CURVE_A, h.CURVE_B = CURVE
    h.BINS = 900
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = SLOPE, ENERGY - SLOPE * ROW
    h.THRESHOLD = 400 + 6.5 * NOISE_OF_SQUARES
    h.CLOUD_SIGMA = 0.55
    return h


@pytest.fixture
def of_each_image(h):
    """A threshold in standard deviations of each image, as by default but in few false hits."""
    h.THRESHOLD, h.STD_THRESHOLD = None, 6.5
    return h


def made(h, data, way, **options):
    if way == "integrate":
        return h.integrate(data, **options)
    return h.centroid(data, method=way, **options)


#: Lines of few pixels: a threshold loses photons of them, rightly told.
CROWDED = {"crowded"}


def told(h, data, way="auto"):
    """Codes of the doubts of a result, each of which is warned of once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = made(h, data, way)
    found = doubts(result)
    texts = [str(one.message) for one in caught if issubclass(one.category, HrixsWarning)]
    assert sorted(texts) == sorted(map(str, found))
    return {doubt.code: doubt for doubt in found}


def refused(h, data, way="auto"):
    """Codes of the error with ``strict=True``, which leaves the dataset as it was."""
    before = data.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)
        with pytest.raises(DoubtError) as error:
            made(h, data, way, strict=True)
    xr.testing.assert_identical(data, before)
    return {doubt.code for doubt in error.value.doubts}


def with_dark(h, no_light, offset=0, **fields):
    h.load_dark(dataset(no_light + np.uint16(offset), **fields))
    h.THRESHOLD = 6.5 * NOISE_OF_SQUARES
    return h


WAYS = ["auto", "manual", "resolve", "integrate"]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_wrong_is_not_told(h, frames, way, no_light):
    assert set(told(h, dataset(frames), way)) <= CROWDED
    made(h, dataset(frames), way, strict=True)
    assert set(told(with_dark(h, no_light), dataset(frames), way)) <= CROWDED


def test_a_tilted_crop_has_bins_without_value_at_its_ends(h):
    frames = simulated(N_IMAGES, 400, 3)
    h.X_RANGE, h.Y_RANGE = slice(300, 512), slice(120, 230)
    data = dataset(frames)
    assert np.isnan(h.integrate(data.copy()).spectrum.values).any()
    assert set(told(h, data, "integrate")) <= {"cut"}


# Images that are unlike the others.


@pytest.mark.parametrize("way", WAYS)
def test_the_shutter_closed_for_half_of_the_run(h, frames, no_light, way):
    h.THRESHOLD = None  # 3.5 standard deviations: some 50 false photons in a blank image
    if way == "integrate":  # fewer than 600 photons or so are hidden in the noise of all pixels
        frames = simulated(N_IMAGES, 1000, 5)
    frames[::2] = no_light[::2]
    doubt = told(h, dataset(frames), way)["blank_images"]
    assert doubt.figures["names"] == list(range(1000, 1000 + N_IMAGES, 2))
    frames[3] = no_light[3]  # more than half
    assert "blank_images" in refused(h, dataset(frames), way)


@pytest.mark.xfail(
    strict=True, reason="the first images, here without light, tell the charge of one photon"
)
def test_the_shutter_opened_late_and_images_are_integrated(h, no_light):
    frames = simulated(N_IMAGES, 1000, 5)
    frames[:2] = no_light[:2]
    assert "blank_images" in told(h, dataset(frames), "integrate")


@pytest.mark.parametrize("way", ["auto", "integrate"])
@pytest.mark.parametrize("what", ["saturated", "zeros", "higher"])
def test_a_first_image_that_is_none(of_each_image, frames, way, what):
    code = {"saturated": "saturated", "zeros": "blank", "higher": "level"}[what] + "_images"
    if what == "higher":
        frames[0] += 300
    else:
        frames[0] = {"saturated": 65535, "zeros": 0}[what]
    doubt = told(of_each_image, dataset(frames), way)[code]
    assert doubt.figures == {"n_images": 1, "names": [1000]}
    assert "train 1000" in doubt.text


@pytest.mark.parametrize(
    ("way", "photons"), [("auto", 30), ("manual", 60), ("resolve", 150), ("integrate", 1000)]
)
def test_a_first_image_with_far_more_light(h, way, photons):
    frames = simulated(N_IMAGES, np.r_[16 * photons, np.full(N_IMAGES - 1, photons)], 3)
    assert told(h, dataset(frames), way)["bright_images"].figures["names"] == [1000]


@pytest.mark.xfail(
    strict=True, reason="light is told by the number of spots, and spots run into each other"
)
def test_a_first_image_so_bright_that_spots_run_into_each_other(h):
    frames = simulated(N_IMAGES, np.r_[16 * 150, np.full(N_IMAGES - 1, 150)], 3)
    assert "bright_images" in told(h, dataset(frames))


# The chip.


@pytest.mark.parametrize("way", ["auto", "integrate"])
def test_rows_stuck_high_and_hot_pixels(of_each_image, frames, way):
    frames[:, :, 60:80] = 60000
    rng = np.random.default_rng(1)
    frames[:, rng.integers(5, 507, 200), rng.integers(90, 295, 200)] += 400
    found = told(of_each_image, dataset(frames), way)
    assert found["bad_rows"].figures["rows"] == list(range(60, 80))


def test_hot_pixels(h):
    frames = simulated(N_IMAGES, 40, 3)  # of each image 64 hits are kept
    x = np.arange(20, 500, 60)
    y = 20 + x % 100
    frames[:, x, y] += 400
    doubt = told(h, dataset(frames))["hot_pixels"]
    assert doubt.figures["pixels"] == np.column_stack([x, y]).tolist()


def test_so_many_hot_pixels_that_not_all_are_kept(h, frames):
    rng = np.random.default_rng(1)
    frames[:, rng.integers(5, 507, 200), rng.integers(5, 295, 200)] += 400
    assert "hot_pixels" in told(h, dataset(frames))


@pytest.mark.parametrize("way", ["auto", "integrate"])
@pytest.mark.parametrize(("rows", "step"), [(3, 8), (1, 20), (1, -20)])
def test_rows_a_little_higher(h, frames, way, rows, step):
    frames[:, :, 60 : 60 + rows] += np.uint16(step % 2**16)
    found = told(h, dataset(frames), way)
    assert found["bad_rows"].figures["rows"] == list(range(60, 60 + rows))


def test_rows_higher_by_twice_the_noise(h, frames):
    frames[:, :, 60:63] += 4
    # Two of 16 images are looked at.
    found = told(h, dataset(np.concatenate([frames, frames[:4]])))
    assert found["bad_rows"].figures["rows"] == [60, 61, 62]


@pytest.mark.parametrize("way", ["auto", "integrate"])
def test_rows_set_to_zero_by_hand(of_each_image, frames, way):
    frames[:, :, 90:93] = 0
    found = told(of_each_image, dataset(frames), way)
    assert found["bad_rows"].figures["rows"] == [90, 91, 92]
    assert ("spread" in found) is (way == "auto")


@pytest.mark.parametrize("way", ["auto", "integrate"])
@pytest.mark.parametrize("value", [65535, 0, 100])
def test_columns_without_noise(of_each_image, frames, way, value):
    frames[:, 400:406] = value
    found = told(of_each_image, dataset(frames), way)
    assert found["bad_columns"].figures["columns"] == list(range(400, 406))


@pytest.mark.parametrize("axis", [1, 2])
def test_halves_of_the_chip_at_two_levels(of_each_image, frames, axis):
    half = np.s_[:, 256:] if axis == 1 else np.s_[:, :, 120:]
    frames[half] += 30
    first, step = ("column_steps", 256) if axis == 1 else ("row_steps", 120)
    figures = told(of_each_image, dataset(frames))[first].figures
    assert figures["first"] == [pytest.approx(step, abs=1)]
    assert figures["step"] == [pytest.approx(30, abs=1)]


def test_bad_pixels_in_a_crop_are_counted_on_the_chip(h, frames):
    frames[:, :, 60] += 20
    h.X_RANGE, h.Y_RANGE, h.BINS = slice(100, 500), slice(40, 290), 750
    assert told(h, dataset(frames))["bad_rows"].figures["rows"] == [60]


# Light and thresholds.


def test_a_dark_processed_by_mistake(h, no_light):
    data = dataset(no_light)
    h.THRESHOLD = None
    assert told(h, data)["no_light"].grave
    assert refused(h, data) == {"no_light"}
    h.THRESHOLD = 400 + 8 * NOISE_OF_SQUARES
    assert refused(h, data) == {"no_photons"}
    assert "no_photons" in refused(h, data, "manual")


def test_a_dark_integrated_by_mistake(h, no_light):
    assert "no_light" in told(h, dataset(no_light), "integrate")


@pytest.mark.parametrize("n_images", [4, 12])
def test_hot_pixels_are_no_light_of_an_integrated_dark(h, frames, no_light, n_images):
    rng = np.random.default_rng(7)
    hot = rng.random(no_light.shape[1:]) < 1e-4
    level = rng.integers(200, 900, no_light.shape[1:])
    flicker = rng.poisson(np.where(hot, level, 0), no_light.shape)
    found = told(h, dataset((no_light + flicker)[:n_images]), "integrate")["no_light"]
    assert "the same in all" in found.text
    assert not found.grave
    assert "no_light" not in told(h, dataset((frames + flicker)[:n_images]), "integrate")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("photons", [8, 30, 400])
def test_faint_light_is_light(h, photons, seed):
    few = simulated(4, photons, 40 + seed, lines=LINES[:1])
    assert "no_light" not in told(h, dataset(few), "integrate")


@pytest.mark.parametrize(
    ("above", "code", "grave"),
    [
        (120, "threshold_high", False),
        (145, "threshold_high", True),
        (2000, "no_photons", True),
        (13, "false_hits", False),
        (9, "no_light", True),
    ],
)
def test_a_threshold_of_another_camera(h, frames, above, code, grave):
    h.THRESHOLD = 400 + above
    data = dataset(frames)
    assert told(h, data)[code].grave is grave
    if grave:
        assert code in refused(h, data)


@pytest.mark.parametrize(("threshold", "is_told"), [(210, False), (600, True), (110, True)])
def test_a_threshold_of_doubles_of_another_camera(h, frames, threshold, is_told):
    h.DBL_THRESHOLD = threshold
    assert ("double_threshold" in told(h, dataset(frames))) is is_told


@pytest.mark.parametrize("way", ["manual", "resolve"])
@pytest.mark.parametrize(("gain", "grave"), [(0.85, False), (0.6, True)])
def test_the_gain_of_another_camera(h, frames, way, gain, grave):
    h.ELECTRONS_PER_ADU = gain
    assert told(h, dataset(frames), way)["charge"].grave is grave
    if grave:
        assert "charge" in refused(h, dataset(frames), way)


# The dark.


@pytest.mark.parametrize("offset", [8, -8])
def test_a_dark_at_another_level(h, frames, no_light, offset):
    with_dark(h, no_light.astype(np.int64) + offset if offset < 0 else no_light, max(offset, 0))
    data = dataset(frames)
    doubt = told(h, data, "integrate")["dark_level"]
    assert doubt.figures["level"] == pytest.approx(-offset, abs=0.5)
    assert refused(h, data, "integrate") == {"dark_level"}


def test_a_dark_of_another_exposure(h, frames, no_light):
    with_dark(h, no_light, hRIXS_exposure=0.05)
    found = told(h, dataset(frames), "integrate")
    assert found["dark_exposure"].figures == {"dark": 0.05, "images": 0.1}
    assert "dark_exposure" not in told(h, dataset(frames, hRIXS_exposure=0.05), "integrate")


def test_a_dark_of_another_readout(h, frames, no_light):
    noisy = no_light + np.random.default_rng(1).normal(0, 4, no_light.shape)
    with_dark(h, np.rint(noisy).astype(np.uint16))
    found = told(h, dataset(frames), "integrate")
    assert found["dark_noise"].figures["images"] < 0.6 * found["dark_noise"].figures["dark"]


def test_what_was_wrong_with_the_dark_stays_with_its_results(h, frames, no_light):
    no_light = no_light.copy()
    no_light[3] = 0
    with pytest.warns(DoubtWarning, match=r"dark_images: 1 of 12 .*train 1003"):
        h.load_dark(dataset(no_light))
    h.THRESHOLD = 6.5 * NOISE_OF_SQUARES
    with warnings.catch_warnings():
        warnings.simplefilter("error", DoubtWarning)  # it was told
        result = h.centroid(dataset(frames))
    assert "dark_images" in {doubt.code for doubt in doubts(result)}
    h.dark_image = np.zeros(SENSOR.shape)
    assert "dark_images" not in {doubt.code for doubt in doubts(h.centroid(dataset(frames)))}


# What changes over the run.


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.one_in(2)
def test_lines_that_move_over_the_run(h, way):
    parts = [simulated(4, 150, 50 + k, lines=[SpectralLine(ROW + k, 1.3, 1.0)]) for k in range(8)]
    data = dataset(np.concatenate(parts))
    found = told(h, data, way)
    told_by = re.search(r"move by (\d+) meV during the run", found["moving_lines"].text)
    assert float(told_by[1]) == pytest.approx(7 * 1e3 * SLOPE, rel=0.1)
    # Another photon energy for each part: that is what the lines are at.
    data["nrj"] = ("trainId", np.repeat(ENERGY + SLOPE * np.arange(8), 4))
    assert "moving_lines" not in told(h, data, way)


def test_a_level_that_drifts_is_integrated(h, frames):
    frames = frames + np.linspace(0, 30, N_IMAGES).round().astype(np.uint16)[:, None, None]
    doubt = told(h, dataset(frames), "integrate")["level_drift"]
    assert doubt.figures["drift"] == pytest.approx(30, abs=1)


def test_a_cosmic_ray_is_integrated(h, frames):
    frames[4, 100:140, 90] += 5000
    assert told(h, dataset(frames), "integrate")["track_images"].figures["names"] == [1004]


# The lines and the axis.


@pytest.mark.parametrize("way", WAYS)
def test_a_curve_with_the_wrong_sign(h, frames, way):
    h.CURVE_A, h.CURVE_B = -CURVE[0], -CURVE[1]
    assert told(h, dataset(frames), way)["curve"].grave
    assert "curve" in refused(h, dataset(frames), way)


def test_no_curve_at_all(h, frames):
    h.CURVE_A = h.CURVE_B = 0.0
    assert "curve" in told(h, dataset(frames))


def test_bins_wider_than_the_line():
    lines = SpectralLine(1500.0, 1.3, 0.6), SpectralLine(1400.0, 4.0, 0.4)
    frames = simulated(4, 300, 3, sensor=Sensor(shape=(256, 2048)), lines=lines)
    h = hRIXS()
    h.CURVE_A, h.CURVE_B = CURVE
    h.THRESHOLD = 430
    assert "bins" in told(h, dataset(frames))
    h.BINS = 6000
    assert set(told(h, dataset(frames))) <= CROWDED


@pytest.mark.parametrize("way", ["auto", "manual", "resolve", "integrate"])
def test_frames_on_their_side(h, frames, way):
    data = dataset(frames.swapaxes(1, 2))
    assert told(h, data, way)["orientation"].grave
    assert "orientation" in refused(h, data, way)


@pytest.mark.parametrize("rows", [slice(0, 208), slice(205, 300), slice(199, 300)])
def test_a_line_cut_by_the_crop(h, frames, rows):
    h.Y_RANGE = rows
    h.BINS = 3 * (rows.stop - rows.start)
    assert {"cut", "outside"} & set(told(h, dataset(frames)))


def test_an_energy_axis_that_stands_still(h, frames):
    h.ENERGY_SLOPE = 0
    data = dataset(frames)
    assert told(h, data)["energy_axis"].grave
    assert refused(h, data, "integrate") == {"energy_axis"}


@pytest.mark.parametrize("way", ["auto", "integrate"])
def test_an_energy_axis_far_off(h, frames, way):
    h.ENERGY_INTERCEPT += 20
    assert "energy_axis" in told(h, dataset(frames), way)
    # Without the photons' energy nothing is told of it.
    data = dataset(frames).drop_vars("nrj")
    assert "energy_axis" not in told(h, data, way)


@pytest.mark.parametrize("way", ["auto", "integrate"])
def test_a_line_above_the_photon_energy(h, frames, way):
    assert "energy_gain" not in told(h, dataset(frames), way)
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = -SLOPE, ENERGY + SLOPE * ROW  # the wrong sign
    found = told(h, dataset(frames), way)["energy_gain"]
    assert found.figures["gain"] == pytest.approx(1.0, abs=0.1)


def test_photons_far_from_the_energies_of_the_calibration(h, frames):
    lines = [simulated(4, 300, k, lines=[SpectralLine(ROW + 25 * k, 1.3, 1.0)]) for k in range(3)]
    energies = ENERGY + 0.5 * np.arange(3)
    h.calibrate_energy([dataset(one) for one in lines], energies, plot=False)
    assert "calibrated_range" not in told(h, dataset(frames))
    found = told(h, dataset(frames, nrj=ENERGY - 5.0))
    assert found["calibrated_range"].figures["lowest"] == ENERGY
    h.ENERGY_INTERCEPT += 5.0  # set by hand: no longer the calibration's
    assert "calibrated_range" not in told(h, dataset(frames, nrj=ENERGY + 10.0))


# Ways to a result: the same doubts.


def from_run(h, tmp_path, frames, **options):
    names = "hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure", "nrj"
    slow = dict(zip(names, np.repeat([[0.0, 0, 1, 0.1, ENERGY]], len(frames), 0).T, strict=True))
    folder = write_run(tmp_path, frames, run=1, slow=slow)
    return h.process_run(folder, progress=False, **options)


def test_a_run_is_doubted_as_its_images(h, frames, no_light, tmp_path):
    h.THRESHOLD = None
    h.CURVE_A = -h.CURVE_A
    frames[::2] = no_light[::2]
    with pytest.warns(DoubtWarning, match="blank_images: 6 of 12 images"):
        result = from_run(h, tmp_path, frames)
    here = told(h, dataset(frames))
    assert {doubt.code for doubt in doubts(result)} == set(here)
    assert {"blank_images", "curve"} <= set(here)


def test_a_run_is_refused(h, frames, tmp_path):
    h.ENERGY_SLOPE = 0
    with pytest.raises(DoubtError, match=r"^energy_axis: "):
        from_run(h, tmp_path, frames, strict=True)


@pytest.mark.parametrize("way", ["auto", "integrate"])
def test_a_clean_run_is_not_doubted(h, frames, tmp_path, way):
    assert {one.code for one in doubts(from_run(h, tmp_path, frames, method=way))} <= CROWDED


def test_the_first_of_lazy_images_are_looked_at(h, frames, no_light):
    pytest.importorskip("dask")
    h.THRESHOLD = None
    h.CURVE_A = -h.CURVE_A
    frames[::2] = no_light[::2]
    data = dataset(frames)
    lazy = data.chunk({"trainId": 4})
    found = told(h, lazy)
    assert {"blank_images", "curve"} <= set(found)
    assert found["blank_images"].figures["names"] == [1000, 1002]
    assert "curve" in refused(h, lazy)
    h.CURVE_A = -h.CURVE_A
    h.THRESHOLD = 430
    assert set(told(h, dataset(simulated(4, 150, 3)).chunk({"trainId": 2}))) <= CROWDED


def test_doubts_stay_with_what_is_made_of_a_spectrum(h, frames, tmp_path):
    h.ENERGY_SLOPE = 0
    with pytest.warns(DoubtWarning):
        result = h.centroid(dataset(frames))
    kept = result.drop_vars("MaranaX")
    kept.to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "one.nc", engine="h5netcdf") as again:
        assert doubts(again) == doubts(result)


@pytest.mark.parametrize("n_columns", [17, 34, 51])
def test_crops_of_any_width(h, frames, n_columns):
    h.X_RANGE = slice(0, n_columns)
    told(h, dataset(frames))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_images", [1, 2, 5])
def test_images_of_one_value(h, way, n_images):
    data = dataset(np.full((n_images, *SENSOR.shape), 100, np.uint16))
    with np.errstate(all="raise", under="ignore"):
        assert set(told(h, data, way)) == ({"no_photons"} if way != "integrate" else set())
