import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import hrixs
from hrixs import (
    NonFinitePixelsError,
    TooManyPhotonsError,
    classify_photons,
    find_photons,
    photon_spectrum,
)
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from oracles import frames as reference


def find(frames, **options):
    return find_photons(frames, threshold=60.0, **options)


def classify(frames, **options):
    return classify_photons(frames, 530.0, **options)


every_finder = pytest.mark.parametrize("finder", [find, classify])


def frame_with(*photons, shape=(20, 24), charge=70.0):
    """A frame with photons of 2 x 1 pixels: their places are (x + 0.5, y), nearly."""
    frame = np.zeros(shape)
    for x, y in photons:
        frame[x : x + 2, y] = charge
    return frame


def table_at(y, *, x=0.0, double=False, frame=0):
    """A photon table made by hand, to put photons where no centre of mass would fall."""
    y = np.atleast_1d(np.asarray(y, dtype=float))
    columns = {"x": x, "y": y, "double": double}
    return xr.Dataset(
        {name: ("photon", np.broadcast_to(values, y.shape)) for name, values in columns.items()},
        coords={"frame": ("photon", np.broadcast_to(frame, y.shape))},
    )


@pytest.fixture
def trains():
    """Six frames as a JUNGFRAU gives them: three trains of two cells. Frame 2 is empty."""
    stack = np.stack(
        [
            frame_with((4, 5)),
            frame_with((4, 6), (10, 12)),
            frame_with(),
            frame_with((8, 3), (8, 10), (8, 18)),
            frame_with((3, 15)),
            frame_with((15, 20), (5, 5)),
        ]
    ).reshape(3, 2, 20, 24)
    return xr.DataArray(
        stack,
        dims=("trainId", "cell", "x", "y"),
        coords={
            "trainId": [1001, 1002, 1005],
            "cell": [4, 7],
            "delay": ("trainId", [-0.5, 0.0, 0.5]),
            "gain": (("trainId", "cell"), np.arange(6.0).reshape(3, 2)),
            "run": 40,
        },
    )


FRAME_OF_PHOTON = [0, 1, 1, 3, 3, 3, 4, 5, 5]


