"""The page in a real browser, the system's Chromium: what a user does, with mouse and keys."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from conftest import CURVATURE, PROPOSAL, SimulatedRun
from hrixs import hRIXS
from view_browser.browser import (
    PATIENCE,
    Shown,
    needs_chromium,
    opened,
    served,
)

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(simulated: SimulatedRun) -> Iterator[str]:
    options = ["--y-range", "700:900", "--std-threshold", "4.0", "--energy-slope", "0.018387",
               "--energy-intercept", "498.27"]  # fmt: skip
    with served(str(simulated.folder), *options) as one:
        yield one


@pytest.fixture
def shown(chromium: Any, address: str) -> Iterator[Shown]:
    one = opened(chromium, address)
    yield one
    assert not one.wrong
    one.page.close()


@pytest.fixture
def h() -> hRIXS:
    h = hRIXS(PROPOSAL)
    h.set_params(y_range=slice(700, 900), std_threshold=4.0)
    h.set_params(energy_slope=0.018387, energy_intercept=498.27)
    return h


def photons(h: hRIXS, simulated: SimulatedRun) -> str:
    made = h.process_run(simulated.folder, progress=False).spectrum
    return f"{made.attrs['n_photons']:.0f} photons in 8 images"


def test_nothing_outside_of_this_machine_is_loaded(shown):
    tabs = ("Images", "Charges", "Drift", "Groups", "Map", "Noise", "Copy", "Save")
    for tab in (*tabs, *tabs, "Doubts"):  # what is opened again may load its style again
        shown.page.get_by_text(tab, exact=True).click()
        shown.page.wait_for_timeout(200)
    elsewhere = [
        url
        for url in shown.asked
        if not re.match(r"(data:|blob:|(http|ws)://127\.0\.0\.1:\d+/)", url)
    ]
    assert not elsewhere
    assert len(shown.asked) > 3


def test_another_threshold(shown, h, simulated):
    assert photons(h, simulated) in shown.status()
    shown.enter("threshold (std. deviations)", "6")
    h.STD_THRESHOLD = 6.0
    shown.wait(photons(h, simulated))


def test_the_crop_is_dragged_on_the_image(shown, h, simulated):
    shown.drag(shown.at("image", 128, 899.5), shown.at("image", 128, 940))
    shown.until(lambda: shown.value("y to") != "900")
    top = int(shown.value("y to"))
    assert abs(top - 940) < 6
    h.Y_RANGE = slice(700, top)
    shown.wait(photons(h, simulated))


def test_the_curve_is_fitted_and_its_handles_moved(shown):
    shown.page.get_by_role("button", name="Fit the curve").click()
    shown.until(lambda: abs(float(shown.value("curve A (px/px)")) - CURVATURE[0]) < 0.01)
    shown.page.wait_for_timeout(500)
    before = shown.value("curve A (px/px)")
    row = 800 + float(before) * 235
    shown.drag(shown.at("image", 235, row), shown.at("image", 235, row + 40))
    shown.until(lambda: shown.value("curve A (px/px)") != before)


def test_the_width_of_a_line_that_is_dragged_over(shown):
    shown.page.get_by_role("button", name="Fit the curve").click()
    shown.until(lambda: shown.value("curve A (px/px)") != "0.0")
    shown.page.wait_for_timeout(800)
    f = shown.frame_of("spectrum")
    middle = (f["y0"] + f["y1"]) / 2
    shown.drag(
        shown.at("spectrum", 512.98 - 0.5, middle), shown.at("spectrum", 512.98 + 0.5, middle)
    )
    shown.wait(re.compile(r"FWHM .* meV"))


def test_single_images_by_keys(shown):
    handle = shown.page.locator(".noUi-handle").first
    handle.focus()
    handle.press("ArrowRight")
    handle.press("ArrowRight")
    shown.until(lambda: "image 2, train" in shown.title("image"))


def test_the_spectrum_is_saved_as_it_is_shown(shown, h, simulated, tmp_path):
    shown.enter("bins", "300")
    shown.page.get_by_text("Save", exact=True).click()
    with shown.page.expect_download(timeout=PATIENCE) as download:
        shown.page.get_by_text("Spectrum (.nc)").click()
    path = Path(tmp_path, download.value.suggested_filename)
    download.value.save_as(path)
    h.BINS = 300
    with xr.open_dataset(path) as written:
        made = h.process_run(simulated.folder, progress=False)
        np.testing.assert_array_equal(written.spectrum, made.spectrum)


def test_calls_are_copied(shown):
    shown.page.get_by_text("Copy", exact=True).first.click()
    text = shown.value("as a command")
    assert text.startswith("hrixs process")
    assert "--std-threshold=4.0" in text


def test_it_is_there_again_after_reloading(shown, h, simulated):
    shown.enter("threshold (std. deviations)", "5")
    shown.page.reload()
    shown.wait("photons in 8 images")
    shown.until(lambda: photons(h, simulated) in shown.status())
    assert shown.value("threshold (std. deviations)") == "4"


def test_two_browsers_do_not_disturb_each_other(shown, chromium, address, h, simulated):
    other = opened(chromium, address)
    other.enter("threshold (std. deviations)", "6")
    before = photons(h, simulated)
    h.STD_THRESHOLD = 6.0
    other.wait(photons(h, simulated))
    assert before in shown.status()
    other.page.close()


def test_an_error_stands_on_the_page_which_goes_on(shown, h, simulated):
    shown.enter("y to", "2")
    shown.wait(re.compile("leaves 0 of 1024 pixels"))
    shown.enter("threshold (std. deviations)", "5")
    h.STD_THRESHOLD = 5.0
    shown.wait(photons(h, simulated))


def test_the_token_is_needed(shown, address):
    answer = shown.page.goto(address.partition("?")[0])
    assert answer.status == 403


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_fits_a_screen_of_1280_by_800(chromium, address, theme):
    one = opened(chromium, f"{address}&theme={theme}")
    size = one.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert size[0] <= size[1]
    folder = os.environ.get("HRIXS_SCREENSHOTS")
    if folder:
        one.page.screenshot(path=Path(folder, f"view-{theme}.png"))
    one.page.close()
