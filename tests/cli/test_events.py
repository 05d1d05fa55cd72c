"""`hrixs process` on an event list, as a user calls it."""

import json
import re

import h5py
import numpy as np
import pytest
import xarray as xr

from conftest import REPRODUCED
from hrixs.cli.main import main
from oracles.adress_file import CF1, CF2, N_EXPOSURES, write_adress


@pytest.fixture
def path(tmp_path):
    return write_adress(tmp_path / "Co_0001_d2.h5")


def processed(path, *words):
    out = path.with_suffix(".nc")
    assert main(["process", str(path), "-o", str(out), *words]) == 0
    with xr.open_dataset(out, engine="h5netcdf") as ds:
        return ds.load()


def test_its_spectra_are_the_files_own(path, capsys):
    result = processed(path)
    with h5py.File(path) as file:
        own = file["entry/analysis/spectrum"][:]
    np.testing.assert_array_equal(result.spectrum.sum("frame"), own)
    np.testing.assert_array_equal(result.hrixs.error(), np.sqrt(result.spectrum))
    assert result.sizes["frame"] == N_EXPOSURES
    np.testing.assert_allclose(result.nrj, 776 + 0.003 * np.arange(N_EXPOSURES))
    assert f"{own.sum():.0f} photons in the spectra" in capsys.readouterr().out
    curve = json.loads(result.attrs["settings"])
    assert curve["curve_a"] == pytest.approx(CF1 + CF2, rel=1e-6)  # about column 0, not the corner


def test_settings_take_the_place_of_the_files_own(path):
    result = processed(
        path, "--curve-a", "0", "--curve-b", "0", "--bins", "70", "--y-range", "5:75",
        "--x-range", "10:150", "--energy-slope", "0.02", "--energy-intercept", "775",
        "--aggregate", "nrj",
    )  # fmt: skip
    with h5py.File(path) as file:
        x, y = file["entry/analysis/events"][:].T - 0.5
    inside = (x >= 9.5) & (x < 149.5)
    expected = np.histogram(y[inside], 70, (4.5, 74.5))[0]
    np.testing.assert_array_equal(result.spectrum.sum("nrj"), expected)
    assert result.spectrum.dims == ("nrj", "energy")
    np.testing.assert_allclose(result.energy[:2], [775.1, 775.12])


def test_its_curve_can_be_fitted(path, capsys):
    result = processed(path, "--find-curvature")
    assert "curvature: A = " in capsys.readouterr().out
    assert result.spectrum.sum() > 800


def test_resume_leaves_what_is_finished(path, capsys):
    processed(path)
    processed(path, "--resume")
    assert "is finished already" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--dark", "d.npy"], ["--threshold", "5"], ["--method", "best"]])
def test_options_of_images_are_refused(words, path, capsys):
    np.save(path.parent / "d.npy", np.zeros((160, 80)))
    words = [str(path.parent / word) if "." in word else word for word in words]
    assert main(["process", str(path), "-o", str(path.with_suffix(".nc")), *words]) == 1
    assert f"{words[0]} needs images" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [[], ["--energy", "778", "--bins", "70"], ["--y-range", "5:75", "--aggregate", "nrj"],
     ["--find-curvature", "--background", "0"]],
    ids=lambda words: " ".join(words) or "plain",
)  # fmt: skip
def test_it_makes_itself_again(path, words, capsys):
    processed(path, *words)
    assert main(["replay", str(path.with_suffix(".nc"))]) == 0
    said = capsys.readouterr().out
    assert "data = hrixs.read_events(" in said
    assert re.search(rf"{REPRODUCED}\n$", said)
