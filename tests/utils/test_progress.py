"""The bar of a long run: for those who watch, with photons and frames a second."""

import io
import re
import sys
import types

import pytest

from conftest import RUN
from hrixs.utils.progress import Progress, is_watched


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def in_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_frames_and_photons_in_a_terminal(h, monkeypatch):
    terminal = in_terminal(monkeypatch)
    result = h.process_run(RUN, progress=True)
    last = terminal.getvalue().split("\r")[-1]
    assert re.search(r"8/8", last)
    assert f"{result.spectrum.attrs['n_photons']:.0f} photons" in last
    assert "frames/s" in last


def test_silent_by_request_and_where_nobody_watches(h, monkeypatch):
    terminal = in_terminal(monkeypatch)
    h.process_run(RUN, progress=False)
    assert terminal.getvalue() == ""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    h.process_run(RUN, progress=True)
    assert log.getvalue() == ""


def test_a_notebook_watches(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not is_watched()
    shell = types.SimpleNamespace(kernel=object())
    fake = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    assert is_watched()


def test_what_is_done_already_counts(monkeypatch):
    terminal = in_terminal(monkeypatch)
    with Progress(10, done=4) as bar:
        bar.add(2, 3.0)
    assert "6/10" in terminal.getvalue()
    assert "3 photons" in terminal.getvalue()
