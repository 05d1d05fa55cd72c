"""The system's Chromium, driven by playwright, and the page in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
#: Mark of tests that need a browser.
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

PATIENCE = 20_000


@contextmanager
def served(*words: str) -> Iterator[str]:
    """Address of `hrixs view` with these words, in a process of its own, as a user starts it."""
    command = [sys.executable, "-m", "hrixs", "view", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        try:
            lines = (line.strip() for line in process.stdout)
            yield next(line for line in lines if line.startswith("http://"))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


@dataclass
class Shown:
    """A page, with all that it asked for."""

    page: Any
    address: str
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def status(self) -> str:
        return str(self.page.get_by_text("photons in 8 images").inner_text())

    def wait(self, text: str | re.Pattern[str]) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=PATIENCE)

    def enter(self, label: str, value: str) -> None:
        box = self.page.get_by_label(label, exact=True)
        box.fill(value)
        box.press("Enter")

    def value(self, label: str) -> str:
        return str(self.page.get_by_label(label, exact=True).input_value())

    def until(self, condition: Any) -> None:
        for _ in range(200):
            if condition():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it did not come to be in 10 s")

    def title(self, name: str) -> str:
        """Title of a figure, as the browser has it."""
        return str(
            self.page.evaluate(
                """name => { for (const v of Bokeh.index) {
                    const find = (v) => {
                        if (v.model && v.model.name === name && v.frame) return v.model.title.text;
                        for (const c of v.child_views || []) { const f = find(c); if (f) return f; }
                        return null; };
                    const t = find(v); if (t) return t; } return ''; }""",
                name,
            )
        )

    def frame_of(self, name: str) -> dict[str, float]:
        """The inner part of a figure on the screen, and the ranges of its axes."""
        return dict(
            self.page.evaluate(
                """name => {
                    const view = Object.values(Bokeh.index).length ?
                        [...Bokeh.index].map(v => v) : [];
                    const find = (v) => {
                        if (v.model && v.model.name === name && v.frame) return v;
                        for (const c of v.child_views || []) {
                            const f = find(c); if (f) return f;
                        }
                        return null;
                    };
                    for (const v of view) {
                        const plot = find(v);
                        if (!plot) continue;
                        const box = plot.el.getBoundingClientRect(), f = plot.frame.bbox;
                        const x = plot.model.x_range, y = plot.model.y_range;
                        return {left: box.left + f.left, top: box.top + f.top, width: f.width,
                            height: f.height, x0: x.start, x1: x.end, y0: y.start, y1: y.end};
                    }
                    return {};
                }""",
                name,
            )
        )

    def at(self, name: str, x: float, y: float) -> tuple[float, float]:
        """Where on the screen a point of a figure lies."""
        f = self.frame_of(name)
        right = (x - f["x0"]) / (f["x1"] - f["x0"])
        up = (y - f["y0"]) / (f["y1"] - f["y0"])
        return f["left"] + right * f["width"], f["top"] + (1 - up) * f["height"]

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*begin)
        mouse.down()
        mouse.move((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2, steps=4)
        mouse.move(*end, steps=4)
        mouse.up()


@contextmanager
def chromium_of_system() -> Iterator[Any]:
    with playwright.sync_playwright() as one:
        browser = one.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, address: str, until: str = "photons in 8 images") -> Shown:
    page = browser.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    shown = Shown(page, address)
    page.on("request", lambda request: shown.asked.append(request.url))
    page.on("websocket", lambda socket: shown.asked.append(socket.url))
    page.on("pageerror", lambda error: shown.wrong.append(str(error)))
    page.goto(address)
    shown.wait(until)
    page.wait_for_timeout(300)
    return shown
