"""Results of several runs joined: images, counts, what is missing, what differs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, aggregate, concat, doubts, photon_table
from hrixs.doubt_rules.doubt import Doubt, as_text


def result(run: str, n: int, first: int, *, bins: int = 5, **slow) -> xr.Dataset:
    rng = np.random.default_rng(first)
    energy = ("energy", 530 + 0.1 * np.arange(bins), {"units": "eV"})
    attrs = {"units": "photons", "n_photons": 7.0 * n, "n_hits": n, "n_masked": 4, "curve_a": 0.02}
    attrs |= {"charge_ratio": 0.9, "std_threshold": 3.5, "doubts": as_text([])}
    variables = {
        "spectrum": (("trainId", "energy"), rng.poisson(2.0, (n, bins)) * 1.0, attrs),
        "nrj": ("trainId", np.full(n, 530.0), {"units": "eV"}),
    }
    variables |= {name: ("trainId", values) for name, values in slow.items()}
    coords = {"trainId": first + np.arange(n), "energy": energy}
    own = {"run": run, "n_images": n, "n_skipped": 1, "skipped_trains": np.array([first - 1])}
    own |= {"faults": f"fault {first}", "missing_fields": "a, b", "camera": "MaranaX"}
    return xr.Dataset(variables, coords, own)


@pytest.fixture
def parts() -> list[xr.Dataset]:
    return [result("145", 3, 10), result("/data/raw/r0146", 2, 20)]


def test_images_one_after_the_other(parts):
    joined = concat(parts)
    assert joined.run.values.tolist() == ["r0145"] * 3 + ["r0146"] * 2
    assert joined.run.dims == ("trainId",)
    np.testing.assert_array_equal(joined.trainId, [10, 11, 12, 20, 21])
    expected = np.concatenate([one.spectrum.values for one in parts])
    np.testing.assert_array_equal(joined.spectrum, expected)
    assert joined.energy.identical(parts[0].energy)
    by_run = aggregate(joined, "run")
    np.testing.assert_array_equal(by_run.counts, [3, 2])
    np.testing.assert_array_equal(by_run.spectrum[1], parts[1].spectrum.sum("trainId"))


@pytest.mark.parametrize("dtype", ["i8", "u8", "i4", "f8"])
def test_train_ids_of_two_types_stay_whole_numbers(parts, dtype):
    """findings/xarray_train_ids_become_floats.sh."""
    parts[0] = parts[0].assign_coords(trainId=parts[0].trainId.astype("u8"))
    parts[1] = parts[1].assign_coords(trainId=parts[1].trainId.astype(dtype))
    joined = concat(parts)
    assert joined.trainId.dtype == np.uint64
    np.testing.assert_array_equal(joined.trainId, [10, 11, 12, 20, 21])


def test_ids_that_are_no_train_ids_stay_as_they_are(parts):
    parts[0] = parts[0].assign_coords(trainId=parts[0].trainId.astype("u8"))
    parts[1] = parts[1].assign_coords(trainId=parts[1].trainId + 0.5)
    np.testing.assert_array_equal(concat(parts).trainId, [10, 11, 12, 20.5, 21.5])


def test_counts_add_and_settings_stay(parts):
    joined = concat(parts)
    assert (joined.attrs["n_images"], joined.attrs["n_skipped"]) == (5, 2)
    assert joined.attrs["skipped_trains"].tolist() == [9, 19]
    assert joined.attrs["faults"] == "r0145: fault 10\nr0146: fault 20"
    assert joined.attrs["missing_fields"] == "a, b"
    assert joined.attrs["camera"] == "MaranaX"
    assert joined.attrs["runs"] == "r0145, r0146"
    assert "run" not in joined.attrs
    attrs = joined.spectrum.attrs
    assert (attrs["n_photons"], attrs["n_hits"], attrs["n_masked"]) == (35.0, 5, 4)
    assert attrs["units"] == "photons"
    assert not {"charge_ratio", "differs"} & set(attrs)


def test_what_differs_is_told_by_run(parts):
    parts[1].spectrum.attrs |= {"std_threshold": 4.0, "curve_a": np.array([1.0, 2.0])}
    parts[1].attrs["only_here"] = "x"
    joined = concat(parts)
    assert json.loads(joined.spectrum.attrs["differs"]) == {
        "std_threshold": {"r0145": 3.5, "r0146": 4.0},
        "curve_a": {"r0145": 0.02, "r0146": [1.0, 2.0]},
    }
    assert "std_threshold" not in joined.spectrum.attrs
    assert json.loads(joined.attrs["differs"]) == {"only_here": {"r0146": "x"}}


def test_doubts_name_their_runs(parts):
    crowded = [Doubt("crowded", f"{k} % lost.", {"share": k}, grave=k > 5) for k in (5, 9)]
    parts[0].spectrum.attrs["doubts"] = as_text([crowded[0], Doubt("dark", "too bright.")])
    parts[1].spectrum.attrs["doubts"] = as_text([crowded[1]])
    found = {one.code: one for one in doubts(concat(parts))}
    assert found["crowded"].text == "In r0145: 5 % lost. In r0146: 9 % lost."
    assert found["crowded"].figures == {"r0145": {"share": 5}, "r0146": {"share": 9}}
    assert found["crowded"].grave
    assert found["dark"].text == "In r0145: too bright."


def test_variables_that_some_runs_lack(parts):
    parts[0] = parts[0].assign(mine=("trainId", [1, 2, 3]), gas=("trainId", ["a", "b", "c"]))
    parts[1] = parts[1].assign(on=("trainId", [True, False]))
    parts[1] = parts[1].assign(at=("trainId", np.array([5, 6], dtype="M8[ns]")))
    with pytest.warns(HrixsWarning) as told:
        joined = concat(parts)
    texts = sorted(str(one.message) for one in told)
    assert texts == [
        "at is missing in 1 of 2 runs, r0145: NaN there.",
        "gas is missing in 1 of 2 runs, r0146: NaN there.",
        "mine is missing in 1 of 2 runs, r0146: NaN there.",
        "on is missing in 1 of 2 runs, r0145: NaN there.",
    ]
    np.testing.assert_array_equal(joined.mine, [1, 2, 3, np.nan, np.nan])
    np.testing.assert_array_equal(joined["on"], [np.nan, np.nan, np.nan, 1, 0])
    assert joined["on"].dtype == float
    assert np.isnat(joined["at"].values).tolist() == [True, True, True, False, False]
    assert joined.gas.values.tolist() == ["a", "b", "c", "", ""]


def test_joined_results_can_be_joined_again(parts):
    parts[1].spectrum.attrs["std_threshold"] = 4.0
    again = concat([concat(parts), result("147", 1, 30)])
    assert again.identical(concat([*parts, result("147", 1, 30)])) is False  # of the text's order
    assert again.run.values.tolist() == ["r0145"] * 3 + ["r0146"] * 2 + ["r0147"]
    assert again.attrs["runs"] == "r0145, r0146, r0147"
    assert again.attrs["n_images"] == 6
    assert json.loads(again.spectrum.attrs["differs"])["std_threshold"]["r0146"] == 4.0


def test_parts_of_one_run_and_trains_that_stand_twice(parts):
    same = result("145", 2, 30)
    assert concat([parts[0], same]).attrs["runs"] == "r0145"
    with pytest.warns(HrixsWarning, match="2 trains occur more than once in r0145: trains 11, 12"):
        concat([parts[0], result("145", 2, 11)])
    # Other runs may count as they like.
    assert concat({"a": parts[0], "b": parts[0]}).run.values.tolist() == ["a"] * 3 + ["b"] * 3


def test_photon_tables(parts):
    for k, one in enumerate(parts):
        frame = np.array([0, 0, one.sizes["trainId"] - 1])
        for name, values in {"x": [1.0, 2, 3], "y": [4.0, 5, 6 + k], "charge": [9.0] * 3}.items():
            one[f"photon_{name}"] = ("photon", values)
        one["photon_double"] = ("photon", [False, True, False])
        one["photon_frame"] = ("photon", frame)
        one["photon_trainId"] = ("photon", one.trainId.values[frame])
    table = photon_table(concat(parts))
    assert table.frame.values.tolist() == [0, 0, 2, 3, 3, 4]
    assert table.trainId.values.tolist() == [10, 10, 12, 20, 20, 21]
    assert table.y.values.tolist() == [4, 5, 6, 4, 5, 7]
    with pytest.warns(HrixsWarning, match="not all runs have the same photon table"):
        assert "photon_x" not in concat([parts[0], result("147", 1, 40)])


def test_variables_of_all_images_stay_where_they_are_the_same(parts):
    parts = [one.assign(gain=2.0, level=("energy", np.full(5, k))) for k, one in enumerate(parts)]
    with pytest.warns(HrixsWarning, match="level are left out: they differ from run to run"):
        joined = concat(parts)
    assert float(joined.gain) == 2.0
    assert "level" not in joined


def test_lazy(parts):
    pytest.importorskip("dask")
    lazy = concat([one.chunk(trainId=1) for one in parts])
    assert lazy.spectrum.chunks is not None
    xr.testing.assert_identical(lazy.compute(), concat(parts))


def test_axes_and_units_must_be_the_same(parts):
    with pytest.raises(ValueError, match=r"r0145 has 5 values from 530 to 530.4 along energy, r01"):
        concat([parts[0], result("146", 2, 20, bins=6)])
    moved = parts[1].assign_coords(energy=parts[1].energy + 0.01)
    with pytest.raises(ValueError, match=r"r0146 5 values from 530\.01 to 530\.41"):
        concat([parts[0], moved])
    parts[1].spectrum.attrs["units"] = "ADU"
    with pytest.raises(ValueError, match="have units photons, those of r0146 ADU"):
        concat(parts)
    with pytest.raises(ValueError, match="there is no result to join"):
        concat([])
    with pytest.raises(MissingDataError, match="Join them before they are aggregated"):
        concat([aggregate(parts[0])])
    with pytest.raises(TypeError, match=r"expected results of runs, an xarray\.Dataset"):
        concat([parts[0].spectrum])
