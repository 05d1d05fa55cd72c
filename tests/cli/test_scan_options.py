"""``hrixs process`` on scans: groups of trains, and several runs in one output."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import xarray as xr

from conftest import CURVATURE, OTHER_RUN, PROPOSAL, RUN
from hrixs import hRIXS
from hrixs.cli.main import main
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

SLOPE, ROW = 0.02, 120.0
NRJ = [529.6, 530.0, 530.4]
USUAL = [
    *("--std-threshold", "6", "--bins", "660", "--y-range", "20:240", "--no-progress"),
    *("--curve-a", str(CURVATURE[0]), "--curve-b", str(CURVATURE[1])),
    *("--energy-slope", str(SLOPE), "--energy-intercept", str(530.0 - ROW * SLOPE)),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three runs at three energies, each jittering by 1 meV, whose lines drift by a pixel a run."""
    root = tmp_path_factory.mktemp("scan")
    sensor = Sensor(shape=(128, 256), hot_fraction=0.0)
    rng = np.random.default_rng(1)
    for k, nrj in enumerate(NRJ):
        lines = (SpectralLine(ROW + (nrj - 530.0) / SLOPE + k, 1.3, 1.0),)
        options = {"sensor": sensor, "curvature": CURVATURE, "lines": lines, "energy": nrj}
        frames, _ = simulate_frames(6, photons_per_frame=60, seed=k, **options)
        slow = {"nrj": nrj + rng.normal(0, 0.001, 6), "hRIXS_delay": np.repeat([-1.0, 0.5], 3)}
        slow |= {
            "hRIXS_norm": np.ones(6),
            "hRIXS_index": np.arange(6),
            "hRIXS_exposure": np.ones(6),
        }
        write_run(root, frames, proposal=1, run=7 + k, slow=slow, first_train=1000 * (k + 1))
    return root


@pytest.fixture
def process(root, tmp_path, monkeypatch):
    """``hrixs process`` in a folder of its own, with the usual options."""
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    return lambda *words: main(["process", *words, "--proposal", "1", *USUAL])


def opened(path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf") as data:
        return data.load()


class TestGroups:
    @pytest.mark.parametrize(
        ("options", "counts"),
        [
            (["--tolerance", "auto"], [6, 6, 6]),
            (["--tolerance", "0.05"], [6, 6, 6]),
            (["--step", "0.05"], [6, 6, 6]),
            (["--step=nrj=0.05"], [6, 6, 6]),
            (["--edges", "529,529.8,531"], [6, 12]),
            (["--setpoints", "529.6,530,530.4"], [6, 6, 6]),
        ],
        ids=str,
    )
    @pytest.mark.one_in(2)
    def test_by_an_energy_that_jitters(self, process, options, counts):
        assert process("7-9", "--together", "-o", "o.nc", "--aggregate", "nrj", *options) == 0
        assert opened("o.nc").counts.values.tolist() == counts

    def test_by_several_variables(self, process):
        words = ["--aggregate", "nrj", "--aggregate", "hRIXS_delay", "--tolerance", "nrj=auto"]
        assert process("7-9", "--together", "-o", "o.nc", *words, "--normalize", "hRIXS_norm") == 0
        result = opened("o.nc")
        assert result.counts.dims == ("nrj", "hRIXS_delay")
        np.testing.assert_array_equal(result.counts, 3)
        np.testing.assert_allclose(result.normalized, result.spectrum / 3)

    def test_negative_edges_of_one_run(self, process):
        assert process("8", "-o", "o.nc", "--aggregate", "hRIXS_delay", "--edges", "-2,0,1") == 0
        assert opened("o.nc").hRIXS_delay.values.tolist() == [-1.0, 0.5]

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["--step", "0.05"], "--step was given without --aggregate VAR"),
            (["--aggregate", "nrj", "--step", "1", "--step", "2"], "--step was given 2 times"),
            (["--aggregate", "nrj", "--step", "1", "--edges", "1,2"], "step and edges are given"),
            (["--aggregate", "nrj", "--step", "hRIXS_delay=1"], "step: unknown variable"),
            (["--align", "elastic"], "--align was given without --together"),
            (["--within", "0.3"], "--within was given without --align elastic"),
        ],
        ids=lambda one: one if isinstance(one, str) else "",
    )
    def test_errors(self, process, capsys, words, text):
        assert process("8", "-o", "o.nc", *words) == 1
        assert text in capsys.readouterr().err

    def test_no_number(self, process, capsys):
        with pytest.raises(SystemExit):
            process("8", "-o", "o.nc", "--aggregate", "nrj", "--step", "wide")
        assert "'wide' is not a number, expected for example 0.05" in capsys.readouterr().err


