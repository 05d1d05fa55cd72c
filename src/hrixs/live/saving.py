"""Saves what a watch has found while it goes on, beside it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import xarray as xr

from hrixs.utils.atomic_files import write_netcdf


class Saver:
    """Writes a file again and again, each time whole, in a thread: a slow disk stops nobody.

    Parameters
    ----------
    path : path
    every : float
        Seconds from the beginning of one writing to that of the next. What a kill loses is no more,
        and the time of one writing.

    Attributes
    ----------
    error : Exception or None
        Why the last writing failed; the next one is tried all the same.
    saved : float or None
        `time.monotonic` when what is in the file was found.
    """

    def __init__(self, path: Path, *, every: float = 5.0) -> None:
        self.path, self.every = path, every
        self.error: Exception | None = None
        self.saved: float | None = None
        self._begun = -float("inf")
        self._thread: threading.Thread | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is time to save, and nothing is being written."""
        is_writing = self._thread is not None and self._thread.is_alive()
        return not is_writing and time.monotonic() >= self._begun + self.every

    def begin(self, found: xr.Dataset) -> None:
        """Write `found`, which nobody changes meanwhile, in a thread; at the first time at once."""
        is_first, self._begun = self._thread is None, time.monotonic()
        self._thread = threading.Thread(
            target=self._write, args=(found, self._begun), name="hrixs-save"
        )
        self._thread.start()
        if is_first:  # what writing imports, others use as well: not while it is half there
            self._thread.join()

    def end(self, found: xr.Dataset) -> None:
        """Write what was found in the end.

        Raises
        ------
        OSError
            If it could not be written.
        """
        if self._thread is not None:
            self._thread.join()
        self._write(found, time.monotonic())
        if self.error is not None:
            raise self.error

    def _write(self, found: xr.Dataset, now: float) -> None:
        try:
            write_netcdf(found, self.path)
        except Exception as error:  # told by whoever has it; a watch goes on
            self.error = error
        else:
            self.error, self.saved = None, now
