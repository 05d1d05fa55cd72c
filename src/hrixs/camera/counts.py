"""Statistics computed by the core: noise of frames and of pixels over frames, and hits."""

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

# Number of pixels that are used to find the step of values.
_SAMPLE = 20_000
# Fewer pixels are counted before a second thread has started.
_FEW = 600_000


@dataclass(frozen=True)
class ValueCounts:
    """Statistics of the values of each frame: of its pixels, or of the sums of its 2x2 squares.

    Attributes
    ----------
    n : numpy.ndarray of int, shape (frames,)
        Number of values that are not masked. If it is 0, all other statistics are NaN.
    lowest, highest : numpy.ndarray, shape (frames,)
        Lowest and highest value, in ADU, like all that follows.
    median, lower : numpy.ndarray, shape (frames,)
        Median and 15.87 % quantile; for a Gaussian they are one standard deviation apart.
    level, noise : numpy.ndarray, shape (frames,)
        Mean and standard deviation of the values within three standard deviations of the mean, in
        three rounds; the first one uses ``median`` and its distance from ``lower``.
    first_edge, bin_width : numpy.ndarray, shape (frames,)
        First edge and bin width of the histogram. Width 0: most values are equal; bins are empty.
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
        """Statistics of some of the frames."""
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
        From `hrixs.camera.as_frames`.
    dark, mask : numpy.ndarray, shape (x, y), optional
        From `hrixs.camera.as_dark` and `as_mask`.
    squares : bool
        Whether to count the squares, too.
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
    Pixels of 8 and 16 bits without a dark are counted value by value. Other values are read several
    times. All results are exact.

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
    """Step between pixel values, after the dark: 1 for whole ADU; 0 if there is no step."""
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
    """Step between values, if they are multiples of one such as whole ADU; 0 for others.

    Parameters
    ----------
    values : numpy.ndarray
        In ADU. Only values within three times `spread` of `middle` are used, if `spread` is not 0.
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
    """Statistics of each pixel over the frames, as images of shape (x, y).

    Attributes
    ----------
    total : numpy.ndarray
        Sum of the values that were kept, in ADU, without the offsets of the frames; NaN if a value
        is NaN or infinite.
    n_kept : numpy.ndarray of int
        Number of values that were kept.
    n_left_out : numpy.ndarray of int, shape (frames,)
        Number of pixels of each frame whose values were not kept.
    median, noise, lower_noise : numpy.ndarray or None
        Median of all values, standard deviation of those kept, and standard deviation of the values
        below the median, in ADU; None if a reference is given, or if not wanted.
    """

    total: Floats
    n_kept: NDArray[np.int32]
    n_left_out: NDArray[np.int64]
    median: Floats | None = None
    noise: Floats | None = None
    lower_noise: Floats | None = None

    @property
    def mean(self) -> Floats:
        """Mean of the values that were kept, in ADU; NaN if there are none."""
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
    """Compute mean and noise of each pixel over the frames, without photons and tracks.

    Parameters
    ----------
    frames : Frames
        From `hrixs.camera.as_frames`, at least one.
    n_sigma : float
        Values further than this from the median of the pixel are left out. The unit is the standard
        deviation of the values below the median, which light does not change.
    least_noise : float
        Smallest standard deviation assumed for a pixel, in ADU.
    offsets : array_like, shape (frames,), optional
        Subtracted from each frame first, in ADU.
    about : (numpy.ndarray, numpy.ndarray), optional
        A reference and the allowed distance from it, in ADU, images of shape (x, y), instead of
        median and standard deviations. Median and noise are not computed then.
    add_to : (numpy.ndarray, numpy.ndarray), optional
        ``total`` and ``n_kept`` of earlier frames with the same reference; the new frames are added
        to these arrays.
    medians : bool
        Whether to return ``median`` and ``lower_noise``; otherwise they are None.

    Notes
    -----
    With two frames the lower value is used as the median.

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
        Sum of the square, in ADU.
    brightest_x, brightest_y : numpy.ndarray of int
        Brightest pixel of the square.
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
    """Find the 2x2 squares that `hrixs.find_photons` takes for hits, of any charge.

    Parameters
    ----------
    frames : Frames
        From `hrixs.camera.as_frames`.
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
