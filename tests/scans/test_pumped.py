"""Which trains were pumped."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, aggregate, pumped_by

ON = np.array([True, False, True, True, False, False])
LASER = 1 << 13


@pytest.fixture
def data() -> xr.Dataset:
    rng = np.random.default_rng(1)
    pattern = np.full((6, 10), 5 << 18, dtype=np.uint32)
    pattern[ON, 3:6] |= np.uint32(LASER)
    pulses = np.zeros((6, 10))
    pulses[ON, 2:5] = rng.normal(40, 1, (3, 3))
    variables = {
        "laser": ("trainId", np.where(ON, 10.0, 0.2) + rng.normal(0, 0.05, 6)),
        "shutter": ("trainId", np.where(ON, 3, 2)),
        "is_on": ("trainId", ON),
        "state": ("trainId", np.where(ON, "OPEN", "CLOSED")),
        "pattern": (("trainId", "pulse"), pattern),
        "pulses": (("trainId", "pulse"), pulses),
        "spectrum": (("trainId", "energy"), np.eye(6)),
    }
    return xr.Dataset(variables, {"trainId": [100, 101, 102, 104, 105, 107]})


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("laser", {}),
        ("laser", {"above": 5}),
        ("shutter", {}),
        ("shutter", {"equals": 3}),
        ("shutter", {"equals": [3, 4]}),
        ("shutter", {"bits": 1}),
        ("is_on", {}),
        ("state", {"equals": "OPEN"}),
        ("pattern", {"bits": LASER}),
        ("pattern", {"bits": LASER | 1 << 14}),
        ("pulses", {}),
        ("pulses", {"above": 10}),
    ],
)
def test_by_a_field(data, field, options):
    pumped = pumped_by(data, field, **options)
    assert pumped.dtype == bool
    assert pumped.name == "pumped"
    np.testing.assert_array_equal(pumped, ON)
    assert (pumped.attrs["n_pumped"], pumped.attrs["n_unpumped"]) == (3, 3)
    sums = aggregate(data.assign(pumped=pumped), "pumped")
    np.testing.assert_array_equal(sums.spectrum.sel(pumped=True), ON.astype(float))


class TestAlternateTrains:
    def test_missing_trains_shift_nothing(self, data):
        even = data.trainId.values % 2 == 0
        for first in (True, 100, 102, 98):
            pumped = pumped_by(data, alternate=True, first_pumped=first)
            np.testing.assert_array_equal(pumped, even)
        for first in (False, 101, 2**70 + 1):
            np.testing.assert_array_equal(
                pumped_by(data, alternate=True, first_pumped=first), ~even
            )

    def test_ids_of_every_kind(self, data):
        unsigned = data.assign_coords(trainId=data.trainId.astype("u8"))
        pumped = pumped_by(unsigned.isel(trainId=slice(None, None, -1)), alternate=True,
                           first_pumped=107)  # fmt: skip
        np.testing.assert_array_equal(pumped, [True, True, False, False, True, False])

    def test_images_of_every_second_train_are_told(self, data):
        with pytest.warns(HrixsWarning, match="all of 3 trains are pumped, by alternate trains"):
            pumped_by(data.isel(trainId=[0, 2, 3]), alternate=True, first_pumped=True)


def test_trains_without_a_value_are_not_known(data):
    data.laser[1] = np.nan
    with pytest.warns(HrixsWarning, match="1 of 6 trains have no value .*: train 101"):
        pumped = pumped_by(data, "laser")
    np.testing.assert_array_equal(pumped, [1, np.nan, 1, 1, 0, 0])
    assert pumped.attrs["n_unknown"] == 1
    with pytest.warns(HrixsWarning, match="1 of 6 frames have no pumped"):
        sums = aggregate(data.assign(pumped=pumped), "pumped")
    assert sums.counts.sel(pumped=True) == 3
    assert sums.counts.sel(pumped=False) == 2


@pytest.mark.parametrize(
    ("field", "options", "error", "text"),
    [
        (None, {}, ValueError, "nothing says which trains are pumped"),
        (None, {"alternate": True}, ValueError, "give first_pumped=True or False"),
        (None, {"alternate": True, "first_pumped": 1.5}, ValueError, "expected True, False or a"),
        (
            "laser",
            {"alternate": True, "first_pumped": True},
            ValueError,
            "expected only one of the two",
        ),
        ("laser", {"first_pumped": True}, ValueError, "without alternate=True"),
        ("lazer", {}, MissingDataError, "Did you mean 'laser'"),
        ("laser", {"above": 1, "equals": 2}, ValueError, "above and equals are given"),
        ("laser", {"bits": 1}, ValueError, "not whole numbers"),
        ("shutter", {"bits": 0}, ValueError, "bits = 0, expected a whole number"),
        ("state", {}, ValueError, "'CLOSED', 'OPEN', expected equals="),
        ("even", {}, ValueError, "do not form two clearly separated groups"),
        ("same", {}, ValueError, "do not form two clearly separated groups"),
        ("none", {}, MissingDataError, "no train has a value of 'none'"),
    ],
)
def test_errors_say_what_to_type(data, field, options, error, text):
    data["even"] = ("trainId", np.arange(6.0))
    data["same"] = ("trainId", np.ones(6))
    data["none"] = ("trainId", np.full(6, np.nan))
    with pytest.raises(error, match=text):
        pumped_by(data, field, **options)
