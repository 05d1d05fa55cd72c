"""The class hRIXS: settings, and what its methods do to a dataset."""

import copy
import pickle

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import CURVATURE, DARK, ELASTIC_ROW, PROPOSAL, RUN
from hrixs import (
    HrixsWarning,
    MissingDataError,
    NoLineError,
    TooManyPhotonsError,
    find_photons,
    hRIXS,
    line_width,
)
from hrixs.utils.provenance import source_text
from oracles import frames as reference

API_ATTRIBUTES = [
    "PROPOSAL",
    "DETECTOR",
    "X_RANGE",
    "Y_RANGE",
    "THRESHOLD",
    "STD_THRESHOLD",
    "DBL_THRESHOLD",
    "BINS",
    "CURVE_A",
    "CURVE_B",
    "USE_DARK",
    "ENERGY_INTERCEPT",
    "ENERGY_SLOPE",
    "FIELDS",
    "DETECTOR_FIELDS",
    "aggregators",
]
API_METHODS = [
    "set_params",
    "get_params",
    "from_run",
    "load_dark",
    "find_curvature",
    "centroid_one",
    "centroid_two",
    "centroid",
    "parabola",
    "integrate",
    "aggregator",
    "aggregate",
    "aggregate_ds",
    "normalize",
]


def unchanged(data: xr.Dataset, before: xr.Dataset) -> bool:
    return data.identical(before)


class TestSettings:
    def test_every_name_of_the_replaced_class_exists(self):
        h = hRIXS(PROPOSAL)
        assert all(hasattr(h, name) for name in API_ATTRIBUTES)
        assert all(callable(getattr(h, name)) for name in API_METHODS)

    def test_defaults(self):
        h = hRIXS(PROPOSAL)
        assert h.DETECTOR == "MaranaX"
        assert h.X_RANGE == h.Y_RANGE == slice(None)
        assert (h.THRESHOLD, h.STD_THRESHOLD, h.DBL_THRESHOLD) == (None, 3.5, None)
        assert (h.CURVE_A, h.CURVE_B, h.USE_DARK) == (0.0, 0.0, False)

    def test_set_and_get_params_take_names_in_either_case(self):
        h = hRIXS(PROPOSAL)
        h.set_params(std_threshold=5, CURVE_A=0.02)
        assert h.get_params("STD_THRESHOLD", "curve_a") == {"STD_THRESHOLD": 5, "curve_a": 0.02}
        assert h.get_params()["proposal"] == PROPOSAL
        hRIXS(1).set_params(**h.get_params())

    def test_unknown_setting_names_the_near_match_and_sets_nothing(self):
        h = hRIXS(PROPOSAL)
        with pytest.raises(AttributeError, match="Did you mean 'std_threshold'"):
            h.set_params(curve_a=1.0, std_treshold=4)
        with pytest.raises(AttributeError, match="Did you mean 'std_threshold'"):
            h.get_params("std_treshold")
        assert h.CURVE_A == 0.0

    @pytest.mark.parametrize("name", ["STD_TRESHOLD", "Y_RANGES", "y_range"])
    def test_a_misspelt_setting_is_warned_of(self, name):
        h = hRIXS(PROPOSAL)
        with pytest.warns(HrixsWarning, match=f"unknown setting {name!r}. Did you mean"):
            setattr(h, name, 5)
        h.note = "an attribute of one's own is fine"
        h.DETECTOR_FIELDS = {}

    @pytest.mark.parametrize("wrong", ["seven", None, 1j, [1.0, 2.0], {}, slice(3), np.ones(2)])
    @pytest.mark.parametrize(
        "name",
        [
            *("STD_THRESHOLD", "CURVE_A", "CURVE_B", "ENERGY_INTERCEPT", "ENERGY_SLOPE"),
            *("EV_PER_PAIR", "ELECTRONS_PER_ADU", "SINGLE_LOW"),
        ],
    )
    @pytest.mark.one_in(4)
    def test_what_is_no_number_is_named(self, h, data, name, wrong):
        setattr(h, name, wrong)
        said = "curvature" if name.startswith("CURVE") else name.lower()
        method = "auto" if name == "STD_THRESHOLD" else "manual"
        data = data.isel(trainId=slice(1))
        before = data.copy()
        with pytest.raises(ValueError, match=f"{said} = .*, expected a"):
            h.centroid(data, method=method)
        assert unchanged(data, before)

    @pytest.mark.parametrize("name", ["DBL_THRESHOLD", "MAX_PIXEL", "THRESHOLD", "MAX_CHARGE"])
    def test_what_is_neither_a_number_nor_none_is_named(self, h, data, name):
        setattr(h, name, np.array(["a"]))
        with pytest.raises(ValueError, match=r"= array\(\['a'\].*expected a number"):
            h.centroid(data)

    def test_unknown_detector(self):
        with pytest.raises(ValueError, match="Did you mean 'MaranaX'"):
            hRIXS(PROPOSAL, "Marana")
        h = hRIXS(PROPOSAL)
        with pytest.raises(ValueError, match="unknown detector"):
            h.DETECTOR = "EMCCD"
        assert h.DETECTOR == "MaranaX"

    def test_set_params_with_a_wrong_detector_sets_nothing(self):
        h = hRIXS(PROPOSAL)
        with pytest.raises(ValueError, match="unknown detector"):
            h.set_params(curve_a=1.0, detector="EMCCD")
        assert h.CURVE_A == 0.0

    def test_setting_the_detector_exchanges_its_fields_and_keeps_added_ones(self):
        h = hRIXS(PROPOSAL)
        h.FIELDS.append("my_field")
        h.DETECTOR = "hRIXS_det"
        assert "hRIXS_det" in h.FIELDS
        assert "my_field" in h.FIELDS
        assert "MaranaX" not in h.FIELDS
        assert "my_field" not in hRIXS.DETECTOR_FIELDS["MaranaX"]

    def test_objects_do_not_share_settings(self):
        one, two = hRIXS(1), hRIXS(2)
        one.aggregators["mine"] = max
        one.FIELDS += ["mine"]
        assert "mine" not in two.aggregators
        assert "mine" not in two.FIELDS
        two.set_params(**one.get_params())
        two.FIELDS.append("other")
        assert "other" not in one.FIELDS

    def test_pickles(self, h):
        h.load_dark(DARK)
        again = pickle.loads(pickle.dumps(h))
        assert repr(again.get_params()) == repr(h.get_params())
        np.testing.assert_array_equal(again.dark_image, h.dark_image)
        assert copy.deepcopy(h).CURVE_A == h.CURVE_A

    def test_repr_is_one_line_and_shows_what_was_changed(self, h):
        assert "\n" not in repr(h)
        assert len(repr(h)) < 250
        assert "Y_RANGE=700:900" in repr(h)
        assert "STD_THRESHOLD" not in repr(h)
        assert "<b>700:900</b>" in h._repr_html_()
        h.find_curvature(RUN, plot=False)
        h.MASK = np.zeros((256, 1024), bool)
        assert "curvature fit" in h._repr_html_()
        assert "MASK=0 of" in repr(h)

    def test_labelled_arrays_are_shown_as_the_plain_ones(self):
        h, labelled = hRIXS(PROPOSAL), hRIXS(PROPOSAL)
        h.MASK, h.READ_NOISE = np.eye(8, dtype=bool), np.ones((8, 8))
        labelled.MASK = xr.DataArray(h.MASK, dims=("x", "y"))
        labelled.READ_NOISE = xr.DataArray(h.READ_NOISE, dims=("x", "y"))
        assert repr(labelled) == repr(h)
        assert labelled._repr_html_() == h._repr_html_()


