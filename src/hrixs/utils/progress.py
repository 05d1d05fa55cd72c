"""A bar that shows how far a long run has come."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """Frames done, frames a second and photons so far; silent where nobody watches.

    Parameters
    ----------
    total : int
        Frames in all.
    wanted : bool
        Whether to show anything. Even then nothing is shown when the output is neither a terminal
        nor a notebook.
    done : int
        Frames that are done already.
    unit : str
        What is counted, if not frames.
    """

    def __init__(
        self, total: int, *, wanted: bool = True, done: int = 0, unit: str = " frames"
    ) -> None:
        self._photons = 0.0
        self._bar: Any = _bar(total, done, unit) if wanted else None

    def add(self, n_frames: int, photons: float | None = None) -> None:
        """Add frames that are done, with the photons in them where they are counted."""
        if self._bar is None:
            return
        if photons is not None:
            self._photons += photons
            self._bar.set_postfix_str(f"{self._photons:.0f} photons", refresh=False)
        self._bar.update(n_frames)

    def close(self) -> None:
        """Leave the bar as it is."""
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

    # None: silent unless the output is a terminal. A notebook's is none, and yet it is watched.
    silent = False if "ipykernel.zmqshell" in sys.modules else None
    return tqdm(total=total, initial=done, unit=unit, smoothing=0.1, disable=silent)
