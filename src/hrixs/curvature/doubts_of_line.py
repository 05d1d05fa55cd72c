"""Decide whether a fitted line is light, or rows of the chip at another level."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hrixs.curvature.chip_lines import LIGHT_VARIANCE, NO_VARIANCE
from hrixs.utils.typing import Floats

# A line that moves by more rows over the image is not a row of the chip.
_ROW_ALIGNED = 1.5
# Smallest significant deviation of a level or a variance, in standard deviations.
_SURE, _CLEAR = 3.0, 10.0
# Light rises by less than this share of its height within one row, because of the cloud.
_HARD = 0.92
# Rows this number of widths from a line do not belong to it.
_BESIDE = 2.0
# Fewest hits in a row for a comparison with the next row.
_FEWEST_HITS = 30
# Largest error of a curve, in pixels.
_LARGEST_ERROR = 2.0


class FittedLine(Protocol):
    """A fit of a line with a width."""

    @property
    def fwhm(self) -> float:
        """Full width at half maximum, in pixels."""

    def centre(self, x: Floats) -> Floats:
        """Row of the centre of the line at `x`."""


def doubt_of_line(
    fit: FittedLine, image: Floats, difference: Floats, first: tuple[int, int] = (0, 0)
) -> str | None:
    """Text why a line is probably not light; None if there is no reason.

    Parameters
    ----------
    fit : CurvatureFit or PhotonCurvatureFit
        The line.
    image, difference : numpy.ndarray, shape (x, y)
        Mean of frames and difference of its halves, from `hrixs.camera.half_means.HalfMeans`.
    first : (int, int)
        Position of the first pixel on the chip.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.curvature import fit_curvature_image
    >>> from hrixs.curvature.doubts_of_line import doubt_of_line
    >>> rng = np.random.default_rng(1)
    >>> image, difference = rng.normal(100, 1, (200, 80)), rng.normal(0, 2, (200, 80))
    >>> image[:, 30:33] += 8
    >>> doubt_of_line(fit_curvature_image(image), image, difference)[:38]
    'it lies along the rows of the chip and'
    """
    x = first[0] + np.arange(len(image), dtype=np.float64)
    centre = fit.centre(x) - first[1]
    if np.ptp(centre) > _ROW_ALIGNED:
        return None
    usable = np.isfinite(image) & np.isfinite(difference)
    n = usable.sum(axis=0)
    if (n > 0).sum() < 8:
        return None
    level = _row_means(image, usable, n)
    own = np.where(usable, difference, 0.0)
    variance = _row_means(own**2, usable, n) - _row_means(own, usable, n) ** 2
    rows = np.arange(image.shape[1], dtype=np.float64)
    middle, width = float(np.median(centre)), max(float(fit.fwhm), 1.0)
    known = n > 0
    at = known & (np.abs(rows - middle) <= max(0.5 * width, 1.0))
    beside = known & (np.abs(rows - middle) > _BESIDE * width + 2)
    if not at.any() or beside.sum() < 8:
        return None
    base, usual = float(np.median(level[beside])), float(np.median(variance[beside]))
    noise = float(np.sqrt(max(np.percentile(variance[beside], 5), 0.0)))
    height = float((level[at] - base).sum())
    height_err = _scatter(level[beside] - base) * np.sqrt(at.sum())
    if not noise > 0 or not height > _SURE * height_err:
        return None
    q = float((variance[at] - usual).sum()) / height
    q_err = _scatter(variance[beside] - usual) * np.sqrt(at.sum()) / height
    begins = "it lies along the rows of the chip and "
    if q < max(_SURE * q_err, NO_VARIANCE * noise) and q + _SURE * q_err < LIGHT_VARIANCE * noise:
        return begins + (
            f"has no photon noise: between frames it changes by {max(q, 0.0):.2g} ADU for "
            f"each ADU, light by more than {LIGHT_VARIANCE * noise:.2g}"
        )
    if height > _CLEAR * height_err and _is_box(level - base, middle, known):
        return begins + "begins and ends within one row, but light reaches into the next rows"
    return None


def doubt_of_hits(fit: FittedLine, x: Floats, y: Floats) -> str | None:
    """Text why a line of photons is probably not light; None if there is no reason.

    Parameters
    ----------
    fit : PhotonCurvatureFit
        The line.
    x, y : numpy.ndarray, shape (n,)
        Photons, in pixels of the chip.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    centre = fit.centre(x)
    if not len(x) or np.ptp(centre) > _ROW_ALIGNED:
        return None
    first = int(np.floor(y.min())) - 4
    counts = np.bincount(np.rint(y - first).astype(np.int64) + 1, minlength=16).astype(np.float64)
    counts = np.concatenate([counts, np.zeros(8)])
    middle = float(np.median(centre)) - first + 1
    near = counts[max(0, int(middle) - 3) : int(middle) + 5]
    if near.max(initial=0.0) < _FEWEST_HITS:
        return None
    if _is_box(counts - np.median(counts), middle, np.ones(len(counts), dtype=bool)):
        return (
            "it lies along the rows of the chip and begins and ends within one row, but light "
            "reaches into the next rows"
        )
    return None


def doubt_of_errors(error: NDArray[np.float64]) -> str | None:
    """Text if the errors of a curve (without its mean) are too large for a line; else None."""
    worst = float(np.max(error)) if np.isfinite(error).all() else float("inf")
    if worst < _LARGEST_ERROR:
        return None
    return f"the curve is uncertain by {worst:.2g} pixels, expected below {_LARGEST_ERROR:g}"


def doubt_text(doubt: str, fit: object) -> str:
    """Text of a `DoubtfulCurvatureError`."""
    return (
        f"the line that was found is doubtful: {doubt}. Nothing was set; the fit, {fit!r}, is the "
        "error's attribute 'fit'. The usual causes are an old dark and bad rows: take a new one "
        "with load_dark(run), or mask the rows with find_bad_pixels(run). Otherwise leave the rows "
        "out with Y_RANGE, or give args=(CURVE_A, CURVE_B) to start near the true line."
    )


def _row_means(values: Floats, usable: NDArray[np.bool_], n: NDArray[np.int_]) -> Floats:
    return np.asarray(np.where(usable, values, 0.0).sum(axis=0) / np.maximum(n, 1))


def _scatter(values: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _is_box(height: Floats, middle: float, known: NDArray[np.bool_]) -> bool:
    """Whether a band of rows has edges that light cannot have."""
    near = np.flatnonzero(known & (np.abs(np.arange(len(height)) - middle) <= 3))
    peak = int(near[np.argmax(height[near])]) if len(near) else -1
    if peak < 0 or height[peak] <= 0:
        return False
    high = known & (height > height[peak] / 2)
    begin = end = peak
    while begin > 0 and high[begin - 1]:
        begin -= 1
    while end < len(height) - 1 and high[end + 1]:
        end += 1
    if begin == 0 or end == len(height) - 1 or not known[begin - 1] or not known[end + 1]:
        return False
    return bool(
        height[begin - 1] < (1 - _HARD) * height[begin]
        and height[end + 1] < (1 - _HARD) * height[end]
    )