class TestCentroid:
    def test_counts_the_photons_that_are_there(self, h, data, simulated):
        h.load_dark(DARK)
        h.DBL_THRESHOLD = 1.5 * simulated.truth.adu_per_photon
        h.STD_THRESHOLD = 6
        h.centroid(data)
        rows = simulated.truth.y.values
        expected = np.count_nonzero((rows > 702) & (rows < 898))
        # 70 photons on the 256 pixels of the line: three in a spot are counted as two.
        assert 0.9 * expected < float(data.spectrum.sum()) < 1.02 * expected

    def test_equals_the_oracle_frame_by_frame(self, h, data):
        h.centroid(data, bins=50)
        for number in range(3):
            image = data.MaranaX.values[number][h.X_RANGE, h.Y_RANGE]
            hits = reference.find_photons(image)
            expected = reference.spectrum(
                hits.x, hits.y, hits.double, bins=50, range=(0, 200), curvature=CURVATURE
            )
            np.testing.assert_array_equal(data.spectrum.values[number], expected)

    def test_adds_to_the_given_dataset_and_returns_a_shallow_copy(self, h, data):
        result = h.centroid(data)
        assert "spectrum" in data
        assert result is not data
        assert result.spectrum.dims == ("trainId", "energy")
        assert np.shares_memory(result.MaranaX.values, data.MaranaX.values)

    @pytest.mark.parametrize("name", ["ENERGY_SLOPE", "ENERGY_INTERCEPT"])
    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, "a"])
    def test_an_axis_without_numbers_is_refused(self, h, data, name, value):
        setattr(h, name, value)
        for method in (h.centroid, h.integrate):
            with pytest.raises(
                ValueError, match=rf"{name.lower()} = .*, expected a (finite )?number"
            ):
                method(data)

    def test_energy_axis_is_in_full_chip_rows_at_bin_centres(self, h, data):
        h.centroid(data, bins=100)
        rows = 700 + 2 * np.arange(100) + 1.0
        np.testing.assert_allclose(data.energy, 498.27 + 0.018387 * rows)
        assert data.energy.attrs["units"] == "eV"

    def test_energy_of_the_line(self, h, data):
        h.load_dark(DARK)
        h.centroid(data, bins=400)
        peak = data.energy.values[data.spectrum.sum("trainId").values.argmax()]
        assert peak == pytest.approx(498.27 + 0.018387 * ELASTIC_ROW, abs=0.03)

    def test_second_call_replaces_spectrum_and_energy_with_other_bins(self, h, data):
        h.centroid(data, bins=10)
        h.normalize(data)
        h.centroid(data, bins=20, method="manual")
        assert data.sizes["energy"] == 20
        assert data.spectrum.attrs["algorithm"] == "centroid_two"
        assert "normalized" not in data
        h.integrate(data)
        assert data.sizes["energy"] == 200

    def test_bins_default_to_the_setting(self, h, data):
        h.BINS = 17
        assert h.centroid(data).sizes["energy"] == 17

    def test_manual_takes_the_energy_of_each_frame(self, h, data):
        data["nrj"] = data.nrj.copy()
        data.nrj[3] = 3000.0
        h.centroid(data, method="manual")
        assert data.spectrum[3].sum() < 0.2 * data.spectrum[2].sum()

    def test_attrs_tell_how_it_was_made(self, h, data):
        h.load_dark(DARK)
        h.centroid(data)
        attrs = data.spectrum.attrs
        assert attrs["std_threshold"] == 3.5
        assert (*attrs["x_range"], *attrs["y_range"]) == (0, 256, 700, 900)
        assert attrs["use_dark"] == 1
        assert attrs["hrixs_version"] == hrixs.__version__
        assert attrs["n_photons"] == float(data.spectrum.sum())

    @pytest.mark.parametrize("name", ["MASK", "READ_NOISE"])
    def test_a_dataset_is_no_image_of_the_chip(self, h, data, name):
        h.POSITION = "gaussian"
        setattr(h, name, data)
        with pytest.raises(TypeError, match=f"{name} is a Dataset, expected an array"):
            h.centroid(data)
        with pytest.raises(TypeError, match=f"{name} is a Dataset, expected an array"):
            h.centroid_one(data.MaranaX[0].values)

    def test_result_goes_to_netcdf(self, h, data, tmp_path):
        h.centroid(data)
        data.to_netcdf(tmp_path / "out.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf") as again:
            assert again.spectrum.equals(data.spectrum)

    def test_in_parts_is_the_same(self, h, data, monkeypatch):
        whole = h.centroid(data.copy()).spectrum
        monkeypatch.setattr("hrixs.reduction.stack._BYTES_PER_PART", 1)
        parts = h.centroid(data.copy()).spectrum
        assert parts.identical(whole)

    def test_errors_name_the_frame_of_the_whole_run(self, h, data, monkeypatch):
        monkeypatch.setattr("hrixs.reduction.stack._BYTES_PER_PART", 2 * 256 * 200 * 4)
        data["MaranaX"] = data.MaranaX.astype("f4")
        data.MaranaX[5, 10, 720] = np.nan
        for method in (h.centroid, h.integrate):
            with pytest.raises(ValueError, match="frame 5 has 1 pixels"):
                method(data)
        data.MaranaX[5] = 100
        data.MaranaX[5, 100:110, 720:790:4] = 10000
        h.THRESHOLD, h.MAX_PHOTONS = 9000.0, 5
        with pytest.raises(TooManyPhotonsError, match="frame 5 has"):
            h.centroid(data)

    def test_one_image_without_train_dimension(self, h, data):
        one = h.centroid(data.isel(trainId=0))
        assert one.spectrum.dims == ("energy",)
        np.testing.assert_array_equal(one.spectrum, h.centroid(data).spectrum[0])

    @pytest.mark.parametrize("method", ["auto", "manual"])
    def test_several_frames_in_a_train(self, h, data, method):
        cells = data.isel(trainId=slice(0, 6)).MaranaX.values.reshape(3, 2, 256, 1024)
        ds = xr.Dataset(
            {"MaranaX": (("trainId", "cell", "x", "y"), cells), "nrj": ("trainId", [530.0] * 3)},
            coords={"trainId": [4, 5, 6]},
        )
        h.centroid(ds, method=method)
        assert ds.spectrum.dims == ("trainId", "cell", "energy")
        flat = h.centroid(data, method=method).spectrum.values[:6]
        np.testing.assert_array_equal(ds.spectrum.values.reshape(6, -1), flat)
        assert h.integrate(ds).spectrum.shape == (3, 2, 200)


