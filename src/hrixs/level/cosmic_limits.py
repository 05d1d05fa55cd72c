"""Brightest pixels that light can make, learned from the first images, to find cosmic rays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.level.unlit import Sample, unlit_level
from hrixs.utils.typing import Floats

#: Number of images to learn from, and the fewest that can be compared.
MOST_IMAGES, FEWEST_IMAGES = 32, 3
# Light is averaged over this number of pixels along the line; its scatter over these numbers of
# blocks and rows.
ALONG, _BLOCKS, _ROWS = 16, 8, 16
# The brightest images of a block are left out: one, and one more for each of these.
_OF_IMAGES = 16
# Largest share of a photon in one pixel, in units of variance / mean of the light.
_LARGEST_PART = 2.2
# Probabilities that light makes a pixel a seed, or part of a track.
SEED_CHANCE, GROW_CHANCE = 3e-6, 1e-3
# Smallest light assumed everywhere, in shares of photons per pixel: lines may move there.
_LEAST_LIGHT = 0.02
# Light is certain above this number of standard deviations.
_CERTAIN = 6.0


@dataclass(frozen=True)
class CosmicLimits:
    """Limits of the light of a run, learned from its first images.

    Attributes
    ----------
    mean_light : numpy.ndarray, shape (blocks, y)
        Mean light in blocks of 16 columns, in ADU above the level.
    light : numpy.ndarray, shape (blocks, y)
        Upper limit of the mean light, with its error and with the neighbouring rows.
    usual : numpy.ndarray, shape (x, y)
        Usual value of a pixel in the first images, in ADU, as in the frames.
    extra : numpy.ndarray of int, float
        Flat indices of hot pixels (bright in several images), and their excess in ADU above
        `usual`.
    part : float
        Largest share of the charge of a photon in one pixel, in ADU.
    scatter : float
        Variance of a pixel / its mean light, in ADU.
    noise : float
        Noise of a pixel, in ADU.
    """

    mean_light: Floats
    light: Floats
    usual: Floats
    extra: tuple[NDArray[np.int64], Floats]
    part: float
    scatter: float
    noise: float

    def above(self, chance: float, light: Floats) -> Floats:
        """Value above the level that light of this mean exceeds with probability `chance`."""
        return limit_of_light(
            np.maximum(light, _LEAST_LIGHT * self.part),
            part=self.part,
            scatter=self.scatter,
            noise=self.noise,
            chance=chance,
        )


def limit_of_light(
    light: Floats, *, part: float, scatter: float, noise: float, chance: float
) -> Floats:
    """Limit that a pixel exceeds with a probability below `chance`, by Bennett's inequality.

    Parameters
    ----------
    light : numpy.ndarray
        Mean of the pixel, in ADU.
    part : float
        Largest contribution of one photon, in ADU.
    scatter : float
        Variance / mean of the light, in ADU.
    noise : float
        Noise of the pixel, in ADU.
    chance : float

    Notes
    -----
    G. Bennett, J. Am. Stat. Assoc. 57, 33 (1962): a sum of independent terms, each at most b, with
    variance v exceeds its mean by t with a probability of at most exp(-(v/b**2) h(b t/v)), where
    h(u) = (1 + u) ln(1 + u) - u.
    """
    variance = np.maximum(np.asarray(light, dtype=np.float64) * scatter + noise**2, 1e-12)
    wanted = -np.log(chance) * part**2 / variance
    u = np.sqrt(2 * wanted) + wanted / np.log1p(np.maximum(wanted, 1.0))
    for _ in range(6):  # Newton's steps towards h(u) = wanted, whose slope is ln(1 + u)
        u = np.maximum(u - ((1 + u) * np.log1p(u) - u - wanted) / np.log1p(u), 1e-6)
    return np.asarray(light + u * variance / part)


class LightLearner:
    """Takes the first images one by one; memory does not grow with their number."""

    def __init__(
        self,
        shape: tuple[int, int],
        zero: NDArray[Any] | None,
        mask: NDArray[np.bool_] | None,
    ) -> None:
        self._zero, self._mask = zero, mask
        self._sample = Sample(shape)
        self._shape = shape
        self._ends = np.arange(0, shape[0], ALONG)
        self._sums: list[Floats] = []
        self._squares: list[Floats] = []
        self._levels: list[float] = []
        self._noises: list[float] = []
        self._total: NDArray[np.float32] | None = None

    @property
    def n_images(self) -> int:
        """Number of images that were taken."""
        return len(self._sums)

    def add(self, frame: NDArray[Any]) -> None:
        """Take a frame, shape (x, y)."""
        image = frame.astype(np.float32)
        if self._zero is not None:
            image -= self._zero
        if self._mask is not None:
            image[self._mask] = np.nan
        found = unlit_level(self._sample.of(image))
        if not np.isfinite(found.level):
            return
        self._levels.append(found.level)
        self._noises.append(found.noise)
        image -= np.float32(found.level)
        if self._mask is not None or frame.dtype.kind == "f":
            image[~np.isfinite(image)] = 0.0
        if self._total is None:
            self._total, self._highest = image.copy(), image.copy()
            self._second = np.full_like(image, -np.inf)
        else:
            self._total += image
            np.maximum(self._second, np.minimum(self._highest, image), out=self._second)
            np.maximum(self._highest, image, out=self._highest)
        self._sums.append(block_sums(image))
        self._squares.append(block_sums(image, image))

    def learned(self) -> CosmicLimits | None:
        """The limits; None for fewer than three images, or if they have almost no light."""
        n = self.n_images
        if n < FEWEST_IMAGES or self._total is None:
            return None
        n_out = 1 + n // _OF_IMAGES
        noise = float(np.median(self._noises))
        pixels = self._pixels_of_blocks()
        sums, squares = np.array(self._sums), np.array(self._squares)
        kept = np.sort(sums, axis=0)[: n - n_out]
        light = kept.mean(axis=0) / np.maximum(pixels, 1)[:, None]
        scatter = self._scatter(sums, squares, pixels, noise, n_out)
        if scatter is None:
            return None
        part = max(_LARGEST_PART * scatter, 1e-9)
        # With few photons the mean may be low by chance.
        n_pixels = np.maximum(pixels, 1)[:, None] * (n - n_out)
        mean_light = light.astype(np.float32)
        light = np.maximum(light, 0.0)
        light += 2 * np.sqrt((light * scatter + noise**2) / n_pixels)
        usual = (self._total - self._highest) / (n - 1)
        found = CosmicLimits(
            mean_light=mean_light,
            light=_beside(light).astype(np.float32),
            usual=usual,
            extra=(np.empty(0, np.int64), np.empty(0)),
            part=part,
            scatter=scatter,
            noise=noise,
        )
        limit = np.repeat(found.above(SEED_CHANCE, found.light), ALONG, axis=0)[: self._shape[0]]
        of_light = usual.copy()
        hot = np.flatnonzero(self._second - usual > limit)
        zero = np.float32(np.mean(self._levels))
        usual = usual + (zero if self._zero is None else self._zero + zero)
        height = (self._second.ravel()[hot] - of_light.ravel()[hot]).astype(np.float64)
        return replace(found, usual=usual.astype(np.float32), extra=(hot, height))

    def _pixels_of_blocks(self) -> Floats:
        return np.diff(np.append(self._ends, self._shape[0])).astype(np.float64)

    def _scatter(
        self, sums: Floats, squares: Floats, pixels: Floats, noise: float, n_out: int
    ) -> float | None:
        """Variance / mean of the light: the median of the brightest parts of the chip.

        None if no part of the chip has light in most images.
        """
        ends = np.arange(0, self._shape[1], _ROWS)
        blocks = np.arange(0, len(pixels), _BLOCKS)
        rows = np.diff(np.append(ends, self._shape[1]))
        n_pixels = np.add.reduceat(pixels, blocks)[:, None] * rows
        sums, squares = (
            np.add.reduceat(np.add.reduceat(one, ends, axis=2), blocks, axis=1)
            for one in (sums, squares)
        )
        # Relative to the mean of each row; a track adds most to the sum of squares.
        order = np.argsort(squares, axis=0)[: len(squares) - n_out]
        kept = [np.take_along_axis(one, order, axis=0).sum(axis=0) for one in (sums, squares)]
        n = n_pixels * len(order)
        mean = kept[0] / n
        variance = kept[1] / n - self._mean_squares(ends, blocks, n_pixels) - noise**2
        # What most images have is not a track.
        certain = np.median(sums, axis=0) > _CERTAIN * noise * np.sqrt(n_pixels / len(sums))
        if not certain.any():
            return None
        bright = certain & (mean >= np.quantile(mean[certain], 0.75))
        return float(max(np.median(variance[bright] / mean[bright]), noise))

    def _mean_squares(
        self, ends: NDArray[np.int64], blocks: NDArray[np.int64], n_pixels: Floats
    ) -> Floats:
        """Square of the mean light of each row of a block, averaged over the rows."""
        pixels = self._pixels_of_blocks()[:, None]
        own = np.mean(self._sums, axis=0) / pixels
        squares = np.add.reduceat(np.add.reduceat(own**2 * pixels, ends, axis=1), blocks, axis=0)
        return np.asarray(squares / n_pixels)


def block_sums(image: NDArray[np.float32], other: NDArray[np.float32] | None = None) -> Floats:
    """Sums over blocks of 16 columns, shape (blocks, y): of an image, or of a product of two."""
    whole = image.shape[0] // ALONG * ALONG
    shape = (-1, ALONG, image.shape[1])

    def summed(columns: slice, shape: tuple[int, ...]) -> NDArray[np.float32]:
        own = image[columns].reshape(shape)
        if other is None:
            return np.asarray(own.sum(axis=1))
        return np.asarray(np.einsum("bxy,bxy->by", own, other[columns].reshape(shape)))

    parts = [summed(slice(whole), shape)]
    if whole < image.shape[0]:
        parts.append(summed(slice(whole, None), (1, image.shape[0] - whole, image.shape[1])))
    return np.concatenate(parts)


def _beside(light: Floats) -> Floats:
    """Maximum of each row and its neighbours, because lines move slightly."""
    padded = np.pad(light, ((0, 0), (1, 1)), mode="edge")
    return np.asarray(np.max([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=0))
