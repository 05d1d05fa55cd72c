import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import NonFinitePixelsError, integrate_frames
from hrixs.simulation import CURVE_A, CURVE_B, Sensor, SpectralLine, simulate_frames
from oracles import frames as reference


def trains():
    rng = np.random.default_rng(4)
    return xr.DataArray(
        rng.integers(0, 50, (3, 2, 12, 15)).astype(np.uint16),
        dims=("trainId", "cell", "x", "y"),
        coords={
            "trainId": [1001, 1002, 1005],
            "cell": [4, 7],
            "delay": ("trainId", [-0.5, 0.0, 0.5]),
            "run": 40,
        },
    )


class TestResult:
    @pytest.mark.parametrize("leading", [(), (1,), (4,), (2, 3), (2, 1, 3), (0,), (2, 0)])
    def test_arrays_give_an_array_with_one_value_a_row(self, leading):
        spectrum = integrate_frames(np.ones((*leading, 6, 9), np.uint16))
        assert isinstance(spectrum, np.ndarray)
        assert spectrum.dtype == np.float64
        np.testing.assert_array_equal(spectrum, np.ones((*leading, 9)))

    def test_data_arrays_give_a_data_array_with_their_coordinates(self):
        frames = trains()
        spectrum = integrate_frames(frames, curvature=(0.25, 0.0))
        assert spectrum.dims == ("trainId", "cell", "y")
        assert spectrum.name == "spectrum"
        assert spectrum["trainId"].values.tolist() == [1001, 1002, 1005]
        assert spectrum["cell"].values.tolist() == [4, 7]
        assert spectrum["delay"].dims == ("trainId",)
        assert spectrum["y"].values.tolist() == list(range(15))
        np.testing.assert_array_equal(
            spectrum, integrate_frames(frames.values, curvature=(0.25, 0.0))
        )

    def test_a_labelled_frame_alone_gives_one_dimension(self):
        assert integrate_frames(trains()[0, 0]).dims == ("y",)

    def test_attrs_say_how_it_was_made(self):
        attrs = integrate_frames(trains(), curvature=(0.5, 0.125)).attrs
        assert attrs["algorithm"] == "integrate"
        assert attrs["hrixs_version"] == hrixs.__version__
        assert (attrs["curve_a"], attrs["curve_b"]) == (0.5, 0.125)
        assert attrs["units"] == "ADU"
        assert attrs["n_rows_not_reached"] == 0

    @pytest.mark.parametrize(
        "order", [("trainId", "cell", "y", "x"), ("y", "x", "trainId", "cell")]
    )
    def test_axes_are_told_by_their_names(self, order):
        frames = trains()
        expected = integrate_frames(frames, curvature=(0.25, 0.0))
        turned = integrate_frames(frames.transpose(*order), curvature=(0.25, 0.0))
        xr.testing.assert_identical(turned, expected)

    def test_dark_and_mask_with_named_axes_are_turned_as_the_frames_are(self):
        rng = np.random.default_rng(3)
        frame, dark = (
            xr.DataArray(rng.integers(0, 50, (12, 12)).astype(float), dims=("x", "y"))
            for _ in range(2)
        )
        mask = xr.DataArray(rng.random((12, 12)) < 0.1, dims=("x", "y"))
        expected = integrate_frames(frame, dark=dark, mask=mask)
        turned = integrate_frames(frame.T, dark=dark.T, mask=mask.T)
        xr.testing.assert_identical(turned, expected)

    def test_a_file_holds_it(self, tmp_path):
        spectrum = integrate_frames(trains(), curvature=(1.5, 0.0))
        spectrum.to_netcdf(tmp_path / "spectrum.nc", engine="h5netcdf")
        loaded = xr.load_dataarray(tmp_path / "spectrum.nc", engine="h5netcdf")
        xr.testing.assert_equal(loaded, spectrum)

    def test_frames_of_the_given_name_keep_their_labels(self):
        frames = trains().stack(frame=("trainId", "cell")).reset_index("frame")
        frames = frames.assign_coords(frame=np.arange(100, 106)).transpose("frame", "x", "y")
        assert integrate_frames(frames)["frame"].values.tolist() == list(range(100, 106))


