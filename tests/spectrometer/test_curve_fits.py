"""`find_curvature` with what a camera adds: right within its errors, or an error that says why."""

import numpy as np
import pytest
import xarray as xr

from hrixs import DoubtfulCurvatureError, HrixsWarning, NoLineError, hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

SHAPE, N = (512, 200), 10
TILTED = (0.04, -1.2e-5)
LINES = (SpectralLine(120.0, 1.3, 0.6), SpectralLine(80.0, 4.0, 0.4))
METHODS = ("image", "photons")
X = np.arange(SHAPE[0], dtype=np.float64)


def frames_of(curve=TILTED, lines=LINES, photons=150, n=N, seed=1, **sensor):
    options = {"sensor": Sensor(shape=SHAPE, **sensor), "curvature": curve, "lines": lines}
    frames, _ = simulate_frames(n, photons_per_frame=photons, energy=530.0, seed=seed, **options)
    return frames.values.astype(np.int64)


def dataset(frames) -> xr.Dataset:
    images = np.clip(np.rint(frames), 0, 65535).astype(np.uint16)
    trains = np.arange(100, 100 + len(images))
    return xr.Dataset({"MaranaX": (("trainId", "x", "y"), images)}, {"trainId": trains})


def spectrometer(**settings) -> hRIXS:
    h = hRIXS()
    h.STD_THRESHOLD = 5
    h.CURVE_A, h.CURVE_B = 0.5, 1e-3
    for name, value in settings.items():
        setattr(h, name, value)
    return h


def off_by(h: hRIXS, curve=TILTED) -> float:
    """Largest distance from the true curve, less its mean, in stated errors and 0.1 px."""
    difference = h.curvature(X) - (curve[1] * X + curve[0]) * X
    difference -= difference.mean()
    allowed = 4 * h.curvature_fit.curve_error(X) + 0.1
    return float((np.abs(difference) / allowed).max())


def unchanged(h: hRIXS) -> bool:
    return (h.CURVE_A, h.CURVE_B) == (0.5, 1e-3) and h.curvature_fit is None


def rows(*at, adu):
    def change(frames, rng):
        frames[:, :, list(at)] += adu

    return change


def row_on_the_line(frames, rng):
    frames[:, :, 125] += 20


def many_rows(frames, rng):
    for row in rng.choice(SHAPE[1], 8, replace=False):
        frames[:, :, row] += rng.integers(2, 30)


def every_row(frames, rng):
    frames += np.rint(rng.normal(0, 1.5, SHAPE[1])).astype(int)


def decaying_rows(frames, rng):
    frames += np.rint(20 * np.exp(-np.arange(SHAPE[1]) / 15)).astype(int)


