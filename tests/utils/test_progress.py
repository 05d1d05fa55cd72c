"""The bar of a long run: for those who watch, with photons and frames a second."""

import io
import re
import sys
import types
import warnings

import pytest

from conftest import RUN
from hrixs.utils.progress import Progress


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


def test_a_notebook_watches_also_without_widgets(monkeypatch):
    # What tqdm takes for a notebook; its output is no terminal.
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    shell = type("ZMQInteractiveShell", (), {})()
    fake = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", types.ModuleType("zmqshell"))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # can't be imported
    # As if tqdm were imported for the first time.
    for name in ("tqdm.auto", "tqdm.autonotebook", "tqdm.notebook"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # tqdm would take an error for a lack of widgets
        with Progress(10) as bar:
            bar.add(2, 3.0)
    assert said == []
    assert "2/10" in log.getvalue()
    assert "3 photons" in log.getvalue()


def test_what_is_done_already_counts(monkeypatch):
    terminal = in_terminal(monkeypatch)
    with Progress(10, done=4) as bar:
        bar.add(2, 3.0)
    assert "6/10" in terminal.getvalue()
    assert "3 photons" in terminal.getvalue()