class TestRule:
    @pytest.mark.parametrize(
        "curvature", [(0.0, 0.0), (CURVE_A, CURVE_B), (-0.31, 0.004), (3.0, 0)]
    )
    def test_a_flat_frame_gives_a_flat_spectrum(self, curvature):
        spectrum = integrate_frames(np.full((40, 60), 7.0), curvature=curvature)
        np.testing.assert_allclose(spectrum[~np.isnan(spectrum)], 7.0, rtol=1e-12)

    def test_without_curvature_it_is_the_mean_over_x(self):
        frames = trains().values
        expected = frames.astype(float).mean(axis=-2)
        np.testing.assert_allclose(integrate_frames(frames), expected, rtol=1e-14)

    def test_a_pixel_is_shared_by_the_rows_it_overlaps(self):
        frame = np.zeros((4, 8))
        frame[1, 5] = 8.0
        # Column 1 moves down by a quarter row: 3/4 of the pixel stay in row 5, 1/4 goes to row 4.
        sums = (
            integrate_frames(frame, curvature=(0.25, 0.0))
            * reference.integrate(frame, curvature=(0.25, 0.0))[1]
        )
        assert sums.tolist() == [0, 0, 0, 0, 2, 6, 0, 0]

    def test_a_row_that_no_pixel_reaches_is_nan(self):
        frame = np.ones((4, 8))
        mask = np.zeros((4, 8), bool)
        mask[0] = True
        # Without column 0 every column moves down by 3 rows or more.
        spectrum = integrate_frames(
            xr.DataArray(frame, dims=("x", "y")), curvature=(3.0, 0.0), mask=mask
        )
        np.testing.assert_array_equal(np.isnan(spectrum), [False] * 5 + [True] * 3)
        assert spectrum.attrs["n_rows_not_reached"] == 3

    def test_all_masked_is_an_error(self):
        with pytest.raises(ValueError, match="mask masks 100 %"):
            integrate_frames(np.ones((4, 8)), mask=np.ones((4, 8), bool))

    def test_masked_pixels_take_part_in_nothing(self):
        frame = np.ones((6, 8))
        frame[2, 3] = 1e6
        spectrum = integrate_frames(frame, curvature=(0.3, 0.0), mask=frame > 1)
        np.testing.assert_allclose(spectrum, 1.0, rtol=1e-12)

    def test_the_dark_is_subtracted(self):
        frames, dark = trains().values, np.arange(180.0).reshape(12, 15)
        by_hand = integrate_frames(frames - dark, curvature=(0.3, 0.0))
        with_dark = integrate_frames(frames, dark=dark, curvature=(0.3, 0.0))
        np.testing.assert_allclose(with_dark, by_hand, rtol=1e-12)

    @pytest.mark.parametrize("dtype", ["float64", "float32", "uint16"])
    def test_a_frame_that_is_its_dark_leaves_exactly_nothing(self, dtype):
        frame = trains().values[0, 0]
        spectrum = integrate_frames(frame, dark=frame.astype(dtype), curvature=(0.3, 0.01))
        np.testing.assert_array_equal(spectrum, 0.0)

    def test_intensity_that_stays_on_the_frame_is_conserved(self):
        rng = np.random.default_rng(8)
        frame = np.zeros((300, 200))
        frame[:, 60:140] = rng.random((300, 80))
        curvature = (0.11, -2e-4)
        weights = reference.integrate(frame, curvature=curvature)[1]
        total = np.nansum(integrate_frames(frame, curvature=curvature) * weights)
        assert total == pytest.approx(frame.sum(), rel=1e-12)

    def test_a_curved_line_becomes_straight(self):
        x, y = np.mgrid[:256, :80]
        frame = np.exp(-0.5 * ((y - (30 + CURVE_A * x + CURVE_B * x * x)) / 1.4) ** 2)
        spectrum = integrate_frames(frame, curvature=(CURVE_A, CURVE_B))
        rows = np.arange(80)
        centre = np.sum(rows * spectrum) / spectrum.sum()
        width = np.sqrt(np.sum((rows - centre) ** 2 * spectrum) / spectrum.sum())
        assert centre == pytest.approx(30.0, abs=0.01)
        # Sharing pixels between rows adds a variance of 1/6 at most.
        assert 1.4 < width < np.sqrt(1.4**2 + 1 / 6)


