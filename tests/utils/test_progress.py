"""The bar of a long run: for those who watch, with photons and frames per second."""

import importlib
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


def in_notebook(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What tqdm takes for a notebook without ipywidgets; its output is no terminal."""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    shell = type("ZMQInteractiveShell", (), {})()
    fake = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", types.ModuleType("zmqshell"))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # can't be imported
    # As if no other package had imported them yet.
    for name in ("tqdm.auto", "tqdm.autonotebook", "tqdm.notebook"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return log


def watched() -> list[str]:
    """What is said while a bar is shown."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # tqdm would take an error for a lack of widgets
        with Progress(10) as bar:
            bar.add(2, 3.0)
    return [str(one.message) for one in said]


def test_a_notebook_watches_also_without_widgets(monkeypatch):
    notebook = in_notebook(monkeypatch)
    assert watched() == []
    assert "2/10" in notebook.getvalue()
    assert "3 photons" in notebook.getvalue()


@pytest.mark.parametrize("before", ["tqdm.auto", "tqdm.notebook"])
def test_also_where_another_package_has_imported_what_wants_widgets(monkeypatch, before):
    notebook = in_notebook(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(before)
    assert watched() == []
    assert "2/10" in notebook.getvalue()


def test_widgets_that_the_server_may_lack_are_not_used(monkeypatch):
    notebook = in_notebook(monkeypatch)
    # The kernel can't know whether the page shows widgets: a bar of widgets would stay empty.
    monkeypatch.setitem(sys.modules, "ipywidgets", types.ModuleType("ipywidgets"))
    assert watched() == []
    assert "2/10" in notebook.getvalue()


def test_what_is_done_already_counts(monkeypatch):
    terminal = in_terminal(monkeypatch)
    with Progress(10, done=4) as bar:
        bar.add(2, 3.0)
    assert "6/10" in terminal.getvalue()
    assert "3 photons" in terminal.getvalue()
