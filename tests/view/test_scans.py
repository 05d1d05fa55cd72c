"""Maps and groups on the page are those of the library, and the copied calls make them again."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import RUN
from hrixs import hRIXS
from hrixs.cli.main import main
from hrixs.utils.errors import heard
from hrixs.view import View, taken
from hrixs.view.page import Page
from hrixs.view.scans.choice import Choice, divisors, make_map, variables
from hrixs.view.scans.map_view import palette
from hrixs.view.session import Session
from view.scan_run import DELAYS, SCAN, STEPS, ScanRuns, scan_settings

# The few columns of the simulated images are crowded.
pytestmark = pytest.mark.filterwarnings("ignore::hrixs.LostPhotonsWarning")


@pytest.fixture
def page(runs: ScanRuns, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(runs.root))
    page = View(scan_settings(), SCAN).page
    page.mode.value = "map"
    assert not page.error.visible, page.error.object
    return page


def expected(page: Page, **options: str) -> xr.Dataset:
    h = page.session.h
    return h.rixs_map(h.process_run(SCAN, progress=False), **options)


def drawn(page: Page) -> np.ndarray:
    return np.vstack(page.spectrum.map.map._source.data["image"])


def assert_drawn(page: Page, values: xr.DataArray) -> None:
    """The rows of the picture, with the axis from low to high."""
    along = values.dims[-1]
    np.testing.assert_allclose(drawn(page), values.sortby(along).astype(np.float32), rtol=1e-6)


def test_the_map_is_that_of_the_library(page):
    made = expected(page)
    assert made.sizes["nrj"] == len(STEPS)
    assert_drawn(page, made.normalized)
    tab = page.spectrum.map
    data, figure = tab.map._source.data, tab.map.figure
    np.testing.assert_allclose(data["step"], STEPS, atol=0.005)
    assert data["n"] == [3] * len(STEPS)
    bottom = np.asarray(data["y"])
    np.testing.assert_allclose(bottom[1:], (bottom + data["dh"])[:-1])  # no gap between the rows
    assert (figure.xaxis[0].axis_label, figure.yaxis[0].axis_label) == (
        "energy loss (eV)",
        "incident energy (eV)",
    )
    assert tab.map.bar.title == "photons per image and bin"
    assert "RIXS map of r0201: 5 steps, 15 images" in figure.title.text
    assert tab.map._no_loss.visible
    assert not page.of_image.visible
    assert page.of_map.visible


def test_the_elastic_line_is_drawn_at_no_loss(page):
    data, values = page.spectrum.map.map._source.data, drawn(page)
    n = values.shape[1]
    at = data["x"][0] + (np.arange(n) + 0.5) * data["dw"][0] / n
    for row in values:
        assert abs(at[np.nanargmax(row)]) < 0.05


def test_axis_and_divisor_are_options_of_the_library(page):
    tab = page.spectrum.map
    tab.axis.value = "energy"
    assert_drawn(page, expected(page, axis="energy").normalized)
    assert tab.map._elastic.visible
    assert not tab.map._no_loss.visible
    tab.divisor.value = "hRIXS_norm"
    assert_drawn(page, expected(page, axis="energy", normalize="hRIXS_norm").normalized)
    assert tab.map.bar.title == "photons per hRIXS_norm and bin"


def test_the_map_follows_the_settings(page):
    page.controls.fields["BINS"].value = 200
    assert page.session.n_found == 1
    assert_drawn(page, expected(page).normalized)
    page.controls.fields["CURVE_A"].value = "0.03"
    page.controls.fields["ENERGY_SLOPE"].value = "0.0185"
    assert page.session.n_found == 1
    assert_drawn(page, expected(page).normalized)
    page.controls.fields["STD_THRESHOLD"].value = 6.0
    assert_drawn(page, expected(page).normalized)
    page.controls.loss.value = True  # the map has an axis of its own
    assert_drawn(page, expected(page).normalized)
    assert not page.error.visible


def test_cuts_are_those_of_the_library(page):
    tab, made = page.spectrum.map, expected(page)
    tab.low.value = 513.3  # beyond the other end, which moves along
    assert tab.high.value == 513.3
    with heard() as told:
        one = made.hrixs.cut(nrj=513.3)
    assert tab.note.object.startswith(str(told[0]))
    np.testing.assert_array_equal(tab.cut_view._line.data["value"], one.normalized)
    np.testing.assert_array_equal(tab.cut_view._line.data["error"], one.hrixs.error("normalized"))
    assert tab.cut_view.figure.title.text == "cut at incident energy 513.3 eV"
    assert tab.map._cut.bottom == pytest.approx(513.2, abs=0.005)
    assert tab.map._cut.top == pytest.approx(513.4, abs=0.005)
    tab.along.value = "energy_loss"
    tab._take_part((0.4, 1.2), (513.0, 513.1))
    over = made.hrixs.cut(energy_loss=(0.4, 1.2))
    np.testing.assert_array_equal(tab.cut_view._points.data["value"], over.normalized)
    assert tab.cut_view.figure.yaxis[0].axis_label == "photons per image"
    assert (tab.low.value, tab.high.value) == (0.4, 1.2)
    assert not page.error.visible


def test_a_cut_beside_the_map_is_an_error_on_the_page(page):
    tab = page.spectrum.map
    tab.high.value = 601.0
    tab.low.value = 600.0
    assert "holds none of the map" in page.error.object
    assert page.error.visible
    tab._take_part((0.0, 0.0), (513.1, 513.1))
    assert not page.error.visible


def test_groups_by_a_delay_that_jitters(page):
    tab = page.spectrum.map
    tab.over.value = "hRIXS_delay"
    h = page.session.h
    groups = h.aggregate(h.process_run(SCAN, progress=False), "hRIXS_delay", tolerance="auto")
    groups = h.normalize(groups, "counts")
    assert groups.sizes["hRIXS_delay"] == len(DELAYS)
    assert_drawn(page, groups.normalized)
    assert tab.map.figure.yaxis[0].axis_label == "hRIXS delay (ps)"
    assert tab.steps.visible
    assert not tab.steps.value
    tab.steps.value = True  # each image is a group of its own
    assert len(drawn(page)) == 15
    tab.over.value = "hRIXS_norm"  # has no steps
    assert tab.steps.value
    assert not page.error.visible
    tab.steps.value = False
    assert "no clear steps" in page.error.object
    assert drawn_nothing(page)
    tab.over.value = "nrj"
    assert not page.error.visible
    assert_drawn(page, expected(page).normalized)


def drawn_nothing(page: Page) -> bool:
    return not page.spectrum.map.map._source.data["image"]


def test_the_tab_of_groups_finds_the_steps(page):
    column = page.spectrum
    column.tabs.active = column.tabs._names.index("Groups")
    groups = column.groups
    assert groups.by.options[0] == "hRIXS_delay"
    assert groups.view._lines.data["label"][0].endswith(" ps: 5 images")
    assert len(groups.view._lines.data["ys"]) == len(DELAYS)


def test_the_copied_python_makes_map_and_cut_again(page):
    tab = page.spectrum.map
    for over, axis, by in (
        ("nrj", "energy_loss", "counts"), ("nrj", "energy", "hRIXS_norm"),
        ("hRIXS_delay", "energy", "counts"),
    ):  # fmt: skip
        tab.over.value, tab.axis.value, tab.divisor.value = over, axis, by
        tab.scale.value = "sqrt"
        text = page.spectrum.python.value
        made: dict = {}
        with heard():
            exec(text, made)
        assert_drawn(page, made["rixs" if over == "nrj" else "groups"].normalized)
        line = tab.cut_view._line.data["value"]
        np.testing.assert_array_equal(made["cut"].normalized, line)
        assert "scale='sqrt'" in text
    page.mode.value = "mean image"
    assert "rixs_map" not in page.spectrum.python.value
    assert "--map" not in page.spectrum.command.value


@pytest.mark.parametrize("over", ["nrj", "hRIXS_delay"])
def test_the_saved_map_is_the_drawn_one(page, tmp_path: Path, over):
    page.spectrum.map.over.value = over
    name, content = taken.map_file(page.session, page.spectrum.map.drawn)
    assert name == "r0201-map.nc"
    (tmp_path / name).write_bytes(content)
    with xr.open_dataset(tmp_path / name) as written:
        assert_drawn(page, written.normalized)
    with pytest.raises(ValueError, match="Open the tab Map first"):
        taken.map_file(page.session, None)


def test_groups_by_the_incident_energy_are_spectra_over_the_energy(page):
    column = page.spectrum
    column.tabs.active = column.tabs._names.index("Groups")
    column.groups.by.value = "nrj"
    assert len(column.groups.view._lines.data["ys"]) == len(STEPS)
    assert column.groups.view.figure.xaxis[0].axis_label == "energy (eV)"


@pytest.mark.parametrize("over", ["nrj", "hRIXS_delay"])
def test_the_copied_command_makes_the_map_again(page, tmp_path: Path, monkeypatch, over):
    monkeypatch.chdir(tmp_path)
    page.spectrum.map.over.value = over
    page.spectrum.map.divisor.value = "hRIXS_norm"
    words = shlex.split(page.spectrum.command.value)
    assert main([*words[1:], "--no-progress"]) == 0
    with xr.open_dataset("map.nc") as written:
        assert_drawn(page, written.normalized)


def test_an_axis_without_energies_is_an_error_on_the_page(page):
    page.controls.fields["ENERGY_SLOPE"].value = "1"
    page.controls.fields["ENERGY_INTERCEPT"].value = "0"
    assert page.error.visible
    assert "eV" in page.error.object
    assert drawn_nothing(page)
    page.controls.fields["ENERGY_SLOPE"].value = "0.018387"
    page.controls.fields["ENERGY_INTERCEPT"].value = "498.27"
    assert not page.error.visible
    assert not drawn_nothing(page)


def test_images_without_a_variable_have_no_map(data, h):
    page = View(h, data[[h.DETECTOR]]).page
    page.mode.value = "map"
    assert "No variable of the images changes" in page.spectrum.map.note.object
    assert not page.error.visible
    assert "process" not in page.spectrum.command.value


def test_what_is_offered(h):
    session = Session(View(h, RUN).images, h)
    assert variables(session) == ["hRIXS_delay", "hRIXS_index", "hRIXS_norm"]
    assert divisors(session) == ["counts", "hRIXS_norm", "hRIXS_exposure"]
    with pytest.raises(hrixs.MissingDataError):
        make_map(session, Choice("no_such"))


def test_integrated_intensity_has_maps_too(page):
    page.controls.method.value = "integrate"
    h = page.session.h
    made = h.rixs_map(h.process_run(SCAN, method="integrate", progress=False))
    assert_drawn(page, made.normalized)
    assert page.spectrum.map.map.bar.title.endswith("per image")
    assert not page.error.visible


def test_zooming_in_does_not_cut_off_a_map_with_few_bins(page):
    before = drawn(page)
    page.spectrum.map.map.figure.x_range.update(start=-0.2, end=0.2)
    np.testing.assert_array_equal(drawn(page), before)


def test_many_bins_are_drawn_by_their_maximum_until_zoomed_in(page):
    page.controls.fields["BINS"].value = 1200
    made = expected(page).normalized.sortby("energy_loss")
    values, figure = drawn(page), page.spectrum.map.map.figure
    assert values.shape[1] <= 430
    np.testing.assert_allclose(
        np.nanmax(values, axis=1), made.max("energy_loss").astype(np.float32), rtol=1e-6
    )
    data = page.spectrum.map.map._source.data
    assert data["of"][0] == "(largest of 4 bins)"
    pixel = data["dw"][0] / values.shape[1]
    bin_width = float(made.energy_loss[1] - made.energy_loss[0])
    assert pixel == pytest.approx(4 * bin_width)
    for row, step in zip(values, made, strict=True):
        at = data["x"][0] + (np.nanargmax(row) + 0.5) * pixel
        assert abs(at - float(step.idxmax())) <= pixel / 2
    figure.x_range.update(start=-0.2, end=0.2)
    data = page.spectrum.map.map._source.data
    assert data["of"][0] == ""
    assert data["x"][0] <= -0.2 + 1e-9
    assert data["x"][0] + data["dw"][0] >= 0.2 - 1e-9


def test_colours_of_the_square_root():
    linear, root = palette("linear"), palette("sqrt")
    assert len(linear) == 256
    assert root[len(root) // 4] == linear[128]
    assert (root[-1], linear[-1]) == (linear[-1], linear[255])


def test_the_command_needs_a_run(data, h: hRIXS):
    rng = np.random.default_rng(1)
    data["nrj"] = (
        "trainId",
        513 + 0.5 * (np.arange(8) // 4) + rng.normal(0, 1e-3, 8),
        {"units": "eV"},
    )
    page = View(h, data).page
    page.mode.value = "map"
    assert not page.error.visible, page.error.object
    assert page.spectrum.command.value.startswith("#")
    assert "rixs = h.rixs_map(data)" in page.spectrum.python.value