class TestErrors:
    @pytest.mark.parametrize(
        "curvature", [(np.nan, 0.0), (0.0, np.nan), (np.inf, 0.0), (0.0, -np.inf), (1e300, 0.0)]
    )
    def test_a_curvature_that_is_no_number_is_named(self, curvature):
        with pytest.raises(ValueError, match=r"curvature = \(.*expected a pair of finite numbers"):
            integrate_frames(np.zeros((8, 8)), curvature=curvature)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_pixels_that_are_no_number_are_counted_unless_masked(self, bad):
        frames = np.ones((3, 8, 9))
        frames[1, 2, 3:6] = bad
        with pytest.raises(NonFinitePixelsError, match=r"frame 1 has 3 pixels.*mask="):
            integrate_frames(frames)
        mask = ~np.isfinite(frames[1])
        np.testing.assert_allclose(integrate_frames(frames, mask=mask), 1.0)

    def test_a_dark_with_nan_is_counted_unless_masked(self):
        dark = np.zeros((8, 9))
        dark[3, :2] = np.nan
        with pytest.raises(ValueError, match="dark has 2 pixels that are NaN"):
            integrate_frames(np.ones((8, 9)), dark=dark)
        spectrum = integrate_frames(np.ones((8, 9)), dark=dark, mask=np.isnan(dark))
        np.testing.assert_array_equal(spectrum, 1.0)

    def test_sums_past_the_largest_float_are_an_error(self):
        with pytest.raises(ValueError, match="too large"):
            integrate_frames(np.full((8, 8), 1e308))

    @pytest.mark.parametrize("dtype", ["complex64", "object", "U3"])
    def test_a_dtype_that_is_no_real_number_is_named(self, dtype):
        with pytest.raises(TypeError, match=r"frames has dtype .*, expected real numbers"):
            integrate_frames(np.zeros((8, 8), dtype))

    def test_a_masked_array_is_refused(self):
        with pytest.raises(TypeError, match=r"frames is a masked array.*mask="):
            integrate_frames(np.ma.masked_array(np.zeros((8, 8)), mask=np.eye(8, dtype=bool)))

    @pytest.mark.parametrize("shape", [(7,), (3, 8), (8, 3), (2, 3, 3)])
    def test_frames_that_are_too_small_are_refused(self, shape):
        with pytest.raises(ValueError, match="frames has shape"):
            integrate_frames(np.zeros(shape))

    def test_dark_and_mask_of_another_shape_are_named(self):
        with pytest.raises(ValueError, match=r"dark has shape \(9, 8\).*frame, \(8, 9\)"):
            integrate_frames(np.zeros((2, 8, 9)), dark=np.zeros((9, 8)))
        with pytest.raises(ValueError, match=r"mask has shape \(2, 8, 9\).*frame, \(8, 9\)"):
            integrate_frames(np.zeros((2, 8, 9)), mask=np.zeros((2, 8, 9), bool))

    def test_a_mask_that_is_not_bool_is_named(self):
        with pytest.raises(TypeError, match=r"mask has dtype uint8, expected bool"):
            integrate_frames(np.zeros((8, 9)), mask=np.zeros((8, 9), np.uint8))

    def test_no_number_of_threads_is_refused(self):
        with pytest.raises(ValueError, match="threads = 0, expected a whole number"):
            integrate_frames(np.zeros((8, 9)), threads=0)


class TestSimulatedLine:
    """A line of 1.3 px, curved as in the tutorial: its place and its flux are known."""

    @pytest.fixture(scope="class")
    @staticmethod
    def simulated():
        sensor = Sensor(shape=(512, 128))
        frames, truth = simulate_frames(
            6,
            sensor=sensor,
            lines=[SpectralLine(y=60.0, sigma=1.3, weight=1.0)],
            photons_per_frame=3000,
            seed=11,
        )
        return frames, truth, sensor.pattern

    def test_its_centre_and_flux_are_those_of_the_truth(self, simulated):
        frames, truth, dark = simulated
        spectra = integrate_frames(frames, curvature=(CURVE_A, CURVE_B), dark=dark)
        line = slice(45, 75)
        rows = np.arange(128)[line]
        for number, spectrum in enumerate(spectra.values[:, line]):
            photons = truth.isel(photon=truth["frame"].values == number)
            flux = spectrum.sum() * frames.sizes["x"] / truth.attrs["adu_per_photon"]
            assert flux == pytest.approx(photons.sizes["photon"], rel=0.01)
            centre = np.sum(rows * spectrum) / spectrum.sum()
            assert centre == pytest.approx(photons["y_straight"].mean().item(), abs=0.05)

    def test_without_the_curvature_it_is_smeared(self, simulated):
        frames, _, dark = simulated
        straight = integrate_frames(frames, curvature=(CURVE_A, CURVE_B), dark=dark)
        smeared = integrate_frames(frames, dark=dark)
        assert straight.values.max() > 2 * smeared.values.max()
