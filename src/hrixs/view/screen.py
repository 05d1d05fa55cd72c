"""Reduce images to the pixels of a screen, by the maximum, so that no photon is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shown:
    """A part of an image, reduced to a number of pixels.

    Attributes
    ----------
    pixels : numpy.ndarray of float32, shape (columns, rows)
        Maximum of the pixels of the image in each pixel shown; NaN if all are masked.
    begin, end : (int, int)
        First pixel (x, y) and the one after the last, in pixels of the image.
    step : (int, int)
        Pixels of the image along x and y per pixel shown; (1, 1): not reduced.
    """

    pixels: NDArray[np.float32]
    begin: tuple[int, int]
    end: tuple[int, int]
    step: tuple[int, int]


def shown(
    image: NDArray[Any],
    x: tuple[float, float],
    y: tuple[float, float],
    size: tuple[int, int],
) -> Shown:
    """Cut out a part of an image, reduced to about `size` pixels at most.

    Parameters
    ----------
    image : array_like, shape (x, y)
    x, y : (float, float)
        Ends of the part in pixels of the image; it is cut at the borders of the image.
    size : (int, int)
        Pixels of the screen.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.view.screen import shown
    >>> image = np.zeros((8, 8))
    >>> image[5, 2] = 7
    >>> part = shown(image, (-0.5, 7.5), (-0.5, 7.5), (2, 4))
    >>> part.pixels.tolist(), part.step
    ([[0.0, 0.0, 0.0, 0.0], [0.0, 7.0, 0.0, 0.0]], (4, 2))
    """
    begins, ends, steps = [], [], []
    for (low, high), n, most in zip((x, y), image.shape, size, strict=True):
        first = int(np.clip(np.floor(min(low, high) + 0.5), 0, n - 1))
        last = int(np.clip(np.ceil(max(low, high) + 0.5), first + 1, n))
        step = max(1, -(-(last - first) // max(most, 1)))
        begin = first - first % step  # so that moving the view does not make pixels flicker
        begins.append(begin)
        ends.append(min(begin + -(-(last - begin) // step) * step, n))
        steps.append(step)
    part = np.asarray(image[begins[0] : ends[0], begins[1] : ends[1]])
    if steps != [1, 1]:
        part = _largest(part, steps)
    ends = [b + step * n for b, step, n in zip(begins, steps, part.shape, strict=True)]
    return Shown(
        part.astype(np.float32), (begins[0], begins[1]), (ends[0], ends[1]), (steps[0], steps[1])
    )


def _largest(part: NDArray[Any], steps: list[int]) -> NDArray[Any]:
    """Largest value in each block (the last ones may be smaller); NaN if all are NaN."""
    for axis, step in enumerate(steps):
        part = np.fmax.reduceat(part, np.arange(0, part.shape[axis], step), axis=axis)
    return part


def usual_levels(image: NDArray[Any]) -> tuple[float, float]:
    """First levels to draw an image with: from its pixels without light to the brightest ones."""
    known = image[np.isfinite(image)]
    if not known.size:
        return 0.0, 1.0
    low, high = (float(one) for one in np.percentile(known, (70, 99.8)))
    return low, high if high > low else low + 1.0
