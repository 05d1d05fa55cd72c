"""The mean of frames, and how its two halves differ, which tells light from what the chip adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import ValueCounts, count_frames
from hrixs.camera.frames import as_frames
from hrixs.camera.unlike_frames import named_frames, odd_frames
from hrixs.utils.typing import Floats

# So many pixels of a frame are enough for its level and noise.
_SAMPLE = 60_000
# Frames without which it is not known what the others are like, and those that are compared with.
_LEAST_REFERENCE, _MOST_REFERENCE = 3, 32
# So many 16-bit values add up in 32 bits.
_MOST_ADDED = 65_536


@dataclass(frozen=True)
class HalfMeans:
    """The mean of frames and the difference of its halves.

    Attributes
    ----------
    mean : numpy.ndarray, shape (x, y)
        In ADU.
    difference : numpy.ndarray, shape (x, y), or None
        Mean of every second frame less that of the others, in ADU, scaled so that its standard
        deviation is the noise of one frame. What is the same in all frames is not in it. None of
        one frame.
    n_images : int
        Frames that both are of.
    left_out : dict of int to str
        Frames that are not in them, by number, and why.
    word : str
        What the numbers are of.
    """

    mean: Floats
    difference: Floats | None
    n_images: int
    left_out: dict[int, str] = field(default_factory=dict)
    word: str = "number"

    def remarks(self) -> list[str]:
        """What is worth a word, a sentence each."""
        if not self.left_out:
            return []
        names = named_frames(list(self.left_out), list(self.left_out.values()), self.word)
        n_all = self.n_images + len(self.left_out)
        return [
            f"{len(self.left_out)} of {n_all} images are unlike the others and are left out: "
            f"{names}."
        ]


class HalvesAdder:
    """Adds up frames in two halves, part by part, without those that are unlike the others.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera.half_means import HalvesAdder
    >>> frames = np.random.default_rng(1).normal(100, 2, (8, 32, 32)).round().astype(np.uint16)
    >>> frames[6] = 0
    >>> adder = HalvesAdder()
    >>> adder.add(frames)
    >>> found = adder.result()
    >>> found.n_images, found.left_out, round(float(found.difference.std()))
    (7, {6: 'blank'}, 2)
    """

    def __init__(self, *, word: str = "number", threads: int | None = None) -> None:
        self._word, self._threads = word, threads
        self._waiting: list[NDArray[Any]] = []
        self._names: list[int] = []
        self._n_seen = 0
        self._totals: list[Floats] = []
        self._n_added = [0, 0]
        self._levels: list[float] = []
        self._noise: float | None = None
        self._left_out: dict[int, str] = {}

    def add(self, images: NDArray[Any], names: ArrayLike | None = None) -> None:
        """Add images; they are not kept longer than they are needed.

        Parameters
        ----------
        images : numpy.ndarray, shape (n, ..., x, y)
            In ADU.
        names : array_like of int, shape (n,), optional
            What the images are called by, for example their train ids; by default their numbers.
        """
        stack = images.reshape(-1, *images.shape[-2:])
        own = np.arange(len(self._names), len(self._names) + len(stack))
        if names is not None and len(stack):
            own = np.repeat(np.asarray(names), len(stack) // np.size(names))
        self._names += own.tolist()
        counts = None
        if self._noise is None:
            joined = np.concatenate([*self._waiting, stack]) if self._waiting else stack
            counts = self._counts(joined)
            good = odd_frames(counts.median, counts.noise).good
            if len(good) < _LEAST_REFERENCE:
                self._waiting = [joined.copy()]
                return
            stack, self._waiting = joined, []
            self._learn(counts, good)
        self._add(stack, counts or self._counts(stack))

    @property
    def n_images(self) -> int:
        """Images that were added."""
        return len(self._names)

    def result(self) -> HalfMeans:
        """Mean and difference of all that was added.

        Raises
        ------
        ValueError
            If there are no frames.
        """
        if self._waiting:
            (stack,), self._waiting = self._waiting, []
            counts = self._counts(stack)
            good = odd_frames(counts.median, counts.noise).good
            self._learn(counts, good or list(range(len(stack))))
            self._add(stack, counts)
        if not self._totals:
            raise ValueError("there are no images, expected at least one.")
        (first, second), (n_first, n_second) = self._totals, self._n_added
        n = n_first + n_second
        difference = None
        if n_second:
            # In place: these images are large.
            difference = first / n_first
            difference -= second / n_second
            difference *= np.sqrt(n_first * n_second / n)
        mean = first + second
        mean /= n
        return HalfMeans(mean, difference, n, self._left_out, self._word)

    def _counts(self, stack: NDArray[Any]) -> ValueCounts:
        step = max(1, stack[0].size // _SAMPLE)
        step = min(step, max(1, stack.shape[1] // 4))
        pixels = stack[:, ::step]
        unusable = None
        if pixels.dtype.kind == "f":
            unusable = (~np.isfinite(pixels).all(axis=0)).view(np.uint8)
        frames = as_frames(pixels)
        return count_frames(frames, mask=unusable, threads=self._threads)[0]

    def _learn(self, counts: ValueCounts, good: list[int]) -> None:
        self._levels = [float(counts.median[number]) for number in good]
        self._noise = float(np.median(counts.noise[good]))

    def _add(self, stack: NDArray[Any], counts: ValueCounts) -> None:
        typical = self._levels[-_MOST_REFERENCE:], self._noise or 0.0
        odd = odd_frames(counts.median, counts.noise, typical)
        good = odd.good
        if not sum(self._n_added) and not good:
            good = list(range(len(stack)))  # all are equal, or none is like another
        for number in sorted(set(range(len(stack))) - set(good)):
            self._left_out[self._names[self._n_seen + number]] = odd.kinds[number]
        self._n_seen += len(stack)
        if not self._totals:
            self._totals = [np.zeros(stack.shape[1:]) for _ in range(2)]
        self._levels += [float(counts.median[number]) for number in good]
        n_before = sum(self._n_added)
        for half in range(2):
            numbers = good[(half + n_before) % 2 :: 2]  # in turn, from part to part
            self._n_added[half] += len(numbers)
            for few in range(0, len(numbers), _MOST_ADDED):
                self._totals[half] += _sum(stack, numbers[few : few + _MOST_ADDED])


def _sum(stack: NDArray[Any], numbers: list[int]) -> NDArray[Any]:
    """Sum of some frames, in 32 bits where that holds it."""
    small = stack.dtype.kind in "ui" and stack.dtype.itemsize <= 2
    dtype = (np.uint32 if stack.dtype.kind == "u" else np.int64) if small else np.float64
    total = np.zeros(stack.shape[1:], dtype)
    for number in numbers:
        np.add(total, stack[number], out=total)
    return total
