"""Level of a frame from its pixels without light: those with the darkest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.typing import Floats

# Number of pixels of a frame that are used, in strips of this number of columns.
_PIXELS, _STRIP = 262_144, 8
# Shares of the pixels that are tried, with the darkest neighbours; smaller if more have light.
_PARTS = (0.5, 0.2, 0.08, 0.03, 0.01)
_LEAST_PIXELS = 500
# Number of values that is enough for a mean.
_ENOUGH = 16_384
# A share has no light if its level equals that of the smallest share, within this number of
# standard errors or this part of the noise. If the two smallest differ by this part of the noise,
# or the values of the smallest are this skewed, all pixels may have light.
_ERRORS, _ALIKE, _LIT, _SKEWED = 2.5, 0.05, 0.5, 0.25
_N_SIGMA, _ROUNDS, _CLIPPED = 3.0, 10, 0.98657


@dataclass(frozen=True)
class Sample:
    """The pixels of frames that are used, with their neighbours: strips of columns.

    Attributes
    ----------
    shape : (int, int)
        Shape of a frame.
    """

    shape: tuple[int, int]

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """Numbers of the columns, shape (strips, 8)."""
        nx, ny = self.shape
        width = min(_STRIP, nx)
        n_strips = int(np.clip(_PIXELS // (max(ny, 1) * width), 1, nx // width))
        begins = np.linspace(0, nx - width, n_strips).round().astype(np.int64)
        return np.asarray(begins[:, None] + np.arange(width))

    def of(self, image: NDArray[np.number]) -> Floats:
        """The strips of an image, shape (strips, 8, y)."""
        return np.asarray(image[self.columns], dtype=np.float32)


@dataclass(frozen=True)
class UnlitLevel:
    """Level of the pixels without light of a frame.

    Attributes
    ----------
    level, noise : float
        Mean and standard deviation, in ADU; NaN if all pixels are masked.
    part : float
        Share of the pixels that were used as pixels without light.
    lit : bool
        Whether so many pixels have light that the level may be too high.
    used : numpy.ndarray of bool
        The pixels that were used, in the shape of the strips without their borders.
    """

    level: float
    noise: float
    part: float
    lit: bool
    used: NDArray[np.bool_]


def unlit_level(strips: Floats) -> UnlitLevel:
    """Find the level of the pixels without light in strips of a frame.

    Light on a pixel reaches its neighbours, but the noise of neighbours is independent. So pixels
    with dark neighbours have no light, and their own values are not biased by this choice.

    Parameters
    ----------
    strips : numpy.ndarray, shape (strips, columns, y)
        From `Sample.of`, in ADU; NaN for masked pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.level.unlit import Sample, unlit_level
    >>> rng = np.random.default_rng(1)
    >>> frame = rng.normal(100, 2, (256, 256))
    >>> frame[:, 40:200] += 50  # a band of light
    >>> found = unlit_level(Sample(frame.shape).of(frame))
    >>> abs(found.level - 100) < 0.1, abs(found.noise - 2) < 0.1, found.lit
    (True, True, False)
    """
    beside, own = _beside(strips), strips[:, 1:-1, 1:-1]
    flat = beside[np.isfinite(beside) & np.isfinite(own)]
    if not len(flat):
        return UnlitLevel(np.nan, np.nan, 0.0, False, np.zeros(own.shape, bool))
    parts = [part for part in _PARTS if part * len(flat) >= _LEAST_PIXELS] or [_PARTS[0]]
    ranks = np.clip((np.array(parts) * len(flat)).astype(np.int64), 1, len(flat)) - 1
    limits = np.partition(flat, ranks)[ranks]
    dark = np.flatnonzero(beside <= limits[0])  # a NaN is not
    of_dark, own_values = beside.ravel()[dark], np.ravel(own)[dark].astype(np.float64)
    known = np.isfinite(own_values)
    dark, of_dark, own_values = dark[known], of_dark[known], own_values[known]
    chosen = [of_dark <= limit for limit in limits]
    found = [_clipped(_few(own_values[one])) for one in chosen]
    level, noise, n, skew = found[-1]
    lit = len(found) > 1 and (abs(found[-2][0] - level) > _LIT * noise or skew > _SKEWED)
    at = len(found) - 1
    for number, (other, _, n_other, _) in enumerate(found):
        error = noise * np.sqrt(1 / n + 1 / n_other)
        if abs(other - level) <= max(_ALIKE * noise, _ERRORS * error) and not lit:
            at = number
            break
    used = np.zeros(own.shape, bool)
    used.ravel()[dark[chosen[at]]] = True
    return UnlitLevel(found[at][0], found[at][1], parts[at], bool(lit), used)


def _beside(strips: Floats) -> Floats:
    """Sum of the eight neighbours of each pixel that is not at the border."""
    rows = strips[:, :, :-2] + strips[:, :, 1:-1] + strips[:, :, 2:]
    around = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return np.asarray(around - strips[:, 1:-1, 1:-1])


def clipped_mean(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation of values within three standard deviations."""
    level, noise, *_ = _clipped(values)
    return level, noise


def _few(values: Floats) -> Floats:
    return values[:: max(1, len(values) // _ENOUGH)]


def _clipped(values: Floats) -> tuple[float, float, int, float]:
    """Mean, standard deviation, number and skew of values within three standard deviations."""
    level = float(np.median(values))
    noise = 1.4826 * float(np.median(np.abs(values - level)))
    n = len(values)
    for _ in range(_ROUNDS):
        near = values[np.abs(values - level) <= _N_SIGMA * noise + 1e-9]
        if len(near) == n:
            break
        n, level = len(near), float(near.mean())
        noise = max(float(near.std()) / _CLIPPED, noise if len(near) < 2 else 0.0)
    skew = float(np.mean((near - level) ** 3)) / noise**3 if noise > 0 else 0.0
    return level, noise, n, skew