# The simulated runs are crowded.
@pytest.mark.filterwarnings("ignore:crowded. In r:hrixs.LostPhotonsWarning")
class TestTogether:
    def test_is_what_process_runs_gives(self, process, capsys):
        assert process("7-9", "--together", "--align", "elastic", "-o", "scan.nc") == 0
        result = opened("scan.nc")
        h = hRIXS(1)
        h.set_params(std_threshold=6.0, bins=660, y_range=slice(20, 240))
        h.CURVE_A, h.CURVE_B = CURVATURE
        h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = SLOPE, 530.0 - ROW * SLOPE
        expected = h.process_runs([7, 8, 9], align="elastic", progress=False)
        np.testing.assert_array_equal(result.spectrum, expected.spectrum)
        assert result.run.values.tolist() == expected.run.values.tolist()
        drift = result.drift.groupby("run").first()
        np.testing.assert_allclose(drift, [0, 1, 2], atol=4 * float(result.drift_err.max()))
        assert not os.path.exists("scan.nc.unfinished")
        told = capsys.readouterr().out
        assert "18 images" in told
        assert "3 of 3 runs done: r0007, r0008, r0009" in told

    def test_resumed_work_does_not_process_finished_runs_again(self, process, monkeypatch, capsys):
        real, done = hRIXS.process_run, []

        def until_the_last(h, run, **options):
            done.append(run)
            if run == 9 and done.count(9) == 1:
                raise KeyboardInterrupt
            return real(h, run, **options)

        monkeypatch.setattr(hRIXS, "process_run", until_the_last)
        words = ["7-9", "--together", "-o", "scan.nc", "--resume"]
        assert process(*words) == 130
        assert not os.path.exists("scan.nc")
        assert process(*words) == 0
        assert done == [7, 8, 9, 9]
        assert process(*words) == 0
        assert done == [7, 8, 9, 9]
        assert "scan.nc is finished already" in capsys.readouterr().out
        shutil.move("scan.nc", "first.nc")
        assert process("7-9", "--together", "-o", "scan.nc") == 0
        xr.testing.assert_equal(opened("scan.nc"), opened("first.nc"))

    def test_a_run_that_fails_is_left_out_and_told(self, process, capsys):
        assert process("7", "11", "--together", "-o", "scan.nc") == 1
        assert opened("scan.nc").attrs["runs"] == "r0007"
        told = capsys.readouterr()
        assert "1 of 2 runs done: r0007" in told.out
        assert "failed: run r0011: run 11 of proposal 1 can't be opened" in told.out
        assert process("7", "11", "--together", "-o", "scan.nc", "--resume") == 1
        told = capsys.readouterr().out
        assert "finished already" in told
        assert "failed: run r0011" in told
        assert process("11", "12", "--together", "-o", "none.nc") == 1
        assert not os.path.exists("none.nc")

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["-o", "."], "is a folder, expected one file for all runs"),
            (["-o", "scan"], "is a folder, expected one file for all runs"),
            (["-o", "no/scan.nc"], "there is no folder no"),
            (["-o", "scan.xyz"], "unknown suffix '.xyz'"),
            (["-o", "scan.nc", "--photons", "--aggregate", "nrj"], "photons can't be kept"),
        ],
        ids=lambda one: one if isinstance(one, str) else "",
    )
    def test_errors(self, process, capsys, words, text):
        assert process("7-9", "--together", *words) == 1
        assert text in capsys.readouterr().err

    def test_images_are_no_runs(self, process, capsys):
        np.save("a.npy", np.zeros((2, 30, 40)))
        assert process("a.npy", "--together", "-o", "o.nc") == 1
        assert "a.npy is not a run; --together is for runs" in capsys.readouterr().err


def test_one_output_for_several_runs_says_how(data_root, tmp_path, capsys):
    words = ["process", str(RUN), str(OTHER_RUN), "--proposal", str(PROPOSAL)]
    assert main([*words, "-o", str(tmp_path / "o.nc")]) == 1
    assert "For one dataset of several runs give --together." in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
class TestMap:
    def test_of_several_runs_drawn(self, process, tmp_path):
        words = ("7-9", "--together", "--align", "elastic", "--map", "--normalize", "hRIXS_norm")
        assert process(*words, "-o", "map.nc", "--plot", "map.png") == 0
        rixs = opened("map.nc")
        assert rixs.normalized.dims == ("nrj", "energy_loss")
        np.testing.assert_allclose(rixs.nrj, NRJ, atol=0.002)
        np.testing.assert_array_equal(rixs.counts, [6, 6, 6])
        np.testing.assert_allclose(rixs.normalized.fillna(0) * 6, rixs.spectrum)
        at_zero = rixs.spectrum.where(abs(rixs.energy_loss) < 0.06).sum("energy_loss")
        assert (at_zero > 0.7 * rixs.spectrum.sum("energy_loss")).all()
        assert (tmp_path / "map.png").stat().st_size > 5000
        error = rixs.hrixs.error("normalized")
        assert float(error.max()) > 0

    def test_over_the_emitted_energy_in_steps_of_its_own(self, process):
        words = ("7-9", "--together", "--map", "nrj", "--map-axis", "energy", "--edges")
        assert process(*words, "529,529.8,531", "-o", "map.nc") == 0
        rixs = opened("map.nc")
        assert rixs.normalized.dims == ("nrj", "energy")
        np.testing.assert_array_equal(rixs.counts, [6, 12])

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["--map", "--aggregate", "nrj"], "a map already adds up the images of each step"),
            (["--map", "nrjj"], "Did you mean 'nrj'"),
            (["--map", "--photons"], "can't be kept in an output that is aggregated"),
        ],
        ids=str,
    )
    def test_errors(self, process, capsys, words, text):
        assert process("7", *words, "-o", "map.nc") != 0
        assert text in capsys.readouterr().err