class TestOneImage:
    def test_centroid_one_lists_corrected_places_a_double_twice(self, h, data):
        image = data.MaranaX[0, h.X_RANGE, h.Y_RANGE]
        h.DBL_THRESHOLD = 200.0
        found = h.centroid_one(image)
        expected = reference.centroid_one(image.values, curvature=CURVATURE, dbl_threshold=200.0)
        assert isinstance(found, list)
        np.testing.assert_allclose(found, np.add(expected, [0, 700]), atol=1e-9)
        assert len(set(found)) < len(found)

    def test_centroid_two_gives_singles_and_doubles(self, h, data):
        image = data.MaranaX[0].values[h.X_RANGE, h.Y_RANGE]
        singles, doubles = h.centroid_two(image, 530.0)
        expected = reference.centroid_two(image, 530.0, curvature=CURVATURE)
        np.testing.assert_allclose(singles, expected[0] + [0, 700], atol=1e-9)
        np.testing.assert_allclose(doubles, expected[1] + [0, 700], atol=1e-9)
        assert doubles.shape[1] == 2

    def test_dark_fits_the_chip_or_the_crop(self, h, data):
        h.load_dark(DARK)
        image = data.MaranaX[0].values
        inside = h.centroid_one(image[h.X_RANGE, h.Y_RANGE])
        whole = h.centroid_one(image)
        assert len(whole) >= len(inside) > 30
        with pytest.raises(ValueError, match=r"expected that of the dark.*or of its crop"):
            h.centroid_one(image[:50, :50])

    def test_parabola(self, h):
        assert h.parabola(10.0) == (CURVATURE[1] * 10 + CURVATURE[0]) * 10
        assert h.parabola(np.arange(3.0)).shape == (3,)

    def test_axes_are_told_by_their_names(self, h, data):
        image = data.MaranaX[0, h.X_RANGE, h.Y_RANGE]
        assert h.centroid_one(image.T) == h.centroid_one(image)
        with pytest.raises(TypeError, match=r"is an xarray\.Dataset"):
            h.centroid_one(data)

    def test_a_stack_is_refused(self, h, data):
        with pytest.raises(ValueError, match="expected one frame"):
            h.centroid_one(data.MaranaX)


