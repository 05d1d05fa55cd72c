"""Several runs with one command: an output each, and a failing run does not stop the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from conftest import OTHER_RUN, PROPOSAL, RUN
from hrixs import MissingDataError
from hrixs.cli.batch import expanded, file_names
from hrixs.cli.main import main


def opened(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf") as ds:
        return ds.load()


def test_an_output_for_each_run(data_root, h, tmp_path, capsys):
    folder = tmp_path / "spectra"
    command = ["process", str(RUN), str(OTHER_RUN), "--proposal", str(PROPOSAL)]
    command += ["--y-range", "700:900", "-o", str(folder), "--plot", str(tmp_path / "{run}.png")]
    assert main(command) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["r0145.nc", "r0155.nc"]
    assert (tmp_path / "r0155.png").stat().st_size > 10_000
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 2 runs done"
    h.CURVE_A = h.CURVE_B = 0.0
    for run in (RUN, OTHER_RUN):
        expected = h.process_run(run, progress=False).spectrum
        np.testing.assert_array_equal(opened(folder / f"r{run:04d}.nc").spectrum, expected)


def test_a_failing_run_does_not_stop_the_others(data_root, tmp_path, capsys):
    command = ["process", f"{RUN}-{RUN + 1}", str(OTHER_RUN), "--proposal", str(PROPOSAL)]
    assert main([*command, "-o", str(tmp_path / "out-{run}.nc")]) == 1
    said = capsys.readouterr()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-r0145.nc", "out-r0155.nc"]
    lines = said.out.splitlines()
    assert lines[-2] == "2 of 3 runs done"
    assert lines[-1].startswith("failed: run 146: run 146 of proposal 3145 can't be opened")
    assert "hrixs: error: run 146" in said.err


def test_curvature_of_one_run_is_not_that_of_the_next(data_root, tmp_path, capsys):
    command = ["process", str(RUN), str(OTHER_RUN), "--proposal", str(PROPOSAL)]
    command += ["--y-range", "700:900", "--find-curvature", "-o", str(tmp_path)]
    assert main(command) == 0
    together = [opened(tmp_path / f"r0{run}.nc") for run in (RUN, OTHER_RUN)]
    assert together[0].spectrum.attrs["curve_a"] != together[1].spectrum.attrs["curve_a"]
    alone = tmp_path / "alone.nc"
    assert main([*command[:1], *command[2:-1], str(alone)]) == 0
    assert opened(alone).spectrum.equals(together[1].spectrum)


def test_resumed_batch_does_what_is_left(data_root, tmp_path, capsys):
    command = ["process", str(RUN), str(OTHER_RUN), "--proposal", str(PROPOSAL)]
    command += ["-o", str(tmp_path), "--resume"]
    assert main(command) == 0
    (tmp_path / "r0155.nc").unlink()
    written = (tmp_path / "r0145.nc").stat().st_mtime_ns
    capsys.readouterr()
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "r0145.nc is finished already" in out
    assert "wrote" in out
    assert (tmp_path / "r0145.nc").stat().st_mtime_ns == written
    assert (tmp_path / "r0155.nc").exists()


def test_ranges():
    assert expanded(["3", "145-147", "r0001"]) == ["3", "145", "146", "147", "r0001"]
    with pytest.raises(ValueError, match="expected the lower number first"):
        expanded(["147-145"])


def test_a_folder_named_like_a_range_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("1-3").mkdir()
    assert expanded(["1-3"]) == ["1-3"]


class TestFileNames:
    def test_one_run(self, tmp_path):
        assert file_names(str(tmp_path / "a.nc"), ["1"], ".nc") == [tmp_path / "a.nc"]
        assert file_names(str(tmp_path), ["1"], ".nc") == [tmp_path / "r0001.nc"]

    def test_several_runs_in_one_file(self, tmp_path):
        with pytest.raises(ValueError, match="expected a folder, or a name with"):
            file_names(str(tmp_path / "a.nc"), ["1", "2"], ".nc")

    def test_the_same_name_twice(self, tmp_path):
        with pytest.raises(ValueError, match="several runs would be written to"):
            file_names(str(tmp_path), ["1", "0001"], ".nc")

    def test_no_folder(self, tmp_path):
        with pytest.raises(MissingDataError, match="there is no folder"):
            file_names(str(tmp_path / "no" / "{run}.nc"), ["1", "2"], ".nc")
