"""`hrixs.report` of a result, or its file: the image of its run, and the calls that made it."""

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import DARK, RUN

pytestmark = pytest.mark.filterwarnings("ignore:crowded:hrixs.LostPhotonsWarning")


@pytest.fixture
def result(h, tmp_path):
    h.load_dark(DARK)
    h.MASK = np.arange(256 * 1024).reshape(256, 1024) % 9973 == 5
    result = h.process_run(RUN, progress=False)
    result.to_netcdf(tmp_path / "r0145.nc", engine="h5netcdf")
    return tmp_path / "r0145.nc"


def test_a_file_has_all_that_the_page_shows(result, tmp_path):
    page = hrixs.report(result, tmp_path / "r0145.html").read_text("utf8")
    assert "The mean of all images of the run, less the dark" in page
    assert "h = hRIXS(3145)" in page
    assert "data = h.process_run(145)" in page
    assert "27 bad pixels of 256 x 1024" in page


def test_without_the_run_the_page_says_so(result, tmp_path, monkeypatch):
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path))
    page = hrixs.report(result, tmp_path / "r0145.html").read_text("utf8")
    assert "The mean image is missing" in page
    assert "data = h.process_run(145)" in page


def test_a_result_that_tells_no_settings_has_a_page(tmp_path):
    spectrum = ("energy", np.arange(9)), {"units": "photons"}
    data = xr.Dataset({"spectrum": (*spectrum[0], spectrum[1])}, {"energy": np.arange(9.0)})
    page = hrixs.report(data, tmp_path / "a.html", title="Sample 7").read_text("utf8")
    assert "<h1>Sample 7</h1>" in page


def test_what_is_given_counts_more(result, tmp_path):
    image = xr.DataArray(np.ones((256, 1024)), dims=("x", "y"), attrs={"long_name": "of my own"})
    options = {"image": image, "made_by": "by hand", "command": "hrixs process"}
    page = hrixs.report(result, tmp_path / "a.html", **options).read_text("utf8")
    assert "by hand" in page
    assert "h.process_run(145)" not in page
