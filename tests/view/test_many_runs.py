"""Several runs on one page: what it shows is what process_runs makes of them."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import hRIXS
from hrixs.cli.main import main
from hrixs.simulation import write_run
from hrixs.utils.errors import heard
from hrixs.view import View, taken
from hrixs.view.page import Page
from hrixs.view.scans.many_images import ManyImages
from view.scan_run import NEXT, SCAN, ScanRuns, scan_settings

# The few columns of the simulated images are crowded.
pytestmark = pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")
PER_RUN = 15


@pytest.fixture
def h(runs: ScanRuns, monkeypatch: pytest.MonkeyPatch) -> hRIXS:
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(runs.root))
    return scan_settings()


@pytest.fixture
def page(h: hRIXS) -> Page:
    page = View(h, [SCAN, NEXT]).page
    assert not page.error.visible, page.error.object
    return page


def made(page: Page, **options: str) -> xr.Dataset:
    with heard():
        return page.session.h.process_runs([SCAN, NEXT], progress=False, **options)


@pytest.mark.parametrize("method", ["auto", "integrate", "resolve"])
def test_spectra_are_those_of_process_runs(page, method):
    page.controls.method.value = method
    shown, expected = page.session.spectra(), made(page, method=method)
    np.testing.assert_allclose(shown.spectrum, expected.spectrum, rtol=1e-12)
    np.testing.assert_array_equal(shown.run, expected.run)
    np.testing.assert_array_equal(shown.trainId, expected.trainId)
    assert [one.code for one in hrixs.doubts(shown)] == [one.code for one in hrixs.doubts(expected)]
    assert shown.spectrum.attrs.get("n_photons") == expected.spectrum.attrs.get("n_photons")
    assert "30 images" in page.status.object


def test_runs_that_do_not_fit_the_memory_are_reduced_from_their_files(h):
    view = View(h, [SCAN, NEXT])
    for one in view.images.runs.values():
        one._most = 1000
    page = view.page
    assert not page.error.visible, page.error.object
    expected = made(page, photons=True)
    np.testing.assert_array_equal(page.session.spectra().spectrum, expected.spectrum)
    here = expected.photon_frame.values == PER_RUN + 2
    np.testing.assert_array_equal(
        page.session.photons_of(PER_RUN + 2)["y"], expected.photon_y.values[here]
    )


def test_curve_and_bins_need_no_photon_anew(page):
    page.controls.fields["BINS"].value = 200
    page.controls.fields["CURVE_A"].value = "0.03"
    assert page.session.n_found == 1
    np.testing.assert_array_equal(page.session.spectra().spectrum, made(page).spectrum)


def test_the_slider_goes_over_the_images_of_all_runs(page, h):
    assert (page.number.start, page.number.end) == (0, 2 * PER_RUN - 1)
    images = [h.from_run(run)[h.DETECTOR] for run in (SCAN, NEXT)]
    for number, run, within in ((14, 0, 14), (15, 1, 0), (29, 1, 14)):
        page.number.value = number
        np.testing.assert_array_equal(page.session.images.image(number), images[run].values[within])
        train = int(images[run].trainId[within])
        photons = page.session.photons_of(number)
        title = page.image.figure.title.text
        name = f"r0{(SCAN, NEXT)[run]}"
        assert title == f"image {number}, {name}, train {train}, {len(photons['x'])} photons found"
        alone = h.process_run((SCAN, NEXT)[run], photons=True, progress=False)
        here = alone.photon_frame.values == within
        np.testing.assert_array_equal(photons["y"], alone.photon_y.values[here])


def test_the_mean_is_that_of_all_images(page, h):
    images = np.concatenate([h.from_run(run)[h.DETECTOR].values for run in (SCAN, NEXT)])
    np.testing.assert_allclose(page.session.images.mean(), images.mean(axis=0))
    numbers = [n for _, n in View(h, [SCAN, NEXT]).images.means()]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 2 * PER_RUN
    assert page.image.figure.title.text == "mean of 30 images"


def test_the_map_is_that_of_all_runs(page):
    page.mode.value = "map"
    expected = page.session.h.rixs_map(made(page))
    assert expected.counts.values.tolist() == [6] * 5
    shown = np.vstack(page.spectrum.map.map._source.data["image"])
    values = expected.normalized.sortby("energy_loss")
    np.testing.assert_allclose(shown, values.astype(np.float32), rtol=1e-6)
    title = page.spectrum.map.map.figure.title.text
    assert title.startswith("RIXS map of r0201 to r0202, 2 runs: 5 steps, 30 images")


def test_groups_by_the_run(page):
    column = page.spectrum
    column.tabs.active = column.tabs._names.index("Groups")
    column.groups.by.value = "run"
    assert column.groups.view._lines.data["label"] == [
        "run r0201: 15 images", "run r0202: 15 images",
    ]  # fmt: skip
    assert not page.error.visible


def test_every_tab_and_button_works(page):
    tabs = page.spectrum.tabs
    for number in range(len(tabs)):
        tabs.active = number
        assert not page.error.visible, (tabs._names[number], page.error.object)
    for button in (page.controls.fit, page.controls.range, page.controls.bad):
        button.clicks += 1
        assert not page.error.visible, page.error.object
    assert page.session.h.curvature_fit is not None


def test_the_copied_calls_make_the_spectra_again(page, tmp_path: Path, monkeypatch):
    made_again: dict = {}
    assert "process_runs([201, 202])" in page.spectrum.python.value
    with heard():
        exec(page.spectrum.python.value, made_again)
    shown = page.session.spectra().spectrum
    np.testing.assert_array_equal(made_again["data"].spectrum, shown)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(page.spectrum.command.value)
    assert words[:5] == ["hrixs", "process", "201", "202", "--together"]
    assert main([*words[1:], "--no-progress"]) == 0
    with xr.open_dataset("spectrum.nc") as written:
        np.testing.assert_array_equal(written.spectrum, shown)


def test_files_are_those_of_all_runs(page, tmp_path: Path):
    name, content = taken.spectrum_file(page.session)
    (tmp_path / name).write_bytes(content)
    with xr.open_dataset(tmp_path / name) as written:
        np.testing.assert_array_equal(written.spectrum, page.session.spectra().spectrum)
    assert taken.picture_file(page.session)[1][:4] == b"\x89PNG"
    assert b"r0202" in taken.report_file(page.session)[1]


def test_a_run_that_is_missing_is_left_out(h):
    with pytest.warns(hrixs.HrixsWarning, match=r"run r0203: .* It is left out"):
        images = ManyImages(h, [SCAN, 203, NEXT])
    assert list(images.runs) == ["r0201", "r0202"]
    with pytest.raises(hrixs.FaultyRunError, match="none of 2 runs could be opened"):
        ManyImages(h, [203, 204])
    with pytest.raises(ValueError, match="given twice"):
        ManyImages(h, [SCAN, SCAN])


def test_runs_of_other_images_are_an_error(h, runs, tmp_path):
    other = write_run(tmp_path, np.ones((2, 64, 128), np.uint16), proposal=3145, run=301)
    with pytest.raises(ValueError, match=r"256 x 1024 pixels, those of r0301 64 x 128"):
        ManyImages(h, [SCAN, str(other)])


def test_the_command_takes_ranges(h, monkeypatch, capsys):
    served = []
    monkeypatch.setattr(View, "serve", lambda self, **_: served.append(self.images))
    assert main(["view", "201-202", "--proposal", "3145"]) == 0
    assert list(served[0].runs) == ["r0201", "r0202"]
    assert main(["view", "201", "--proposal", "3145"]) == 0
    assert not isinstance(served[1], ManyImages)
