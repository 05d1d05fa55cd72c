"""What the core counts: the noise of each frame, that of each pixel over frames, and hits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.frames import Frames
from hrixs.utils.threads import resolve_threads
from hrixs.utils.typing import Floats

# Pixels that are looked at for the step that their values go by.
_SAMPLE = 20_000
# So few pixels are counted before a second thread is awake.
_FEW = 600_000


@dataclass(frozen=True)
class ValueCounts:
    """What the values of each frame are like: its pixels, or the sums of its 2x2 squares.

    Attributes
    ----------
    n : numpy.ndarray of int, shape (frames,)
        Values that are not masked. Where there are none, all else is NaN.
    lowest, highest : numpy.ndarray, shape (frames,)
        In ADU, as all that follows.
    median, lower : numpy.ndarray, shape (frames,)
        The middle, and what 15.87 % lie below: a Gaussian's standard deviation lower.
    level, noise : numpy.ndarray, shape (frames,)
        Mean and standard deviation of what lies within three of the latter, in three rounds that
        begin at ``median`` and at its distance from ``lower``.
    first_edge, bin_width : numpy.ndarray, shape (frames,)
        Of the histogram. A width of 0: most values are one, and none are in bins.
    counts : numpy.ndarray of int, shape (frames, 257)
        Histogram; its middle bin is about the median.
    """

    n: NDArray[np.int64]
    lowest: Floats
    highest: Floats
    median: Floats
    lower: Floats
    level: Floats
    noise: Floats
    first_edge: Floats
    bin_width: Floats
    counts: NDArray[np.int64]

    def of(self, numbers: ArrayLike) -> ValueCounts:
        """Those of some frames."""
        at = np.asarray(numbers, dtype=np.int64)
        return ValueCounts(**{name: column[at] for name, column in vars(self).items()})

    def edges(self, number: int) -> Floats:
        """Edges of the histogram of one frame, in ADU, shape (258,)."""
        steps = np.arange(self.counts.shape[1] + 1, dtype=np.float64)
        return np.asarray(self.first_edge[number] + self.bin_width[number] * steps)


def count_frames(
    frames: Frames,
    *,
    dark: NDArray[Any] | None = None,
    mask: NDArray[np.uint8] | None = None,
    squares: bool = True,
    threads: int | None = None,
) -> tuple[ValueCounts, ValueCounts]:
    """Count the pixels of each frame, and the sums of its 2x2 squares.

    Parameters
    ----------
    frames : Frames
        As from `hrixs.camera.as_frames`.
    dark, mask : numpy.ndarray, shape (x, y), optional
        As from `hrixs.camera.as_dark` and `as_mask`.
    squares : bool
        Whether to count the squares; else there are none.
    threads : int, optional
        As in `hrixs.find_photons`.

    Returns
    -------
    pixels, squares : ValueCounts

    Raises
    ------
    NonFinitePixelsError
        If a pixel that is not masked is NaN or infinite.

    Notes
    -----
    Counts of 8 and 16 bits without a dark are counted one for one. Other values are gone through
    several times; all numbers are exact all the same.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera import as_frames, count_frames
    >>> frames = np.random.default_rng(1).normal(100, 5, (2, 64, 64)).round().astype(np.uint16)
    >>> pixels, squares = count_frames(as_frames(frames))
    >>> pixels.median, squares.noise.round(0)
    (array([100., 100.]), array([10., 10.]))
    """
    n_threads = resolve_threads(threads)
    of_pixels, of_squares = _core.count_frames(
        frames.pixels,
        dark=dark,
        mask=mask,
        step=step_of_frames(frames, dark, mask),
        threads=n_threads if frames.pixels.size > _FEW else 1,
        first_frame=frames.first_frame,
        squares=squares,
    )
    return _as_counts(of_pixels), _as_counts(of_squares)


def _as_counts(columns: Mapping[str, Any]) -> ValueCounts:
    return ValueCounts(**columns)


def step_of_frames(
    frames: Frames, dark: NDArray[Any] | None, mask: NDArray[np.uint8] | None
) -> float:
    """Step that the values of the pixels go by, less a dark: 1 of whole ADU; 0 if they do not."""
    if frames.pixels.dtype.kind in "iu" and dark is None:
        return 1.0
    if len(frames) == 0:
        return 0.0
    image = frames.pixels.reshape(-1, *frames.frame_shape)[0]
    stride = max(1, image.size // _SAMPLE)
    sample = image.ravel()[::stride].astype(np.float64)
    if dark is not None:
        sample -= dark.ravel()[::stride]
    if mask is not None:
        sample = sample[mask.ravel()[::stride] == 0]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0
    low, middle = np.percentile(sample, [15.87, 50])
    return step_of(sample, float(middle), float(middle - low))


def step_of(values: Floats, middle: float, spread: float) -> float:
    """Step of values that go by steps, as whole ADU do; 0 for others, and for tiny steps.

    Parameters
    ----------
    values : numpy.ndarray
        In ADU. Only those within three times `spread` of `middle` are looked at, where it is not 0.
    """
    near = np.unique(values[np.abs(values - middle) <= 3 * spread] if spread > 0 else values)
    steps = np.diff(near)
    steps = steps[steps > 1e-6 * (spread if spread > 0 else np.abs(near).max())]  # no rounding
    if not steps.size:
        return 0.0
    step = float(steps.min())
    if step <= spread / 50:
        return 0.0
    whole = np.abs(steps / step - np.rint(steps / step)) < 1e-3
    return step if whole.all() else 0.0


@dataclass(frozen=True)
class PixelStatistics:
    """What each pixel is like over the frames, images of shape (x, y).

    Attributes
    ----------
    total : numpy.ndarray
        Sum of the values that were kept, in ADU, less the frames' offsets; NaN where a value is NaN
        or infinite.
    n_kept : numpy.ndarray of int
        How many they are.
    n_left_out : numpy.ndarray of int, shape (frames,)
        Pixels of each frame whose values were not kept.
    median, noise, lower_noise : numpy.ndarray or None
        Median of all values, standard deviation of those kept, and that of the values below the
        median, in ADU; None about a reference, or where they are not wanted.
    """

    total: Floats
    n_kept: NDArray[np.int32]
    n_left_out: NDArray[np.int64]
    median: Floats | None = None
    noise: Floats | None = None
    lower_noise: Floats | None = None

    @property
    def mean(self) -> Floats:
        """Mean of the values that were kept, in ADU; NaN where none were."""
        if self.n_kept.all():
            return np.asarray(self.total / self.n_kept)
        n = np.where(self.n_kept > 0, self.n_kept, 1)
        return np.where(self.n_kept > 0, self.total / n, np.nan)


def pixel_statistics(
    frames: Frames,
    *,
    n_sigma: float,
    least_noise: float = 0.0,
    offsets: ArrayLike | None = None,
    about: tuple[Floats, Floats] | None = None,
    add_to: tuple[Floats, NDArray[np.int32]] | None = None,
    medians: bool = True,
    threads: int | None = None,
) -> PixelStatistics:
    """Find mean and noise of each pixel over the frames, with photons and tracks left out.

    Parameters
    ----------
    frames : Frames
        As from `hrixs.camera.as_frames`, at least one.
    n_sigma : float
        Values further than this from the pixel's median are left out, in standard deviations of the
        values below the median, to which light does not add.
    least_noise : float
        Least standard deviation of a pixel, in ADU.
    offsets : array_like, shape (frames,), optional
        Subtracted from each frame first, in ADU.
    about : (numpy.ndarray, numpy.ndarray), optional
        In place of median and standard deviations: a reference and how far values may be from it,
        in ADU, images of shape (x, y). Then neither median nor noise are found.
    add_to : (numpy.ndarray, numpy.ndarray), optional
        ``total`` and ``n_kept`` of frames before, about the same reference: these arrays are added
        to, and stand in the result.
    medians : bool
        Whether ``median`` and ``lower_noise`` are wanted; else they are None.

    Notes
    -----
    With two frames the lower one stands for the median.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera import as_frames, pixel_statistics
    >>> frames = np.random.default_rng(1).normal(100, 2, (16, 8, 8))
    >>> frames[3, 5, 5] += 90
    >>> found = pixel_statistics(as_frames(frames), n_sigma=5, least_noise=2.0)
    >>> int(found.n_kept[5, 5]), bool(np.abs(found.mean - 100).max() < 3)
    (15, True)
    """
    given = np.zeros(len(frames)) if offsets is None else np.asarray(offsets, dtype=np.float64)
    reference, limit = about or (None, None)
    total, n_kept = add_to or (None, None)
    found = _core.pixel_statistics(
        frames.pixels,
        offsets=given,
        n_sigma=float(n_sigma),
        least_noise=float(least_noise),
        reference=reference,
        limit=limit,
        total=total,
        n_kept=n_kept,
        medians=medians,
        threads=resolve_threads(threads),
    )
    return PixelStatistics(**cast(Mapping[str, Any], found))


@dataclass(frozen=True)
class SquareMaxima:
    """Hits in the order of their frames, columns of shape (hits,).

    Attributes
    ----------
    frame, x, y : numpy.ndarray of int
        Number of the frame, and lower corner of the 2x2 square.
    height : numpy.ndarray
        Its sum, in ADU.
    brightest_x, brightest_y : numpy.ndarray of int
        Its brightest pixel.
    """

    frame: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    height: Floats
    brightest_x: NDArray[np.int64]
    brightest_y: NDArray[np.int64]


def square_maxima(
    frames: Frames,
    thresholds: ArrayLike,
    *,
    dark: NDArray[Any] | None = None,
    mask: NDArray[np.uint8] | None = None,
    threads: int | None = None,
) -> SquareMaxima:
    """Find the squares that `hrixs.find_photons` takes for hits, whatever their charge.

    Parameters
    ----------
    frames : Frames
        As from `hrixs.camera.as_frames`.
    thresholds : array_like, shape (frames,)
        Sum above which a square is a hit, in ADU, one for each frame.
    dark, mask, threads
        As for `count_frames`.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera import as_frames, square_maxima
    >>> frame = np.zeros((8, 8))
    >>> frame[3, 4] = 50.0
    >>> hits = square_maxima(as_frames(frame), [40.0])
    >>> hits.x.tolist(), hits.y.tolist(), hits.brightest_y.tolist()
    ([3], [4], [4])
    """
    found = _core.square_maxima(
        frames.pixels,
        thresholds=np.broadcast_to(np.asarray(thresholds, dtype=np.float64), (len(frames),)),
        dark=dark,
        mask=mask,
        threads=resolve_threads(threads),
        first_frame=frames.first_frame,
    )
    return SquareMaxima(**cast(Mapping[str, Any], found))
