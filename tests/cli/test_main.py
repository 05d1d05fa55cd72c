"""The command line, called as a user calls it."""

import json
import os
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import CURVATURE, DARK, PROPOSAL, RUN
from hrixs import hRIXS
from hrixs.cli.demo import run_demo
from hrixs.cli.main import main


def opened(path, **options) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf", **options) as ds:
        return ds.load()


def test_demo_finds_the_truth(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("EXTRA_DATA_DATA_ROOT", raising=False)
    assert main(["demo", "--out", str(tmp_path), "--frames", "24"]) == 0
    out = capsys.readouterr().out
    assert "28 trains, 24 images, 4 trains without an image" in out
    assert out.count(" agrees\n") == 8
    assert "DIFFERS" not in out
    assert (tmp_path / "demo.png").stat().st_size > 20_000
    counted = opened(tmp_path / "spectrum.nc", group="counted")
    assert counted.spectrum.dims == ("trainId", "energy")
    by_delay = opened(tmp_path / "spectrum.nc", group="by_delay")
    assert by_delay.normalized.sizes["hRIXS_delay"] == 4
    # The pumped dd excitations are weaker.
    dd = by_delay.normalized.sel(energy=slice(527.5, 528.7)).sum("energy")
    assert dd.sel(hRIXS_delay=0.5) < 0.85 * dd.sel(hRIXS_delay=-1)


def test_demo_leaves_other_runs_alone(tmp_path, capsys, monkeypatch):
    foreign = tmp_path / "SCS" / "202601" / "p001234" / "raw" / "data.h5"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("precious")
    monkeypatch.setattr("hrixs.cli.demo.simulate_frames", None)
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", "/mine")
    with pytest.raises(TypeError):
        run_demo(tmp_path)
    assert foreign.read_text() == "precious"
    assert os.environ["EXTRA_DATA_DATA_ROOT"] == "/mine"


def test_demo_needs_some_frames(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--frames", "3"]) == 1
    assert "expected 24 or more" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["auto", "manual", "integrate"])
@pytest.mark.one_in(2)
def test_process_a_run_is_what_the_class_does(method, h, simulated, tmp_path, capsys):
    out, png = tmp_path / "out.nc", tmp_path / "out.png"
    a, b = CURVATURE
    command = [
        "process", str(simulated.folder), "--method", method, "-o", str(out), "--plot", str(png),
        "--dark", str(simulated.folder.parent / f"r{DARK:04d}"), "--y-range", "700:900",
        "--curve-a", str(a), "--curve-b", str(b), "--bins", "123",
        "--energy-slope", "0.018387", "--energy-intercept", "498.27",
    ]  # fmt: skip
    assert main(command) == 0
    h.load_dark(DARK)
    data = h.from_run(RUN)
    expected = h.integrate(data) if method == "integrate" else h.centroid(data, 123, method)
    result = opened(out)
    np.testing.assert_array_equal(result.spectrum, expected.spectrum)
    np.testing.assert_array_equal(result.energy, expected.energy)
    assert "MaranaX" not in result
    assert json.loads(result.attrs["settings"])["curve_b"] == b
    assert png.stat().st_size > 10_000
    assert "8 images, 10 trains, 2 trains without an image" in capsys.readouterr().out


def test_process_by_number_with_curvature_groups_and_norm(data_root, tmp_path, capsys):
    out = tmp_path / "out.nc"
    command = ["process", str(RUN), "--proposal", str(PROPOSAL), "-o", str(out), "--find-curvature"]
    command += ["--y-range", "700:900", "--aggregate", "hRIXS_delay", "--normalize", "hRIXS_norm"]
    assert main(command) == 0
    result = opened(out)
    assert result.normalized.dims == ("hRIXS_delay", "energy")
    np.testing.assert_array_equal(result.counts, [3, 3, 2])
    found = re.search(r"curvature: A = ([\d.]+) \+- ([\d.]+)", capsys.readouterr().out)
    assert found is not None
    assert abs(float(found[1]) - CURVATURE[0]) < 4 * float(found[2])


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".h5"])
def test_process_an_image_stack(suffix, simulated, tmp_path):
    path = tmp_path / f"stack{suffix}"
    frames = simulated.frames.swapaxes(1, 2)
    if suffix == ".npy":
        np.save(path, frames)
    elif suffix == ".tif":
        tifffile = pytest.importorskip("tifffile")
        tifffile.imwrite(path, frames)
    else:
        with h5py.File(path, "w") as file:
            file["entry/data"] = frames
            file["entry/times"] = np.arange(8.0)
    mask = tmp_path / "mask.npy"
    np.save(mask, np.zeros(frames.shape[1:], int))
    out = tmp_path / "out.nc"
    command = ["process", str(path), "--transpose", "--method", "manual", "--energy", "530"]
    command += ["--mask", str(mask), "--y-range", "700:900", "-o", str(out)]
    assert main(command) == 0
    h = hRIXS()
    h.Y_RANGE = slice(700, 900)
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), simulated.frames), "nrj": 530.0})
    np.testing.assert_array_equal(opened(out).spectrum, h.centroid(data, method="manual").spectrum)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["/nowhere/r0001"], "there is no run at"),
        (["{run}", "--y-range", "2000:2100"], "leaves 0 of 1024 pixels"),
        (["{run}", "--bins", "0"], "bins = 0"),
        (["{run}", "--detector", "hRIXS_det"], "no camera hRIXS_det"),
        (["{run}", "--dark", "/nowhere"], "there is no run at /nowhere"),
        (["{run}", "--aggregate", "hRIXS_dely"], "Did you mean 'hRIXS_delay'"),
        (["145"], "without a proposal"),
    ],
)
def test_errors_help_and_write_nothing(words, text, simulated, tmp_path, capsys):
    command = ["process", *(word.format(run=simulated.folder) for word in words)]
    assert main([*command, "-o", str(tmp_path / "out.nc")]) == 1
    assert text in capsys.readouterr().err
    assert not (tmp_path / "out.nc").exists()


