"""The command ``hrixs watch``, against the servers that a user has."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Full

import numpy as np
import pytest
import xarray as xr

from conftest import CURVATURE, DARK, ENERGY, PROPOSAL, RUN
from hrixs.cli import watch as watching
from hrixs.cli.job import Job
from hrixs.cli.main import main
from hrixs.live import saving

pytest.importorskip("karabo_bridge")
from karabo_bridge import ServerInThread

SOURCE, KEY = "SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels"
NOBODY = "tcp://127.0.0.1:9"
SECONDS = 60  # on a busy machine; nothing waits for it
SETTINGS = ["--y-range", "700:900", "--curve-a", str(CURVATURE[0]), "--curve-b", str(CURVATURE[1])]


@contextmanager
def command(*words, **environment):
    """Run Python with `words` until the block ends, with its output as text."""
    process = subprocess.Popen(
        [sys.executable, "-u", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


@contextmanager
def served_run(root, *options):
    """A simulated run, served as docs/live.md says."""
    words = ["-W", "ignore", "-m", "extra_data.cli.serve_run", str(PROPOSAL), str(RUN)]
    words += ["--port", "tcp://127.0.0.1:*", "--include", "*MARANAX*", "--include", "*MONO*"]
    with command(*words, *options, EXTRA_DATA_DATA_ROOT=str(root)) as server:
        yield line_with(server, r"started on: (tcp://127.0.0.1:\d+)")[1]


@contextmanager
def feeding(frames, *, n_trains=10_000):
    """A server that sends the frames again and again, 100 a second."""
    with ServerInThread("tcp://127.0.0.1:*") as server:
        stopping = threading.Event()

        def feed() -> None:
            for k in range(n_trains):
                meta = {"timestamp.tid": 1000 + k, "timestamp": time.time()}
                data = {SOURCE: {KEY: frames[k % len(frames)]}}
                while not stopping.wait(0.01):
                    with suppress(Full):
                        server.feed(data, {SOURCE: meta}, block=False)
                        break

        thread = threading.Thread(target=feed)
        thread.start()
        try:
            yield server.endpoint
        finally:
            stopping.set()
            thread.join()


def line_with(process, pattern) -> re.Match:
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"no {pattern!r} in: {said}")


def opened(path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf") as ds:
        return ds.load()


def test_a_served_run_is_watched_until_ctrl_c(h, simulated, tmp_path):
    out = tmp_path / "watch.nc"
    dark = simulated.folder.parent / f"r{DARK:04d}"
    with served_run(simulated.root, "--allow-partial") as endpoint:
        words = ["-m", "hrixs", "watch", endpoint, "-o", str(out), "--every-train", *SETTINGS]
        words += ["--method", "manual", "--dark", str(dark), "--window", "3", "--refresh", "0.05"]
        words += ["--energy-slope", "0.018387", "--energy-intercept", "498.27"]
        with command(*words) as watch:
            line_with(watch, r"seen, [3-8] with image")
            watch.send_signal(signal.SIGINT)
            line_with(watch, f"wrote {re.escape(str(out))}")
            assert watch.wait(SECONDS) == 0
    saved = opened(out)
    h.load_dark(DARK)
    data = h.from_run(RUN)
    seen = data.sel(trainId=slice(saved.attrs["first_train"], saved.attrs["last_train"]))
    expected = h.centroid(seen, method="manual").spectrum
    assert saved.attrs["n_trains_analysed"] == len(expected)
    assert saved.attrs["n_trains_without_image"] == saved.attrs["n_trains"] - len(expected)
    np.testing.assert_array_equal(saved.total, expected.sum("trainId"))
    np.testing.assert_array_equal(saved.spectrum, expected[-3:])
    np.testing.assert_array_equal(saved.trainId, expected.trainId[-3:])
    np.testing.assert_array_equal(saved.energy, expected.energy)
    assert (saved.nrj == ENERGY).all()


def test_a_run_that_ends_is_saved_when_it_has_been_silent(h, simulated, tmp_path, capsys):
    out = tmp_path / "watch.nc"
    with served_run(simulated.root) as endpoint:
        words = ["watch", endpoint, "-o", str(out), "--until-silent", "0.5", "--every-train"]
        assert main([*words, *SETTINGS]) == 0
    saved = opened(out)
    np.testing.assert_array_equal(saved.spectrum, h.centroid(h.from_run(RUN)).spectrum)
    said = capsys.readouterr().out
    assert "8 trains seen, 8 with image" in said
    assert "no server at tcp://127.0.0.1" in said
    assert f"wrote {out}: total of 8 trains" in said


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.one_in(2)
def test_it_saves_when_it_is_told_to_end(name, simulated, tmp_path):
    out = tmp_path / "watch.nc"
    with feeding(simulated.frames) as endpoint:
        words = ["-m", "hrixs", "watch", endpoint, "-o", str(out), "--refresh", "0.05", *SETTINGS]
        with command(*words) as watch:
            line_with(watch, "photons/s")  # an image has been analysed
            watch.send_signal(getattr(signal, name))
            watch.send_signal(getattr(signal, name))  # impatience does no harm
            line_with(watch, "wrote")
            assert watch.wait(SECONDS) == 0
    assert opened(out).attrs["n_trains_analysed"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["watch.nc"]


def test_nobody_there(tmp_path, capsys):
    start = time.monotonic()
    assert main(["watch", NOBODY, "--timeout", "0.3", "-o", str(tmp_path / "out.nc")]) == 1
    assert time.monotonic() - start < 5
    assert f"nothing answers at {NOBODY} after 0.3 s" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_server_without_a_train(tmp_path, capsys):
    with ServerInThread("tcp://127.0.0.1:*") as server:
        words = ["watch", server.endpoint, "--timeout", "0.5", "-o", str(tmp_path / "out.nc")]
        assert main(words) == 1
    assert "answers, but no train has come in 0.5 s" in capsys.readouterr().err


def test_a_camera_that_is_not_there(simulated, tmp_path, capsys):
    with feeding(simulated.frames) as endpoint:
        words = ["watch", endpoint, "--detector", "hRIXS_det", "-o", str(tmp_path / "out.nc")]
        assert main(words) == 1
    said = capsys.readouterr().err
    assert f"Their sources: {SOURCE}" in said
    assert "--mnemonics" in said


def test_frames_that_come_too_fast_are_told(simulated, tmp_path, monkeypatch, capsys):
    slow = watching.LiveSpectra.add

    def add(self, *args, **options):
        # The first takes longer than the silence that ends it: others wait meanwhile.
        time.sleep(0.1 if self.counts.trains else 0.5)
        slow(self, *args, **options)

    monkeypatch.setattr("hrixs.cli.watch.LiveSpectra.add", add)
    out = tmp_path / "out.nc"
    with feeding(simulated.frames, n_trains=50) as endpoint:
        words = ["watch", endpoint, "-o", str(out), "--until-silent", "0.3"]
        assert main([*words, *SETTINGS]) == 0
    attrs = opened(out).attrs
    assert attrs["n_trains"] == 50
    assert attrs["n_trains_skipped"] > attrs["n_trains_analysed"] > 0
    assert attrs["n_trains"] == attrs["n_trains_skipped"] + attrs["n_trains_analysed"]
    assert attrs["n_trains_missed"] == 0
    assert "images skipped for newer ones: images come faster" in capsys.readouterr().out


def test_what_was_found_is_saved_whatever_happens(simulated, tmp_path, capsys):
    class Broken(io.StringIO):
        def write(self, text):
            if " 0 with image" not in text:
                raise BrokenPipeError("the pipe is broken")
            return 0

    out = tmp_path / "out.nc"
    with feeding(simulated.frames) as endpoint, pytest.raises(BrokenPipeError):
        watching.watch(endpoint, out, Job(), refresh=0.01, stream=Broken())
    assert opened(out).attrs["n_trains_analysed"] > 0


def test_a_disk_that_is_full_is_told_and_the_watch_goes_on(simulated, tmp_path, monkeypatch):
    out, stream, write = tmp_path / "out.nc", io.StringIO(), saving.write_netcdf
    is_full = True

    def full_at_first(found, path):
        nonlocal is_full
        if path == out and is_full:
            is_full = False
            raise OSError("no space left on device")
        write(found, path)

    monkeypatch.setattr(saving, "write_netcdf", full_at_first)
    with feeding(simulated.frames, n_trains=20) as endpoint:
        options = {"until_silent": 0.5, "refresh": 0.01, "stream": stream}
        watching.watch(endpoint, out, Job(params={"Y_RANGE": slice(700, 900)}), **options)
    assert f"{out} could not be written: no space left on device" in stream.getvalue()
    assert opened(out).attrs["n_trains"] == 20


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["45000"], "expected tcp://HOST:PORT"),
        ([NOBODY, "-o", "nowhere/out.nc"], "there is no folder nowhere"),
        ([NOBODY, "--window", "0"], "window = 0"),
        ([NOBODY, "--dark", "/nowhere"], "there is no run at /nowhere"),
    ],
)
def test_errors_before_anything_is_watched(words, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *words]) == 1
    assert text in capsys.readouterr().err
    assert not list(Path().iterdir())


def test_the_settings_of_the_command(simulated, tmp_path):
    """A mask, a dark file, a fitted curvature, other sources: as for ``hrixs process``."""
    mask, dark, names = (tmp_path / n for n in ("mask.npy", "dark.npy", "names.json"))
    np.save(mask, np.zeros(simulated.frames.shape[1:], int))
    np.save(dark, np.full(simulated.frames.shape[1:], 100.0))
    names.write_text("{}")
    out = tmp_path / "out.nc"
    with feeding(simulated.frames, n_trains=5) as endpoint:
        words = ["watch", endpoint, "-o", str(out), "--mask", str(mask), "--dark", str(dark)]
        words += ["--find-curvature", str(simulated.folder), "--mnemonics", str(names)]
        words += ["--method", "integrate", "--y-range", "700:900", "--until-silent", "0.3"]
        assert main(words) == 0
    attrs = opened(out).spectrum.attrs
    assert attrs["dark_run"] == str(dark)
    assert attrs["curve_a"] > 0.75 * CURVATURE[0]


def test_on_a_terminal(simulated, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    for name, value in {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}.items():
        monkeypatch.setenv(name, value)
    with feeding(simulated.frames, n_trains=8) as endpoint:
        job = Job(params={"Y_RANGE": slice(700, 900)})
        options = {"until_silent": 0.4, "refresh": 0.05, "stream": (stream := Terminal())}
        watching.watch(endpoint, tmp_path / "out.nc", job, **options)
    page, left, after = stream.getvalue().partition("\x1b[?1049l")
    assert left
    assert "Ctrl-C ends and saves" in page
    assert "8 trains seen, 8 with image" in after  # it stays in the terminal's history
    assert "█" in after
    assert "\x1b" not in after


WEB = ["--web", "--port", "0", *SETTINGS]


def page_of(process) -> str:
    return line_with(process, r"(http://127\.0\.0\.1:\d+/\?token=\S+)")[1]


def status_of(address: str, **headers: str) -> int:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as got:
            return got.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def until_there(path) -> None:
    end = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < end, "nothing was saved"
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.one_in(2)
def test_a_watch_in_the_browser_is_let_in_by_its_token_and_saves_at_the_end(
    name, simulated, tmp_path
):
    pytest.importorskip("panel")
    out = tmp_path / "watch.nc"
    words = ["-m", "hrixs", "watch", "-o", str(out), *WEB]
    with feeding(simulated.frames) as endpoint, command(*words, endpoint) as watch:
        address = page_of(watch)
        line_with(watch, f"Ctrl-C ends and saves to {re.escape(str(out))}")
        assert status_of(address) == 200
        assert status_of(address[:-1]) == 403
        assert status_of(address, Host="elsewhere.example.org") == 403
        assert status_of(address.replace("127.0.0.1", "localhost")) == 200
        until_there(out)
        watch.send_signal(getattr(signal, name))
        watch.send_signal(getattr(signal, name))
        n = line_with(watch, f"wrote {re.escape(str(out))}: total of (\\d+) trains")[1]
        assert watch.wait(SECONDS) == 0
    assert opened(out).attrs["n_trains_analysed"] == int(n) > 0
    assert [path.name for path in tmp_path.iterdir()] == ["watch.nc"]


@pytest.mark.parametrize("options", [WEB, SETTINGS], ids=["browser", "terminal"])
def test_a_watch_that_is_killed_has_saved_before(options, simulated, tmp_path):
    if options is WEB:
        pytest.importorskip("panel")
    out = tmp_path / "watch.nc"
    words = ["-m", "hrixs", "watch", "-o", str(out), *options]
    with feeding(simulated.frames) as endpoint, command(*words, endpoint) as watch:
        until_there(out)
        watch.kill()
        watch.wait(SECONDS)
    assert opened(out).attrs["n_trains_analysed"] > 0


def test_the_page_s_options_need_the_page(capsys):
    assert main(["watch", NOBODY, "--port", "5006"]) == 1
    assert "Add --web" in capsys.readouterr().err


def test_an_origin_that_names_no_host_is_refused(tmp_path, capsys):
    pytest.importorskip("panel")
    words = ["watch", NOBODY, "--web", "--origin", "*", "-o", str(tmp_path / "w.nc")]
    assert main(words) == 1
    assert "names no host" in capsys.readouterr().err
