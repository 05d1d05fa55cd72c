"""Spectra divided by a variable, by an expression, or by values; pulses added up; errors kept."""

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, hRIXS

IDS = np.array([1001, 1011, 1021, 1031])
COUNTS = np.array([[100.0, 25.0], [50.0, 4.0], [64.0, 9.0], [81.0, 16.0]])
PULSES = np.array([[2.0, 3.0, 1.0], [4.0, 1.0, 1.0], [5.0, 5.0, 7.0], [9.0, 8.0, 1.0]])
XGM = np.array([5.0, 4.0, 17.0, 17.0])  # 1.0 where there is no pulse


@pytest.fixture
def data() -> xr.Dataset:
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), COUNTS, {"units": "photons"}),
            "spectrum_err": (("trainId", "energy"), np.sqrt(COUNTS)),
            "SCS_SA3": (("trainId", "XGMbunchId"), PULSES, {"no_pulse": 1.0}),
            "transmission": ("trainId", [50.0, 100.0, 20.0, 80.0]),
        },
        coords={"trainId": IDS, "energy": [1.0, 2.0]},
    )


def test_pulses_are_added_up_and_never_a_dimension(data):
    result = hRIXS().normalize(data, "SCS_SA3")
    assert result.normalized.dims == ("trainId", "energy")
    np.testing.assert_allclose(result.normalized, COUNTS / XGM[:, None])
    np.testing.assert_array_equal(result.normalized_divisor, XGM)
    assert result.normalized.attrs["units"] == "photons per SCS_SA3"


@pytest.mark.parametrize("keep_attrs", [True, False, "default"])
def test_a_ratio_says_what_unit_it_has(data, keep_attrs):
    """findings/xarray_ratio_keeps_its_unit.sh."""
    data["n_photons"] = data.spectrum.sum("energy").assign_attrs(units="photons")
    with xr.set_options(keep_attrs=keep_attrs):
        result = hRIXS().normalize(data, "n_photons")
    assert result.normalized.attrs["units"] == "photons per n_photons"
    assert result.hrixs.error("normalized").attrs["units"] == "photons per n_photons"


def test_the_fill_of_well_known_fields_is_known_without_their_attributes(data):
    data["SCS_SA3"].attrs.clear()
    result = hRIXS().normalize(data, "SCS_SA3")
    np.testing.assert_array_equal(result.normalized_divisor, XGM)


def test_pulses_of_which_no_fill_is_known_are_all_added_up_and_that_is_told(data):
    data["mine"] = data.SCS_SA3.drop_attrs()
    with pytest.warns(HrixsWarning, match="its value where there is no pulse is not known"):
        result = hRIXS().normalize(data, "mine")
    np.testing.assert_array_equal(result.normalized_divisor, PULSES.sum(axis=1))


def test_an_expression_of_names(data):
    result = hRIXS().normalize(data, "SCS_SA3 * transmission / 100")
    expected = XGM * data.transmission.values / 100
    np.testing.assert_allclose(result.normalized, COUNTS / expected[:, None])
    assert result.normalized.attrs["normalized_by"] == "SCS_SA3 * transmission / 100"
    assert result.normalized.attrs["units"] == "photons per (SCS_SA3 * transmission / 100)"


def test_errors_of_the_names_are_propagated(data):
    """Against the derivatives by hand: f = a t / 100, df/da = t / 100, df/dt = a / 100."""
    pulse_err = np.full(PULSES.shape, 0.5)
    data["SCS_SA3_err"] = ("trainId", "XGMbunchId"), pulse_err
    data["transmission_err"] = "trainId", np.full(4, 2.0)
    h = hRIXS()
    result = h.normalize(data, "SCS_SA3 * transmission / 100")
    t = data.transmission.values
    of_sum = 0.5 * np.sqrt((PULSES != 1).sum(axis=1))
    expected = np.hypot(t / 100 * of_sum, XGM / 100 * 2.0)
    np.testing.assert_allclose(np.sqrt(result.normalized_divisor_var), expected, rtol=1e-6)
    relative = np.hypot(1 / np.sqrt(COUNTS), (expected / (XGM * t / 100))[:, None])
    np.testing.assert_allclose(
        result.hrixs.error("normalized") / result.normalized, relative, rtol=1e-6
    )


def test_values_are_aligned_by_their_coordinates(data):
    values = xr.DataArray([4.0, 3.0, 2.0, 1.0, 9.0], {"trainId": [*IDS[::-1], 5]}, ["trainId"])
    result = hRIXS().normalize(data, values, error=0.5)
    np.testing.assert_allclose(result.normalized, COUNTS / np.array([1, 2, 3, 4])[:, None])
    relative = np.hypot(1 / np.sqrt(COUNTS), 0.5 / np.array([1, 2, 3, 4])[:, None])
    np.testing.assert_allclose(result.hrixs.error("normalized") / result.normalized, relative)


def test_trains_without_a_value_are_named_and_the_others_stay(data):
    values = xr.DataArray([1.0, 2.0, 4.0], {"trainId": IDS[[0, 1, 3]]}, ["trainId"])
    with pytest.warns(HrixsWarning) as told:
        result = hRIXS().normalize(data, values)
    assert "no value for train 1021" in str(told[0].message)
    assert result.sizes["trainId"] == 4
    assert np.isnan(result.normalized[2]).all()
    np.testing.assert_allclose(result.normalized[3], COUNTS[3] / 4)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (xr.DataArray(np.ones((4, 3)), dims=("trainId", "cell")), r"Sum over cell first"),
        (xr.DataArray(np.ones(3), dims="trainId"), "3 values along trainId, expected 4"),
        (xr.DataArray(np.ones(2), {"trainId": [5, 5]}, ["trainId"]), "several values at the same"),
    ],
)
def test_values_that_do_not_fit_are_refused(data, values, text):
    with pytest.raises(ValueError, match=text):
        hRIXS().normalize(data, values)


def test_values_of_other_trains_are_refused(data):
    values = xr.DataArray(np.ones(2), {"trainId": [5, 6]}, ["trainId"])
    with pytest.raises(MissingDataError, match="none of the spectra's values of trainId: 5 to 6"):
        hRIXS().normalize(data, values)


def test_zero_and_nan_leave_only_their_own_trains_out(data):
    data["monitor"] = "trainId", [2.0, 0.0, np.nan, 4.0]
    with pytest.warns(HrixsWarning, match=r"2 of 4 values of monitor .*trains 1011, 1021; norm"):
        result = hRIXS().normalize(data, "monitor")
    np.testing.assert_allclose(result.normalized[[0, 3]], COUNTS[[0, 3]] / [[2.0], [4.0]])
    assert np.isnan(result.normalized[1:3]).all()
    assert np.isnan(result.hrixs.error("normalized")[1:3]).all()


def test_unknown_names_in_an_expression(data):
    with pytest.raises(MissingDataError, match="Did you mean 'transmission'"):
        hRIXS().normalize(data, "SCS_SA3 * transmision")
    assert "normalized" not in data


def test_a_divisor_of_before_does_not_stay(data):
    h = hRIXS()
    data["transmission_err"] = "trainId", np.full(4, 2.0)
    h.normalize(data, "2 * transmission")
    assert "normalized_divisor_var" in data
    h.normalize(data, "SCS_SA3 / 2")
    assert "normalized_divisor_var" not in data
    h.normalize(data, "transmission")
    assert "normalized_divisor" not in data
