"""The page of a scan of two runs in a real browser: the map, its cut, and groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from view.scan_run import ScanRuns, write_scans
from view_browser.browser import Shown, needs_chromium, opened, served

pytestmark = needs_chromium
_SETTINGS = [
    "--y-range", "650:950", "--std-threshold", "4.0", "--bins", "300", "--curve-a", "0.04",
    "--curve-b=-2e-5", "--energy-slope", "0.018387", "--energy-intercept", "498.27",
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> ScanRuns:
    return write_scans(tmp_path_factory.mktemp("scans"))


@pytest.fixture(scope="module")
def address(runs: ScanRuns) -> Iterator[str]:
    with served(*map(str, runs.folders), *_SETTINGS) as one:
        yield one


@pytest.fixture(params=["light", "dark"])
def shown(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Shown]:
    one = opened(chromium, f"{address}&theme={request.param}", "photons in 40 images")
    one.page.get_by_text("Map", exact=True).click()
    one.until(lambda: "RIXS map of r0201 to r0202, 2 runs: 5 steps, 40 images" in one.title("map"))
    one.page.wait_for_timeout(500)
    folder = os.environ.get("HRIXS_SCREENSHOTS")
    if folder:
        one.page.screenshot(path=Path(folder, f"map-{request.param}.png"))
    yield one
    assert not one.wrong
    one.page.close()


def test_the_map_is_in_place_of_the_image(shown):
    frame = shown.frame_of("map")
    assert frame["width"] > 350
    assert frame["height"] > 450
    assert (frame["y0"], frame["y1"]) == pytest.approx((512.8, 513.8), abs=0.01)
    assert frame["x0"] < 0 < frame["x1"]
    size = shown.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert size[0] <= size[1]
    assert colour(shown, 0.0, 513.3) != colour(shown, -1.0, 513.3)  # the elastic line
    shown.page.get_by_text("mean image", exact=True).click()
    shown.until(lambda: shown.frame_of("image").get("width", 0) > 350)
    assert shown.title("image") == "mean of 40 images"
    # The image is drawn with the pixels of its figure, not of one that is hidden.
    shown.until(lambda: float(shown.value("white at (ADU)")) < 200)
    shown.page.get_by_text("single image", exact=True).click()
    shown.until(lambda: "image 0, r0201, train" in shown.title("image"))
    shown.until(lambda: float(shown.value("black at (ADU)")) < 130)


def colour(shown: Shown, x: float, y: float) -> bytes:
    """A small part of the screen."""
    right, down = shown.at("map", x, y)
    clip = {"x": right - 3, "y": down - 3, "width": 6, "height": 6}
    return bytes(shown.page.screenshot(clip=clip))


def test_a_click_on_the_map_cuts_it(shown):
    shown.page.mouse.click(*shown.at("map", 1.5, 513.52))
    shown.until(lambda: shown.title("cut") == "cut at incident energy 513.5 eV")
    shown.page.get_by_label("cut", exact=True).select_option(index=1)
    shown.until(lambda: "cut at energy loss" in shown.title("cut"))
    shown.drag(shown.at("map", 0.4, 513.1), shown.at("map", 1.2, 513.6))
    shown.until(lambda: "cut from energy loss 0.4" in shown.title("cut"))
    shown.page.get_by_text("Copy", exact=True).first.click()
    assert "rixs.hrixs.cut(energy_loss=(0." in shown.value("as Python")
    assert "--map nrj" in shown.value("as a command")


def test_groups_by_the_delay(shown):
    shown.page.get_by_label("map over", exact=True).select_option("hRIXS_delay")
    shown.until(lambda: "groups by hRIXS_delay" in shown.title("map"))
    assert shown.title("map").endswith("r0201 to r0202, 2 runs: 3 steps, 40 images")
    shown.page.get_by_text("Groups", exact=True).click()
    shown.until(lambda: shown.frame_of("groups").get("x1", 1.0) > 500)
