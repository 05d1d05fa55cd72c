"""The work of ``hrixs watch``: live spectra from a bridge, on the screen and in a file."""

from __future__ import annotations

import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import xarray as xr

from hrixs.cli.job import Job
from hrixs.cli.there import require_folder
from hrixs.live.bridge import Receiver, Train
from hrixs.live.page import Link, page, problems, status
from hrixs.live.spectra import LiveSpectra
from hrixs.live.terminal import Screen
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.utils.atomic_files import write_netcdf
from hrixs.utils.errors import MissingDataError

_TICK = 0.1
_LONGEST_DELAY = 3600.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def watch(
    endpoint: str,
    output: Path | None,
    job: Job,
    *,
    mnemonics_file: str | None = None,
    window: int = 100,
    every_train: bool = False,
    socket: str = "REQ",
    timeout: float = 10.0,
    until_silent: float | None = None,
    refresh: float | None = None,
    stream: TextIO | None = None,
) -> xr.Dataset:
    """Analyse trains as they come until Ctrl-C, and write what was found.

    Parameters
    ----------
    endpoint : str
        The bridge's server, ``tcp://HOST:PORT``.
    output : path or None
        File to write at the end; None: one named by date and time, in the folder that one is in.
    job : Job
        How to analyse, as for runs.
    mnemonics_file : str, optional
        JSON file with entries for `hrixs.mnemonics`.
    window, every_train, socket
        As in `LiveSpectra` and `Receiver`.
    timeout : float
        Seconds in which the first train must come.
    until_silent : float, optional
        End when no train has come for so many seconds.
    refresh : float, optional
        Seconds from one drawing to the next; by default 0.5, and 10 where there is no terminal.
    stream : text file, optional
        Where to draw, by default ``sys.stdout``.

    Returns
    -------
    xarray.Dataset
        What was written.

    Raises
    ------
    TimeoutError
        If no train came in the first `timeout` seconds.
    MissingDataError
        If there was no camera in the trains, or no image until the end.
    """
    output = output or Path(time.strftime("hrixs-watch-%Y%m%d-%H%M%S.nc"))
    require_folder(output)
    if mnemonics_file is not None:
        mnemonics.update(json.loads(Path(mnemonics_file).read_text(encoding="utf8")))
    screen = Screen(stream or sys.stdout)
    h = job.spectrometer()
    if job.find_curvature is not None:
        curve_a, curve_b = h.find_curvature(job.source(job.find_curvature), plot=False)
        screen.say(f"curvature: A = {curve_a:.7f}, B = {curve_b:.2e}")
    live = LiveSpectra(h, method=job.method, window=window, energy=job.energy)
    receiver = Receiver(
        endpoint, has_image=live.reader.has_image, every_train=every_train, socket=socket
    )
    watch = _Watch(live, receiver, screen, Link(endpoint))
    refresh = refresh or (0.5 if screen.interactive else 10.0)
    footer = f"Ctrl-C ends and saves to {output}"
    result: xr.Dataset | None = None
    with _Signals() as signals, receiver:
        try:
            with screen:
                watch.run(
                    lambda: signals.received,
                    timeout=timeout,
                    until_silent=math.inf if until_silent is None else until_silent,
                    refresh=refresh,
                    footer=footer,
                )
        finally:
            # Whatever has ended the watch, also an error: what was found is saved.
            live.finish()
            if live.counts.analysed:
                result = live.dataset()
                write_netcdf(result, output)
    watch.say_end()
    if result is None:
        raise MissingDataError("no image was analysed, so that nothing was written.")
    screen.say(f"wrote {output}: total of {live.counts.analysed} trains, spectra of the last "
               f"{len(live.window)}")  # fmt: skip
    return result


class _Signals:
    """Takes Ctrl-C, SIGTERM and the end of the terminal as a request to stop, once and for all."""

    def __init__(self) -> None:
        self.received = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                number = getattr(signal, name, None)
                if number is not None:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.received = True


class _Watch:
    """One watch: takes the trains from the receiver, and tells the user."""

    def __init__(self, live: LiveSpectra, receiver: Receiver, screen: Screen, link: Link) -> None:
        self.live, self.receiver, self.screen, self.link = live, receiver, screen, link
        self._started = self._last_train = time.monotonic()

    def run(
        self,
        stop: Callable[[], bool],
        *,
        timeout: float,
        until_silent: float,
        refresh: float,
        footer: str,
    ) -> None:
        """Go on until `stop`, or until the server has been silent for so long."""
        next_drawing = 0.0
        while not stop():
            train = self.receiver.next(_TICK)
            self._take(train)
            now = time.monotonic()
            self.link.seconds = now - self._started
            # Not since the last one was analysed: others may wait.
            self.link.silent = now - self.receiver.last_received
            went_or_came = self.receiver.connected != self.link.connected
            self.link.connected = self.receiver.connected
            if self.live.counts.trains == 0:
                self._require_server(timeout)
            elif train is None and self.link.silent > until_silent:
                return
            if now >= next_drawing or went_or_came:
                next_drawing = now + refresh
                self._show(footer)

    def say_end(self) -> None:
        """Leave on the screen what was found."""
        live, (columns, rows) = self.live, self.screen.size
        # How it was as long as trains came: that the server has gone is no problem any more.
        self.link.connected, self.link.silent, self.link.now = True, 0.0, self._last_train
        if self.screen.interactive and live.counts.analysed:
            options = {"columns": columns, "rows": min(rows - 2, 40)}
            lines = page(live, self.link, ascii_only=self.screen.ascii_only, footer="", **options)
            self.screen.say("\n".join(lines))
        elif live.counts.trains:
            self.screen.say("\n".join([status(live, self.link), *problems(live, self.link)]))

    def _take(self, train: Train | None) -> None:
        if train is None:
            return
        self._last_train = train.received
        if train.skipped:
            self.live.skip(train.train_id, now=train.received)
            return
        self.live.add(train.train_id, train.data, now=train.received)
        self.link.delay = time.monotonic() - train.received
        if train.stamp is not None:
            delay = time.time() - train.stamp
            # That of a run from a file was made long ago.
            self.link.delay = delay if abs(delay) < _LONGEST_DELAY else self.link.delay

    def _require_server(self, timeout: float) -> None:
        if self.link.seconds < timeout:
            return
        if not self.link.connected:
            raise TimeoutError(
                f"nothing answers at {self.link.endpoint} after {timeout:g} s. Check host and "
                "port, and that the bridge is running there."
            )
        raise TimeoutError(
            f"{self.link.endpoint} answers, but no train has come in {timeout:g} s. Is the run "
            "going? Wait longer with --timeout SECONDS; other kinds of server need "
            "--socket SUB or PULL."
        )

    def _show(self, footer: str) -> None:
        live, link = self.live, self.link
        if self.screen.interactive:
            columns, rows = self.screen.size
            self.screen.draw(
                page(live, link, columns=columns, rows=rows, footer=footer,
                     ascii_only=self.screen.ascii_only)
            )  # fmt: skip
            return
        now = time.strftime("%H:%M:%S")
        self.screen.say(" | ".join([now, status(live, link), *problems(live, link)]))