class TestIntegrate:
    def test_equals_the_oracle(self, h, data):
        h.integrate(data)
        image = data.MaranaX.values[1][h.X_RANGE, h.Y_RANGE]
        expected, _, _ = reference.integrate(image, curvature=CURVATURE)
        np.testing.assert_allclose(data.spectrum.values[1], expected, rtol=1e-12)
        np.testing.assert_allclose(data.energy, 498.27 + 0.018387 * np.arange(700, 900))

    def test_dark_and_mask(self, h, data):
        h.load_dark(DARK)
        h.MASK = np.zeros((256, 1024), bool)
        h.MASK[5, 710:750] = True
        image = data.MaranaX.values[0]
        h.integrate(data)
        crop = (h.X_RANGE, h.Y_RANGE)
        expected, _, _ = reference.integrate(
            image[crop], curvature=CURVATURE, dark=h.dark_image[crop], mask=h.MASK[crop]
        )
        np.testing.assert_allclose(data.spectrum.values[0], expected, rtol=1e-9, atol=1e-12)


class TestACropMovesNoEnergy:
    """Of the whole width, and of a part of it: the same line at the same energy."""

    @staticmethod
    def centre(h, spectrum):
        total = spectrum.sum("trainId")
        return line_width(total.assign_attrs(units="photons")).centre

    @pytest.mark.parametrize("x_range", [slice(90, None), slice(40, 200)])
    def test_counted(self, h, data, x_range):
        h.BINS = 800
        whole = self.centre(h, h.centroid(data).spectrum)
        h.X_RANGE = x_range
        narrow = h.centroid(data).spectrum
        # Column 0 of the crop as that of the parabola would put the line 3.4 rows too high.
        assert self.centre(h, narrow) == pytest.approx(whole, abs=0.2 * h.ENERGY_SLOPE)
        assert narrow.attrs["x_range"].tolist() == list(x_range.indices(256)[:2])
        assert narrow.attrs["first_pixel"].tolist() == [x_range.start, 700]

    def test_integrated(self, h, data):
        image = data.MaranaX.values[1]
        h.X_RANGE = slice(90, None)
        h.integrate(data)
        outside = np.zeros((256, 200), bool)
        outside[:90] = True
        expected, _, _ = reference.integrate(image[:, 700:900], curvature=CURVATURE, mask=outside)
        np.testing.assert_allclose(data.spectrum.values[1], expected, rtol=1e-12)

    def test_of_a_run_lazy_and_in_memory(self, h, data):
        h.X_RANGE = slice(90, None)
        expected = h.centroid(data)
        result = h.process_run(RUN, photons=True, progress=False)
        np.testing.assert_array_equal(result.spectrum, expected.spectrum)
        np.testing.assert_array_equal(result.energy, expected.energy)
        lazy = h.centroid(h.from_run(RUN, lazy=True)).spectrum.compute()
        np.testing.assert_array_equal(lazy, expected.spectrum)
        np.testing.assert_array_equal(lazy.energy, expected.energy)
        photons = hrixs.photon_table(result)
        assert photons.attrs["first_pixel"].tolist() == [90, 700]
        crop = find_photons(data.MaranaX.values[:, 90:, 700:900])
        np.testing.assert_allclose(photons.x - 90, crop.x, atol=1e-12, rtol=0)
        np.testing.assert_allclose(photons.y - 700, crop.y, atol=1e-12, rtol=0)
        again = h.count(photons, result)
        np.testing.assert_array_equal(again.spectrum, expected.spectrum)
        np.testing.assert_array_equal(again.energy, expected.energy)

    def test_a_dataset_cut_by_hand_keeps_its_place(self, h, data):
        placed = data.assign_coords(x=np.arange(256), y=np.arange(1024))
        expected = h.centroid(placed.isel(x=slice(90, None))).spectrum
        h.X_RANGE = slice(90, None)
        np.testing.assert_array_equal(h.centroid(data).spectrum, expected)

    @pytest.mark.parametrize("method", ["image", "photons"])
    def test_the_fit_of_a_part_is_that_of_the_chip(self, h, data, method):
        h.X_RANGE = slice(64, None)
        h.CURVE_A = h.CURVE_B = 0.0
        h.find_curvature(data, plot=True, method=method)
        x = np.arange(64.0, 256.0)
        moved = h.parabola(x) - reference.parabola(x, CURVATURE)
        assert np.abs(moved - moved.mean()).max() < 0.6
        fit = h.curvature_fit
        assert fit.centre(x) == pytest.approx(ELASTIC_ROW + reference.parabola(x, CURVATURE), abs=1)
        np.testing.assert_allclose(fit.curvature(x), h.parabola(x))


