"""Pass trains from a receiver to the spectra, and keep the state of the connection."""

from __future__ import annotations

import time

from hrixs.live.bridge import Receiver, Train
from hrixs.live.page import Link
from hrixs.live.spectra import LiveSpectra

_TICK = 0.1
_LONGEST_DELAY = 3600.0


class Taking:
    """One watch, from the trains of a receiver to spectra.

    Parameters
    ----------
    live : LiveSpectra
    receiver : Receiver
    link : Link
        Updated with the state of the connection.

    Attributes
    ----------
    last_train : float
        `time.monotonic` when the last train that was used came.
    """

    def __init__(self, live: LiveSpectra, receiver: Receiver, link: Link) -> None:
        self.live, self.receiver, self.link = live, receiver, link
        self._started = self.last_train = time.monotonic()

    def step(self) -> Train | None:
        """Take the next train, or wait a moment for one.

        Raises
        ------
        MissingDataError, ValueError
            As `LiveSpectra.add` and `Receiver.next`.
        """
        train = self.receiver.next(_TICK)
        try:
            self._take(train)
        finally:
            now = time.monotonic()
            self.link.seconds = now - self._started
            # Not the time since the last one was analysed: others may be waiting.
            self.link.silent = now - self.receiver.last_received
            self.link.connected = self.receiver.connected
        return train

    def _take(self, train: Train | None) -> None:
        if train is None:
            return
        self.last_train = train.received
        if train.skipped:
            self.live.skip(train.train_id, now=train.received)
            return
        self.live.add(train.train_id, train.data, now=train.received)
        self.link.delay = time.monotonic() - train.received
        if train.stamp is not None:
            delay = time.time() - train.stamp
            # The time stamp of a run from a file is old.
            self.link.delay = delay if abs(delay) < _LONGEST_DELAY else self.link.delay
