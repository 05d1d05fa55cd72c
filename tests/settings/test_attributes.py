"""Settings as attributes: what is nearly one is told, and what get_params gives is all."""

import json
import warnings

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, PROPOSAL, RUN
from hrixs import Curvature, HrixsWarning, hRIXS
from hrixs.settings.state import plain_settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("threshold_std", "STD_THRESHOLD"), ("std_threshold", "STD_THRESHOLD"),
        ("STD_TRESHOLD", "STD_THRESHOLD"), ("std_treshold", "STD_THRESHOLD"),
        ("Y_range", "Y_RANGE"), ("range_y", "Y_RANGE"), ("curve_A", "CURVE_A"),
        ("energyslope", "ENERGY_SLOPE"), ("slope_energy", "ENERGY_SLOPE"), ("Bins", "BINS"),
    ],
)  # fmt: skip
def test_a_name_that_is_nearly_a_setting_is_told(name, meant):
    with pytest.warns(HrixsWarning, match=rf"unknown setting '{name}'. Did you mean '{meant}'"):
        setattr(hRIXS(), name, 5)


@pytest.mark.parametrize("name", ["note", "sample", "my_runs", "temperature", "_energy_slop"])
def test_other_attributes_are_ones_own(name):
    h = hRIXS()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        setattr(h, name, 5)
        setattr(h, name, 6)
        h.dark, h.calibrated = h.dark, None
    assert getattr(h, name) == 6


@pytest.mark.parametrize("slope", [0, 0.0, np.float32(0), -0.0])
def test_an_axis_without_extent_is_told_when_it_is_set(slope):
    with pytest.warns(HrixsWarning, match="ENERGY_SLOPE = 0 gives all rows the same energy"):
        hRIXS().ENERGY_SLOPE = slope


class TestGetAndSet:
    def test_all_of_one_makes_another_the_same(self, h, data):
        h.load_dark(DARK)
        h.curvature = Curvature((0.04, -2e-5, 1e-10), reference=300.0)
        h.calibrated = (498.27, 0.018387), (525.0, 535.0)
        h.MASK = np.zeros((256, 1024), bool)
        h.MASK[3, 800] = True
        other = hRIXS()
        other.set_params(**h.get_params())
        xr.testing.assert_identical(other.centroid(data.copy()), h.centroid(data.copy()))
        assert other.curvature == h.curvature
        assert other.dark_image is h.dark_image
        assert other.calibrated == h.calibrated
        assert repr(other) == repr(h)

    def test_what_is_not_set_is_not_there(self):
        assert set(hRIXS().get_params()) == {name.lower() for name in hRIXS.NAMES}

    def test_another_object_is_not_changed_by_what_was_handed_over(self, h):
        other = hRIXS()
        other.set_params(**h.get_params())
        other.FIELDS.append("transmission")
        assert "transmission" not in h.FIELDS

    def test_a_curvature_that_contradicts_its_numbers_is_refused(self):
        h = hRIXS()
        with pytest.raises(ValueError, match=r"curve_a = 0.5 was given together with a curvature"):
            h.set_params(bins=7, curve_a=0.5, curvature=Curvature((0.04, -2e-5)))
        assert h.BINS == 500
        h.set_params(curve_a=0.04, curvature=Curvature((0.04, -2e-5)))
        assert h.curvature == Curvature((0.04, -2e-5))

    def test_plain_values_are_taken_as_they_stand_in_results(self, h):
        h.set_params(x_range=slice(-900, None), pedestal=slice(10, 40), threshold="6 sigma")
        h.MASK = np.arange(256 * 1024).reshape(256, 1024) % 997 == 5
        h.FIELDS = [*h.FIELDS, ("SCS/SOURCE", "key.value")]
        text = json.dumps(plain_settings(h))
        other = hRIXS()
        other.set_params(**json.loads(text))
        assert slice(-900, None) == other.X_RANGE
        assert (slice(700, 900), slice(10, 40)) == (other.Y_RANGE, other.PEDESTAL)
        assert other.THRESHOLD == "6 sigma"
        assert other.FIELDS == h.FIELDS
        np.testing.assert_array_equal(other.MASK, h.MASK)

    def test_ranges_may_be_typed_as_text(self):
        h = hRIXS()
        h.Y_RANGE, h.X_RANGE = "700:900", ":-5"
        assert (slice(700, 900), slice(None, -5)) == (h.Y_RANGE, h.X_RANGE)

    @pytest.mark.parametrize("name", ["mash", "threshold_std", ""])
    def test_an_unknown_name_is_an_error_and_nothing_is_set(self, name):
        h = hRIXS(PROPOSAL)
        with pytest.raises(AttributeError, match=f"unknown setting '{name}'"):
            h.set_params(**{"bins": 7, name: 1})
        assert h.BINS == 500


def test_settings_of_a_result_are_those_that_made_it(h):
    h.BINS = 321
    result = h.process_run(RUN, progress=False)
    for text in (result.attrs["settings"], h.centroid(h.from_run(RUN)).attrs["settings"]):
        other = hRIXS()
        other.set_params(**json.loads(text))
        assert repr(other) == repr(h)


@pytest.mark.parametrize(
    ("name", "value"),
    [("READ_NOISE", xr.Dataset()), ("READ_NOISE", object()), ("MAX_PIXEL", 1j),
     ("STD_THRESHOLD", max), ("FIELDS", [object()])],
)  # fmt: skip
def test_a_wrong_setting_that_a_call_does_not_use_stops_none_and_is_told(h, name, value):
    data = h.from_run(RUN)
    setattr(h, name, value)
    result = h.integrate(data)
    assert '"not recorded"' in result.attrs["settings"]
    with pytest.warns(
        HrixsWarning, match=rf"{name} was .*, which cannot be stored, so it is not set"
    ):
        again = hRIXS.from_result(result)
    assert getattr(again, name) == getattr(hRIXS(), name)
