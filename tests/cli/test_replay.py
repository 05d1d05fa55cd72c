"""``hrixs replay`` and ``--settings``: results on disk make themselves again, and set others."""

import re

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, HAS_SAME_BYTES, OTHER_RUN, PROPOSAL, REPRODUCED, RUN
from hrixs import hRIXS
from hrixs.cli.main import main

SETTINGS = ["--y-range", "700:900", "--curve-a", "0.04", "--curve-b", "-2e-5", "--bins", "300"]
AXIS = ["--energy-slope", "0.018387", "--energy-intercept", "498.27"]


@pytest.fixture
def here(tmp_path, monkeypatch, data_root):
    monkeypatch.chdir(tmp_path)
    np.save("mask.npy", np.arange(256 * 1024).reshape(256, 1024) % 9973 == 5)
    words = ["process", str(RUN), "--proposal", str(PROPOSAL), "--dark", str(DARK), "--no-progress"]
    assert main([*words, "--mask", "mask.npy", *SETTINGS, *AXIS, "-o", "a.nc"]) == 0
    return tmp_path


def said(capsys, *words):
    capsys.readouterr()
    status = main(list(words))
    return status, capsys.readouterr()


def test_a_result_makes_itself_again_byte_for_byte(here, capsys):
    status, out = said(capsys, "replay", "a.nc", "-o", "b.nc")
    assert status == 0
    assert "h = hRIXS('3145')\n" in out.out
    assert "h.load_dark(166)\n" in out.out
    assert "data = h.process_run(145)\n" in out.out
    assert re.search(rf"wrote b.nc\n{REPRODUCED}\n$", out.out)
    a, b = (xr.load_dataset(here / name, engine="h5netcdf") for name in ("a.nc", "b.nc"))
    xr.testing.assert_identical(a, b)
    if HAS_SAME_BYTES:
        assert (here / "a.nc").read_bytes() == (here / "b.nc").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ["--aggregate", "hRIXS_delay", "--normalize", "hRIXS_norm"],
        ["--select", "hRIXS_norm > 950", "--drop-first", "--index", "0-7"],
        ["--map", "--normalize", "hRIXS_norm"],
        ["--method", "integrate", "--background", "0", "--aggregate", "hRIXS_delay"],
        ["--photons", "--method", "manual", "--energy", "530"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.one_in(2)
def test_with_all_that_was_done_to_it(here, words, capsys):
    words = [str(RUN), "--settings", "a.nc", "--no-progress", *words]
    assert main(["process", *words, "-o", "c.nc"]) == 0
    status, out = said(capsys, "replay", "c.nc")
    assert status == 0
    assert re.fullmatch(REPRODUCED, out.out.splitlines()[-1])


def test_runs_together(here, capsys):
    words = [str(RUN), str(OTHER_RUN), "--together", "--settings", "a.nc", "--no-progress"]
    assert main(["process", *words, "-o", "c.nc"]) == 0
    status, out = said(capsys, "replay", "c.nc")
    assert status == 0
    assert re.fullmatch(REPRODUCED, out.out.splitlines()[-1])


def test_image_files(here, simulated, capsys):
    np.save("stack.npy", simulated.frames)
    words = ["stack.npy", "--settings", "a.nc", "--drop-first", "2", "--energy", "531"]
    assert main(["process", *words, "-o", "c.nc"]) == 0
    status, out = said(capsys, "replay", "c.nc")
    assert status == 0
    assert re.fullmatch(REPRODUCED, out.out.splitlines()[-1])
    assert "taken from the file as they are: nrj" in out.out


@pytest.mark.parametrize(
    "change",
    [lambda data: data.fillna(0), lambda data: data.rename(spectrum="s").rename(s="spectrum")],
    ids=["fillna", "rename"],
)
def test_another_file_of_the_same_values(here, change, capsys):
    change(xr.load_dataset(here / "a.nc", engine="h5netcdf")).to_netcdf(
        here / "c.nc", engine="h5netcdf"
    )
    same = (here / "a.nc").read_bytes() == (here / "c.nc").read_bytes()
    status, out = said(capsys, "replay", "c.nc")
    assert status == 0
    expected = REPRODUCED if same or not HAS_SAME_BYTES else "reproduced: the same values"
    assert re.fullmatch(expected, out.out.splitlines()[-1])


class TestSettings:
    @pytest.mark.parametrize("file", ["a.nc", "s.toml", "a.nxs", "a.dat"])
    @pytest.mark.one_in(2)
    def test_a_result_and_a_file_of_settings_set_the_same(self, here, file):
        if file == "s.toml":
            hRIXS.from_result("a.nc").save(file)
        elif file != "a.nc":
            words = [str(RUN), "--settings", "a.nc", "--no-progress", "-o", file]
            assert main(["process", *words]) == 0
        words = [str(RUN), "--settings", file, "--no-progress", "-o", "c.nc"]
        assert main(["process", *words]) == 0
        one, other = (xr.open_dataset(name, engine="h5netcdf") for name in ("a.nc", "c.nc"))
        assert one.attrs["settings"] == other.attrs["settings"]
        xr.testing.assert_equal(one, other)
        assert one.spectrum.attrs["n_dark_images"] == other.spectrum.attrs["n_dark_images"] == 6
        one.close()
        other.close()

    def test_what_other_options_say_counts_more(self, here):
        words = [str(RUN), "--settings", "a.nc", "--bins", "150", "--no-progress", "-o", "c.nc"]
        assert main(["process", *words]) == 0
        h = hRIXS.from_result("c.nc")
        assert (150, slice(700, 900), str(PROPOSAL)) == (h.BINS, h.Y_RANGE, h.PROPOSAL)

    def test_a_file_that_is_none(self, here, capsys):
        status, out = said(capsys, "process", str(RUN), "--settings", "no.toml", "-o", "c.nc")
        assert (status, out.err) == (1, "hrixs: error: there is no file no.toml to load settings "
                                        "from.\n")  # fmt: skip


class TestReplay:
    def test_it_only_shows(self, here, capsys):
        status, out = said(capsys, "replay", "a.nc", "--show")
        assert status == 0
        assert out.out.splitlines()[-1] == "data = h.process_run(145)"

    def test_what_differs_is_said_and_is_the_exit_status(self, here, capsys):
        with xr.open_dataset("a.nc", engine="h5netcdf") as data:
            data = data.load()
        data["spectrum"] = data.spectrum.copy(data=data.spectrum.values * 2)
        data.to_netcdf("changed.nc", engine="h5netcdf")
        status, out = said(capsys, "replay", "changed.nc")
        assert status == 1
        assert "reproduced, but it differs: spectrum differs in" in out.out

    def test_moved_wants_both_folders(self, here, capsys):
        with pytest.raises(SystemExit):
            main(["replay", "a.nc", "--moved", "/old"])
        assert "expected the old folder and the new one: /old/raw=/new/raw" in (
            capsys.readouterr().err
        )

    @pytest.mark.parametrize("output", ["c.xyz", "no/c.nc"])
    def test_a_wrong_output_is_told_before_any_work_is_done(self, here, output, capsys):
        status, out = said(capsys, "replay", "a.nc", "-o", output)
        assert status == 1
        assert "reproduced" not in out.out