class TestDarkAndCurvature:
    def test_load_dark_switches_dark_subtraction_on(self, h):
        assert h.load_dark(DARK) is None
        assert h.USE_DARK
        assert h.dark_image.shape == (256, 1024)

    def test_hot_pixels_are_no_photons_with_a_dark(self, h, data):
        h.Y_RANGE = slice(None)
        h.THRESHOLD = 450.0
        with_hot = h.centroid(data).spectrum.attrs["n_hits"]
        h.load_dark(DARK)
        h.THRESHOLD = 50.0  # the pedestal of four pixels less
        n_hot = np.count_nonzero(h.dark_image[2:-2, 2:-2] > 160)
        assert n_hot > 10
        # One hit in each of the 8 frames, but for hot pixels beside a photon.
        lost = with_hot - h.centroid(data).spectrum.attrs["n_hits"]
        assert lost == pytest.approx(8 * n_hot, rel=0.05)

    def test_dark_can_be_switched_off_again(self, h, data):
        without = h.centroid(data).spectrum
        h.load_dark(DARK)
        h.USE_DARK = False
        assert h.centroid(data).spectrum.equals(without)

    def test_a_mask_is_taken_by_the_names_of_its_axes(self, h, data):
        mask = np.zeros((256, 1024), bool)
        mask[:, 780:800] = mask[30:60] = True
        named = xr.DataArray(mask, dims=("x", "y"))
        h.MASK = mask
        expected = h.centroid(data.copy()).spectrum
        for given in (named, named.transpose("y", "x")):
            h.MASK = given
            np.testing.assert_array_equal(h.centroid(data.copy()).spectrum, expected)

    def test_dark_with_nan_is_refused_unless_masked(self, h, data):
        data["MaranaX"] = data.MaranaX.astype("f8")
        data.MaranaX[3, 7, 8] = np.nan
        with pytest.raises(ValueError, match="the dark has 1 pixels"):
            h.load_dark(data)
        assert not h.USE_DARK
        h.MASK = np.zeros((256, 1024), bool)
        h.MASK[7, 8] = True
        with pytest.warns(HrixsWarning, match="light on most of the dark images"):
            h.load_dark(data)
        assert h.USE_DARK

    def test_images_that_are_no_real_numbers_are_refused(self, h, data):
        data["MaranaX"] = data.MaranaX.astype(complex)
        for method in (h.load_dark, h.mean_image):
            with pytest.raises(TypeError, match="'MaranaX' has dtype complex128, expected real"):
                method(data)
        assert not h.USE_DARK

    def test_dark_of_another_camera_is_refused(self, h, data):
        h.load_dark(DARK)
        h.DETECTOR = "hRIXS_det"
        with pytest.raises(ValueError, match="the dark is of MaranaX, but DETECTOR is hRIXS_det"):
            h.centroid(data.rename(MaranaX="hRIXS_det"))

    def test_use_dark_without_a_dark(self, h, data):
        h.USE_DARK = True
        with pytest.raises(MissingDataError, match="load_dark"):
            h.centroid(data)

    def test_find_curvature_sets_and_returns(self, h):
        h.CURVE_A = h.CURVE_B = 0.0
        found = h.find_curvature(RUN, plot=False)
        assert found == (h.CURVE_A, h.CURVE_B)
        x = np.arange(256.0)
        moved = h.parabola(x) - reference.parabola(x, CURVATURE)
        assert np.abs(moved - moved.mean()).max() < 0.3
        assert abs(h.CURVE_A - CURVATURE[0]) < 4 * h.curvature_fit.curve_a_err

    def test_find_curvature_from_a_start_and_a_loaded_dataset(self, h, data):
        found = h.find_curvature(RUN, plot=False, args=(0.035, -1e-5))
        assert h.find_curvature(data, plot=False) == pytest.approx(found, rel=1e-3)

    def test_plot_draws_the_curve(self, h):
        import matplotlib.pyplot as plt

        h.find_curvature(RUN)
        (axes, *_) = plt.gcf().axes
        assert len(axes.lines) == 1

    def test_no_line_keeps_the_old_values(self, h):
        h.Y_RANGE = slice(100, 400)
        with pytest.raises(NoLineError, match="no spectral line found"):
            h.find_curvature(DARK, plot=False)
        assert (h.CURVE_A, h.CURVE_B) == CURVATURE
        assert h.curvature_fit is None


