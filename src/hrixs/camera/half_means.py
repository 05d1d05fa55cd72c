"""Mean of frames, and difference of both halves, which separates light from the chip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.good_frames import GoodFrames, GoodPart
from hrixs.camera.unlike_frames import named_frames
from hrixs.utils.threads import map_in_threads
from hrixs.utils.typing import Floats

# Number of 16-bit values whose sum fits into 32 bits.
_MOST_ADDED = 65_536
# Columns that are added up together, so that their sums stay in the cache.
_COLUMNS = 32


@dataclass(frozen=True)
class HalfMeans:
    """The mean of frames and the difference of its halves.

    Attributes
    ----------
    mean : numpy.ndarray, shape (x, y)
        In ADU.
    difference : numpy.ndarray, shape (x, y), or None
        Mean of every second frame minus the mean of the others, in ADU, scaled so that its standard
        deviation is the noise of one frame. Light and patterns equal in all frames cancel. None for
        one frame.
    n_images : int
        Number of frames.
    left_out : dict of int to str
        Frames that were left out, by number, and the reason.
    word : str
        Name of the numbers in texts, such as 'number' or 'train'.
    """

    mean: Floats
    difference: Floats | None
    n_images: int
    left_out: dict[int, str] = field(default_factory=dict)
    word: str = "number"

    def remarks(self) -> list[str]:
        """Warnings about the frames, a sentence each."""
        if not self.left_out:
            return []
        names = named_frames(list(self.left_out), list(self.left_out.values()), self.word)
        n_all = self.n_images + len(self.left_out)
        return [
            f"{len(self.left_out)} of {n_all} images are unlike the others and are left out: "
            f"{names}."
        ]


class HalvesAdder:
    """Adds up frames in two halves, part by part, without those that differ from the others.

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
        self._good = GoodFrames(threads=threads)
        self._totals: list[Floats] = []
        self._n_added = [0, 0]

    def add(self, images: NDArray[Any], names: ArrayLike | None = None) -> None:
        """Add images, as `GoodFrames.of` takes them."""
        self._add(self._good.of(images, names))

    @property
    def n_images(self) -> int:
        """Number of images that were added."""
        return self._good.n_added

    def result(self) -> HalfMeans:
        """Compute mean and difference of all images that were added.

        Raises
        ------
        ValueError
            If there are no frames.
        """
        self._add(self._good.rest())
        if not self._totals:
            raise ValueError("there are no images, expected at least one.")
        (first, second), (n_first, n_second) = self._totals, self._n_added
        n = n_first + n_second
        self._totals = []

        def finish(begin: int) -> None:
            """Replace the sums of both halves by their difference and mean."""
            one, other = first[begin : begin + _COLUMNS], second[begin : begin + _COLUMNS]
            mean = (one + other) / n
            if n_second:
                one /= n_first
                other /= n_second
                one -= other
                one *= np.sqrt(n_first * n_second / n)
            other[:] = mean

        map_in_threads(finish, range(0, len(first), _COLUMNS), self._threads)
        difference, mean = first if n_second else None, second
        return HalfMeans(mean, difference, n, self._good.left_out, self._word)

    def _add(self, part: GoodPart | None) -> None:
        if part is None:
            return
        if not self._totals:
            self._totals = [np.zeros(part.frames.shape[1:]) for _ in range(2)]
        n_before = sum(self._n_added)
        halves = [part.frames[(half + n_before) % 2 :: 2] for half in range(2)]  # in turn
        for half, own in enumerate(halves):
            self._n_added[half] += len(own)

        def add_columns(begin: int) -> None:
            some = slice(begin, begin + _COLUMNS)
            for total, own in zip(self._totals, halves, strict=True):
                for first in range(0, len(own), _MOST_ADDED):
                    total[some] += _sum(own[first : first + _MOST_ADDED, some])

        map_in_threads(add_columns, range(0, part.frames.shape[1], _COLUMNS), self._threads)


def _sum(stack: NDArray[Any]) -> NDArray[Any]:
    """Sum of frames, in 32 bits if this is enough."""
    small = stack.dtype.kind in "ui" and stack.dtype.itemsize <= 2
    dtype = (np.uint32 if stack.dtype.kind == "u" else np.int64) if small else np.float64
    total = np.zeros(stack.shape[1:], dtype)
    for frame in stack:
        np.add(total, frame, out=total)
    return total
