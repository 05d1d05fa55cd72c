import h5py
import numpy as np
import pytest
import xarray as xr

from conftest import OTHER_RUN, RUN
from hrixs import hRIXS
from hrixs.utils.errors import MissingDataError
from html_pages import ReadPage

pytestmark = [
    # Doubts and losses of the small runs are told elsewhere.
    pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning"),
    pytest.mark.usefixtures("empty_pictures"),  # they are tested in tests/reports
]


@pytest.fixture
def result(h: hRIXS) -> xr.Dataset:
    return h.process_run(RUN, progress=False)


def test_the_mean_image_of_the_run_is_found_by_its_number(h, result, tmp_path):
    page = ReadPage(h.report(result, tmp_path / "r0145.html"))
    assert page.headings[0] == "RIXS spectra of p003145, r0145"
    assert "The mean of all images of the run, no dark subtracted." in page.text
    assert "The crop is X 0:256, Y 700:900" in page.text


def test_the_mean_image_of_the_run_is_found_by_its_path(simulated, tmp_path):
    h = hRIXS()
    h.Y_RANGE = slice(700, 900)
    result = h.process_run(simulated.folder, progress=False)
    page = ReadPage(h.report(result, tmp_path / "r0145.html"))
    assert "The mean of all images of the run" in page.text
    assert str(simulated.folder) in page.text


def test_loaded_images_are_averaged(h, data, tmp_path):
    page = ReadPage(h.report(h.centroid(data), tmp_path / "page.html"))
    assert "The mean of all images of the run" in page.text


def test_the_mask_of_the_class_is_drawn(h, result, tmp_path):
    h.MASK = np.zeros((256, 1024), bool)
    h.MASK[10, [100, 800]] = True  # one of them in the crop
    page = ReadPage(h.report(result, tmp_path / "page.html"))
    assert "1 pixel in it is masked" in page.text


def test_the_settings_are_left_as_they_are(h, result, tmp_path):
    before = repr(h)
    h.report(result, tmp_path / "page.html")
    assert repr(h) == before


def test_a_run_that_is_gone_is_told_on_the_page(h, result, tmp_path, monkeypatch):
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path))
    page = ReadPage(h.report(result, tmp_path / "page.html"))
    assert "The mean image is missing: the run's files were not found or not read" in page.text
    assert "Give the run: h.report(result, path, run)" in page.text


def test_of_several_runs_the_image_of_the_first_is_drawn_and_called_so(h, tmp_path, monkeypatch):
    result = h.process_runs([RUN, OTHER_RUN], progress=False)
    for one in (result, h.aggregate(result, "hRIXS_delay"), h.rixs_map(result)):
        page = ReadPage(h.report(one, tmp_path / "page.html", trains=result))
        assert "The mean of all images of r0145, the first of 2 runs" in page.text
        assert "runs r0145, r0155" in page.text
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path))
    page = ReadPage(h.report(result, tmp_path / "page.html"))
    assert "The mean image of r0145, the first of 2 runs, is missing" in page.text


def test_a_run_that_is_asked_for_must_be_there(h, result, tmp_path):
    with pytest.raises(MissingDataError):
        h.report(result, tmp_path / "page.html", 999)
    assert list(tmp_path.iterdir()) == []


def test_sums_tell_their_run_and_have_its_image(h, result, tmp_path):
    sums = h.aggregate(result)
    page = ReadPage(h.report(sums, tmp_path / "page.html"))
    assert page.headings[0] == "RIXS spectra of p003145, r0145"
    assert "The mean of all images of the run" in page.text
    assert "run r0145" in page.text


def test_groups_do_not_tell_their_run_and_take_the_one_that_is_given(h, result, tmp_path):
    groups = h.aggregate(result, "hRIXS_delay")
    page = ReadPage(h.report(groups, tmp_path / "page.html", RUN, trains=result))
    assert "r0145" in page.headings[0]
    assert "The mean of all images of the run" in page.text


def test_an_image_of_ones_own_is_drawn_in_place_of_the_runs(h, result, tmp_path):
    own = h.mean_image(RUN).assign_attrs(long_name="image of another day")
    page = ReadPage(h.report(result, tmp_path / "page.html", image=own))
    assert "The image of another day." in page.text


def test_the_time_of_the_measurement_is_that_of_the_trains(h, simulated, tmp_path):
    first = np.datetime64("2026-03-01T12:00:00", "ns")
    folder = tmp_path / "r0145"
    folder.mkdir()
    for file in simulated.folder.glob("*.h5"):
        (folder / file.name).write_bytes(file.read_bytes())
        with h5py.File(folder / file.name, "r+") as opened:
            n_trains = len(opened["INDEX/trainId"])
            stamps = first + np.arange(n_trains) * np.timedelta64(100, "ms")
            if "timestamp" in opened["INDEX"]:
                del opened["INDEX/timestamp"]
            opened["INDEX/timestamp"] = stamps.astype(np.uint64)
    result = h.process_run(folder, progress=False)
    page = ReadPage(h.report(result, tmp_path / "page.html"))
    assert "measured 2026-03-01 12:00:00 UTC" in page.text
