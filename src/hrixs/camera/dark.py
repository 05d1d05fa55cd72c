"""The mean of dark frames, without bad frames and tracks of cosmic rays."""

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
# Number of frames for the medians.
_MOST_REFERENCE = 8
# A frame has light if this share of its pixels is left out, and this many times more than in most
# frames. All frames have light if this share is left out of most frames.
_LIGHT_PIXELS, _LIGHT_SHARE, _LIGHT_TIMES = 300, 1e-4, 5.0
_LIT_PIXELS, _LIT_SHARE = 50, 2e-4
# Noise that rounding to whole counts makes, in ADU.
_ROUNDING = 0.3


@dataclass(frozen=True)
class DarkImage:
    """A dark, and what was left out of it.

    Attributes
    ----------
    image : numpy.ndarray, shape (x, y)
        Mean of the dark frames, in ADU; NaN where a value is NaN or infinite.
    n_images : int
        Number of frames that were averaged.
    n_values_left_out : int
        Number of single pixel values, such as tracks of cosmic rays, that were left out.
    left_out : dict of int to str
        Frames that were left out, by number, and the reason.
    light : list of int
        Numbers of the frames with light: far more pixels were left out than in most frames.
    lit : bool
        Whether most frames have light, by the number of pixels left out.
    word : str
        Name of the numbers in texts, such as 'number' or 'train'.
    noise : float
        Noise of a usual pixel from frame to frame, in ADU; NaN for fewer than four frames.
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
        """Warnings about the dark, a sentence each."""
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

    For each pixel, values within six standard deviations of its median are averaged. Median and
    deviation are those of the first frames (at most 8). The level of each frame is subtracted
    first, so that a drifting pedestal does not matter. Frames that differ from the others are left
    out as a whole.

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
        """Number of images that were added."""
        return self._good.n_added

    def result(self) -> DarkImage:
        """Compute the dark of all images that were added.

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
        # A pixel whose values were all left out gets its usual value; NaN is kept.
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
        """Compute the medians of the first frames."""
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
        """Add a part; the first frames wait, so that medians do not depend on the size of parts."""
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
