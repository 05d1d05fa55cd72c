"""How close together photons lie, by the light of a frame, and how many are lost where they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.frames import Frames
from hrixs.spectra.converted import frame_pedestals

#: Columns whose light is added up in a row: a line may climb by a row over so many.
BLOCK = 16
# Blocks with light beside them are told from noise by so many standard deviations.
_LIT = 4.0
# Where spots run into each other: pixels for each photon, of clouds without a width, and for each
# pixel squared of the width. From simulated lines, see `python -m validation crowd`.
_SPOT_AREA, _SPOT_AREA_OF_CLOUD = 9.0, 16.0
# Photons a pixel from which on photons are not alone.
_CROWD = 0.02


def light_in_blocks(
    frames: Frames, number: int, camera: Mapping[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Light of one frame above its level, and the pixels that it comes from, block by block.

    Parameters
    ----------
    frames : Frames
        A stack.
    number : int
        Of the frame in it.
    camera
        Dark, mask and threads, as the core takes them.

    Returns
    -------
    light, pixels : numpy.ndarray, shape (blocks, y)
        ADU, and pixels that are not masked, of each row over `BLOCK` columns.
    """
    image = _image(frames, number)
    level = float(frame_pedestals(image, camera)[0][0])
    begins = np.arange(0, image.shape[0], BLOCK)
    if camera["mask"] is None:
        sums = _sums(image, begins)
        n = np.diff(np.append(begins, image.shape[0]))[:, None]
        pixels = np.broadcast_to(n, sums.shape).astype(np.float64)
        if camera["dark"] is not None:
            sums = sums - _sums(camera["dark"], begins)
    else:
        good = camera["mask"] == 0
        pixels = _sums(good, begins)
        dark = 0.0 if camera["dark"] is None else camera["dark"]
        sums = _sums(np.where(good, image - dark, 0.0), begins)
    return sums - level * pixels, pixels


def _image(frames: Frames, number: int) -> NDArray[Any]:
    return np.asarray(frames.pixels.reshape(-1, *frames.frame_shape)[number])


def _sums(image: NDArray[Any], begins: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.add.reduceat(image, begins, axis=0, dtype=np.float64))


def density_at(
    frames: Frames, number: int, camera: Mapping[str, Any], x: Any, y: Any, charge: float
) -> NDArray[np.float64]:
    """Photons a pixel around places in one frame, by the light of the blocks beside theirs.

    Their own block is left out, which has their own light, too.
    """
    light, pixels = (_beside(blocks) for blocks in light_in_blocks(frames, number, camera))
    block = np.clip(np.rint(x).astype(np.int64) // BLOCK, 0, len(light) - 1)
    row = np.clip(np.rint(y).astype(np.int64), 0, light.shape[1] - 1)
    return np.asarray(light[block, row] / np.maximum(pixels[block, row], 1.0) / charge)


def line_density(
    frames: Frames, number: int, camera: Mapping[str, Any], charge: float
) -> tuple[float, float]:
    """Photons of one frame where there is light, and the sum of the densities that they see.

    The second over the first is the mean density that a photon sees, in photons a pixel: for one
    straight line, its photons / (columns x 2 sqrt(pi) sigma of the line in pixels). A block's
    photons see the light of the two beside it, so that none sees itself.

    Returns
    -------
    photons, densities : float
        To be added up over frames.
    """
    light, pixels = light_in_blocks(frames, number, camera)
    noise = float(frame_pedestals(_image(frames, number), camera)[1][0])
    beside, beside_pixels = _beside(light), np.maximum(_beside(pixels), 1.0)
    lit = beside > _LIT * noise * np.sqrt(beside_pixels)
    density = beside[lit] / beside_pixels[lit] / charge
    photons = light[lit] / charge
    return float(photons.sum()), float((photons * density).sum())


def _beside(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each block, the sum of the two beside it along x."""
    padded = np.pad(blocks, ((1, 1), (0, 0)))
    return np.asarray(padded[:-2] + padded[2:])


def found_share(density: Any, cloud_sigma: float, *, tells_doubles: bool) -> NDArray[np.float64]:
    """Share of the photons that are counted where so many come in each pixel.

    Light comes in cells of the area over which two spots are one: all photons in a cell count as
    one or, where doubles are told, two and more as two.

    Parameters
    ----------
    density : array_like
        Photons a pixel.
    cloud_sigma : float
        Width of a photon's charge cloud, in pixels.
    tells_doubles : bool
        Whether a spot of two photons counts as two.
    """
    area = _SPOT_AREA + _SPOT_AREA_OF_CLOUD * cloud_sigma**2
    x = np.maximum(np.asarray(density, dtype=np.float64) * area, 1e-6)
    none = np.exp(-x)
    one_or_more, two_or_more = -np.expm1(-x), -np.expm1(-x) - x * none
    counted = one_or_more + two_or_more if tells_doubles else one_or_more
    return np.asarray(counted / x)


def lost_photons(
    frames: Frames,
    camera: Mapping[str, Any],
    photons: Mapping[str, NDArray[Any]],
    charges: NDArray[np.float64],
    cloud_sigma: float,
    *,
    tells_doubles: bool,
) -> NDArray[np.float64]:
    """Count the photons in a table, and estimate how many are lost, by the density around each.

    Parameters
    ----------
    frames, camera
        As for `light_in_blocks`.
    photons : mapping
        Columns ``x``, ``y``, ``frame`` and ``double`` of the table of these frames, counted from
        their corner.
    charges : numpy.ndarray, shape (frames,)
        Of one photon, in ADU.
    cloud_sigma, tells_doubles
        As for `found_share`.

    Returns
    -------
    numpy.ndarray, shape (frames, 3)
        Of each frame the photons found, a double as two, those lost, and both together where
        photons are not alone.
    """
    x, y, frame = (photons[name] for name in ("x", "y", "frame"))
    counted = 1.0 + photons["double"]
    sums = np.zeros((len(frames), 3))
    for number in range(len(frames)):
        own = frame == number
        density = density_at(frames, number, camera, x[own], y[own], float(charges[number]))
        share = found_share(density, cloud_sigma, tells_doubles=tells_doubles)
        there = counted[own] / share
        found = counted[own].sum()
        lost = (counted[own] * (1.0 / share - 1.0)).sum()
        sums[number] = found, lost, there[density > _CROWD].sum()
    return sums
