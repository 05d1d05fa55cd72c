"""What is wrong with a run: told once, counted, and by request an error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.errors import FaultyRunError, warn

_MOST_NAMED = 8


class Faults:
    """The faults of a run as they are found.

    Parameters
    ----------
    strict : bool
        Raise `hrixs.FaultyRunError` at the first fault, in place of a warning for each.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.texts: list[str] = []
        self.n_skipped = 0
        self._train_ids: set[int] = set()

    def add(
        self, text: str, *, n_skipped: int = 0, train_ids: Iterable[int] | NDArray[Any] = ()
    ) -> None:
        """Tell of a fault; `n_skipped` images can't be used for it, those of `train_ids`.

        Raises
        ------
        FaultyRunError
            If the faults are strict.
        """
        if self.strict:
            raise FaultyRunError(f"{text} Leave strict out to go on without what is faulty.")
        if text in self.texts:  # of a file that several fields lie in
            return
        self.texts.append(text)
        self.n_skipped += n_skipped
        self._train_ids.update(int(train_id) for train_id in train_ids if train_id > 0)
        warn(text)

    def uncounted(self) -> Faults:
        """The same faults, for data other than images: what is left out there is no image."""
        other = Faults(strict=self.strict)
        other.texts = self.texts
        return other

    @property
    def skipped_trains(self) -> NDArray[np.int64]:
        """Ids of the trains with skipped images, as far as they are known, ascending."""
        return np.array(sorted(self._train_ids), dtype=np.int64)


def named_trains(train_ids: Iterable[int] | NDArray[Any]) -> str:
    """Text that names trains, all of them where they are few: ``train 17``, ``trains 1, 3``."""
    ids = sorted({int(train_id) for train_id in train_ids})
    if not ids:
        return "no train"
    if len(ids) > 2 and ids[-1] - ids[0] == len(ids) - 1:
        return f"trains {ids[0]} to {ids[-1]}"
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"train{'s' * (len(ids) > 1)} {', '.join(map(str, ids[:_MOST_NAMED]))}{more}"