class TestMeanImage:
    def test_is_of_the_crop_in_pixels_of_the_chip(self, h, data):
        h.load_dark(DARK)
        h.MASK = np.zeros((256, 1024), bool)
        h.MASK[3, 710] = True
        image = h.mean_image(data)
        assert image.y.values.tolist() == list(range(700, 900))
        assert source_text(image) == "p003145, r0145, 8 images"
        assert np.isnan(image.sel(x=3, y=710))
        expected = (data.MaranaX.mean("trainId") - h.dark_image)[5, 750]
        assert float(image.sel(x=5, y=750)) == pytest.approx(float(expected))
        h.MASK = None
        assert h.mean_image(RUN).equals(h.mean_image(data))


class TestAggregateAndNormalize:
    def test_sums_means_and_counts(self, h, data):
        h.centroid(data)
        agg = h.aggregate(data)
        assert int(agg.counts) == 8
        np.testing.assert_array_equal(agg.spectrum, data.spectrum.sum("trainId"))
        assert float(agg.hRIXS_delay) == pytest.approx(float(data.hRIXS_delay.mean()))
        assert float(agg.hRIXS_norm) == pytest.approx(float(data.hRIXS_norm.sum()))
        assert h.aggregate_ds(data).identical(agg)

    def test_images_add_without_overflow(self, h, data):
        data["MaranaX"] = xr.full_like(data.MaranaX, 65535)
        assert int(h.aggregate(data).MaranaX.max()) == 8 * 65535

    def test_group_by_delay(self, h, data, simulated):
        h.centroid(data)
        agg = h.aggregate(data, "hRIXS_delay")
        assert agg.spectrum.dims == ("hRIXS_delay", "energy")
        np.testing.assert_array_equal(agg.hRIXS_delay, [-1, 0, 2])
        np.testing.assert_array_equal(agg.counts, [3, 3, 2])
        group = data.spectrum.values[simulated.delay == 2].sum(axis=0)
        np.testing.assert_array_equal(agg.spectrum.sel(hRIXS_delay=2), group)

    def test_axes_keep_their_attributes(self, h, data):
        data = data.assign_coords(scan=("trainId", np.arange(8.0), {"units": "mm"}))
        data["trainId"].attrs["long_name"] = "train"
        h.centroid(data)
        agg = h.aggregate(data, "hRIXS_delay")
        agg["hRIXS_norm_err"] = agg.hRIXS_norm.copy(data=agg.hRIXS_norm.values / 100)
        assert agg.energy.attrs == {"units": "eV", "long_name": "energy"}
        assert agg.hRIXS_delay.attrs["units"] == "ps"
        for given in (data, agg, h.aggregate(data)):
            before = given.copy(deep=True)
            returned = h.normalize(given)
            assert "normalized" in given.data_vars
            for name, variable in before.variables.items():
                assert given.variables[name].identical(variable), name
                assert returned.variables[name].identical(variable), name
        assert agg.normalized.energy.attrs == agg.energy.attrs
        with_units = {"units": "photons per hRIXS_norm", "normalized_by": "hRIXS_norm"}
        assert with_units.items() <= agg.normalized.attrs.items()

    def test_frames_without_a_delay_are_counted_and_named(self, h, data):
        data["hRIXS_delay"] = data.hRIXS_delay.copy()
        data.hRIXS_delay[0] = np.nan
        with pytest.warns(HrixsWarning, match="1 of 8 frames have no hRIXS_delay"):
            agg = h.aggregate(data, "hRIXS_delay")
        assert agg.attrs["n_frames_without_hRIXS_delay"] == 1
        assert int(agg.counts.sum()) == 7

    def test_users_extend_the_aggregators(self, h, data):
        assert "temperature" not in h.aggregate(data.assign(temperature=data.nrj))
        h.aggregators["temperature"] = lambda da, dim: da.max(dim)
        agg = h.aggregate(data.assign(temperature=data.nrj))
        assert float(agg.temperature) == 530.0
        assert h.aggregator(data.trainId, "trainId") is None

    def test_the_public_aggregator_is_the_one_that_is_used(self, data):
        class Largest(hRIXS):
            def aggregator(self, da, dim):
                return da.max(dim) if da.name == "hRIXS_norm" else None

        agg = Largest().aggregate(data, "hRIXS_delay")
        assert list(agg.data_vars) == ["hRIXS_norm", "counts"]
        assert float(agg.hRIXS_norm.max()) == float(data.hRIXS_norm.max())

    def test_an_aggregator_that_fails_is_named(self, h, data):
        h.aggregators["nrj"] = np.max
        with pytest.raises(TypeError, match="the aggregator of 'nrj' failed"):
            h.aggregate(data)

    def test_sums_do_not_carry_the_counts_of_all_frames(self, h, data):
        h.centroid(data)
        assert "n_photons" in data.spectrum.attrs
        agg = h.aggregate(data, "hRIXS_delay")
        assert "n_photons" not in agg.spectrum.attrs
        assert agg.spectrum.attrs["std_threshold"] == 3.5

    def test_aggregating_groups_again_adds_their_counts(self, h, data):
        h.centroid(data)
        twice = h.aggregate(h.aggregate(data, "hRIXS_delay"), dim="hRIXS_delay")
        assert int(twice.counts) == 8
        np.testing.assert_array_equal(twice.spectrum, h.aggregate(data).spectrum)

    def test_normalize_adds_the_ratio(self, h, data):
        h.centroid(data)
        agg = h.aggregate(data, "hRIXS_delay")
        result = h.normalize(agg)
        np.testing.assert_allclose(agg.normalized * agg.hRIXS_norm, agg.spectrum)
        assert result.normalized.dims == ("hRIXS_delay", "energy")
        h.normalize(agg, which="counts")
        np.testing.assert_allclose(agg.normalized * agg.counts, agg.spectrum)

    def test_normalize_warns_of_zeros(self, h, data):
        h.centroid(data)
        data["hRIXS_norm"] = data.hRIXS_norm * 0
        with pytest.warns(HrixsWarning, match="8 of 8 values of hRIXS_norm"):
            h.normalize(data)

    def test_missing_names(self, h, data):
        with pytest.raises(MissingDataError, match="no spectrum"):
            h.normalize(data)
        h.centroid(data)
        with pytest.raises(MissingDataError, match="Did you mean 'hRIXS_norm'"):
            h.normalize(data, "hRIXS_nrm")
        with pytest.raises(MissingDataError, match="Did you mean 'hRIXS_delay'"):
            h.aggregate(data, "hRIXS_delai")
        with pytest.raises(MissingDataError, match="unknown dimension 'train'"):
            h.aggregate(data, dim="train")
        with pytest.raises(ValueError, match="expected one value for each frame"):
            h.aggregate(data, "spectrum")


