"""The page of a live watch in a real browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import SimulatedRun
from live_page.feeding import feeding
from view_browser.browser import PATIENCE, Shown, chromium_of_system, needs_chromium

pytestmark = needs_chromium


@pytest.fixture
def served(simulated: SimulatedRun, tmp_path: Path) -> Iterator[tuple[str, Any]]:
    """Address of a watch of its own process, and the process; the curve is a wrong one."""
    out = tmp_path / "watch.nc"
    words = ["-m", "hrixs", "watch", "--web", "-o", str(out), "--y-range", "700:900",
             "--curve-a", "-0.04"]  # fmt: skip
    with (
        feeding(simulated.frames, rate=10) as endpoint,
        subprocess.Popen(
            [sys.executable, *words, endpoint], stdout=subprocess.PIPE, text=True, env=os.environ
        ) as process,
    ):
        assert process.stdout is not None
        try:
            lines = (line.strip() for line in process.stdout)
            yield next(line for line in lines if line.startswith("http://")), process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def opened_watch(browser: Any, address: str) -> Shown:
    page = browser.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    shown = Shown(page, address)
    page.on("request", lambda request: shown.asked.append(request.url))
    page.on("pageerror", lambda error: shown.wrong.append(str(error)))
    page.goto(address)
    shown.wait(re.compile(r"images: [1-9]\d* received"))
    return shown


def n_used(shown: Shown) -> int:
    text = shown.page.get_by_text(re.compile("images: .* received")).first.inner_text()
    return int(re.search(r"(\d+) used", text)[1])


def title(shown: Shown, name: str) -> str:
    return str(
        shown.page.evaluate(
            "name => Bokeh.documents[0].get_model_by_name(name).title.text", name
        )
    )  # fmt: skip


def test_the_sum_grows_in_two_browsers_and_the_doubts_stand_there(served):
    address, process = served
    with chromium_of_system() as chromium:
        one, other = opened_watch(chromium, address), opened_watch(chromium, address)
        for shown in (one, other):
            before = n_used(shown)
            shown.until(lambda shown=shown, before=before: n_used(shown) >= before + 10)
            shown.wait(re.compile(r"^curve"))
            shown.until(
                lambda shown=shown: re.match(r"train \d+, \d+ photons", title(shown, "image"))
            )
            shown.wait(re.compile(r"on the screen \d+\.\d+ s after it came"))
        one.page.get_by_text("Hold the image").click()
        one.page.wait_for_timeout(500)
        held, seen = title(one, "image"), title(other, "image")
        used = n_used(one)
        other.until(lambda: title(other, "image") != seen)
        one.until(lambda: n_used(one) > used)
        assert title(one, "image") == held
        refused = chromium.new_page().goto(address[:-1], timeout=PATIENCE)
        assert refused.status == 403
        for shown in (one, other):
            assert not shown.wrong
            assert all(re.match(r"(http://127\.0\.0\.1|data:|blob:)", url) for url in shown.asked)
            shown.page.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