class TestTable:
    @every_finder
    def test_one_column_for_each_fact_of_a_photon(self, finder, trains):
        table = finder(trains)
        for name in ("x", "y", "charge", "double", "frame", "trainId", "cell", "delay", "gain"):
            assert table[name].dims == ("photon",)
        assert table["x"].dtype == table["y"].dtype == table["charge"].dtype == np.float64
        assert table["double"].dtype == np.bool_
        assert table["frame"].dtype.kind == "i"
        assert table["x"].attrs["units"] == table["y"].attrs["units"] == "px"
        assert table["charge"].attrs["units"] == "ADU"

    @every_finder
    def test_photons_stand_in_the_order_of_the_frames(self, finder, trains):
        table = finder(trains)
        assert table["frame"].values.tolist() == FRAME_OF_PHOTON
        assert table["trainId"].values.tolist() == [1001] * 3 + [1002] * 3 + [1005] * 3
        assert table["cell"].values.tolist() == [4, 7, 7, 7, 7, 7, 4, 7, 7]
        assert table["delay"].values.tolist() == [-0.5] * 3 + [0.0] * 3 + [0.5] * 3
        assert table["gain"].values.tolist() == FRAME_OF_PHOTON

    @every_finder
    def test_places_and_charges_are_those_of_the_spots(self, finder, trains):
        table = finder(trains)
        np.testing.assert_allclose(table["x"][:3], [4.5, 4.5, 10.5], atol=0.1)
        np.testing.assert_allclose(table["y"][:3], [5, 6, 12], atol=0.1)
        np.testing.assert_allclose(table["charge"], 140.0, atol=15)

    @every_finder
    def test_one_value_for_each_frame_also_of_empty_ones(self, finder, trains):
        table = finder(trains)
        means = trains.mean(("x", "y")).values.ravel()
        np.testing.assert_allclose(table["base"], means, rtol=1e-12)
        for name in ("threshold", "base", "n_dropped"):
            assert table[name].dims == ("frames",)
            assert table[name].shape == (6,)
        assert table["frames_trainId"].values.tolist() == [1001, 1001, 1002, 1002, 1005, 1005]

    def test_the_threshold_is_the_one_in_use(self, trains):
        assert find_photons(trains, threshold=12.5)["threshold"].values.tolist() == [12.5] * 6
        from_frames = find_photons(trains, std_threshold=2.0)["threshold"].values
        expected = [
            reference.square_threshold(f, None, 2.0) for f in trains.values.reshape(6, 20, 24)
        ]
        np.testing.assert_allclose(from_frames, expected, rtol=1e-12)
        photon = 530 / 3.6 / 1.06
        np.testing.assert_allclose(classify(trains)["threshold"], 0.2 * photon, rtol=1e-15)

    @every_finder
    def test_attrs_say_how_the_table_was_made(self, finder, trains):
        attrs = finder(trains, max_photons=77).attrs
        assert attrs["hrixs_version"] == hrixs.__version__
        assert attrs["algorithm"] == ("centroid_one" if finder is find else "centroid_two")
        assert attrs["max_photons"] == 77
        assert attrs["n_hits"] == 9
        assert attrs["n_dropped"] == 0

    def test_spots_without_charge_are_counted(self):
        frame = frame_with((5, 5))
        frame[4:8, 8] = -100
        frame[5:7, 9:11] = 20
        frame[4:8, 11] = -100
        table = find_photons(frame, threshold=60.0)
        assert table["n_dropped"].values.tolist() == [1]
        assert table.attrs["n_dropped"] == 1
        assert table.sizes["photon"] == 1

    @every_finder
    def test_double_hits_stand_once_and_are_flagged(self, finder):
        frame = frame_with((5, 5), (12, 12))
        frame[12:14, 11:14] = 80
        options = {"dbl_threshold": 210.0} if finder is find else {}
        assert finder(frame, **options)["double"].values.tolist() == [False, True]

    def test_without_a_double_threshold_no_hit_is_double(self):
        assert not find_photons(frame_with((5, 5), charge=1e6), threshold=9.0)["double"].any()

    @every_finder
    def test_a_frame_alone_is_a_stack_of_one(self, finder):
        frame = frame_with((4, 5), (10, 12))
        alone, stacked = finder(frame), finder(frame[np.newaxis])
        assert alone["frame"].values.tolist() == [0, 0]
        for name in ("x", "y", "charge", "base"):
            np.testing.assert_array_equal(alone[name], stacked[name])

    @every_finder
    def test_without_frames_there_is_an_empty_table(self, finder):
        table = finder(np.zeros((0, 8, 8), np.uint16))
        assert dict(table.sizes) == {"photon": 0, "frames": 0}

    @every_finder
    def test_a_frame_that_is_all_masked_is_an_error(self, finder, trains):
        with pytest.raises(ValueError, match="mask masks 100 %"):
            finder(trains, mask=np.ones((20, 24), bool))


