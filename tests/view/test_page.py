"""The page without a browser: what happens when something is changed, and what stands there."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, RUN
from hrixs import hRIXS
from hrixs.camera.curve import Curvature
from hrixs.view import View
from hrixs.view.page import Page
from hrixs.view.screen import shown, usual_levels
from hrixs.view.worker import Worker


@pytest.fixture
def view(h: hRIXS) -> View:
    h.STD_THRESHOLD = 4.0
    return View(h, RUN)


@pytest.fixture
def page(view: View) -> Page:
    return view.page


def sum_shown(page: Page) -> float:
    return float(np.sum(page.spectrum.view._source.data["value"]))


def made(page: Page) -> xr.DataArray:
    return page.session.h.process_run(RUN, progress=False).spectrum.sum("trainId")


def test_the_page_opens_with_image_spectrum_and_doubts(page):
    assert page.image.figure.title.text == "mean of 8 images"
    assert sum_shown(page) == made(page).sum() > 300
    assert "photons in 8 images" in page.status.object
    assert "rows 700:900, columns 0:256" in page.status.object
    assert f"{len(page.session.doubts())} doubts" in page.status.object
    assert not page.error.visible
    beside = page.spectrum.view._integrated.data["value"]
    assert len(beside) == 200
    assert page.image._line.data["y"][0] == pytest.approx(800, abs=2)


def test_fields_change_what_is_shown(page):
    fields = page.controls.fields
    fields["STD_THRESHOLD"].value = 5.0
    assert page.session.h.STD_THRESHOLD == 5.0
    assert sum_shown(page) == made(page).sum()
    fields["BINS"].value = 250
    assert len(page.spectrum.view._source.data["value"]) == 250
    fields["THRESHOLD"].value = "6 sigma"
    assert page.session.h.THRESHOLD == "6 sigma"
    fields["THRESHOLD"].value = ""
    assert page.session.h.THRESHOLD is None
    fields["ENERGY_SLOPE"].value = "0.02"
    assert page.spectrum.view.figure.xaxis[0].axis_label == "energy (eV)"
    page.controls.method.value = "integrate"
    assert page.session.method == "integrate"
    assert "ADU" in page.spectrum.view.figure.yaxis[0].axis_label
    assert not page.error.visible


def test_the_crop_follows_fields_and_the_box(page):
    page.controls.crop["y", "from"].value = 720
    assert page.session.crop.ranges["y_range"] == (720, 900)
    assert page.image._crop.bottom == 719.5
    page.image._crop.top = 879.5
    assert slice(720, 880) == page.session.h.Y_RANGE
    assert page.controls.crop["y", "to"].value == 880
    assert sum_shown(page) == made(page).sum()


def test_handles_on_the_line_set_the_curve(page):
    data = dict(page.image._handles.data)
    curve = Curvature.of((0.05, -3e-5))
    page.image._handles.data = {"x": data["x"], "y": 800 + curve(np.asarray(data["x"]))}
    assert pytest.approx(0.05) == page.session.h.CURVE_A
    assert pytest.approx(-3e-5) == page.session.h.CURVE_B
    assert float(page.controls.fields["CURVE_A"].value) == pytest.approx(0.05)
    assert page.session.n_found == 1
    page.image._handles.data = {"x": [5.0, 5.0, 9.0], "y": [1.0, 2.0, 3.0]}
    assert "two handles are at the same column" in page.error.object


def test_fit_and_range_buttons(page):
    page.controls.fit.clicks += 1
    assert not page.error.visible
    assert page.session.h.curvature_fit is not None
    assert float(page.controls.fields["CURVE_A"].value) == page.session.h.CURVE_A
    page.controls.range.clicks += 1
    assert slice(700, 900) != page.session.h.Y_RANGE


def test_single_images_show_their_photons(page):
    page.number.value = 3
    assert page.mode.value == "single image"
    train = page.session.images.train_of(3)
    photons = page.session.photons_of(3)
    title = page.image.figure.title.text
    assert title == f"image 3, train {train}, {len(photons['x'])} photons found"
    np.testing.assert_array_equal(page.image._photons.data["y"], photons["y"])
    page.controls.fields["STD_THRESHOLD"].value = 5.0
    assert len(page.image._photons.data["y"]) == len(page.session.photons_of(3)["y"])
    page.mode.value = "mean image"
    assert len(page.image._photons.data["y"]) == 0


def test_levels_by_hand_are_kept_for_each_kind_of_image(page):
    page.levels.low.value, page.levels.high.value = 90.0, 200.0
    assert (page.image.colours.low, page.image.colours.high) == (90.0, 200.0)
    page.number.value = 2
    assert page.image.colours.high != 200.0
    page.mode.value = "mean image"
    assert page.image.colours.high == 200.0
    page.levels.auto.clicks += 1
    assert page.image.colours.high != 200.0
    page.levels.colours.value = "Cividis256"
    assert page.image.colours.palette[0] == "#00204C"


def test_zooming_in_shows_pixels_in_full(page, simulated, monkeypatch):
    figure = page.image.figure
    monkeypatch.setattr(page.image, "_size", lambda: (100, 100))
    assert page.image.draw().step == (3, 11)
    page.number.value = 1
    figure.x_range.update(start=9.5, end=59.5)
    figure.y_range.update(start=749.5, end=799.5)
    part = page.image.draw()
    assert part.step == (1, 1)
    np.testing.assert_array_equal(part.pixels, simulated.frames[1][10:60, 750:800])
    source = page.image._pixels.data
    assert (source["x"], source["y"], source["of"]) == ([9.5], [749.5], [""])


def test_width_of_the_line_that_is_dragged_over(page):
    from bokeh.events import SelectionGeometry

    total, _ = page.session.total()
    peak = float(total.energy[int(np.argmax(total.values))])
    event = SelectionGeometry(
        page.spectrum.view.figure, {"type": "rect", "x0": peak - 0.3, "x1": peak + 0.3}, True
    )
    page.spectrum.view.figure._trigger_event(event)
    assert "FWHM" in page.spectrum.width.object
    assert "meV" in page.spectrum.width.object
    assert page.spectrum.view._region.visible
    page.spectrum.low.value, page.spectrum.high.value = peak - 0.2, peak + 0.2
    page.spectrum._measure_fields()
    assert page.spectrum.view._region.left >= peak - 0.21
    page.spectrum.measure((1.0, 2.0))
    assert "0 bins with a value in region" in page.error.object


def test_every_tab_shows_something(page):
    tabs = page.spectrum.tabs
    for number in range(len(tabs)):
        tabs.active = number
        assert not page.error.visible, tabs._names[number]
    column = page.spectrum
    assert len(column.images._source.data["value"]) == 8
    assert sum(column.charges._source.data["n"]) > 300
    assert len(column.drift._source.data["drift"]) > 1
    assert "Noise report" in column.noise.object
    assert "process_run(145)" in column.python.value
    assert column.command.value.startswith("hrixs process 145")
    by, view = column.groups.by, column.groups.view
    assert set(by.options) == {"hRIXS_delay", "hRIXS_norm", "hRIXS_index"}
    by.value = "hRIXS_delay"
    groups = page.session.h.aggregate(page.session.spectra(), "hRIXS_delay")
    np.testing.assert_allclose(view._lines.data["ys"], groups.spectrum / groups.counts, rtol=1e-12)
    by.value = "hRIXS_norm"
    assert view._map.data["n"] == [8]
    column.take.clicks += 1
    assert page.session.noise_report().threshold == page.session.h.THRESHOLD
    assert column.charges._limits["threshold"][0].visible


def test_files_are_made_when_they_are_asked_for(page):
    tabs = dict(zip(page.spectrum.tabs._names, page.spectrum.tabs, strict=True))
    buttons = {one.label: one for one in tabs["Save"]}
    assert buttons["Spectrum (.nc)"].filename == "r0145-spectrum.nc"
    assert buttons["Picture (.png)"].callback().read(4) == b"\x89PNG"
    assert b"[settings]" in buttons["Settings"].callback().read()


def test_a_spectrum_is_kept_beside_another(page):
    before = page.spectrum.view._source.data["value"]
    page.spectrum.keep()
    page.controls.fields["STD_THRESHOLD"].value = 5.0
    np.testing.assert_array_equal(page.spectrum.view._kept.data["value"], before)
    assert "STD_THRESHOLD 4.0 to 5.0" in page.spectrum.view.figure.title.text
    page.spectrum.keep()
    assert len(page.spectrum.view._kept.data["value"]) == 0


def test_dark_and_mask(page):
    page.controls.dark.value = str(DARK)
    assert page.session.h.USE_DARK
    assert "less the dark" in page.image.figure.title.text
    assert "h.load_dark(166)" in page.spectrum.python.value
    page.controls.bad.clicks += 1
    assert page.session.h.MASK is not None
    assert len(page.image._masked.data["x"]) == int(page.session.h.MASK.sum()) > 0
    assert sum_shown(page) == made(page).sum()
    page.controls.dark.value = ""
    assert not page.session.h.USE_DARK
    page.controls.dark.value = "9999"
    assert page.error.visible


def test_errors_stand_on_the_page_which_goes_on(page):
    before = sum_shown(page)
    page.controls.crop["y", "to"].value = 2
    assert "leaves 0 of 1024 pixels" in page.error.object
    assert page.error.visible
    assert page.controls.crop["y", "to"].value == 900
    page.controls.fields["THRESHOLD"].value = "nonsense"
    assert "nonsense" in page.error.object
    page.controls.fields["THRESHOLD"].value = ""
    assert not page.error.visible
    assert sum_shown(page) == before


def test_energy_loss(page):
    page.controls.loss.value = True
    assert "loss" in page.spectrum.view.figure.xaxis[0].axis_label
    assert "energy_loss" in page.spectrum.python.value
    page.controls.loss.value = False
    assert "energy (eV)" in page.spectrum.view.figure.xaxis[0].axis_label


def test_pages_do_not_disturb_each_other(view):
    one, other = view.new_page(), view.new_page(theme="dark")
    other.controls.fields["STD_THRESHOLD"].value = 6.0
    assert one.controls.fields["STD_THRESHOLD"].value == 4.0
    assert sum_shown(one) == made(one).sum() != sum_shown(other)
    assert one.session.n_found == 1
    assert other.session.n_found == 1  # the first ones are shared


def test_in_a_notebook_the_same_object_is_shown(h, data):
    view = h.view(data)
    assert isinstance(view, View)
    bundle, _ = view._repr_mimebundle_()
    assert "text/html" in bundle
    view.page.change(bins=100)
    assert view.h.BINS == 100
    assert h.BINS == 500


def test_the_same_kind_of_work_is_done_for_the_last_call_alone():
    said: list[str] = []
    errors: list[Exception] = []
    worker = Worker(None, failed=errors.append)
    worker.run("a", lambda: worker.run("a", lambda: 2, lambda v: said.append(f"in {v}")) or 1,
               lambda v: said.append(f"out {v}"))  # fmt: skip
    assert said == ["in 2"]
    worker.run("b", lambda: 1 / 0, lambda _: said.append("never"))
    worker.run("c", lambda: 1, lambda _: 1 / 0)
    assert [type(one) for one in errors] == [ZeroDivisionError] * 2
    worker.close()


def test_a_reduced_image_keeps_its_brightest_pixels():
    image = np.random.default_rng(1).normal(100, 3, (401, 303))
    image[377, 299] = 999.0
    image[0, 0] = np.nan
    part = shown(image, (-0.5, 400.5), (-0.5, 302.5), (100, 100))
    assert part.pixels.shape == (81, 76)
    assert np.nanmax(part.pixels) == 999.0
    assert part.pixels[377 // 5, 299 // 4] == 999.0
    assert np.isfinite(part.pixels[0, 0])
    assert usual_levels(np.full((4, 4), np.nan)) == (0.0, 1.0)
    assert usual_levels(np.full((4, 4), 7.0)) == (7.0, 8.0)


def test_without_the_extra_it_says_what_to_install(h, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "panel", None)
    with pytest.raises(ImportError, match=r"pip install 'hrixs\[view\]'"):
        h.view(RUN)
