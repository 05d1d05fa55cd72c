"""Faults of a run: each is reported once and counted, or raised as an error on request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.errors import FaultyRunError, warn
from hrixs.utils.errors import named_trains as named_trains

#: Errors that reading a broken file may raise, in addition to those of HDF5.
BROKEN_FILE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, EOFError)


class Faults:
    """The faults of a run as they are found.

    Parameters
    ----------
    strict : bool
        Raise `hrixs.FaultyRunError` at the first fault, instead of a warning for each.
    only : numpy.ndarray of uint64, optional
        Trains that are asked for; faults of other trains are not reported.
    """

    def __init__(self, *, strict: bool = False, only: NDArray[np.uint64] | None = None) -> None:
        self.strict = strict
        self.only = only
        #: The name of the data in the texts.
        self.noun = "images"
        self.texts: list[str] = []
        self.n_skipped = 0
        self._train_ids: set[int] = set()

    def add(
        self,
        text: str,
        *,
        n_skipped: int = 0,
        train_ids: Iterable[int] | NDArray[Any] = (),
        about: Iterable[int] | NDArray[Any] = (),
    ) -> None:
        """Report a fault; because of it `n_skipped` images of `train_ids` cannot be used.

        `about` are trains whose images can still be used.

        Raises
        ------
        FaultyRunError
            If `strict` is set.
        """
        ids = [int(train_id) for train_id in train_ids]
        named = ids or [int(train_id) for train_id in about]
        if self.only is not None and named:
            if not np.isin(np.array(named, dtype=np.uint64), self.only).any():
                return
            wanted = [train_id for train_id in ids if train_id in self.only]
            # If as many images as ids are skipped, each id has one.
            n_skipped = len(wanted) if n_skipped == len(ids) else min(n_skipped, len(wanted))
            ids = wanted
        if self.strict:
            raise FaultyRunError(f"{text} Leave strict out to continue without the faulty data.")
        if text in self.texts:  # of a file that several fields lie in
            return
        self.texts.append(text)
        self.n_skipped += n_skipped
        self._train_ids.update(train_id for train_id in ids if train_id > 0)
        warn(text)

    def why_none(self, camera: str) -> str:
        """Text of the error if no image of the camera is left, with the faults reported before."""
        told = " ".join(self.texts) or "the reason is not known."
        return f"no image of {camera} can be used, {self.n_skipped} were rejected: {told}"

    def uncounted(self, noun: str) -> Faults:
        """The same faults for data other than images; what is left out is not counted as images."""
        other = Faults(strict=self.strict, only=self.only)
        other.texts, other.noun = self.texts, noun
        return other

    def attrs(self) -> dict[str, Any]:
        """Attributes of a result that state the faults."""
        return {
            "n_skipped": self.n_skipped,
            "skipped_trains": self.skipped_trains,
            "faults": "\n".join(self.texts),
        }

    @property
    def skipped_trains(self) -> NDArray[np.int64]:
        """Known ids of the trains with skipped images, ascending."""
        return np.array(sorted(self._train_ids), dtype=np.int64)