@every_finder
class TestDataArrays:
    @pytest.mark.parametrize(
        "order",
        [
            ("trainId", "cell", "y", "x"),
            ("y", "x", "trainId", "cell"),
            ("x", "trainId", "y", "cell"),
        ],
    )
    def test_axes_are_told_by_their_names(self, finder, order, trains):
        xr.testing.assert_identical(finder(trains.transpose(*order)), finder(trains))

    def test_leading_dims_keep_the_order_given(self, finder, trains):
        table = finder(trains.transpose("cell", "trainId", "x", "y"))
        assert table["cell"].values.tolist() == [4] * 2 + [7] * 7
        spectrum = photon_spectrum(table, bins=4, range=(0, 24))
        assert spectrum.dims == ("cell", "trainId", "y")
        straight = photon_spectrum(finder(trains), bins=4, range=(0, 24))
        np.testing.assert_array_equal(spectrum.transpose(*straight.dims), straight)

    def test_dims_of_other_names_are_taken_in_their_order(self, finder, trains):
        renamed = trains.rename(x="row", y="column")
        xr.testing.assert_identical(finder(renamed), finder(trains))

    def test_plain_arrays_give_the_same_photons(self, finder, trains):
        labelled, plain = finder(trains), finder(trains.values)
        for name in ("x", "y", "charge", "double", "frame", "threshold"):
            np.testing.assert_array_equal(labelled[name], plain[name])

    def test_lists_are_taken(self, finder, trains):
        frame = trains.values[0, 0]
        xr.testing.assert_identical(finder(frame.tolist()), finder(frame))

    def test_dark_and_mask_may_be_data_arrays(self, finder, trains):
        dark = np.full((20, 24), 2.0)
        mask = np.zeros((20, 24), bool)
        mask[4, 5] = True
        dims = ("x", "y")
        labelled = {"dark": xr.DataArray(dark, dims=dims), "mask": xr.DataArray(mask, dims=dims)}
        expected = finder(trains, dark=dark, mask=mask)
        xr.testing.assert_identical(finder(trains, **labelled), expected)

    def test_dark_and_mask_with_named_axes_are_turned_as_the_frames_are(self, finder):
        rng = np.random.default_rng(3)
        frame = xr.DataArray(frame_with((5, 5), (9, 3), shape=(16, 16)), dims=("x", "y"))
        dark = xr.DataArray(rng.integers(0, 9, (16, 16)) / 4, dims=("x", "y"))
        mask = xr.DataArray(rng.random((16, 16)) < 0.05, dims=("x", "y"))
        expected = finder(frame, dark=dark, mask=mask)
        turned = finder(frame.T, dark=dark.T, mask=mask.T)
        xr.testing.assert_identical(turned, expected)

    @pytest.mark.parametrize("dim", ["frame", "frames", "photon", "trainId"])
    def test_the_leading_dim_may_have_any_name_and_labels(self, finder, dim, trains):
        stack = trains.values.reshape(6, 20, 24)
        labels = np.arange(100, 106)
        frames = xr.DataArray(stack, dims=(dim, "x", "y"), coords={dim: labels})
        spectrum = photon_spectrum(finder(frames), bins=4, range=(0, 24))
        assert spectrum.dims == (dim, "y")
        np.testing.assert_array_equal(spectrum[dim], labels)
        plain = photon_spectrum(finder(stack), bins=4, range=(0, 24))
        np.testing.assert_array_equal(spectrum, plain)

    @pytest.mark.parametrize("name", ["charge", "threshold"])
    def test_a_coordinate_named_like_a_column_does_no_harm(self, finder, name, trains):
        frames = trains.assign_coords({name: ("trainId", [1.0, 2.0, 3.0])})
        table = finder(frames)
        np.testing.assert_array_equal(table["charge"], finder(trains)["charge"])
        np.testing.assert_array_equal(table["x"], finder(trains)["x"])