def half_rows(frames, rng):
    frames[:, : SHAPE[0] // 2, 60:62] += 10


def noisy_rows(frames, rng):
    frames[:, :, 60:62] += rng.normal(0, 12, (N, SHAPE[0], 2)).round().astype(int)


def blinking_rows(frames, rng):
    frames[:, :, 60:62] += (20 * rng.integers(0, 2, N))[:, None, None]


def step_along_y(frames, rng):
    frames[:, :, 110:] += 6


def step_along_x(frames, rng):
    frames[:, 300:] += 6


def hot_columns(frames, rng):
    frames[:, 200:202] += 50
    frames[:, 400] += 8


def stuck_rows_and_hot_pixels(frames, rng):
    frames[:, rng.integers(0, SHAPE[0], 100), rng.integers(0, SHAPE[1], 100)] += 1500
    frames[:, :, 40:60] = 60000


def saturated_and_dead_rows(frames, rng):
    frames[:, :, 60:63] = 65535
    frames[:, :, 80] = 0


def stuck_rows_across_the_line(frames, rng):
    frames[:, :, 122:126] = 60000


FAULTS = {
    "none": lambda frames, rng: None,
    "three rows 8 ADU higher": rows(60, 61, 62, adu=8),
    "two rows 4 ADU higher": rows(60, 61, adu=4),
    "a row 20 ADU higher": rows(60, adu=20),
    "rows lower": rows(60, 61, adu=-10),
    "a row on the line": row_on_the_line,
    **{
        change.__name__.replace("_", " "): change
        for change in (
            many_rows, every_row, decaying_rows, half_rows, noisy_rows, blinking_rows,
            step_along_y, step_along_x, hot_columns, stuck_rows_and_hot_pixels,
            saturated_and_dead_rows, stuck_rows_across_the_line,
        )
    },
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fault", FAULTS)
class TestFaultsOfTheChip:
    @pytest.mark.one_in(5)
    def test_a_tilted_line_is_found(self, fault, method):
        frames = frames_of()
        FAULTS[fault](frames, np.random.default_rng(1))
        before = dataset(frames)
        data, h = before.copy(deep=True), spectrometer()
        h.find_curvature(data, plot=False, method=method)
        assert off_by(h) < 1
        assert data.identical(before)

    @pytest.mark.one_in(5)
    def test_without_a_line_there_is_an_error(self, fault, method):
        frames = frames_of(photons=0)
        FAULTS[fault](frames, np.random.default_rng(1))
        h = spectrometer()
        with pytest.raises(NoLineError):
            h.find_curvature(dataset(frames), plot=False, method=method)
        assert unchanged(h)


@pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
@pytest.mark.parametrize("method", METHODS)
class TestLines:
    """What is none of the chip's: no warning."""

    @pytest.mark.parametrize("photons", [100, 3000])
    @pytest.mark.parametrize("curve", [(0.0, 0.0), (0.004, 0.0), (0.0, 1e-6)])
    @pytest.mark.one_in(2)
    def test_a_line_along_the_rows_is_fitted_without_a_doubt(self, curve, photons, method):
        h = spectrometer()
        data = dataset(frames_of(curve, photons=photons))
        h.find_curvature(data, plot=False, method=method)
        assert off_by(h, curve) < 1

    def test_also_with_a_row_beside_it(self, method):
        frames = frames_of((0.0, 0.0))
        frames[:, :, 60:63] += 8
        h = spectrometer()
        with pytest.warns(HrixsWarning, match="3 rows .* are at another level"):
            h.find_curvature(dataset(frames), plot=False, method=method)
        assert off_by(h, (0.0, 0.0)) < 1

    def test_one_frame_is_enough(self, method):
        h = spectrometer()
        data = dataset(frames_of((0.0, 0.0), photons=3000, n=1))
        h.find_curvature(data, plot=False, method=method)
        assert off_by(h, (0.0, 0.0)) < 1

    @pytest.mark.parametrize("distance", [7, 20])
    def test_of_two_equal_lines_either_has_the_curve(self, distance, method):
        lines = tuple(SpectralLine(120.0 - k * distance, 1.3, 0.5) for k in range(2))
        h = spectrometer()
        h.find_curvature(dataset(frames_of(lines=lines)), plot=False, method=method)
        assert off_by(h) < 1

    @pytest.mark.filterwarnings("ignore:the strongest line lies in the frame only")
    def test_a_line_that_leaves_the_crop(self, method):
        curve = (0.2, -1.2e-5)
        h = spectrometer()
        h.find_curvature(dataset(frames_of(curve)), plot=False, method=method)
        assert off_by(h, curve) < 1

    @pytest.mark.filterwarnings("ignore:the strongest line lies in the frame only")
    def test_a_line_beyond_the_crop_in_column_0_is_told_of(self, method):
        curve = (-0.15, 0.0)
        lines = (SpectralLine(205.0, 1.3, 1.0),)
        h = spectrometer()
        with pytest.warns(HrixsWarning, match=r"h.curvature.about\(256\)"):
            h.find_curvature(dataset(frames_of(curve, lines)), plot=False, method=method)
        assert off_by(h, curve) < 1


@pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
@pytest.mark.parametrize("method", METHODS)
class TestFrames:
    def spoilt(self):
        frames = frames_of(n=12)
        frames[1] = 0
        frames[4] = 65535
        frames[6] += np.random.default_rng(1).normal(0, 20, SHAPE).round().astype(int)
        frames[8] += 300
        return frames

    def test_odd_frames_are_left_out_and_named(self, method):
        h = spectrometer()
        names = r"train 101 \(blank\), train 104 \(saturated\), train 106 \(noisy\), train 108"
        with pytest.warns(HrixsWarning, match=f"4 of 12 images .* {names}"):
            h.find_curvature(dataset(self.spoilt()), plot=False, method=method)
        assert off_by(h) < 1

    def test_those_of_runs_too(self, tmp_path, method):
        run = write_run(tmp_path, dataset(self.spoilt()).MaranaX.values, run=1)
        h = spectrometer()
        with pytest.warns(HrixsWarning, match="4 of 12 images"):
            found = h.find_curvature(run, plot=False, method=method)
        assert off_by(h) < 1
        with pytest.warns(HrixsWarning, match="is left out: the run has no"):
            lazy = h.from_run(run, lazy=True)
        with pytest.warns(HrixsWarning, match="4 of 12 images"):
            assert h.find_curvature(lazy, plot=False, method=method) == pytest.approx(found)

    def test_copies_of_one_frame_are_one(self, method):
        frame = frames_of(photons=3000, n=1)
        h = spectrometer()
        h.find_curvature(dataset(np.repeat(frame, 4, axis=0)), plot=False, method=method)
        assert off_by(h) < 2

    def test_tracks_of_cosmic_rays(self, method):
        h = spectrometer()
        h.find_curvature(dataset(frames_of(cosmics_per_frame=1.5)), plot=False, method=method)
        assert off_by(h) < 1


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
@pytest.mark.parametrize("method", METHODS)
class TestOldDarks:
    def with_dark(self, dark):
        return spectrometer(dark_image=dark, USE_DARK=True, dark_detector="MaranaX")

    def dark(self):
        return frames_of(photons=0, seed=9).mean(axis=0)

    def test_an_older_pedestal_and_rows_that_have_changed(self, method):
        dark = self.dark() - 4
        dark[:, 50:53] += 12
        dark[100:103] -= 9
        frames = frames_of()
        frames[:, :, 150] += 30
        h = self.with_dark(dark)
        h.find_curvature(dataset(frames), plot=False, method=method)
        assert off_by(h) < 1

    def test_a_dark_with_the_line_of_another_run(self, method):
        dark = frames_of((0.0, 0.0), photons=500).mean(axis=0)
        h = self.with_dark(dark)
        try:
            h.find_curvature(dataset(frames_of()), plot=False, method=method)
        except NoLineError:
            assert unchanged(h)
        else:
            assert off_by(h) < 1

    def test_the_images_themselves_leave_no_line(self, method):
        frames = frames_of()
        h = self.with_dark(frames.mean(axis=0))
        try:
            h.find_curvature(dataset(frames), plot=False, method=method)
        except NoLineError:
            assert unchanged(h)
        else:
            assert off_by(h) < 1


def test_a_doubtful_fit_is_on_the_error():
    # Rows that blink are taken for hits, and no mean tells of them.
    frames = frames_of(photons=0)
    frames[::2, :, 60:62] += 20
    frames[1::2, :, 60:62] += 20
    frames[:5, :, 60:62] -= 20
    h = spectrometer()
    with pytest.raises(DoubtfulCurvatureError, match="along the rows of the chip") as caught:
        h.find_curvature(dataset(frames), plot=False, method="photons")
    assert abs(caught.value.fit.curve_a) < 0.01
    assert "load_dark(run)" in str(caught.value)
    assert isinstance(caught.value, NoLineError)
    assert unchanged(h)


def test_masked_rows_are_no_line_and_plots_show_them():
    frames = frames_of()
    frames[:, :, 60:63] += 500
    mask = np.zeros(SHAPE, bool)
    mask[:, 60:63] = True
    for method in METHODS:
        h = spectrometer(MASK=mask)
        h.find_curvature(dataset(frames), plot=True, method=method)
        assert off_by(h) < 1


@pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
@pytest.mark.parametrize("method", METHODS)
def test_another_curve_that_moves_a_calibrated_axis_is_told_of(method, recwarn):
    """Energies are those of column 0, to which a curve of other columns is continued."""
    h = spectrometer(ENERGY_SLOPE=0.018, ENERGY_INTERCEPT=520.0)
    data, other = dataset(frames_of()), dataset(frames_of((0.045, -1.2e-5)))
    h.find_curvature(data, plot=False, method=method)
    h.find_curvature(data, plot=False, method=method)  # the same curve again
    assert not [one for one in recwarn if "those of the previous curve" in str(one.message)]
    with pytest.warns(
        HrixsWarning, match="this curve moves lines by .* from those of the previous curve"
    ) as told:
        h.find_curvature(other, plot=False, method=method)
    texts = (str(one.message) for one in told)
    (text,) = (text for text in texts if "those of the previous curve" in text)
    rows = float(text.split("moves lines by ")[1].split(" rows")[0])
    assert rows == pytest.approx(np.mean(0.005 * X), abs=0.4)  # their own errors
    recwarn.clear()
    h.set_params(energy_slope=1.0, energy_intercept=0.0)
    h.find_curvature(data, plot=False, method=method)  # in rows, which mean nothing yet
    assert not [one for one in recwarn if "those of the previous curve" in str(one.message)]


def test_a_curve_that_is_none_is_replaced_by_the_fit():
    h = spectrometer()
    h.CURVE_A = None
    h.find_curvature(dataset(frames_of()), plot=False)
    assert h.curvature_fit.curve_a == h.CURVE_A


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pixel", [1e120, 1e200, -1e300])
def test_pixels_whose_squares_are_beyond_all_numbers(pixel, method):
    data = dataset(frames_of(n=4)).astype(np.float64)
    data["MaranaX"][:, 7, 9] = pixel * np.arange(4)
    h = spectrometer()
    with pytest.raises(ValueError, match=r"more than any camera gives\. Check the images"):
        h.find_curvature(data, plot=False, method=method)
    assert unchanged(h)
