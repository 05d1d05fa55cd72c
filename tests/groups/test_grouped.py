"""`aggregate` by values that jitter, against groups made in plain NumPy."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, aggregate, hRIXS
from hrixs.spectra.aggregate import add, average

SETPOINTS = np.linspace(528.5, 531.0, 15)


@pytest.fixture
def scan() -> xr.Dataset:
    """Ninety images at fifteen energies that jitter by 10 meV, in any order, with two delays."""
    rng = np.random.default_rng(1)
    step = rng.permutation(np.repeat(np.arange(15), 6))
    attrs = {"units": "eV", "long_name": "photon energy"}
    data = {
        "spectrum": (("trainId", "energy"), rng.poisson(2.0, (90, 20)).astype(float)),
        "hRIXS_norm": ("trainId", rng.normal(1000, 30, 90)),
        "hRIXS_index": ("trainId", np.arange(90)),
        "nrj": ("trainId", SETPOINTS[step] + rng.normal(0, 0.01, 90), attrs),
        "setpoint": ("trainId", SETPOINTS[step]),
        "hRIXS_delay": ("trainId", rng.choice([-1.0, 0.5], 90), {"units": "ps"}),
        "pumped": ("trainId", rng.random(90) < 0.5),
        "gas": ("trainId", rng.choice(["argon", "neon"], 90)),
    }
    ids = 1000 + 2 * np.arange(90)
    return xr.Dataset(data, {"trainId": ids, "energy": np.arange(20.0)}, {"run": "r0001"})


def in_numpy(values: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Sum over the images of each group."""
    return np.array([values[number == k].sum(axis=0) for k in range(number.max() + 1)])


def require_groups(result: xr.Dataset, scan: xr.Dataset, var: str, number: np.ndarray) -> None:
    """`result` is of these groups of images, to the last digit of its sums."""
    values = scan[var].values
    groups = [values[number == k] for k in range(number.max() + 1)]
    np.testing.assert_array_equal(result.spectrum, in_numpy(scan.spectrum.values, number))
    np.testing.assert_array_equal(result.hRIXS_norm, in_numpy(scan.hRIXS_norm.values, number))
    np.testing.assert_array_equal(result.counts, [len(one) for one in groups])
    np.testing.assert_allclose(result[var], [one.mean() for one in groups], rtol=1e-14)
    np.testing.assert_allclose(result[f"{var}_spread"], [one.std() for one in groups], atol=1e-11)
    assert result[var].attrs == scan[var].attrs