def test_own_mnemonics_and_fields(simulated, tmp_path, monkeypatch):
    for name in ("MaranaX", "step"):
        monkeypatch.setitem(hrixs.mnemonics, name, hrixs.mnemonics["hRIXS_index"])
    own = {
        "MaranaX": {
            "source": "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput",
            "key": "data.image.pixels",
            "dim": ["x", "y"],
        },
        "step": {"source": "SCS_HRIXS_ACQ/MDL/SCAN", "key": "index.value", "dim": []},
    }
    (tmp_path / "mine.json").write_text(json.dumps(own))
    out = tmp_path / "out.nc"
    command = ["process", str(simulated.folder), "-o", str(out), "--field", "step"]
    assert main([*command, "--mnemonics", str(tmp_path / "mine.json")]) == 0
    assert opened(out).step.values.tolist() == [0, 1, 3, 4, 5, 6, 8, 9]


def test_output_folder_must_exist(simulated, tmp_path, capsys):
    assert main(["process", str(simulated.folder), "-o", str(tmp_path / "no" / "out.nc")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_range_that_is_none(capsys):
    with pytest.raises(SystemExit):
        main(["process", "x", "-o", "y.nc", "--y-range", "700-900"])
    assert "not a range of pixels, expected for example 700:900" in capsys.readouterr().err


def test_the_installed_command():
    command = [sys.executable, "-m", "hrixs", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"hrixs {hrixs.__version__}"


class TestTheSuffixSaysWhatIsWritten:
    @pytest.fixture
    def command(self, simulated, tmp_path):
        return ["process", str(simulated.folder), "--y-range", "700:900", "--no-progress"]

    def test_columns_nexus_and_netcdf_are_the_same(self, command, tmp_path):
        for suffix in (".nc", ".dat", ".csv", ".nxs"):
            assert (
                main([*command, "--aggregate", "hRIXS_delay", "-o", f"{tmp_path}/o{suffix}"]) == 0
            )
        expected = opened(tmp_path / "o.nc")
        table = np.loadtxt(tmp_path / "o.dat")
        np.testing.assert_array_equal(table[:, 0], expected.energy)
        np.testing.assert_array_equal(table[:, 1::2].T, expected.spectrum)
        np.testing.assert_array_equal(table[:, 2::2].T, expected.hrixs.error())
        values = np.genfromtxt(tmp_path / "o.csv", delimiter=",")[1:]
        np.testing.assert_array_equal(values, table)
        with h5py.File(tmp_path / "o.nxs") as file:
            entry = file[file.attrs["default"]]
            data = entry[entry.attrs["default"]]
            np.testing.assert_array_equal(data[data.attrs["signal"]], expected.spectrum)
            assert list(data.attrs["axes"]) == ["hRIXS_delay", "energy"]

    @pytest.mark.parametrize("suffix", [".csv", ".nxs"])
    def test_resume_knows_what_is_finished(self, suffix, command, tmp_path, capsys):
        command += ["-o", f"{tmp_path}/o{suffix}"]
        assert main(command) == 0
        capsys.readouterr()
        assert main([*command, "--resume"]) == 0
        assert "is finished already" in capsys.readouterr().out
        assert main([*command, "--resume", "--bins", "77"]) == 0
        assert "is finished already" not in capsys.readouterr().out

    def test_an_unknown_suffix_is_told_before_any_work(self, command, tmp_path, capsys):
        assert main([*command, "-o", f"{tmp_path}/o.xls"]) == 1
        assert "unknown suffix '.xls'" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_text_holds_no_photons(self, command, tmp_path, capsys):
        assert main([*command, "--photons", "-o", f"{tmp_path}/o.dat"]) == 1
        assert "write .nc or .nxs" in capsys.readouterr().err
        assert main([*command, "--photons", "-o", f"{tmp_path}/o.nxs"]) == 0
        with h5py.File(tmp_path / "o.nxs") as file:
            assert file["entry/photons/photon_x"].size > 100

    def test_several_runs_are_not_written_to_one_file(self, command, tmp_path, capsys):
        assert main(["process", *[command[1]] * 2, "-o", f"{tmp_path}/o.csv"]) == 1
        assert "is one file for 2 runs" in capsys.readouterr().err