class TestBadInput:
    """Each a clear error, and the dataset as it was."""

    @pytest.mark.parametrize(
        ("settings", "call", "error", "text"),
        [
            ({"Y_RANGE": slice(1500, 1600)}, {}, ValueError, "leaves 0 of 1024 pixels"),
            ({"Y_RANGE": slice(700, 900, 2)}, {}, ValueError, "has a step"),
            ({"X_RANGE": slice(10, 12)}, {}, ValueError, "leaves 2 of 256 pixels"),
            ({"X_RANGE": slice(0.5, 100)}, {}, TypeError, "expected whole numbers"),
            ({"Y_RANGE": (700, 900)}, {}, TypeError, "expected a slice"),
            ({}, {"bins": 0}, ValueError, "bins = 0"),
            ({"BINS": 2.5}, {}, ValueError, "bins = 2.5"),
            ({}, {"method": "automatic"}, ValueError, "Did you mean 'auto'"),
            ({"ELECTRONS_PER_ADU": 0}, {"method": "manual"}, ValueError, "electrons_per_adu = 0"),
            ({"THRESHOLD": -1e9, "MAX_PHOTONS": 10}, {}, TooManyPhotonsError, "frame 0 has"),
            ({"MASK": np.zeros((5, 5), bool)}, {}, ValueError, "MASK has shape"),
            ({"THREADS": 0}, {}, ValueError, "threads = 0"),
            ({"DETECTOR": "hRIXS_det"}, {}, MissingDataError, "no images 'hRIXS_det'"),
        ],
    )
    def test_settings(self, h, data, settings, call, error, text):
        h.set_params(**settings)
        before = data.copy(deep=True)
        with pytest.raises(error, match=text):
            h.centroid(data, **call)
        assert unchanged(data, before)

    def test_integrate_before_any_image(self, h):
        with pytest.raises(MissingDataError, match="from_run"):
            h.integrate(xr.Dataset())
        with pytest.raises(TypeError, match=r"an xarray\.Dataset"):
            h.integrate(np.zeros((4, 4)))

    def test_manual_without_energy(self, h, data):
        before = data.drop_vars("nrj")
        ds = before.copy()
        with pytest.raises(MissingDataError, match="nrj"):
            h.centroid(ds, method="manual")
        assert unchanged(ds, before)

    @pytest.mark.parametrize("energy", [0.0, -530.0, np.nan])
    def test_energy_that_is_none(self, h, data, energy):
        data["nrj"] = data.nrj.copy()
        data.nrj[2] = energy
        with pytest.raises(ValueError, match="photon energy of 1 of 8 frames"):
            h.centroid(data, method="manual")
        assert "spectrum" not in data

    @pytest.mark.parametrize("call", ["centroid", "noise_report"])
    def test_energy_that_is_text(self, h, data, call):
        data["nrj"] = ("trainId", np.full(8, "530 eV"))
        options = {"method": "manual"} if call == "centroid" else {}
        with pytest.raises(ValueError, match="'nrj' has values of dtype <U6, expected photon"):
            getattr(h, call)(data, **options)
        assert "spectrum" not in data

    def test_nan_pixels_are_counted_and_named(self, h, data):
        data["MaranaX"] = data.MaranaX.astype("f4")
        data.MaranaX[4, 10, 720:723] = np.nan
        before = data.copy(deep=True)
        for method in (h.centroid, h.integrate):
            with pytest.raises(ValueError, match="frame 4 has 3 pixels that are NaN"):
                method(data)
            assert unchanged(data, before)
        h.MASK = np.isnan(data.MaranaX.values).any(axis=0)
        h.centroid(data)
        assert np.isfinite(h.integrate(data).spectrum).all()

    def test_not_a_dataset(self, h, data):
        for call in (h.centroid, h.integrate, h.aggregate, h.normalize):
            with pytest.raises(TypeError, match=r"expected .*, an xarray\.Dataset"):
                call(data.MaranaX)

    def test_own_energy_variable_is_not_lost(self, h, data):
        data["energy"] = data.nrj
        before = data.copy()
        with pytest.raises(ValueError, match="has a variable 'energy' over"):
            h.centroid(data)
        assert unchanged(data, before)

    def test_no_images(self, h, data):
        with pytest.raises(ValueError, match="there is no image"):
            h.centroid(data.isel(trainId=slice(0, 0)))

    def test_own_variable_on_the_energy_axis_is_not_lost(self, h, data):
        h.centroid(data)
        data["mine"] = data.spectrum * 2
        before = data.copy()
        with pytest.raises(ValueError, match="mine of the dataset are on the present energy axis"):
            h.centroid(data, bins=33)
        assert unchanged(data, before)
        h.centroid(data)
        assert "mine" in data

    def test_crop_past_the_chip_is_told(self, h, data):
        h.Y_RANGE = slice(700, 2000)
        with pytest.warns(HrixsWarning, match="extends beyond the chip of 1024 pixels"):
            h.centroid(data)
        h.Y_RANGE = slice(-300, None)
        assert h.centroid(data).energy[0] == pytest.approx(498.27 + 0.018387 * (724 + 0.3))


@pytest.mark.parametrize("name", ["USE_DARK", "LOCAL_BACKGROUND", "SPLIT_DOUBLES"])
@pytest.mark.parametrize("value", ["no", 2, None, np.zeros(3), np.array(True)])
@pytest.mark.one_in(2)
def test_what_is_on_or_off_is_a_bool(h, data, name, value):
    h.load_dark(DARK)
    h.set_params(position="gaussian", dbl_threshold=220.0, **{name.lower(): value})
    assert "\n" not in repr(h)
    with pytest.raises(ValueError, match=f"(?i){name} = .*, expected True or False"):
        h.centroid(data)
    setattr(h, name, np.True_)
    assert "spectrum" in h.centroid(data)


def test_aggregators_that_are_no_functions_by_name(h, data):
    h.aggregators = [np.mean]
    with pytest.raises(TypeError, match="aggregators is list, expected a dict of functions"):
        h.aggregate(h.centroid(data))


def test_a_curve_that_is_no_number(h, data):
    h.CURVE_A = "steep"
    with pytest.raises(ValueError, match="expected a pair of finite numbers"):
        h.centroid_one(data.MaranaX[0].values)