class TestSpectrum:
    def test_leading_dims_and_coordinates_come_back(self, trains):
        spectrum = photon_spectrum(find(trains), bins=6, range=(0, 24))
        assert spectrum.dims == ("trainId", "cell", "y")
        assert spectrum.shape == (3, 2, 6)
        for name in ("trainId", "cell", "delay", "gain"):
            expected = trains[name].values
            if name == "delay":
                expected = np.repeat(expected[:, np.newaxis], 2, axis=1)
            got = spectrum[name].values
            np.testing.assert_array_equal(np.broadcast_to(got.T, expected.T.shape).T, expected)
        assert spectrum["y"].values.tolist() == [2, 6, 10, 14, 18, 22]
        assert spectrum["y"].attrs["units"] == "px"

    def test_a_frame_without_a_photon_has_a_row_of_zeros(self, trains):
        spectrum = photon_spectrum(find(trains), bins=6, range=(0, 24))
        np.testing.assert_array_equal(spectrum.sum("y"), [[1, 2], [0, 3], [1, 2]])
        np.testing.assert_array_equal(spectrum.sel(trainId=1002, cell=4), np.zeros(6))

    @pytest.mark.parametrize("frames", [0, 3])
    def test_without_any_photon_it_is_zeros_of_the_same_dtype(self, frames):
        table = find(np.zeros((frames, 20, 24)))
        spectrum = photon_spectrum(table, bins=5, range=(0, 24))
        assert spectrum.shape == (frames, 5)
        assert not spectrum.any()
        assert spectrum.dtype == np.int64

    def test_without_a_photon_inside_it_is_zeros_of_the_same_dtype(self, trains):
        spectrum = photon_spectrum(find(trains), bins=5, range=(100, 200))
        assert not spectrum.any()
        assert spectrum.dtype == np.int64
        assert (spectrum.attrs["n_photons"], spectrum.attrs["n_outside"]) == (0, 9)

    def test_a_frame_alone_gives_one_dimension(self):
        spectrum = photon_spectrum(find(frame_with((4, 5))), bins=4, range=(0, 24))
        assert spectrum.dims == ("y",)
        assert spectrum.values.tolist() == [1, 0, 0, 0]

    def test_the_lower_end_counts_and_the_upper_does_not(self):
        table = table_at([-0.001, 0.0, 1.999, 2.0, 7.999, 8.0, 8.001])
        spectrum = photon_spectrum(table, bins=4, range=(0, 8))
        assert spectrum.values.tolist() == [[2, 1, 0, 1]]
        assert (spectrum.attrs["n_photons"], spectrum.attrs["n_outside"]) == (4, 3)

    def test_a_double_hit_counts_as_two_inside_and_outside(self):
        table = table_at([1.0, 3.0, 9.0], double=[False, True, True])
        spectrum = photon_spectrum(table, bins=4, range=(0, 8))
        assert spectrum.values.tolist() == [[1, 2, 0, 0]]
        assert (spectrum.attrs["n_photons"], spectrum.attrs["n_outside"]) == (3, 2)

    def test_a_photon_without_place_is_outside(self):
        spectrum = photon_spectrum(table_at([1.0, np.nan]), bins=2, range=(0, 8))
        assert spectrum.values.tolist() == [[1, 0]]
        assert spectrum.attrs["n_outside"] == 1

    @pytest.mark.parametrize("curvature", [(0.25, 0.0), (-0.5, 0.125), (0.0240845, -3.6953e-7)])
    def test_curvature_is_what_one_does_by_hand(self, trains, curvature):
        table = find(trains)
        curve_a, curve_b = curvature
        by_hand = table.assign(y=table.y - (curve_b * table.x + curve_a) * table.x)
        given = photon_spectrum(table, bins=12, range=(-20, 30), curvature=curvature)
        expected = photon_spectrum(by_hand, bins=12, range=(-20, 30))
        xr.testing.assert_equal(given, expected)
        assert (given.attrs["curve_a"], given.attrs["curve_b"]) == curvature

    @settings(derandomize=True, deadline=None, max_examples=100, database=None)
    @given(
        quarters=st.lists(st.integers(-8, 100), max_size=30),
        bins=st.integers(1, 40),
        ends=st.sampled_from([(0.0, 16.0), (-2.0, 6.0), (4.0, 20.0)]),
        curvature=st.sampled_from([(0.0, 0.0), (0.25, 0.0), (-0.5, 0.125)]),
        seed=st.integers(0, 99),
    )
    def test_it_is_the_histogram_of_the_reference(self, quarters, bins, ends, curvature, seed):
        rng = np.random.default_rng(seed)
        # A third of a quarter off where the bins' edges are no dyadic numbers, exact else.
        exact = bins in (1, 2, 4, 8, 16, 32)
        y = np.array(quarters, dtype=float) / 4 + (0 if exact else 1 / 12 + 1e-4)
        x = rng.integers(0, 9, len(y)).astype(float)
        double = rng.random(len(y)) < 0.3
        table = table_at(y, x=x, double=double)
        spectrum = photon_spectrum(table, bins=bins, range=ends, curvature=curvature)
        expected = reference.spectrum(x, y, double, bins=bins, range=ends, curvature=curvature)
        np.testing.assert_array_equal(spectrum.values.reshape(-1, bins).sum(axis=0), expected)

    def test_the_table_is_not_changed(self, trains):
        table = find(trains)
        before = table.copy(deep=True)
        curvature = np.array([0.1, 0.01])
        photon_spectrum(table, bins=4, range=(0, 24), curvature=curvature)
        xr.testing.assert_identical(table, before)
        np.testing.assert_array_equal(curvature, [0.1, 0.01])

    @pytest.mark.parametrize("bins", [0, -1, 2.5, True, float("nan"), float("inf"), "5"])
    def test_bins_that_are_no_count_are_named(self, bins):
        with pytest.raises(ValueError, match=r"bins = .*, expected a whole number of 1 or more"):
            photon_spectrum(table_at(1.0), bins=bins, range=(0, 8))

    @pytest.mark.parametrize("bins", [4.0, np.int32(4)])
    def test_bins_may_be_any_whole_number(self, bins):
        assert photon_spectrum(table_at(1.0), bins=bins, range=(0, 8)).shape == (1, 4)

    @pytest.mark.parametrize("ends", [(8, 0), (3, 3), (0, np.nan), (np.nan, 8), (0, np.inf)])
    def test_a_range_that_is_none_is_named(self, ends):
        with pytest.raises(ValueError, match=r"range = \(.*expected two finite numbers, the lower"):
            photon_spectrum(table_at(1.0), bins=4, range=ends)

    @pytest.mark.parametrize("curvature", [(np.nan, 0.0), (0.0, np.inf)])
    def test_a_curvature_that_is_no_number_is_refused(self, curvature):
        # Else every photon would silently count as outside, but for those at x = 0.
        with pytest.raises(ValueError, match="curvature"):
            photon_spectrum(table_at(1.0, x=2.0), bins=4, range=(0, 8), curvature=curvature)


