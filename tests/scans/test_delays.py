"""From the position of a stage to the delay of its beam."""

import numpy as np
import pytest
import xarray as xr

from hrixs import delay_from_position

LIGHT_IN_MM_PER_PS = 0.299792458


def test_there_and_back_at_the_speed_of_light():
    delay = delay_from_position([10.0, 10.0 + LIGHT_IN_MM_PER_PS / 2, np.nan], t0=10.0)
    np.testing.assert_allclose(delay, [0, 1, np.nan], atol=1e-12)
    once = delay_from_position(10.0 + LIGHT_IN_MM_PER_PS, t0=10.0, passes=1, sign=-1)
    assert float(once) == pytest.approx(-1.0)


@pytest.mark.parametrize(("units", "size"), [("mm", 1), ("m", 1e-3), ("um", 1e3), ("µm", 1e3)])
def test_units_are_those_of_the_position(units, size):
    attrs = {"units": units, "source": "A/B/C"}
    position = xr.DataArray([0.15 * size, 0.3 * size], {"trainId": [3, 4]}, ["trainId"], "stage")
    position.attrs = attrs
    delay = delay_from_position(position, t0=0.15 * size)
    np.testing.assert_allclose(delay, [0, 2 * 0.15 / LIGHT_IN_MM_PER_PS], atol=1e-12)
    assert delay.name == "delay"
    assert delay.attrs["units"] == "ps"
    assert delay.attrs["long_name"] == "delay"
    assert (delay.attrs["made_of"], delay.attrs["t0_units"]) == ("stage", units)
    assert delay.trainId.identical(position.trainId)
    assert position.attrs == attrs
    plain = delay_from_position(position.values, t0=0.15 * size, units=units)
    np.testing.assert_array_equal(plain, delay)


def test_lazy_stays_lazy():
    pytest.importorskip("dask")
    position = xr.DataArray(np.arange(4.0), dims="trainId")
    lazy = delay_from_position(position.chunk(trainId=2), t0=1.0)
    assert lazy.chunks is not None
    xr.testing.assert_identical(lazy.compute(), delay_from_position(position, t0=1.0))


@pytest.mark.parametrize(
    ("attrs", "options", "text"),
    [
        ({"units": "ps"}, {}, "the position is in 'ps', expected a length"),
        ({"units": "deg"}, {}, "the position is in 'deg'"),
        ({"units": "um"}, {"units": "mm"}, "the position says that it is in 'um'"),
        ({}, {"units": "inch"}, "the position is in 'inch'"),
        ({}, {"sign": 2}, "sign = 2, expected 1 or -1"),
        ({}, {"passes": 0}, "passes = 0"),
        ({}, {"t0": np.nan}, "t0 = nan"),
        ({}, {"t0": "zero"}, "t0 = 'zero', expected a number"),
    ],
)
def test_errors(attrs, options, text):
    position = xr.DataArray([1.0], dims="trainId", attrs=attrs)
    with pytest.raises(ValueError, match=text):
        delay_from_position(position, **{"t0": 0.0} | options)
