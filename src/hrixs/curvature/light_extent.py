"""How far the light reaches on an image: along the energy, on both sides of the line, and along x.

Rows are those of the image straightened by the curve, so that a tilted line is one row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.utils.typing import Floats

# Rows over which the profile is smoothed: narrow lines, excitations, broad fluorescence.
_SMOOTH = (1.5, 6.0, 20.0)
# Light exceeds the noise of a smoothed profile by this factor, and has this share of its peak.
_SURE, _SHARE_OF_PEAK = 5.0, 0.02
# A part of the profile with less than this share of all light is ignored.
_LEAST_PART = 0.01
# A part is faint if it has less than this share of the peak, smoothed by some rows.
_FAINT = 0.1
# Rows that fewer than this share of the columns reach are not used.
_LEAST_COLUMNS = 0.25
# Neighbouring columns that count as one, so that both halves of the columns share no photon.
_BLOCK = 4
# Largest and smallest number of strips along x, and columns of a strip.
_MOST_STRIPS, _FEWEST_STRIPS, _LEAST_WIDTH = 64, 8, 8
# A strip has light if it has this share of the light of bright strips, known this well.
_LIT, _KNOWN = 0.1, 5.0
# Light fills the chip if less than this share of the columns is without it.
_FILLS = 0.06


@dataclass(frozen=True)
class LightExtent:
    """Range of rows and columns with light.

    Attributes
    ----------
    rows : (float, float)
        First and last row of the light in column 0 of the image.
    columns : (int, int) or None
        First column with light, and the end; None if light fills the image, or if unknown.
    profile, row : numpy.ndarray, shape (n,)
        Mean of the straightened image over the columns minus its background, in ADU; its rows.
    """

    rows: tuple[float, float]
    columns: tuple[int, int] | None
    profile: Floats
    row: Floats

    def share_within(self, low: float, high: float) -> float:
        """Share of the light in rows from `low` to `high`."""
        inside = (self.row >= low) & (self.row <= high)
        total = float(np.nansum(self.profile))
        share = float(np.nansum(self.profile[inside])) / total if total > 0 else np.nan
        return float(np.clip(share, 0.0, 1.0))  # noise beside it may sum up below 0


def light_extent(image: Floats, curve: Curvature, line: float) -> LightExtent:
    """Find the rows and columns that have light.

    Parameters
    ----------
    image : numpy.ndarray, shape (x, y)
        Mean image in ADU; NaN at bad pixels.
    curve : Curvature
        Curve of the lines, about the first column of the image.
    line : float
        Row of the strongest line in the first column of the image.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera.curve import Curvature
    >>> from hrixs.curvature.light_extent import light_extent
    >>> x, y = np.mgrid[:400, :200]
    >>> image = np.random.default_rng(1).normal(100, 1, (400, 200))
    >>> image[100:, :] += 20 * np.exp(-0.5 * ((y - 80 - 0.05 * x) / 2) ** 2)[100:]
    >>> found = light_extent(image, Curvature((0.05, 0.0)), 80.0)
    >>> found.columns[0] in range(80, 101), found.columns[1]
    (True, 400)
    """
    shift = np.rint(curve(np.arange(len(image), dtype=np.float64))).astype(np.int64)
    first = -int(shift.max())
    n_rows = image.shape[1] - int(shift.min()) - first
    row = first + np.arange(n_rows, dtype=np.float64)
    known = np.isfinite(image)
    place = (np.arange(image.shape[1]) - shift[:, None] - first)[known]
    half = np.broadcast_to(((np.arange(len(image)) // _BLOCK) % 2)[:, None], image.shape)[known]
    values = image[known]
    counts = np.bincount(2 * place + half, minlength=2 * n_rows).reshape(n_rows, 2)
    sums = np.bincount(2 * place + half, values, 2 * n_rows).reshape(n_rows, 2)
    usable = counts.sum(axis=1) >= _LEAST_COLUMNS * len(image)
    usable &= (counts > 0).all(axis=1)
    halves = sums[usable] / counts[usable]
    profile = sums[usable].sum(axis=1) / counts[usable].sum(axis=1)
    lit, background = _lit(profile, (halves[:, 0] - halves[:, 1]) / 2)
    row, profile = row[usable], profile - background
    at_line = np.abs(row - line) <= 2
    lit = _main_parts(lit | at_line, profile)
    whole = np.zeros(n_rows)
    whole[np.flatnonzero(usable)[lit]] = np.maximum(profile[lit], 0.0)
    columns = _columns(image - background, shift + first, whole)
    rows = row[lit]
    return LightExtent((float(rows[0]), float(rows[-1])), columns, profile, row)


def _lit(profile: Floats, noise: Floats) -> tuple[NDArray[np.bool_], float]:
    """Rows with light, and the background of the other rows."""
    from scipy.ndimage import gaussian_filter1d

    lit = np.zeros(len(profile), dtype=bool)
    background = float(np.median(profile))
    for _ in range(4):
        before = lit
        lit = np.zeros(len(profile), dtype=bool)
        for sigma in _SMOOTH:
            # Without the known narrow lines, which would be smeared out.
            smooth = gaussian_filter1d(np.where(lit, 0.0, profile - background), sigma)
            chance = 1.4826 * float(np.median(np.abs(gaussian_filter1d(noise, sigma))))
            peak = float(gaussian_filter1d(profile, sigma).max()) - background
            lit |= smooth > max(_SURE * chance, _SHARE_OF_PEAK * peak)
        dark = profile[~lit]
        background = float(np.median(dark)) if len(dark) > len(profile) / 20 else background
        if (lit == before).all():
            break
    return lit, background


def _main_parts(lit: NDArray[np.bool_], profile: Floats) -> NDArray[np.bool_]:
    """Rows with light, without parts that have almost none of it.

    A faint part that reaches the edge of the chip is not light: the level differs there.
    """
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(profile, _SMOOTH[1])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lit, [False]]).astype(int)))
    light = [float(profile[a:b].sum()) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    kept = np.zeros(len(lit), dtype=bool)
    for a, b, own in zip(edges[::2], edges[1::2], light, strict=True):
        faint = float(smooth[a:b].max()) < _FAINT * float(smooth.max())
        is_level = faint and (a == 0 or b == len(lit))
        enough = own >= _LEAST_PART * max(sum(light), 0.0)
        kept[a:b] = own == max(light) or (enough and not is_level)
    return kept


def _columns(image: Floats, start: NDArray[np.int64], weights: Floats) -> tuple[int, int] | None:
    """Columns with light, by their sum weighted with the profile of the light."""
    rows = np.flatnonzero(weights)
    at = rows + start[:, None]
    inside = (at >= 0) & (at < image.shape[1])
    taken = np.take_along_axis(image, np.clip(at, 0, image.shape[1] - 1), axis=1)
    usable = inside & np.isfinite(taken)
    power = (np.where(usable, weights[rows] ** 2, 0.0)).sum(axis=1)
    flux = np.where(usable, taken * weights[rows], 0.0).sum(axis=1)
    known = power > 0.2 * float(np.max(power))
    flux = np.where(known, flux / np.where(known, power, 1.0), np.nan)
    n_strips = min(_MOST_STRIPS, len(image) // _LEAST_WIDTH)
    while n_strips >= _FEWEST_STRIPS:
        width = len(image) // n_strips
        strips = flux[: n_strips * width].reshape(n_strips, width)
        n = np.isfinite(strips).sum(axis=1)
        mean = np.where(n > 0, np.nansum(strips, axis=1) / np.maximum(n, 1), 0.0)
        spread = np.nanmedian(np.abs(strips - mean[:, None])) * 1.4826 * np.sqrt(2 / width)
        bright = float(np.percentile(mean, 80))
        if bright > _KNOWN * spread:
            return _ends(mean > max(_LIT * bright, 3 * spread), width, len(image))
        n_strips //= 2
    return None


def _ends(lit: NDArray[np.bool_], width: int, n_columns: int) -> tuple[int, int] | None:
    """First column and end of strips with light, plus one strip; None if they fill the image."""
    # A single strip does not count as light.
    together = lit & (np.roll(lit, 1) | np.roll(lit, -1))
    places = np.flatnonzero(together if together.any() else lit)
    first, last = int(places[0]), int(places[-1]) + 1
    begin = 0 if first <= 1 else (first - 1) * width
    end = n_columns if last >= len(lit) - 1 else (last + 1) * width
    return None if end - begin >= (1 - _FILLS) * n_columns else (begin, end)
