"""The mean of dark frames, held through bad frames and the tracks of cosmic rays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.counts import pixel_statistics
from hrixs.camera.frames import as_frames
from hrixs.camera.good_frames import GoodFrames, GoodPart
from hrixs.camera.unlike_frames import named_frames
from hrixs.utils.statistics import median_of
from hrixs.utils.typing import Floats

#: Standard deviations of a pixel from its median at which a value is left out.
N_SIGMA = 6.0
# Frames from which the medians are taken.
_MOST_REFERENCE = 8
# A frame has light if so many of its pixels are left out, and so many times those of most frames;
# all have if so many of most frames are.
_LIGHT_PIXELS, _LIGHT_SHARE, _LIGHT_TIMES = 300, 1e-4, 5.0
_LIT_PIXELS, _LIT_SHARE = 50, 2e-4
# Noise that rounding to whole counts makes, in ADU.
_ROUNDING = 0.3


@dataclass(frozen=True)
class DarkImage:
    """A dark and what was left out of it.

    Attributes
    ----------
    image : numpy.ndarray, shape (x, y)
        Mean of the dark frames, in ADU; NaN where a value is NaN or infinite.
    n_images : int
        Frames that it is the mean of.
    n_values_left_out : int
        Values of single pixels, as tracks of cosmic rays have, that are not in it.
    left_out : dict of int to str
        Frames that are not in it, by number, and why.
    light : list of int
        Numbers of the frames in which far more was left out than in most: light fell on them.
    lit : bool
        Whether as much is left out of most frames as light would make.
    word : str
        What the numbers are of.
    noise : float
        Of a usual pixel from frame to frame, in ADU; NaN of fewer than four frames.
    """

    image: Floats
    n_images: int
    n_values_left_out: int = 0
    left_out: dict[int, str] = field(default_factory=dict)
    light: list[int] = field(default_factory=list)
    lit: bool = False
    word: str = "number"
    noise: float = float("nan")

    def attrs(self) -> dict[str, int]:
        """Counts for ``attrs``."""
        return {
            "n_dark_images": self.n_images,
            "n_dark_images_left_out": len(self.left_out),
            "n_dark_values_left_out": self.n_values_left_out,
        }

    def remarks(self) -> list[str]:
        """Remarks on the dark, a sentence each."""
        texts = []
        if self.left_out:
            n_all = self.n_images + len(self.left_out)
            names = named_frames(list(self.left_out), list(self.left_out.values()), self.word)
            texts.append(
                f"{len(self.left_out)} of {n_all} dark images differ from the others and are left "
                f"out: {names}."
            )
        if self.lit:
            texts.append(
                "there is light on most of the dark images, or the camera is not stable. Check "
                "that the shutter was closed."
            )
        elif self.light:
            names = named_frames(self.light, ["light"] * len(self.light), self.word)
            texts.append(
                f"light fell on {len(self.light)} of the dark images: {names}. Pixels with light "
                "are left out. Check that the shutter was closed."
            )
        return texts


class DarkMean:
    """Adds up dark frames part by part, in memory that does not grow with their number.

    Each pixel's values within six standard deviations of its median are averaged. Median and
    deviation are those of the first frames, at most 8 of them. Each frame counts from its own
    level, so that a pedestal that moves makes no value far. Frames that are unlike the others are
    left out as a whole.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera.dark import DarkMean
    >>> frames = np.random.default_rng(1).normal(100, 2, (8, 32, 32)).round().astype(np.uint16)
    >>> frames[3, 10:20, 5] = 4000
    >>> frames[6] = 0
    >>> mean = DarkMean()
    >>> mean.add(frames)
    >>> dark = mean.result()
    >>> dark.attrs()["n_dark_values_left_out"], dark.left_out, bool(abs(dark.image - 100).max() < 5)
    (10, {6: 'blank'}, True)
    """

    def __init__(self, *, word: str = "number", threads: int | None = None) -> None:
        self._word, self._threads = word, threads
        self._good = GoodFrames(threads=threads)
        self._numbers: list[int] = []  # of the frames that are used
        self._n_out: list[int] = []
        self._offsets: list[float] = []
        self._first_level = 0.0
        self._noise = float("nan")
        self._first: list[GoodPart] = []  # until these are enough for the medians
        self._about: tuple[Floats, Floats] | None = None
        self._sums: tuple[Floats, NDArray[np.int32]] | None = None

    def add(self, images: NDArray[Any], names: ArrayLike | None = None) -> None:
        """Add images, as `GoodFrames.of` takes them."""
        self._take(self._good.of(images, names))

    @property
    def n_images(self) -> int:
        """Images that were added."""
        return self._good.n_added

    def result(self) -> DarkImage:
        """The dark of all that was added.

        Raises
        ------
        ValueError
            If there are no frames.
        """
        self._take(self._good.rest())
        self._add_first()
        if self._sums is None or self._about is None:
            raise ValueError("there are no dark images, expected at least one.")
        total, n_kept = self._sums
        with np.errstate(invalid="ignore"):
            image = total / np.maximum(n_kept, 1)
        # Of a pixel without a value that is like its others, what is usual; NaN stays.
        none = (n_kept == 0) & (total == 0)
        image[none] = self._about[0][none]
        image += np.mean(self._offsets)
        n_out = np.asarray(self._n_out)
        many = max(_LIGHT_PIXELS, _LIGHT_SHARE * image.size)
        lit = float(np.median(n_out)) > max(_LIT_PIXELS, _LIT_SHARE * image.size)
        light = n_out > max(many, _LIGHT_TIMES * float(np.median(n_out)))
        return DarkImage(
            image=image,
            n_images=len(self._numbers),
            n_values_left_out=int(n_out.sum()),
            left_out=self._good.left_out,
            light=[number for number, is_lit in zip(self._numbers, light, strict=True) if is_lit],
            lit=lit,
            word=self._word,
            noise=self._noise,
        )

    def _begin(self, part: GoodPart) -> None:
        """Take the medians from the first frames."""
        self._first_level = float(part.level[0])
        n = min(len(part.frames), _MOST_REFERENCE)
        found = pixel_statistics(
            as_frames(part.frames[:n]),
            n_sigma=N_SIGMA,
            least_noise=0.0,
            offsets=part.level[:n] - self._first_level,
            threads=self._threads,
        )
        assert found.median is not None
        assert found.noise is not None
        usual = float(np.median(part.noise))
        if n > 3 and np.isfinite(found.noise).any():  # it is finite or NaN
            usual = self._noise = median_of(found.noise)
        if part.frames.dtype.kind in "iu":
            usual = max(usual, _ROUNDING)
        if n == 1:
            limit = np.full(found.median.shape, np.inf)  # there is nothing to compare it with
        elif n < 4:
            limit = np.full(found.median.shape, N_SIGMA * np.sqrt(2) * usual)
        else:
            # In place: these images are large.
            limit = np.nan_to_num(found.noise, copy=False)
            np.maximum(limit, usual, out=limit)
            limit *= N_SIGMA
        self._about = np.nan_to_num(found.median, copy=False), limit

    def _take(self, part: GoodPart | None) -> None:
        """Add a part; the first ones wait, so that the medians are not those of how parts fall."""
        if part is None or not len(part.frames):
            return
        if self._about is not None:
            self._add(part)
            return
        if not self._first and len(part.frames) >= _MOST_REFERENCE:
            self._begin(part)
            self._add(part)
            return
        self._first.append(replace(part, frames=part.frames.copy()))
        if sum(len(one.frames) for one in self._first) >= _MOST_REFERENCE:
            self._add_first()

    def _add_first(self) -> None:
        if not self._first:
            return
        part = GoodPart(
            np.concatenate([one.frames for one in self._first]),
            [name for one in self._first for name in one.names],
            np.concatenate([one.level for one in self._first]),
            np.concatenate([one.noise for one in self._first]),
        )
        self._first = []
        self._begin(part)
        self._add(part)

    def _add(self, part: GoodPart) -> None:
        offsets = part.level - self._first_level
        if self._sums is None:
            shape = part.frames.shape[1:]
            self._sums = np.zeros(shape), np.zeros(shape, dtype=np.int32)
        found = pixel_statistics(
            as_frames(part.frames),
            n_sigma=N_SIGMA,
            offsets=offsets,
            about=self._about,
            add_to=self._sums,
            threads=self._threads,
        )
        self._numbers += part.names
        self._n_out += found.n_left_out.tolist()
        self._offsets += offsets.tolist()
