"""Density of photons from the light of a frame, and the share lost because spots overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.camera.frames import as_frames
from hrixs.spectra.integrated import row_sums

#: Columns whose light is summed in a row; a line may climb by a row over this many.
BLOCK = 16
# Blocks with light beside them have light if above the noise by this many standard deviations.
_LIT = 4.0
# Area in which spots overlap: pixels per photon for clouds without a width, and per square of the
# width. From simulated lines, see `python -m validation crowd`.
_SPOT_AREA, _SPOT_AREA_OF_CLOUD = 9.0, 16.0
# Smallest frame that the core accepts.
_FEWEST_COLUMNS = 4
#: Photons per pixel from which on photons are not isolated.
CROWD = 0.02


@dataclass(frozen=True)
class LightMap:
    """Light of one frame above its level, in blocks of `BLOCK` columns of a row.

    Attributes
    ----------
    light, pixels : numpy.ndarray, shape (blocks, y)
        ADU and number of unmasked pixels of each block.
    noise : float
        Noise of a pixel, in ADU.
    """

    light: NDArray[np.float64]
    pixels: NDArray[np.float64]
    noise: float

    @staticmethod
    def of(
        image: NDArray[Any], camera: Mapping[str, Any], pedestal: tuple[float, float]
    ) -> LightMap:
        """Make the map of an image, shape (x, y).

        Parameters
        ----------
        image : numpy.ndarray
        camera
            Dark, mask and threads, in the form of the core.
        pedestal : (float, float)
            Mean and noise of the pixels without light, in ADU.
        """
        dark, mask, threads = (camera[name] for name in ("dark", "mask", "threads"))
        if mask is None:
            light = _block_sums(image, threads)
            n_columns = np.minimum(BLOCK, len(image) - BLOCK * np.arange(len(light)))
            pixels = np.broadcast_to(n_columns[:, None].astype(np.float64), light.shape)
            if dark is not None:
                light = light - _block_sums(dark, threads)
        else:
            good = mask == 0
            pixels = _block_sums(good.astype(np.uint8), threads)
            light = _block_sums(
                np.where(good, image - (0.0 if dark is None else dark), 0.0), threads
            )
        mean, noise = pedestal
        return LightMap(light - mean * pixels, pixels, noise)

    def at(self, x: Any, y: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Block and row of each position."""
        return _block_and_row(x, y, *self.light.shape)

    def is_within(self, x: NDArray[np.float64], blocks: slice) -> NDArray[np.bool_]:
        """Whether positions are in these blocks."""
        block = np.rint(x).astype(np.int64) // BLOCK
        return np.asarray((block >= blocks.start) & (block < blocks.stop))

    def is_above(self, density: float, charge: float) -> NDArray[np.bool_]:
        """Where the blocks beside have more photons per pixel; `charge` of one photon in ADU."""
        light = _beside(self.light)
        return np.asarray(light > density * charge * np.maximum(_beside(self.pixels), 1.0))

    def line_density(self, charge: float) -> tuple[float, float]:
        """Photons in blocks with light, and the sum of the densities around them.

        The ratio of the two is the mean density around a photon, in photons per pixel. For one
        straight line it is photons / (columns x 2 sqrt(pi) sigma of the line in pixels).
        """
        beside, beside_pixels = _beside(self.light), np.maximum(_beside(self.pixels), 1.0)
        lit = beside > _LIT * self.noise * np.sqrt(beside_pixels)
        density = beside[lit] / beside_pixels[lit] / charge
        photons = self.light[lit] / charge
        return float(photons.sum()), float((photons * density).sum())


def _block_sums(image: NDArray[Any], threads: int) -> NDArray[np.float64]:
    """Sums of each row over `BLOCK` columns, as integrals of frames of that width."""
    n = len(image) // BLOCK * BLOCK
    rest = image[None, n:]
    if 0 < rest.shape[1] < _FEWEST_COLUMNS:
        rest = np.pad(rest, ((0, 0), (0, _FEWEST_COLUMNS - rest.shape[1]), (0, 0)))
    parts = [image[:n].reshape(-1, BLOCK, image.shape[1]), rest]
    sums = [
        row_sums(as_frames(part), Curvature((0.0, 0.0)), dark=None, mask=None, threads=threads)[0]
        for part in parts
        if part.size
    ]
    return np.concatenate(sums)


def _block_and_row(
    x: Any, y: Any, n_blocks: int, n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Block and row of each position; those outside the frame belong to the nearest."""
    block = np.clip(np.rint(x).astype(np.int64) // BLOCK, 0, n_blocks - 1)
    return block, np.clip(np.rint(y).astype(np.int64), 0, n_rows - 1)


def _beside(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each block, the sum of the two beside it along x."""
    sums = np.zeros_like(blocks)
    sums[1:] += blocks[:-1]
    sums[:-1] += blocks[1:]
    return sums


def density_by_places(
    photons: Mapping[str, NDArray[Any]], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Photons per pixel around each photon of a frame, from the photons in the blocks beside it.

    Parameters
    ----------
    photons : mapping
        Columns ``x``, ``y`` and ``double``, in pixels from the corner of the frame.
    shape : (int, int)
        Shape of the frame.
    """
    n_blocks = -(-shape[0] // BLOCK)
    block, row = _block_and_row(photons["x"], photons["y"], n_blocks, shape[1])
    place = block * shape[1] + row
    order = np.argsort(place, kind="stable")
    sorted_places = place[order]
    up_to = np.concatenate([[0.0], np.cumsum(1.0 + photons["double"][order])])
    there, pixels = np.zeros(len(place)), np.zeros(len(place))
    for step in (-1, 1):
        beside = place + step * shape[1]
        ends = [np.searchsorted(sorted_places, beside, side=side) for side in ("left", "right")]
        there += up_to[ends[1]] - up_to[ends[0]]
        pixels += np.where((block + step >= 0) & (block + step < n_blocks), BLOCK, 0)
    return np.asarray(there / np.maximum(pixels, 1.0))


def found_share(density: Any, cloud_sigma: float, *, tells_doubles: bool) -> NDArray[np.float64]:
    """Share of the photons that are counted at a density.

    The model: all photons in a cell, the area in which two spots overlap, count as one; or, if
    doubles are recognised, two and more count as two.

    Parameters
    ----------
    density : array_like
        Photons per pixel.
    cloud_sigma : float
        Width of a photon's charge cloud, in pixels.
    tells_doubles : bool
        Whether a spot of two photons counts as two.
    """
    area = _SPOT_AREA + _SPOT_AREA_OF_CLOUD * cloud_sigma**2
    return _counted_share(np.asarray(density, dtype=np.float64) * area, tells_doubles=tells_doubles)


def lost_where_denser(lost_share: float, times: float, *, tells_doubles: bool) -> float:
    """Share of the photons lost at `times` the density at which `lost_share` is lost."""
    a_cell = np.geomspace(1e-6, 1e3, 2000)
    lost = 1.0 - _counted_share(a_cell, tells_doubles=tells_doubles)
    there = times * float(np.interp(lost_share, lost, a_cell))
    return float(np.interp(there, a_cell, lost))


def _counted_share(a_cell: NDArray[np.float64], *, tells_doubles: bool) -> NDArray[np.float64]:
    """Share that is counted, for a mean number of photons per cell."""
    x = np.maximum(a_cell, 1e-6)
    none = np.exp(-x)
    one_or_more, two_or_more = -np.expm1(-x), -np.expm1(-x) - x * none
    counted = one_or_more + two_or_more if tells_doubles else one_or_more
    return np.asarray(counted / x)
