"""Calls are recorded as they are made: which, with what, and what was done between them."""

import json

import numpy as np
import pytest
import xarray as xr

from hrixs.steps.record import STEPS, nothing_recorded, recorded, steps_now, steps_of
from hrixs.steps.values import argument_of_plain, plain_argument


@recorded
def opened(path, *, scale=1.0):
    return dataset(4) * scale


@recorded
def doubled(data, *, by=2, plot=False, **options):
    return inner(data).assign(spectrum=data.spectrum * by)


@recorded
def inner(data):
    return data.copy()


@recorded
def together(results, name=None):
    return results[0].copy()


def dataset(n):
    spectrum = ("trainId", "energy"), np.ones((n, 3))
    nrj = "trainId", np.full(n, 530.0)
    return xr.Dataset({"spectrum": spectrum, "nrj": nrj}, {"trainId": 10 + np.arange(n)})


def calls(data):
    return [step["call"] for step in steps_now(data)]


def test_a_chain_of_calls_with_what_is_not_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = doubled(opened("a.tif", scale=1.0), by=3, plot=True, own=(1, 2))
    assert [(step["call"], step["args"]) for step in steps_of(data)] == [
        ("opened", {"path": str(tmp_path / "a.tif")}),
        ("doubled", {"by": 3, "own": {"is": "tuple", "of": [1, 2]}}),
    ]


def test_calls_that_a_call_makes_are_not_recorded():
    assert calls(doubled(opened("a"))) == ["opened", "doubled"]
    with nothing_recorded():
        assert STEPS not in doubled(dataset(4)).attrs


def test_a_failing_call_leaves_the_recording_on():
    with pytest.raises(AttributeError):
        doubled(dataset(4).drop_vars("spectrum"))
    assert calls(doubled(opened("a"))) == ["opened", "doubled"]


def test_calls_on_a_dataset_that_no_call_made_are_not_recorded():
    assert STEPS not in doubled(dataset(4)).attrs
    assert STEPS not in together([opened("a"), dataset(4)]).attrs
    assert calls(dataset(4)) == ["given"]


def test_results_that_are_put_together_keep_their_own_steps():
    data = together([opened("a"), doubled(opened("b"))], name="x")
    (step,) = steps_of(data)
    nested = [[one["call"] for one in result["steps"]] for result in step["args"]["results"]]
    assert nested == [["opened"], ["opened", "doubled"]]
    assert "made" not in json.dumps(nested)


def test_what_was_done_between_the_calls():
    data = opened("a")
    changed = data.isel(trainId=[0, 2]).drop_vars("nrj").assign(own=("trainId", [1, 2]))
    drop, choose, assign = steps_now(doubled(changed))[1:4]
    assert drop == {"call": "drop_vars", "args": {"names": ["nrj"]}}
    assert argument_of_plain(choose["args"]["trainId"]).tolist() == [10, 12]
    own = argument_of_plain(assign["args"]["variables"])["own"]
    xr.testing.assert_identical(own, xr.DataArray([1, 2], dims="trainId", name="own"))


def test_other_values_of_a_small_variable_are_seen_and_those_of_spectra_are_not():
    data = opened("a")
    assert calls(data.assign(nrj=data.nrj + 0)) == ["opened"]
    assert calls(data.assign(nrj=data.nrj + 1)) == ["opened", "assign"]
    assert calls(data.assign(spectrum=data.spectrum + 1)) == ["opened"]


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 2.5, "text", float("inf"), slice(2, None), (1, "a"), [1, [2.0, None]],
        {"a": slice(1, 2), 3: (4,)}, np.arange(6.0).reshape(2, 3), np.array(["a", "b"]),
        np.array([True, False]), np.datetime64("2026-11-29T03:00:00", "ns") + np.arange(3),
        xr.DataArray([1.5, np.nan], {"trainId": np.array([3, 4], np.uint64)}, name="own"),
        xr.DataArray(np.float32(2.5), attrs={"units": "eV"}),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_arguments_come_back_as_they_were(value):
    again = argument_of_plain(json.loads(json.dumps(plain_argument("value", value))))
    if isinstance(value, xr.DataArray):
        xr.testing.assert_identical(again, value)
        assert again.dtype == value.dtype
    elif isinstance(value, np.ndarray):
        np.testing.assert_array_equal(again, value)
        assert again.dtype == value.dtype
    else:
        assert again == value
        assert type(again) is type(value)


@pytest.mark.parametrize("value", [object(), lambda x: x, np.zeros(30_000), 1j, b"bytes"])
def test_what_can_not_be_kept_is_told_and_can_not_be_taken_back(value):
    plain = json.loads(json.dumps(plain_argument("value", value)))
    with pytest.raises(ValueError, match="was given, which could not be recorded"):
        argument_of_plain(plain)


@pytest.mark.parametrize("text", ["", "{", "3", '{"call": 1}'])
def test_attributes_that_are_no_steps(text):
    assert steps_of(dataset(2).assign_attrs(steps=text)) == []