class TestTablesAreOrdinaryDatasets:
    @pytest.mark.parametrize("stacked", [True, False])
    def test_a_file_holds_all_that_a_spectrum_needs(self, stacked, trains, tmp_path):
        table = find(trains if stacked else trains[0, 1], dbl_threshold=100.0)
        table.to_netcdf(tmp_path / "photons.nc", engine="h5netcdf")
        loaded = xr.load_dataset(tmp_path / "photons.nc", engine="h5netcdf")
        settings = {"bins": 8, "range": (0, 24), "curvature": (0.25, 0.0)}
        spectrum = photon_spectrum(loaded, **settings)
        xr.testing.assert_equal(spectrum, photon_spectrum(table, **settings))
        assert spectrum.dims == (("trainId", "cell", "y") if stacked else ("y",))
        spectrum.to_netcdf(tmp_path / "spectrum.nc", engine="h5netcdf")

    def test_an_empty_table_survives_a_file(self, tmp_path):
        table = find(np.zeros((2, 8, 8)))
        table.to_netcdf(tmp_path / "photons.nc", engine="h5netcdf")
        loaded = xr.load_dataset(tmp_path / "photons.nc", engine="h5netcdf")
        assert photon_spectrum(loaded, bins=3, range=(0, 8)).shape == (2, 3)

    def test_selected_photons_keep_the_empty_frames(self, trains):
        table = find(trains)
        lower = table.isel(photon=table["y"].values < 11)
        spectrum = photon_spectrum(lower, bins=6, range=(0, 24))
        assert spectrum.sizes == {"trainId": 3, "cell": 2, "y": 6}
        np.testing.assert_array_equal(spectrum.sum("y"), [[1, 1], [0, 2], [0, 1]])
        assert spectrum.attrs["n_photons"] == 5

    def test_no_photon_left_is_no_error(self, trains):
        nothing = find(trains).isel(photon=slice(0))
        assert not photon_spectrum(nothing, bins=6, range=(0, 24)).any()

    def test_parts_of_a_table_may_be_joined(self, trains):
        table = find(trains)
        parts = [table.isel(photon=slice(4)), table.isel(photon=slice(4, None))]
        joined = xr.concat(parts, "photon", data_vars="minimal", coords="minimal", compat="equals")
        settings = {"bins": 6, "range": (0, 24)}
        xr.testing.assert_equal(
            photon_spectrum(joined, **settings), photon_spectrum(table, **settings)
        )

    def test_a_table_without_facts_of_frames_gives_frames_up_to_the_last(self):
        spectrum = photon_spectrum(table_at([1.0, 5.0], frame=[0, 2]), bins=2, range=(0, 8))
        assert spectrum.dims == ("frame", "y")
        assert spectrum.values.tolist() == [[1, 0], [0, 0], [0, 1]]
        nothing = table_at([1.0]).isel(photon=slice(0))
        assert photon_spectrum(nothing, bins=2, range=(0, 8)).shape == (0, 2)


