"""A watch that runs in its own thread, independent of pages."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import xarray as xr

from hrixs.live.bridge import Receiver
from hrixs.live.page import Link
from hrixs.live.saving import Saver
from hrixs.live.spectra import LiveSpectra
from hrixs.live.taking import Taking
from hrixs.live_page.state import State
from hrixs.utils.errors import MissingDataError

# Seconds from one state to the next, and until a failed connection is tried again.
_BETWEEN, _AGAIN = 0.2, 1.0


class Watched:
    """Take trains, keep the newest state for pages, and save from time to time.

    The thread of the receiver reads the bridge and keeps only the newest image; a second thread
    analyses it. Neither waits for a page.

    Parameters
    ----------
    live : LiveSpectra
        With ``keep_last``.
    open_receiver : callable
        Returns a receiver that is not open yet; called again if one has failed.
    endpoint : str
        Address of the server.
    saver : Saver
    until_silent : float, optional
        End after this many seconds without a train.

    Attributes
    ----------
    state : State
        The newest state.
    """

    def __init__(
        self,
        live: LiveSpectra,
        open_receiver: Callable[[], Receiver],
        *,
        endpoint: str,
        saver: Saver,
        until_silent: float = math.inf,
    ) -> None:
        self.live, self.endpoint, self.saver = live, endpoint, saver
        self.state = State(number=0, h=live.h)
        self._open_receiver, self._until_silent = open_receiver, until_silent
        self._link = Link(endpoint)
        self._error = ""
        self._told = 0.0
        self._saved: xr.Dataset | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hrixs-watch", daemon=True)

    @property
    def has_ended(self) -> bool:
        """Whether the watch has ended."""
        return self.state.has_ended

    def start(self) -> None:
        """Start to take trains."""
        self._thread.start()

    def end(self) -> None:
        """Stop taking trains, and save the result.

        Raises
        ------
        MissingDataError
            If no image was analysed: there is nothing to save.
        OSError
            If the file could not be written.
        """
        self._stopping.set()
        self._thread.join()
        self.live.finish()
        self._tell(has_ended=True)
        if self.state.found is None:
            why = f" {self._error}" if self._error else ""
            raise MissingDataError(f"no image was analysed, so nothing was written.{why}")
        self.saver.end(self.state.found)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._open_receiver() as receiver:
                    self._take(Taking(self.live, receiver, self._link))
            except Exception as error:  # pages show any error, and the watch goes on
                self._fail(error)
                self._stopping.wait(_AGAIN)
            else:
                break
        self._tell(has_ended=True)

    def _take(self, taking: Taking) -> None:
        """Take trains until the end; raise an error if the receiver has ended."""
        while not self._stopping.is_set():
            counts, link = self.live.counts, self._link
            n_trains, n_analysed = counts.trains, counts.analysed
            try:
                train = taking.step()
            except Exception as error:
                if counts.trains == n_trains:  # no train came: the receiver has failed
                    raise
                self._fail(error)
                continue
            if train is None and counts.trains and link.silent > self._until_silent:
                return
            if counts.analysed > n_analysed:
                self._error = ""
            if time.monotonic() >= self._told + _BETWEEN:
                self._tell()
                self._save()

    def _save(self) -> None:
        found = self.state.found
        if found is not None and found is not self._saved and self.saver.is_due:
            self._saved = found
            self.saver.begin(found)

    def _fail(self, error: Exception) -> None:
        known = isinstance(error, ValueError | LookupError | TypeError | OSError)
        self._error = str(error) if known else f"{type(error).__name__}: {error}"
        self._tell()

    def _tell(self, *, has_ended: bool = False) -> None:
        self._told = now = time.monotonic()
        error, before = self._error, self.state
        if problem := self.saver.problem:
            error = f"{problem}. {error}".strip()
        is_new = self.live.counts.analysed > before.used
        found = self.live.dataset() if is_new else before.found
        self.state = State.of(
            self.live, self._link, number=before.number + 1, now=now, found=found, error=error,
            has_ended=has_ended,
        )  # fmt: skip
