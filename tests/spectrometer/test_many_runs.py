"""`process_runs`: several runs as one dataset, finished ones kept, failing ones named."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from conftest import CURVATURE, DARK, OTHER_RUN, PROPOSAL, RUN
from hrixs import (
    FaultyRunError,
    HrixsWarning,
    concat,
    doubts,
    how_made,
    hRIXS,
    line_width,
    photon_table,
)
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run
from hrixs.spectrometer.many_runs import names_of

# The simulated runs are crowded; that this is told once for all runs, with their names, is tested.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:crowded. In r\d+. about \d+% of the photons are lost:hrixs.LostPhotonsWarning"
)

SLOPE, ROW = 0.02, 120.0
INTERCEPT = 530.0 - ROW * SLOPE


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    """Three runs of four images at as many photon energies, whose lines drift by a pixel a run."""
    root = tmp_path_factory.mktemp("drifting")
    sensor = Sensor(shape=(128, 256), hot_fraction=0.0)
    folders = []
    for k, nrj in enumerate([529.6, 530.0, 530.4]):
        lines = (SpectralLine(ROW + (nrj - 530.0) / SLOPE + k, 1.3, 1.0),)
        options = {"sensor": sensor, "curvature": CURVATURE, "lines": lines, "energy": nrj}
        frames, _ = simulate_frames(4, photons_per_frame=80, seed=k, **options)
        slow = {"nrj": np.full(4, nrj)} | ({"hRIXS_delay": np.arange(4.0)} if k else {})
        first = 1_600_000_000 + 100 * k
        run = write_run(root, frames, proposal=1, run=7 + k, slow=slow, first_train=first)
        folders.append(str(run))
    return folders


@pytest.fixture
def own() -> hRIXS:
    h = hRIXS()
    h.set_params(std_threshold=6.0, y_range=slice(20, 240), bins=660)
    h.CURVE_A, h.CURVE_B = CURVATURE
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = SLOPE, INTERCEPT
    h.FIELDS = ["MaranaX", "nrj"]
    return h


@pytest.fixture
def counting(data_root):
    """Settings of a class that notes which runs it processes, and the list of these."""
    done: list[str] = []

    class Counting(hRIXS):
        def process_run(self, run, **options):
            done.append(str(run))
            return super().process_run(run, **options)

    h = Counting(PROPOSAL)
    h.set_params(y_range=slice(700, 900), std_threshold=6.0)
    return h, done


def test_one_dataset_with_the_images_of_all_runs(h):
    both = h.process_runs([RUN, OTHER_RUN], progress=False)
    each = [h.process_run(run, progress=False) for run in (RUN, OTHER_RUN)]
    assert both.run.values.tolist() == ["r0145"] * 8 + ["r0155"] * 8
    np.testing.assert_array_equal(both.spectrum, np.concatenate([o.spectrum for o in each]))
    np.testing.assert_array_equal(both.hRIXS_norm, np.concatenate([o.hRIXS_norm for o in each]))
    assert both.attrs["n_images"] == 16
    assert both.attrs["runs"] == "r0145, r0155"
    assert both.attrs["failed_runs"] == ""
    n_photons = sum(one.spectrum.attrs["n_photons"] for one in each)
    assert both.spectrum.attrs["n_photons"] == n_photons == float(both.spectrum.sum())
    expected = concat(each).assign_attrs(failed_runs="", n_failed_runs=0)
    assert "h.process_runs([145, 155])" in how_made(both)
    expected.attrs["steps"] = both.attrs["steps"]  # how it was made is all that differs
    xr.testing.assert_identical(both, expected)
    by_run = h.aggregate(both, ["run", "hRIXS_delay"])
    assert by_run.sizes["run"] == 2


def test_the_other_ways_give_the_same(h):
    def spectra(**options):
        return h.process_runs([RUN, OTHER_RUN], progress=False, **options).spectrum.values

    usual = spectra()
    np.testing.assert_array_equal(spectra(threads=2), usual)
    loaded = [h.centroid(h.from_run(run)).drop_vars("MaranaX") for run in (RUN, OTHER_RUN)]
    np.testing.assert_array_equal(concat(loaded).spectrum, usual)
    lazy = [h.centroid(h.from_run(run, lazy=True)) for run in (RUN, OTHER_RUN)]
    np.testing.assert_array_equal(concat(lazy).spectrum, usual)


def test_photons_are_those_of_all_runs(h):
    both = h.process_runs([RUN, OTHER_RUN], photons=True, progress=False)
    table = photon_table(both)
    assert set(np.unique(table.trainId)) == set(both.trainId.values)
    np.testing.assert_array_equal(h.count(table, both).spectrum, both.spectrum)


@pytest.mark.filterwarnings("ignore:hRIXS_delay is missing:hrixs.HrixsWarning")
class TestAlign:
    def test_the_elastic_lines_lie_at_the_photon_energies(self, own, drifting):
        options = {"progress": False}
        before = own.process_runs(drifting, **options)
        after = own.process_runs(drifting, align="elastic", **options)
        error = float(after.drift_err.max()) * SLOPE
        for k, nrj in enumerate([529.6, 530.0, 530.4]):
            for data, off in ((before, k * SLOPE), (after, 0.0)):
                one = own.aggregate(data.isel(trainId=np.flatnonzero(data.nrj == nrj)))
                assert line_width(one.spectrum).centre - nrj == pytest.approx(off, abs=4 * error)
        drift = after.drift.groupby("run").first()
        np.testing.assert_allclose(drift, [0, 1, 2], atol=4 * float(after.drift_err.max()))
        np.testing.assert_allclose(after.spectrum.sum(), before.spectrum.sum())

    def test_options_without_align(self, own, drifting):
        with pytest.raises(ValueError, match="region is given without align='elastic'"):
            own.process_runs(drifting, region=(529, 531))
        with pytest.raises(ValueError, match="Did you mean 'elastic'"):
            own.process_runs(drifting, align="elastik")


class TestCheckpoint:
    def test_a_finished_run_is_not_processed_again(self, counting, tmp_path):
        h, done = counting
        options = {"checkpoint": tmp_path / "c", "progress": False}
        first = h.process_runs([RUN], **options)
        second = h.process_runs([RUN, OTHER_RUN], **options)
        assert done == [str(RUN), str(OTHER_RUN)]
        np.testing.assert_array_equal(second.spectrum[:8], first.spectrum)
        third = h.process_runs([RUN, OTHER_RUN], **options)
        assert len(done) == 2
        xr.testing.assert_identical(third, second)
        fresh = h.process_runs([RUN, OTHER_RUN], progress=False)
        xr.testing.assert_identical(third, fresh)

    @pytest.mark.parametrize(
        "change",
        [
            {"std_threshold": 5.0},
            {"mask": np.eye(256, 1024) > 0},
            {"energy_intercept": 3.0},
            {"fields": ["MaranaX", ("SCS_HRIXS_ACQ/MDL/SCAN", "index.value"), "nrj"]},
            {"read_noise": np.full((256, 1024), 2.0)},
        ],
        ids=lambda change: next(iter(change)),
    )
    @pytest.mark.one_in(2)
    def test_unless_settings_have_changed(self, counting, tmp_path, change):
        h, done = counting
        h.READ_NOISE = np.ones((256, 1024))
        options = {"checkpoint": tmp_path / "c", "progress": False}
        h.process_runs([RUN], **options)
        h.set_params(threads=1)
        h.process_runs([RUN], **options)
        assert len(done) == 1
        h.set_params(**change)
        changed = h.process_runs([RUN], **options)
        assert len(done) == 2
        xr.testing.assert_identical(changed, h.process_runs([RUN], progress=False))
        h.load_dark(DARK)
        h.process_runs([RUN], **options)
        assert len(done) == 4

    def test_other_options_or_a_broken_file_make_it_anew(self, h, tmp_path):
        options = {"checkpoint": tmp_path / "c", "progress": False}
        usual = h.process_runs([RUN], **options)
        integrated = h.process_runs([RUN], method="integrate", **options)
        assert integrated.spectrum.attrs["units"] == "ADU"
        (tmp_path / "c" / "r0145" / "finished.nc").write_bytes(b"no netCDF")
        xr.testing.assert_identical(h.process_runs([RUN], **options), usual)


class TestFailures:
    def test_a_run_that_fails_is_named_and_left_out(self, h):
        with pytest.warns(HrixsWarning, match="run r0999: run 999 of proposal 3145 can't be ope"):
            result = h.process_runs([RUN, 999], progress=False)
        assert result.attrs["runs"] == "r0145"
        assert result.attrs["n_failed_runs"] == 1
        assert result.attrs["failed_runs"].startswith("r0999: run 999 of proposal")
        assert result.sizes["trainId"] == 8

    def test_strict_raises(self, h):
        with pytest.raises(LookupError, match="run 999"):
            h.process_runs([RUN, 999], strict=True, progress=False)

    def test_all_fail(self, h):
        with pytest.raises(FaultyRunError, match=r"none of 2 runs could be processed\. r0998: "):
            h.process_runs([998, 999], progress=False)

    def test_what_is_told_of_several_runs_is_told_once(self, own, drifting):
        own.FIELDS = ["MaranaX", "nrj", "hRIXS_norm"]
        with pytest.warns(HrixsWarning) as told:
            own.process_runs(drifting, progress=False)
        texts = [str(one.message) for one in told if "hRIXS_norm" in str(one.message)]
        assert len(texts) == 1
        assert texts[0].startswith("runs r0007, r0008, r0009: hRIXS_norm is left out")

    def test_what_is_told_of_a_run_has_its_name(self, own, drifting):
        own.FIELDS = ["MaranaX", "nrj", "hRIXS_delay"]
        with pytest.warns(HrixsWarning) as told:
            result = own.process_runs(drifting, progress=False)
        texts = [str(one.message) for one in told if one.category is HrixsWarning]
        assert any(text.startswith("run r0007: ") and "hRIXS_delay" in text for text in texts)
        assert "hRIXS_delay is missing in 1 of 3 runs, r0007: NaN there." in texts
        assert np.isnan(result.hRIXS_delay[:4]).all()
        assert all(one.text.startswith("In r00") for one in doubts(result))


class TestNames:
    def test_numbers_folders_and_alike_ones(self, tmp_path):
        assert names_of([145, "146", "/data/raw/r0147"]) == ["r0145", "r0146", "r0147"]
        assert names_of(range(3, 5)) == ["r0003", "r0004"]
        alike = names_of(["/a/r0001", "/b/r0001", "/b/r0002"])
        assert alike[2] == "r0002"
        assert len(set(alike)) == 3
        assert all(name.startswith("r0001-") for name in alike[:2])

    @pytest.mark.parametrize(
        ("runs", "error", "text"),
        [
            (145, TypeError, "runs is 145, expected a list of runs"),
            ("145", TypeError, "expected a list of runs"),
            ([], ValueError, "there is no run to process"),
            ([1.5], TypeError, "list of something else given, expected a list of runs"),
            ([145, 146, 145], ValueError, "run 145 is given twice"),
        ],
    )
    def test_what_is_no_list_of_runs(self, h, runs, error, text):
        with pytest.raises(error, match=text):
            h.process_runs(runs)