class TestErrors:
    def test_too_many_photons_says_where_how_many_and_what_to_do(self, trains):
        with pytest.raises(TooManyPhotonsError) as error:
            find_photons(trains, threshold=60.0, max_photons=2)
        text = str(error.value)
        for part in ("frame 3 ", "has 3 hits", "threshold of 60", "max_photons = 2", "Raise the"):
            assert part in text
        with pytest.raises(TooManyPhotonsError, match=r"frame 3 has 3 .*27\.7\d+ ADU.*Raise the"):
            classify(trains, max_photons=2)
        assert issubclass(TooManyPhotonsError, ValueError)

    @every_finder
    def test_as_many_photons_as_allowed_are_no_error(self, finder, trains):
        assert finder(trains, max_photons=3).sizes["photon"] == 9

    @every_finder
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_pixels_that_are_no_number_are_counted_unless_masked(self, finder, bad, trains):
        trains[2, 0, 9, 1:5] = bad
        with pytest.raises(NonFinitePixelsError, match=r"frame 4 has 4 pixels.*mask="):
            finder(trains)
        mask = np.zeros((20, 24), bool)
        mask[9, 1:5] = True
        assert finder(trains, mask=mask).sizes["photon"] == 9
        assert issubclass(NonFinitePixelsError, ValueError)

    @every_finder
    @pytest.mark.parametrize("dtype", ["complex128", "object", "datetime64[s]", "U3", "longdouble"])
    def test_a_dtype_that_is_no_real_number_is_named(self, finder, dtype):
        expected = str(np.dtype(dtype)).replace("[", r"\[")
        with pytest.raises(TypeError, match=f"frames has dtype {expected}, expected real numbers"):
            finder(np.zeros((8, 8), dtype))

    @every_finder
    def test_a_masked_array_is_refused_and_says_how_else(self, finder):
        masked = np.ma.masked_array(np.zeros((8, 8)), mask=np.eye(8, dtype=bool))
        with pytest.raises(TypeError, match=r"frames is a masked array.*frames\.data.*mask="):
            finder(masked)
        with pytest.raises(TypeError, match="dark is a masked array"):
            finder(np.zeros((8, 8)), dark=masked)

    @every_finder
    def test_a_dataset_is_refused_and_says_how_else(self, finder, trains):
        with pytest.raises(TypeError, match=r"xarray\.Dataset.*data\['hRIXS_det'\]"):
            finder(trains.to_dataset(name="hRIXS_det"))

    @every_finder
    @pytest.mark.parametrize("shape", [(3, 8), (5, 8, 2), (0, 0)])
    def test_less_than_4_x_4_pixels_are_refused(self, finder, shape):
        with pytest.raises(ValueError, match=r"expected at least 4 x 4\. Check the crop"):
            finder(np.zeros(shape))

    @every_finder
    @pytest.mark.parametrize("frames", [np.zeros(7), 5.0])
    def test_less_than_two_dimensions_are_refused(self, finder, frames):
        with pytest.raises(ValueError, match=r"frames has shape \(.*expected \(\.\.\., x, y\)"):
            finder(frames)

    @every_finder
    @pytest.mark.parametrize("shape", [(24, 20), (20, 23), (3, 2, 20, 24), ()])
    def test_dark_and_mask_of_another_shape_are_named(self, finder, shape, trains):
        expected = r"expected that of a frame, \(20, 24\)"
        with pytest.raises(ValueError, match=f"dark has shape .*{expected}"):
            finder(trains, dark=np.zeros(shape))
        with pytest.raises(ValueError, match=f"mask has shape .*{expected}"):
            finder(trains, mask=np.zeros(shape, bool))

    @every_finder
    @pytest.mark.parametrize("dtype", ["uint8", "float64", "object"])
    def test_a_mask_that_is_not_bool_is_named(self, finder, dtype, trains):
        with pytest.raises(TypeError, match=r"mask has dtype .*expected bool: True where.*!= 0"):
            finder(trains, mask=np.zeros((20, 24), dtype))

    @every_finder
    def test_a_dark_with_nan_is_counted_unless_masked(self, finder, trains):
        dark = np.zeros((20, 24))
        dark[19, :3] = np.nan
        with pytest.raises(ValueError, match="dark has 3 pixels that are NaN"):
            finder(trains, dark=dark)
        assert finder(trains, dark=dark, mask=np.isnan(dark)).sizes["photon"] == 9

    @every_finder
    @pytest.mark.parametrize(("dtype", "value"), [("int64", -(2**53) - 1), ("uint64", 2**63)])
    def test_integers_that_float64_can_not_hold_are_refused(self, finder, dtype, value):
        frame = np.zeros((8, 8), dtype)
        frame[3, 3] = value
        with pytest.raises(TypeError, match=rf"dtype {dtype} with values above 2\*\*53"):
            finder(frame)
        frame[3, 3] = min(abs(value), 2**53)
        finder(frame)

    @pytest.mark.parametrize("energy", [0.0, -530.0, np.nan, np.inf])
    def test_an_energy_that_is_not_positive_names_its_frame(self, energy, trains):
        energies = np.full((3, 2), 530.0)
        energies[1:, 1] = energy
        with pytest.raises(ValueError, match=r"energy of 2 of 6 frames .* first in frame 3"):
            classify_photons(trains, energies)
        with pytest.raises(ValueError, match=r"energy of 6 of 6 frames .* first in frame 0"):
            classify_photons(trains, energy)

    @pytest.mark.parametrize("shape", [(6,), (3,), (2, 3), (3, 2, 1), (1,)])
    def test_an_energy_of_another_shape_is_named(self, shape, trains):
        with pytest.raises(ValueError, match=r"energy has shape .* one per frame, \(3, 2\)"):
            classify_photons(trains, np.full(shape, 530.0))

    @pytest.mark.parametrize("name", ["ev_per_pair", "electrons_per_adu"])
    @pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
    def test_a_gain_that_is_not_positive_is_named(self, name, value):
        with pytest.raises(ValueError, match=f"{name} = .*expected positive numbers"):
            classify_photons(frame_with(), 530.0, **{name: value})

    def test_an_energy_past_all_floats_is_an_error(self):
        with pytest.raises(ValueError, match="energy"):
            classify_photons(frame_with(), 1e308, ev_per_pair=1e-10)

    @pytest.mark.parametrize("name", ["threshold", "std_threshold", "dbl_threshold"])
    def test_a_threshold_that_is_nan_is_named(self, name):
        with pytest.raises(ValueError, match=f"{name} is NaN"):
            find_photons(frame_with(), **{name: np.nan})

    @every_finder
    def test_room_for_no_photon_is_refused(self, finder):
        with pytest.raises(
            ValueError, match="max_photons = 0, expected a whole number of 1 or more"
        ):
            finder(frame_with(), max_photons=0)

    @every_finder
    def test_no_number_of_threads_is_refused(self, finder):
        with pytest.raises(ValueError, match="threads = 0, expected a whole number"):
            finder(frame_with(), threads=0)


