"""The page of a watch without a browser: what stands there, as states come."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from conftest import SimulatedRun
from hrixs import hRIXS
from hrixs.live.page import Link
from hrixs.live.saving import Saver
from hrixs.live.spectra import LiveSpectra
from hrixs.live_page.page import WatchPage
from hrixs.live_page.state import State
from hrixs.live_page.watched import Watched
from live_page.feeding import KEY, SOURCE


class Fed(Watched):
    """A watch that takes what a test gives it."""

    def __init__(self, h: hRIXS, path: Path, method: str = "auto") -> None:
        live = LiveSpectra(h, method=method, keep_last=True)
        super().__init__(live, lambda: None, endpoint="tcp://127.0.0.1:9", saver=Saver(path))
        self.link = Link("tcp://127.0.0.1:9", connected=True)

    def take(self, *frames: np.ndarray, error: str = "") -> None:
        for frame in frames:
            self.live.add(self.live.counts.trains + 1000, {SOURCE: {KEY: frame}})
        self.tell(error)

    def tell(self, error: str = "") -> None:
        found = self.live.dataset() if self.live.counts.analysed else None
        self.state = State.of(
            self.live, self.link, number=self.state.number + 1, now=time.monotonic(), found=found,
            error=error,
        )  # fmt: skip


@pytest.fixture
def watched(h: hRIXS, simulated: SimulatedRun, tmp_path: Path) -> Fed:
    return Fed(h, tmp_path / "w.nc")


def sum_shown(page: WatchPage) -> float:
    return float(np.sum(page.spectrum._source.data["value"]))


def test_before_the_first_image_the_page_says_so(watched):
    page = WatchPage(watched)
    assert page.image is None
    assert "0 received, 0 used, 0 dropped" in page.counts.object
    assert "not saved yet" in page.saved.object
    page._redraw()
    assert not page.error.visible


def test_image_photons_sum_and_doubts_follow(watched, h, simulated):
    h.CURVE_A = -0.04  # which is doubtful
    page = WatchPage(watched)
    watched.take(*simulated.frames[:3])
    page.refresh()
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), simulated.frames)})
    spectra = h.centroid(data).spectrum
    assert sum_shown(page) == spectra[:3].sum()
    assert "3 received, 3 used, 0 dropped" in page.counts.object
    assert page.image.figure.title.text.startswith("train 1002, ")
    n = len(page.image._photons.data["x"])
    assert n > 50
    assert page.image.figure.title.text == f"train 1002, {n} photons found"
    assert page.image._crop.bottom == 699.5
    assert not page.image._crop.editable
    watched.take(*simulated.frames[3:])
    assert sum_shown(page) == spectra[:3].sum()  # until it asks
    page.refresh()
    assert sum_shown(page) == spectra.sum()
    assert len(page.trend._source.data["at"]) == 8
    codes = [doubt.code for doubt in watched.live.doubts]
    assert codes
    assert all(f"<b>{code}" in page.doubts.object for code in codes)
    assert "photons/s" in page.status.object
    assert not page.error.visible


def test_the_sum_of_all_or_of_the_last_trains(watched, simulated):
    watched.live.window = type(watched.live.window)(maxlen=2)
    watched.take(*simulated.frames)
    page = WatchPage(watched)
    of_all = sum_shown(page)
    page.which.value = "last trains"
    assert sum_shown(page) == watched.live.window_sum().sum() < of_all
    assert page.spectrum.figure.title.text.startswith("last 2 trains, ")


def test_an_image_that_is_held_stays_while_the_sum_goes_on(watched, simulated):
    watched.take(simulated.frames[0])
    page = WatchPage(watched)
    page.hold.value = True
    before = sum_shown(page)
    watched.take(simulated.frames[1])
    page.refresh()
    assert page.image.figure.title.text.startswith("train 1000, ")
    assert sum_shown(page) > before


def test_two_pages_have_views_of_their_own(watched, simulated):
    watched.take(simulated.frames[0])
    one, other = WatchPage(watched), WatchPage(watched, theme="dark")
    one.which.value, one.hold.value = "last trains", True
    one.image.figure.x_range.update(start=10, end=30)
    watched.take(simulated.frames[1])
    one.refresh()
    other.refresh()
    assert other.which.value == "sum of all"
    assert other.image.figure.x_range.start == -0.5
    assert one.image.figure.title.text.startswith("train 1000, ")
    assert other.image.figure.title.text.startswith("train 1001, ")
    assert sum_shown(one) == sum_shown(other)


def test_the_width_of_a_line_follows_the_sum(watched, simulated):
    watched.take(*simulated.frames)
    page = WatchPage(watched)
    page.measure(None)
    assert "FWHM" in page.width.object
    page.measure((600.0, 601.0))  # nothing is there
    assert "FWHM" not in page.width.object
    assert not page.error.visible


def test_errors_and_what_is_wrong_stand_in_the_page(watched, simulated):
    page = WatchPage(watched)
    watched.link.connected = False
    watched.tell(error="there is no <camera>")
    page.refresh()
    assert page.error.visible
    assert page.error.object == "there is no &lt;camera&gt;"
    assert "no server at tcp://127.0.0.1:9" in page.trouble.object
    watched.link.connected = True
    watched.take(simulated.frames[0])
    watched.live.skip(1001)
    watched.tell()
    page.refresh()
    assert not page.error.visible
    assert "2 received, 1 used, 1 dropped" in page.counts.object
    assert "1 image skipped for newer ones" in page.trouble.object


def test_an_error_of_drawing_is_told_and_the_page_goes_on(watched, simulated, monkeypatch):
    page = WatchPage(watched)
    watched.take(simulated.frames[0])
    with monkeypatch.context() as broken:
        broken.setattr(page.trend, "show", lambda state: 1 / 0)
        page.refresh()
    assert "ZeroDivisionError" in page.error.object
    watched.take(simulated.frames[1])
    page.refresh()
    assert not page.error.visible


def test_intensity_is_shown_where_it_is_integrated(h, simulated, tmp_path):
    watched = Fed(h, tmp_path / "w.nc", "integrate")
    watched.take(*simulated.frames)
    page = WatchPage(watched)
    assert "ADU" in page.spectrum.figure.yaxis[0].axis_label
    assert not len(page.image._photons.data["x"])
    assert not page.trend.figure.visible
    assert not page.error.visible


def test_several_images_in_a_train(watched, h, simulated):
    watched.take(simulated.frames[:4].reshape(2, 2, *simulated.frames.shape[1:]))
    page = WatchPage(watched)
    alone = Fed(h, watched.saver.path)
    alone.take(simulated.frames[3])
    photons, expected = page.image._photons.data, WatchPage(alone).image._photons.data
    np.testing.assert_array_equal(photons["x"], expected["x"])


def test_a_browser_that_is_slow_is_sent_less(watched, simulated):
    class Document:
        session_callbacks = ()

        def add_periodic_callback(self, *_):
            return None

    watched.take(simulated.frames[0])
    page = WatchPage(watched, document=Document())
    watched.take(simulated.frames[1])
    page.refresh()
    assert page.image.figure.title.text.startswith("train 1000, ")
    page._seen.value = page._sent.value  # it has drawn
    page.refresh()
    assert page.image.figure.title.text.startswith("train 1001, ")
    page.close()
