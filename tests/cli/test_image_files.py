"""Image files on the command line: what is read is said, what is not is refused with a reason."""

import numpy as np
import pytest
import tifffile
import xarray as xr

from hrixs.cli.main import main
from image_files import FRAMES, write_hdf5, write_spool


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *words):
    """The spectra that were written, None where that failed, and what was said."""
    capsys.readouterr()
    failed = main(["process", *words, "--method", "integrate", "-o", "out.nc"])
    said = capsys.readouterr()
    if failed:
        return None, said.err
    with xr.open_dataset("out.nc", engine="h5netcdf") as ds:
        return ds.load(), said.out


def one_a_file(folder, numbers=range(6, 12)):
    folder.mkdir(exist_ok=True)
    for number, frame in zip(numbers, FRAMES, strict=True):
        tifffile.imwrite(folder / f"s_{number}.tif", frame)


class TestStacks:
    def test_a_folder_is_one_result_and_its_first_and_last_file_are_said(self, here, capsys):
        one_a_file(here / "scan")
        np.save("whole.npy", FRAMES)
        spectra, said = run(capsys, "scan")
        expected, _ = run(capsys, "whole.npy")
        np.testing.assert_array_equal(spectra.spectrum, expected.spectrum)
        assert said.startswith(
            "6 images of 64 x 128 pixels, one per file of scan: first s_6.tif, last s_11.tif\n"
        )

    def test_a_pattern_in_quotes(self, here, capsys):
        one_a_file(here)
        assert run(capsys, "s_?.tif")[0].sizes["trainId"] == 4
        assert main(["process", "s_?.tif", "--method", "integrate", "-o", "made/"]) == 0
        assert (here / "made" / "s_x.nc").exists()

    def test_files_that_the_shell_has_listed(self, here, capsys):
        one_a_file(here)
        names = ["s_10.tif", "s_11.tif", "s_6.tif"]
        _, told = run(capsys, *names)
        assert "out.nc is one file for 3 runs" in told
        assert "If the files are images of one stack, give --stack." in told
        spectra, _ = run(capsys, *names, "--stack")
        assert spectra.sizes["trainId"] == 3

    def test_the_axis_that_counts_is_asked_for_and_given(self, here, capsys):
        np.save("a.npy", np.moveaxis(FRAMES, 0, -1))
        assert "--stack-axis 0 or --stack-axis 2" in run(capsys, "a.npy")[1]
        assert run(capsys, "a.npy", "--stack-axis", "-1")[0].sizes["trainId"] == 6

    def test_an_andor_spool(self, here, capsys):
        write_spool(here / "spool")
        assert run(capsys, "spool")[0].sizes["trainId"] == 6

    def test_units_exposure_and_times_do_not_stand_in_the_way(self, here, capsys):
        for number, frame in enumerate(FRAMES):
            tifffile.imwrite(
                f"s_{number}.tif", frame, metadata=None, datetime=f"2026:05:04 10:00:0{number}"
            )
        spectra, _ = run(capsys, "s_*.tif")
        assert spectra["time"].values[5] == np.datetime64("2026-05-04T10:00:05")

    def test_it_is_resumed_until_a_file_changes(self, here, capsys):
        one_a_file(here / "scan")
        run(capsys, "scan")
        assert "out.nc is finished already" in run(capsys, "scan", "--resume")[1]
        tifffile.imwrite("scan/s_8.tif", FRAMES[0], compression="zlib")
        assert "finished already" not in run(capsys, "scan", "--resume")[1]


class TestOtherFiles:
    def test_a_mask_in_a_tiff(self, here, capsys):
        np.save("a.npy", FRAMES)
        mask = np.zeros(FRAMES.shape[1:], "u1")
        mask[:, 100:] = 1
        tifffile.imwrite("mask.tif", mask)
        np.save("mask.npy", mask)
        by_tiff, _ = run(capsys, "a.npy", "--mask", "mask.tif")
        by_npy, _ = run(capsys, "a.npy", "--mask", "mask.npy")
        unmasked, _ = run(capsys, "a.npy")
        np.testing.assert_array_equal(by_tiff.spectrum, by_npy.spectrum)
        assert float(by_tiff.spectrum.sum()) != float(unmasked.spectrum.sum())

    def test_a_mask_that_is_no_image(self, here, capsys):
        np.save("a.npy", FRAMES)
        (here / "mask.txt").write_text("a note")
        assert "mask.txt: images are read from" in run(capsys, "a.npy", "--mask", "mask.txt")[1]

    def test_a_dark_in_another_format_takes_its_level_away(self, here, capsys):
        np.save("a.npy", FRAMES)
        one_a_file(here / "dark")
        raw, _ = run(capsys, "a.npy")
        less, said = run(capsys, "a.npy", "--dark", "dark")
        assert said.startswith("6 images of 64 x 128 pixels, one per file of dark")
        assert abs(float(less.spectrum.mean())) < 0.1 * float(raw.spectrum.mean())


class TestRefused:
    @pytest.mark.parametrize("name", ["a.edf", "a.spe", "a.sif", "a.fits", "a.dat", "a.img"])
    def test_a_file_is_never_a_run_that_cant_be_opened(self, here, capsys, name):
        (here / name).write_bytes(b"what is this?")
        _, told = run(capsys, name)
        assert name in told
        assert "run" not in told.replace("runs", "")

    def test_a_dataset_that_is_not_there(self, here, capsys):
        write_hdf5("a.h5")
        told = run(capsys, "a.h5", "--dataset", "entry/other")[1]
        assert "'entry/other' is not in the file" in told
        assert "entry/data (6x64x128 uint16)" in told