def test_one_energy_for_each_frame_sets_its_limits():
    # The same spot of 140 ADU is 1 photon of 139 ADU, 1.8 of 79 ADU, and too dim for 1310 ADU.
    frames = np.stack([frame_with((4, 5))] * 3)
    table = classify_photons(frames, np.array([530.0, 300.0, 5000.0]))
    assert table["frame"].values.tolist() == [0, 1]
    assert table["double"].values.tolist() == [False, True]
    as_array = classify_photons(frames, xr.DataArray([530.0, 300.0, 5000.0], dims="trainId"))
    xr.testing.assert_identical(as_array, table)


class TestSimulatedPhotons:
    """Photons of 530 eV, read noise 1.6 electrons, clouds of 0.55 px."""

    @pytest.fixture(scope="class")
    @staticmethod
    def simulated():
        sensor = Sensor(
            shape=(256, 256), cloud_sigma=0.55, read_noise=1.6, electron_statistics=True
        )
        lines = [SpectralLine(y=128, sigma=60, weight=1.0)]
        frames, truth = simulate_frames(
            30, sensor=sensor, lines=lines, photons_per_frame=60, curvature=(0.0, 0.0), seed=3
        )
        return frames, truth, sensor.pattern

    @staticmethod
    def matches(table, truth):
        """Pairs (number in the truth, number in the table or -1) of the isolated photons."""
        pairs = []
        for frame in np.unique(truth["frame"]):
            true = np.flatnonzero(truth["frame"].values == frame)
            hits = np.flatnonzero(table["frame"].values == frame)
            places = np.column_stack([truth["x"].values[true], truth["y"].values[true]])
            found = np.column_stack([table["x"].values[hits], table["y"].values[hits]])
            for number, place in zip(true, places, strict=True):
                others = np.hypot(*(places - place).T)
                if np.sum(others < 9) > 1 or place.min() < 4 or place.max() > 251:
                    continue
                distances = np.hypot(*(found - place).T)
                near = np.argmin(distances)
                pairs.append((number, hits[near] if distances[near] < 1.5 else -1))
        return np.array(pairs).T

    # The thresholds are at 13 and 11 standard deviations of the noise. Measured errors per axis:
    # 0.073 and 0.074 px for `find`, 0.067 and 0.071 px for `classify`.
    @pytest.mark.parametrize(
        ("finder", "largest_rms"),
        [
            (lambda frames, dark: find_photons(frames, threshold=40.0, dark=dark), 0.088),
            (lambda frames, dark: classify_photons(frames, 530.0, dark=dark), 0.085),
        ],
        ids=["find", "classify"],
    )
    def test_isolated_photons_are_found_where_they_hit(self, simulated, finder, largest_rms):
        frames, truth, dark = simulated
        table = finder(frames, dark)
        true, hit = self.matches(table, truth)
        assert len(true) > 1000
        assert np.mean(hit >= 0) > 0.95
        true, hit = true[hit >= 0], hit[hit >= 0]
        for axis in ("x", "y"):
            error = table[axis].values[hit] - truth[axis].values[true]
            assert np.sqrt(np.mean(error**2)) < largest_rms
            # No bias: a mean of a thousand errors of 0.07 px is good to 0.003 px.
            assert abs(error.mean()) < 0.01
        charge = table["charge"].values[hit]
        assert charge.mean() == pytest.approx(truth.attrs["adu_per_photon"], rel=0.05)
        assert charge.std() < 0.08 * charge.mean()
        assert np.mean(table["double"].values[hit]) < 0.01

    def test_almost_nothing_else_is_found(self, simulated):
        frames, truth, dark = simulated
        n_found = find_photons(frames, threshold=40.0, dark=dark).sizes["photon"]
        assert n_found <= truth.sizes["photon"]
        no_light, _ = simulate_frames(
            5, sensor=Sensor(shape=(256, 256)), photons_per_frame=0, seed=1
        )
        assert find_photons(no_light, threshold=40.0, dark=dark).sizes["photon"] == 0

    def test_the_spectrum_is_that_of_the_truth(self, simulated):
        frames, truth, dark = simulated
        table = find_photons(frames, threshold=40.0, dark=dark)
        settings = {"bins": 8, "range": (0, 256)}
        found = photon_spectrum(table, **settings).sum("frame")
        straight = truth.assign(double=xr.zeros_like(truth["x"], dtype=bool))
        expected = photon_spectrum(straight.drop_dims("frames").set_coords("frame"), **settings)
        np.testing.assert_allclose(found, expected.sum("frame"), atol=12)
        assert found.sum().item() == pytest.approx(expected.sum().item(), rel=0.04)