class TestOneVariable:
    def truth(self, scan):
        return np.searchsorted(SETPOINTS, scan.setpoint.values - 1e-9)

    @pytest.mark.parametrize(
        "options",
        [
            {"step": 0.17},
            {"step": 0.06},
            {"step": 0.178571428, "origin": 528.5},
            {"tolerance": 0.06},
            {"tolerance": "auto"},
            {"edges": np.append(SETPOINTS - 0.09, 531.1)},
            {"setpoints": SETPOINTS[::-1]},
            {"setpoints": "setpoint"},
            {"setpoints": "setpoint", "tolerance": 0.08},
        ],
        ids=str,
    )
    def test_each_way_finds_the_set_points(self, scan, options):
        result = aggregate(scan, "nrj", **options)
        require_groups(result, scan, "nrj", self.truth(scan))
        assert result.spectrum.dims == ("nrj", "energy")
        assert result.nrj_spread.attrs["units"] == "eV"
        assert result.attrs["n_frames_left_out"] == result.attrs["n_frames_without_nrj"] == 0
        assert result.attrs["grouped_by"].startswith("nrj: ")
        assert result.attrs["run"] == "r0001"
        if "setpoints" in options:
            np.testing.assert_array_equal(result.nrj_setpoint, SETPOINTS)

    def test_the_class_does_the_same(self, scan):
        h = hRIXS()
        for options in ({"step": 0.17}, {"tolerance": "auto"}):
            assert h.aggregate(scan, "nrj", **options).identical(aggregate(scan, "nrj", **options))
        assert h.aggregate(scan).identical(aggregate(scan))
        with pytest.raises(TypeError, match=r"unknown option 'steps'. Did you mean 'step'"):
            h.aggregate(scan, "nrj", steps=0.1)

    def test_equal_values_by_default_and_told_where_they_jitter(self, scan):
        with pytest.warns(HrixsWarning, match=r"15 set-points. Give tolerance=0\.0\d+"):
            result = aggregate(scan, "nrj")
        np.testing.assert_array_equal(result.counts, 1)
        require_groups(aggregate(scan, "setpoint"), scan, "setpoint", self.truth(scan))
        np.testing.assert_array_equal(aggregate(scan, "setpoint").setpoint, SETPOINTS)

    def test_a_step_or_tolerance_below_the_jitter_is_told(self, scan):
        for options in ({"step": 1e-4}, {"tolerance": 1e-6}):
            with pytest.warns(
                HrixsWarning, match=r"90 images make (8|9)\d groups by nrj; they lie"
            ):
                aggregate(scan, "nrj", **options)

    @pytest.mark.parametrize(("var", "values"), [("gas", ["argon", "neon"]), ("pumped", [0, 1])])
    def test_text_and_bool(self, scan, var, values):
        result = aggregate(scan, var)
        np.testing.assert_array_equal(result[var], values)
        number = (scan[var].values == result[var].values[1]).astype(int)
        np.testing.assert_array_equal(result.spectrum, in_numpy(scan.spectrum.values, number))
        assert f"{var}_spread" not in result.coords
        with pytest.raises(ValueError, match=r"is of (bool|<U5), expected numbers"):
            aggregate(scan, var, step=1.0)

    def test_images_without_a_value_or_outside_are_counted_and_named(self, scan):
        scan["nrj"] = scan.nrj.copy()
        scan.nrj[3] = np.nan
        with pytest.warns(HrixsWarning) as told:
            result = aggregate(scan, "nrj", edges=[528.0, 529.5, 530.9])
        outside = int((scan.nrj > 530.9).sum())
        texts = [str(one.message) for one in told]
        assert "1 of 90 frames have no nrj and are left out: train 1006." in texts
        assert any(f"{outside} of 90 frames lie outside of the edges of nrj" in t for t in texts)
        assert result.attrs["n_frames_without_nrj"] == 1
        assert result.attrs["n_frames_outside_nrj"] == outside
        assert result.attrs["n_frames_left_out"] == outside + 1 == 90 - int(result.counts.sum())
        with pytest.warns(HrixsWarning, match="too far from any set-point"):
            far = aggregate(scan.isel(trainId=slice(4, None)), "nrj", setpoints=[530], tolerance=1)
        assert int(far.counts.sum()) == int((abs(scan.nrj[4:] - 530) <= 1).sum())

    def test_edges_are_those_of_numpy(self, scan):
        edges = [528.0, 529.0, 529.5, 532.0, 540.0]
        result = aggregate(scan, "nrj", edges=edges)
        np.testing.assert_array_equal(result.counts, np.histogram(scan.nrj, edges)[0][:3])
        assert "4 bins from 528 to 540, 1 of them without an image" in result.attrs["grouped_by"]
        ends = xr.Dataset({"a": ("trainId", [0.0, 1.0, 2.0])})
        assert aggregate(ends, "a", edges=[0, 1, 2]).counts.values.tolist() == [1, 2]

    def test_wide_chains_and_cut_set_points_are_told(self, scan):
        drifting = scan.assign(nrj=("trainId", np.linspace(0, 1, 90)))
        with pytest.warns(HrixsWarning, match="1 of 1 groups of nrj are wider than four"):
            aggregate(drifting, "nrj", tolerance=0.02)
        with pytest.warns(HrixsWarning, match="a set-point seems to be cut in two"):
            aggregate(scan, "nrj", step=SETPOINTS[1] - SETPOINTS[0], origin=528.5 + 5 / 56)

    def test_of_variables_that_nothing_is_known_of_the_names_are_kept(self, scan):
        for result in (aggregate(scan, "setpoint"), aggregate(scan)):
            assert "gas" not in result
            assert "gas" in result.attrs["not_aggregated"].split(", ")
        own = {"gas": lambda da, dim: da.isel({dim: 0}, drop=True)}
        result = aggregate(scan, "setpoint", aggregators=own)
        first = [scan.gas.values[scan.setpoint == one][0] for one in SETPOINTS]
        assert result.gas.values.tolist() == first
        assert result.attrs["not_aggregated"] == "pumped"


