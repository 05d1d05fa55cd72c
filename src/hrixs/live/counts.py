"""Count the trains of a watch, and those that are missing by their ids."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_STEPS = 16


@dataclass
class TrainCounts:
    """Numbers of trains.

    Attributes
    ----------
    trains : int
        All trains received; each is without an image, analysed, failed, skipped, or waiting.
    without_image, analysed, failed : int
        Trains of each kind.
    skipped : int
        Trains with an image that was left out because a newer one had come.
    waiting : int
        Trains with an image that wait until there are enough to learn from; 0 at the end of the
        watch.
    missed : int
        Trains that should have come, by the train ids, but did not.
    images : int
        Images in the analysed trains.
    first_id, last_id : int
        Ids of the first and the last train received; 0 before any.

    Examples
    --------
    >>> from hrixs.live.counts import TrainCounts
    >>> counts = TrainCounts()
    >>> for train_id in [*range(100, 120), 125]:
    ...     counts.come(train_id)
    >>> counts.trains, counts.missed
    (21, 5)
    """

    trains: int = 0
    without_image: int = 0
    analysed: int = 0
    failed: int = 0
    skipped: int = 0
    waiting: int = 0
    missed: int = 0
    images: int = 0
    first_id: int = 0
    last_id: int = 0
    _steps: deque[int] = field(default_factory=lambda: deque(maxlen=_STEPS), repr=False)

    @property
    def with_image(self) -> int:
        """Trains with an image."""
        return self.analysed + self.failed + self.skipped + self.waiting

    def come(self, train_id: int) -> None:
        """Count a received train, and those missed since the last one."""
        step = train_id - self.last_id
        if self.trains == 0:
            self.first_id = train_id
        elif step <= 0:
            self._steps.clear()  # a run is served again
        else:
            usual = self._usual_step()
            if usual is not None and step > usual:
                self.missed += step // usual - 1
            self._steps.append(step)
        self.trains += 1
        self.last_id = train_id

    def attrs(self) -> dict[str, int]:
        """Return the numbers by their names in files."""
        return {
            "first_train": self.first_id,
            "last_train": self.last_id,
            "n_images": self.images,
            "n_trains": self.trains,
            "n_trains_analysed": self.analysed,
            "n_trains_without_image": self.without_image,
            "n_trains_failed": self.failed,
            "n_trains_skipped": self.skipped,
            "n_trains_missed": self.missed,
        }

    def _usual_step(self) -> int | None:
        """Usual difference of two train ids; None if there is none.

        If trains without an image are sent, too, the server sends all trains, and a gap is a loss.
        Otherwise it may send only trains with an image, and a gap means a loss only if the ids
        were regular.
        """
        if len(self._steps) == _STEPS and (self.without_image or len(set(self._steps)) == 1):
            return min(self._steps)
        return None