def test_tables_of_two_runs_are_not_mixed():
    def table(first):
        frames = np.zeros((4, 16, 16))
        frames[:, 7:9, 7:9] = 50
        labels = {"trainId": np.arange(first, first + 4)}
        return hrixs.find_photons(xr.DataArray(frames, labels, ("trainId", "x", "y")))

    options = {"data_vars": "minimal", "coords": "minimal", "compat": "override"}
    both = xr.concat([table(10), table(20)], "photon", **options)
    with pytest.raises(ValueError, match="tables of several calls were joined"):
        hrixs.photon_spectrum(both, bins=4, range=(0, 16))


def test_not_a_photon_table():
    with pytest.raises(TypeError, match="expected a photon table"):
        hrixs.photon_spectrum(np.zeros(3), bins=4, range=(0, 16))
    with pytest.raises(ValueError, match="expected a photon table"):
        hrixs.photon_spectrum(xr.Dataset({"a": 1}), bins=4, range=(0, 16))


def test_energy_in_kev_is_warned_of():
    with pytest.warns(hrixs.HrixsWarning, match="Give the energy in eV"):
        hrixs.classify_photons(np.zeros((16, 16)), 0.53)


def test_a_table_cut_along_its_frames_is_refused():
    frames = xr.DataArray(
        np.random.default_rng(0).normal(100, 3, (4, 16, 16)),
        dims=("trainId", "x", "y"),
        coords={"trainId": [5, 6, 7, 8]},
    )
    table = hrixs.find_photons(frames)
    with pytest.raises(ValueError, match="cut along 'frames', or tables of several calls"):
        hrixs.photon_spectrum(table.isel(frames=slice(0, 2)), bins=4, range=(0, 16))


def test_a_threshold_that_bad_rows_set_is_told():
    frames = np.random.default_rng(0).normal(100, 2, (3, 128, 128)).round()
    frames[:, 40:42, 70:72] += 40
    bad = frames.copy()
    bad[:, :, 60:63] = 0
    with pytest.warns(hrixs.DoubtWarning, match=r"spread: .* '6 sigma'"):
        assert not hrixs.find_photons(bad, std_threshold=6).sizes["photon"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hrixs.find_photons(frames, std_threshold=6)
        hrixs.find_photons(bad, threshold=470)
        hrixs.find_photons(bad, threshold="6 sigma")
        hrixs.find_photons(bad, std_threshold=6, mask=(bad == 0).all(axis=0))