class TestSeveralVariables:
    def test_crossed(self, scan):
        result = aggregate(scan, ["setpoint", "pumped"])
        assert result.spectrum.dims == ("setpoint", "pumped", "energy")
        for k, at in enumerate(SETPOINTS):
            for on in (False, True):
                here = (scan.setpoint.values == at) & (scan.pumped.values == on)
                cell = result.isel(setpoint=k).sel(pumped=on)
                assert int(cell.counts) == here.sum()
                np.testing.assert_array_equal(cell.spectrum, scan.spectrum.values[here].sum(0))
        assert result.attrs["grouped_by"] == "setpoint: equal values; pumped: equal values"

    def test_each_with_its_own_way(self, scan):
        by = ["hRIXS_delay", "nrj", "pumped"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of empty combinations
            result = aggregate(scan, by, step={"hRIXS_delay": 0.1}, tolerance={"nrj": "auto"})
        assert result.sizes == {"hRIXS_delay": 2, "nrj": 15, "pumped": 2, "energy": 20}
        assert int(result.counts.sum()) == 90
        np.testing.assert_allclose(result.hRIXS_delay, [-1, 0.5])
        np.testing.assert_allclose(result.spectrum.sum(), scan.spectrum.sum())

    def test_an_option_without_a_name_is_for_the_one_with_a_decimal_point(self, scan):
        result = aggregate(scan, ["nrj", "pumped"], step=0.17)
        assert result.sizes["nrj"] == 15
        with pytest.raises(
            ValueError, match=r"given for 2 variables, expected a dict: step=\{'nrj'"
        ):
            aggregate(scan, ["nrj", "hRIXS_delay"], step=0.17)

    def test_combinations_without_an_image_are_told(self, scan):
        scan["pumped"] = scan.hRIXS_delay > 0
        with pytest.warns(HrixsWarning, match="2 of 4 combinations of hRIXS_delay and pumped"):
            result = aggregate(scan, ["hRIXS_delay", "pumped"])
        assert result.counts.dtype.kind == "i"
        assert (result.counts.values == 0).tolist() == [[False, True], [True, False]]
        assert np.isnan(result.spectrum.sel(hRIXS_delay=-1.0, pumped=True)).all()
        assert np.isfinite(result.spectrum.sel(hRIXS_delay=-1.0, pumped=False)).all()

    def test_groups_are_of_images_that_have_all_of_them(self, scan):
        scan["pumped"] = scan.pumped.astype(float).where(scan.setpoint < 530)
        with pytest.warns(HrixsWarning, match="have no pumped"):
            result = aggregate(scan, ["setpoint", "pumped"])
        np.testing.assert_array_equal(result.setpoint, SETPOINTS[SETPOINTS < 530])
        assert result.attrs["n_frames_left_out"] == int((scan.setpoint >= 530).sum())


class TestScanOfExtra:
    def scan_of(self, ds, name="motor"):
        steps = [ds.trainId.values[:30], ds.trainId.values[40:70], np.array([5])]
        return SimpleNamespace(name=name, positions=[2.0, 1.0, 7.0], positions_train_ids=steps)

    def test_its_steps_are_the_groups_in_its_order(self, scan):
        with pytest.warns(HrixsWarning) as told:
            result = aggregate(scan, self.scan_of(scan))
        texts = [str(one.message) for one in told]
        assert any("30 of 90 frames are in no step of the Scan over motor" in t for t in texts)
        assert any("1 of 3 steps of the Scan have no image" in t for t in texts)
        np.testing.assert_array_equal(result.position, [2.0, 1.0])
        expected = [scan.spectrum.values[:30].sum(0), scan.spectrum.values[40:70].sum(0)]
        np.testing.assert_array_equal(result.spectrum, expected)
        assert result.position.attrs["motor"] == "motor"
        assert result.attrs["n_frames_outside_position"] == 30

    def test_over_a_variable_it_has_the_mean_and_spread_of_the_images(self, scan):
        with pytest.warns(HrixsWarning):
            result = hRIXS().aggregate(scan, [self.scan_of(scan, "nrj"), "pumped"])
        assert result.spectrum.dims == ("nrj", "pumped", "energy")
        of_step = [scan.nrj.values[:30], scan.nrj.values[40:70]]
        np.testing.assert_allclose(result.nrj, [one.mean() for one in of_step])
        np.testing.assert_allclose(result.nrj_spread, [one.std() for one in of_step])

    def test_without_steps_or_of_another_run(self, scan):
        empty = SimpleNamespace(name="motor", positions=[], positions_train_ids=[])
        with pytest.raises(MissingDataError, match="has no steps"):
            aggregate(scan, empty)
        other = self.scan_of(scan.assign_coords(trainId=scan.trainId + 10_000))
        with pytest.raises(MissingDataError, match="Is it of the same run"):
            aggregate(scan, other)
        with pytest.raises(ValueError, match="step is given with a Scan"):
            aggregate(scan, self.scan_of(scan), step=0.1)

    def test_the_real_one(self, scan):
        components = pytest.importorskip("extra.components")
        position = np.repeat(np.arange(5.0), 60) + np.random.default_rng(1).normal(0, 0.01, 300)
        ids = 1000 + np.arange(300)
        motor = xr.DataArray(position, {"trainId": ids}, ["trainId"], name="stage")
        ds = xr.Dataset({"spectrum": (("trainId", "energy"), np.ones((300, 4))), "stage": motor})
        found = components.Scan(motor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of images between two steps
            result = aggregate(ds, found)
        assert result.sizes["stage"] == len(found.positions) == 5
        np.testing.assert_array_equal(result.counts, [len(one) for _, one in found.steps])


class TestTheSameAsBefore:
    """Group by group through xarray: the way that this had, and own functions still have."""

    def group_by_group(self, ds, var, aggregators):
        groups = [ds.isel(trainId=np.flatnonzero(ds[var] == one)) for one in np.unique(ds[var])]
        made = {
            name: xr.concat([function(one[name], "trainId") for one in groups], var)
            for name, function in aggregators.items()
        }
        return xr.Dataset(made)

    @pytest.mark.parametrize("dtype", ["f8", "f4", "u2", "i8"])
    def test_bytes_and_attributes(self, scan, dtype):
        rng = np.random.default_rng(2)
        images = rng.uniform(0, 4000, (90, 8, 6)).astype(dtype)
        images = xr.DataArray(
            images, dims=("trainId", "x", "y"), attrs={"n_hits": 3, "units": "ADU"}
        )
        for array in (images, images.transpose("x", "trainId", "y")):
            ds = scan.assign(MaranaX=array)
            known = {"MaranaX": add, "spectrum": add, "hRIXS_norm": add, "nrj": average}
            known["hRIXS_index"] = average
            expected = self.group_by_group(ds, "setpoint", known)
            result = aggregate(ds, "setpoint")
            for name, variable in expected.items():
                assert result[name].dtype == variable.dtype, name
                assert result[name].values.tobytes() == variable.values.tobytes(), name
                assert result[name].attrs == variable.attrs, name
                assert result[name].dims == variable.dims, name

    def test_lazy(self, scan):
        pytest.importorskip("dask")
        whole = aggregate(scan, ["setpoint", "pumped"])
        lazy = aggregate(scan.chunk(trainId=7), ["setpoint", "pumped"])
        assert lazy.spectrum.chunks is not None
        xr.testing.assert_identical(lazy.compute(), whole)

    def test_own_classes_aggregate_their_own_way(self, scan):
        class Largest(hRIXS):
            def aggregator(self, da, dim):
                return da.max(dim) if da.name == "hRIXS_norm" else None

        result = Largest().aggregate(scan, "nrj", step=0.17)
        number = np.searchsorted(SETPOINTS, scan.setpoint.values - 1e-9)
        largest = [scan.hRIXS_norm.values[number == k].max() for k in range(15)]
        np.testing.assert_array_equal(result.hRIXS_norm, largest)


@pytest.mark.parametrize(
    ("by", "options", "error", "text"),
    [
        ("nrjj", {}, MissingDataError, "Did you mean 'nrj'"),
        ([], {}, ValueError, "no variable to group by"),
        (3, {}, MissingDataError, "unknown variable 3"),
        (None, {"step": 1.0}, ValueError, "step is given without a variable"),
        ("nrj", {"step": 1e-9, "origin": 0}, ValueError, "too many bins. Give a wider step"),
        ("nrj", {"step": 1, "origin": 1e300}, ValueError, "do not fit nrj"),
        ("nrj", {"step": 0.0}, ValueError, "expected a number above 0"),
        ("nrj", {"step": "wide"}, ValueError, "step = 'wide', expected a number"),
        ("nrj", {"tolerance": -1}, ValueError, "0 or above, or 'auto'"),
        ("nrj", {"tolerance": "some"}, ValueError, "tolerance = 'some', expected a number"),
        ("nrj", {"step": 1, "edges": [1, 2]}, ValueError, "step and edges are given for nrj"),
        ("nrj", {"step": 1, "tolerance": 1}, ValueError, "step and tolerance are given"),
        ("nrj", {"origin": 1}, ValueError, "origin is given for nrj without step"),
        ("nrj", {"edges": [2, 1]}, ValueError, "expected ascending"),
        ("nrj", {"edges": [2]}, ValueError, "expected 2 or more numbers"),
        ("nrj", {"setpoints": []}, ValueError, "expected 1 or more numbers"),
        ("nrj", {"setpoints": "nrk"}, ValueError, "setpoints: unknown variable 'nrk'"),
        ("nrj", {"setpoints": [1], "tolerance": "auto"}, ValueError, "expected a number"),
        ("nrj", {"step": {"nrk": 1}}, ValueError, "step: unknown variable 'nrk'"),
        ("nrj", {"edges": [0, 1]}, MissingDataError, "no frame is in a group of 'nrj'"),
        (["nrj", "nrj"], {}, ValueError, "names a variable twice"),
        (
            "hRIXS_norm",
            {"tolerance": "auto"},
            ValueError,
            "have no clear steps for tolerance='auto'",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:90 of 90 frames lie outside")
def test_errors_say_what_to_type(scan, by, options, error, text):
    before = scan.copy(deep=True)
    with pytest.raises(error, match=text):
        aggregate(scan, by, **options)
    assert scan.identical(before)
