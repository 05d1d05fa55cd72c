"""Save the results of a watch while it is running."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import xarray as xr

from hrixs.utils.atomic_files import write_netcdf


class Saver:
    """Rewrite a file repeatedly, always complete, in a thread: a slow disk does not stop the watch.

    Parameters
    ----------
    path : path
    every : float
        Seconds from one save to the next. If the process is killed, at most this time is lost,
        plus the time of one save.

    Attributes
    ----------
    error : Exception or None
        Why the last save failed; the next one is still tried.
    saved : float or None
        `time.monotonic` of the data in the file.
    """

    def __init__(self, path: Path, *, every: float = 5.0) -> None:
        self.path, self.every = path, every
        self.error: Exception | None = None
        self.saved: float | None = None
        self._begun = -float("inf")
        self._thread: threading.Thread | None = None
        _write_a_first_file()

    @property
    def is_due(self) -> bool:
        """Whether it is time to save and no save is running."""
        is_writing = self._thread is not None and self._thread.is_alive()
        return not is_writing and time.monotonic() >= self._begun + self.every

    @property
    def problem(self) -> str:
        """Why the last save failed, for the user; '' if it did not."""
        error = self.error  # the thread that writes may clear it
        return "" if error is None else f"{self.path} could not be written: {error}"

    def begin(self, found: xr.Dataset) -> None:
        """Write `found` in a thread (the first time directly); do not change it meanwhile."""
        is_first, self._begun = self._thread is None, time.monotonic()
        self._thread = threading.Thread(
            target=self._write, args=(found, self._begun), name="hrixs-save"
        )
        self._thread.start()
        if is_first:  # a file that can't be written is known at once
            self._thread.join()

    def end(self, found: xr.Dataset) -> None:
        """Write the final result.

        Raises
        ------
        OSError
            If the file could not be written.
        """
        if self._thread is not None:
            self._thread.join()
        self._write(found, time.monotonic())
        if self.error is not None:
            raise self.error

    def _write(self, found: xr.Dataset, now: float) -> None:
        try:
            write_netcdf(found, self.path)
        except Exception as error:  # the owner reports it; the watch goes on
            self.error = error
        else:
            self.error, self.saved = None, now


def _write_a_first_file() -> None:
    """Write elsewhere before trains come: the first time imports modules, for half a second."""
    with tempfile.TemporaryDirectory() as folder:
        write_netcdf(xr.Dataset({"total": ("energy", [0.0])}), Path(folder, "first.nc"))
