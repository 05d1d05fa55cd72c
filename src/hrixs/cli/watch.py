"""The work of ``hrixs watch``: live spectra from a bridge, shown and saved."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import xarray as xr

from hrixs.cli.job import Job
from hrixs.cli.there import require_folder
from hrixs.live.bridge import Receiver
from hrixs.live.page import Link, page, problems, status
from hrixs.live.saving import Saver
from hrixs.live.signals import Signals
from hrixs.live.spectra import LiveSpectra
from hrixs.live.taking import Taking
from hrixs.live.terminal import Screen
from hrixs.live_page.watched import Watched
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import MissingDataError

# Images that may wait: drawing a page needs the processor, too; half a second at 10 Hz.
_KEEP = 5


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
    """Analyse trains as they arrive until Ctrl-C.

    Spectra are saved every few seconds, and at the end.

    Parameters
    ----------
    endpoint : str
        Address of the bridge's server, ``tcp://HOST:PORT``.
    output : path or None
        File to write; None: a name with date and time in the current folder.
    job : Job
        Options of the analysis, as for runs.
    mnemonics_file : str, optional
        JSON file with entries for `hrixs.mnemonics`.
    window, every_train, socket
        As in `LiveSpectra` and `Receiver`.
    timeout : float
        Seconds in which the first train must arrive.
    until_silent : float, optional
        End if no train arrives for this number of seconds.
    refresh : float, optional
        Seconds between two drawings; default 0.5, and 10 if the output is no terminal.
    stream : text file, optional
        Where to draw (default ``sys.stdout``).

    Returns
    -------
    xarray.Dataset
        The dataset that was written.

    Raises
    ------
    TimeoutError
        If no train arrives in the first `timeout` seconds.
    MissingDataError
        If the trains have no such camera, or there was no image until the end.
    """
    output = _output(output)
    screen = Screen(stream or sys.stdout)
    h = _settings(job, mnemonics_file, screen.say)
    live = LiveSpectra(h, method=job.method, window=window, energy=job.energy)
    receiver = Receiver(
        endpoint, has_image=live.reader.has_image, every_train=every_train, socket=socket
    )
    saver = Saver(output)
    watch = _Watch(live, receiver, screen, Link(endpoint), saver)
    refresh = refresh or (0.5 if screen.interactive else 10.0)
    footer = f"Ctrl-C ends and saves to {output}"
    result: xr.Dataset | None = None
    with Signals() as signals, receiver:
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
            # The spectra are saved whatever ends the watch, also after an error.
            live.finish()
            if live.counts.analysed:
                result = live.dataset()
                saver.end(result)
    watch.say_end()
    if result is None:
        raise MissingDataError("no image was analysed; nothing was written.")
    screen.say(f"wrote {output}: total of {live.counts.analysed} trains, spectra of the last "
               f"{len(live.window)}")  # fmt: skip
    return result


def watch_in_browser(
    endpoint: str,
    output: Path | None,
    job: Job,
    *,
    mnemonics_file: str | None = None,
    window: int = 100,
    every_train: bool = False,
    socket: str = "REQ",
    until_silent: float | None = None,
    port: int = 0,
    origins: Sequence[str] = (),
) -> None:
    """Analyse trains as `watch` does, and show them on a page, until Ctrl-C.

    If the server does not answer, or the trains have no such camera, the page says so and waits.
    Spectra are saved every few seconds, and at the end.

    Parameters
    ----------
    port, origins
        As in `hrixs.view.server.serving`; all others as in `watch`.

    Raises
    ------
    ImportError
        If panel or karabo-bridge is not installed.
    MissingDataError
        If there was no image until the end.
    """
    from hrixs.view.viewer import require_panel

    require_panel()
    from hrixs.live_page.served import serving_watch

    output = _output(output)
    h = _settings(job, mnemonics_file, print)
    live = LiveSpectra(h, method=job.method, window=window, energy=job.energy, keep_last=True)

    def open_receiver() -> Receiver:
        return Receiver(
            endpoint, has_image=live.reader.has_image, every_train=every_train, keep=_KEEP,
            socket=socket,
        )  # fmt: skip

    open_receiver()  # tells what is wrong before anything begins
    silence = math.inf if until_silent is None else until_silent
    saver = Saver(output)
    watched = Watched(live, open_receiver, endpoint=endpoint, saver=saver, until_silent=silence)
    served = serving_watch(watched, port=port, origins=origins)
    with Signals() as signals:
        watched.start()
        try:
            print(f"{endpoint} is shown at\n\n    {served.address}\n\n"
                  f"Ctrl-C ends and saves to {output}", flush=True)  # fmt: skip
            served.run(until=lambda: signals.received or watched.has_ended)
        finally:
            watched.end()
    print(f"wrote {output}: total of {live.counts.analysed} trains, spectra of the last "
          f"{len(live.window)}")  # fmt: skip


def _output(output: Path | None) -> Path:
    output = output or Path(time.strftime("hrixs-watch-%Y%m%d-%H%M%S.nc"))
    require_folder(output)
    return output


def _settings(job: Job, mnemonics_file: str | None, say: Callable[[str], None]) -> hRIXS:
    if mnemonics_file is not None:
        mnemonics.update(json.loads(Path(mnemonics_file).read_text(encoding="utf8")))
    h = job.spectrometer()
    if job.find_curvature is not None:
        curve_a, curve_b = h.find_curvature(job.source(job.find_curvature), plot=False)
        say(f"curvature: A = {curve_a:.7f}, B = {curve_b:.2e}")
    return h


class _Watch:
    """One watch: takes trains from the receiver, informs the user, and saves from time to time."""

    def __init__(
        self, live: LiveSpectra, receiver: Receiver, screen: Screen, link: Link, saver: Saver
    ) -> None:
        self.live, self.screen, self.link, self.saver = live, screen, link, saver
        self.taking = Taking(live, receiver, link)
        self._n_saved = 0

    def run(
        self,
        stop: Callable[[], bool],
        *,
        timeout: float,
        until_silent: float,
        refresh: float,
        footer: str,
    ) -> None:
        """Go on until `stop`, or until the server was silent for `until_silent` seconds."""
        next_drawing = 0.0
        while not stop():
            was_connected = self.link.connected
            train = self.taking.step()
            if self.live.counts.trains == 0:
                self._require_server(timeout)
            elif train is None and self.link.silent > until_silent:
                return
            self._save()
            now = time.monotonic()
            if now >= next_drawing or self.link.connected != was_connected:
                next_drawing = now + refresh
                self._show(footer)

    def say_end(self) -> None:
        """Print the final state."""
        live, (columns, rows) = self.live, self.screen.size
        # The state while trains arrived: at the end a missing server is no problem any more.
        self.link.connected, self.link.silent, self.link.now = True, 0.0, self.taking.last_train
        if self.screen.interactive and live.counts.analysed:
            options = {"columns": columns, "rows": min(rows - 2, 40)}
            lines = page(live, self.link, ascii_only=self.screen.ascii_only, footer="", **options)
            self.screen.say("\n".join(lines))
        elif live.counts.trains:
            self.screen.say("\n".join([status(live, self.link), *problems(live, self.link)]))

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

    def _save(self) -> None:
        n_analysed = self.live.counts.analysed
        if n_analysed > self._n_saved and self.saver.is_due:
            self._n_saved = n_analysed
            self.saver.begin(self.live.dataset())

    def _show(self, footer: str) -> None:
        live, link = self.live, self.link
        not_saved = [problem] if (problem := self.saver.problem) else []
        footer = "; ".join([*not_saved, footer])
        if self.screen.interactive:
            columns, rows = self.screen.size
            self.screen.draw(
                page(live, link, columns=columns, rows=rows, footer=footer,
                     ascii_only=self.screen.ascii_only)
            )  # fmt: skip
            return
        now = time.strftime("%H:%M:%S")
        told = [status(live, link), *problems(live, link), *not_saved]
        self.screen.say(" | ".join([now, *told]))
