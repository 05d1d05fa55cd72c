"""Frames that arrive part by part, without those that differ from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import count_frames
from hrixs.camera.frames import as_frames
from hrixs.camera.unlike_frames import odd_frames
from hrixs.utils.typing import Floats

# Number of pixels of a frame that is enough for level and noise.
_SAMPLE = 60_000
# Fewest frames that show what is usual, and number of frames to compare with.
_LEAST_REFERENCE, _MOST_REFERENCE = 3, 32


@dataclass(frozen=True)
class GoodPart:
    """Frames of a part that are similar to the others.

    Attributes
    ----------
    frames : numpy.ndarray, shape (n, x, y)
    names : list of int
        Their numbers, or names such as train ids.
    level, noise : numpy.ndarray, shape (n,)
        Median of each frame and its noise, in ADU.
    """

    frames: NDArray[Any]
    names: list[int]
    level: Floats
    noise: Floats


class GoodFrames:
    """Passes frames on part by part, and keeps a list of those left out.

    The first frames wait until enough are similar.

    Parameters
    ----------
    threads : int, optional
        As in `hrixs.find_photons`.

    Attributes
    ----------
    left_out : dict of int to str
        Frames that differ from the others, by name, and the reason.
    n_added : int
        Number of frames that were given.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera.good_frames import GoodFrames
    >>> frames = np.random.default_rng(1).normal(100, 2, (8, 32, 32)).round().astype(np.uint16)
    >>> frames[6] = 0
    >>> good = GoodFrames()
    >>> good.of(frames).names, good.left_out
    ([0, 1, 2, 3, 4, 5, 7], {6: 'blank'})
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self.left_out: dict[int, str] = {}
        self.n_added = 0
        self._threads = threads
        self._waiting: list[NDArray[Any]] = []
        self._waiting_names: list[int] = []
        self._levels: list[float] = []
        self._noise: float | None = None

    def of(self, images: NDArray[Any], names: ArrayLike | None = None) -> GoodPart | None:
        """Good frames of a part, with those that have waited; None if all must wait.

        Parameters
        ----------
        images : numpy.ndarray, shape (n, ..., x, y)
            In ADU. They are not kept longer than necessary.
        names : array_like of int, shape (n,), optional
            Names of the images, for example train ids; default: their numbers.
        """
        stack = images.reshape(-1, *images.shape[-2:])
        own = np.arange(self.n_added, self.n_added + len(stack))
        if names is not None and len(stack):
            own = np.repeat(np.asarray(names), len(stack) // np.size(names))
        self.n_added += len(stack)
        all_names = [*self._waiting_names, *own.tolist()]
        joined = np.concatenate([*self._waiting, stack]) if self._waiting else stack
        level, noise = self._counted(joined)
        if self._noise is None:
            alike = odd_frames(level, noise).good
            if len(alike) < _LEAST_REFERENCE:
                self._waiting, self._waiting_names = [joined.copy()], all_names
                return None
            self._learn(level, noise, alike)
        self._waiting, self._waiting_names = [], []
        return self._good(joined, all_names, level, noise)

    def rest(self) -> GoodPart | None:
        """Frames that still wait, unchecked; None if there are none."""
        if not self._waiting:
            return None
        (stack,), names = self._waiting, self._waiting_names
        self._waiting, self._waiting_names = [], []
        level, noise = self._counted(stack)
        self._learn(level, noise, odd_frames(level, noise).good or list(range(len(stack))))
        return self._good(stack, names, level, noise)

    def _counted(self, stack: NDArray[Any]) -> tuple[Floats, Floats]:
        """Level and noise of each frame, from some of its columns."""
        step = max(1, int(np.prod(stack.shape[1:])) // _SAMPLE)
        pixels = stack[:, :: min(step, max(1, stack.shape[1] // 4))]
        unusable = None
        if pixels.dtype.kind == "f":
            # Such a pixel is reported by the sums.
            unusable = (~np.isfinite(pixels).all(axis=0)).view(np.uint8)
        counts, _ = count_frames(
            as_frames(pixels), mask=unusable, squares=False, threads=self._threads
        )
        return counts.median, counts.noise

    def _learn(self, level: Floats, noise: Floats, alike: list[int]) -> None:
        self._levels = level[alike].tolist()
        self._noise = float(np.median(noise[alike]))

    def _good(
        self, stack: NDArray[Any], names: list[int], level: Floats, noise: Floats
    ) -> GoodPart:
        is_first = self.n_added == len(stack)
        odd = odd_frames(level, noise, (self._levels[-_MOST_REFERENCE:], self._noise or 0.0))
        good = odd.good
        if is_first and not good:
            good = list(range(len(stack)))  # all are equal, or none is like another
        for number, kind in enumerate(odd.kinds):
            if kind and number not in good:
                self.left_out[names[number]] = kind
        self._levels += level[good].tolist()
        frames = stack[good] if len(good) < len(stack) else stack
        return GoodPart(frames, [names[number] for number in good], level[good], noise[good])
