"""A progress bar for long runs."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """Shows frames done, frames per second and photons so far; silent if nobody can see it.

    Parameters
    ----------
    total : int
        Number of all frames.
    wanted : bool
        Whether to show the bar. It is only shown in a terminal or a notebook.
    done : int
        Number of frames that are done already.
    unit : str
        Name of what is counted.
    """

    def __init__(
        self, total: int, *, wanted: bool = True, done: int = 0, unit: str = " frames"
    ) -> None:
        self._photons = 0.0
        self._bar: Any = _bar(total, done, unit) if wanted else None

    def add(self, n_frames: int, photons: float | None = None) -> None:
        """Add frames that are done, and the photons in them if these are counted."""
        if self._bar is None:
            return
        if photons is not None:
            self._photons += photons
            self._bar.set_postfix_str(f"{self._photons:.0f} photons", refresh=False)
        self._bar.update(n_frames)

    def close(self) -> None:
        """Close the bar; it stays visible."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bar(total: int, done: int, unit: str) -> Any:
    # A bar of text, in a notebook, too: it needs no ipywidgets, neither in the kernel nor in the
    # server, without which tqdm.auto warns or draws nothing; and a saved notebook keeps it.
    from tqdm import tqdm

    # None: silent if the output is not a terminal. A notebook is not a terminal, but has readers.
    silent = False if "ipykernel.zmqshell" in sys.modules else None
    return tqdm(total=total, initial=done, unit=unit, smoothing=0.1, disable=silent)
