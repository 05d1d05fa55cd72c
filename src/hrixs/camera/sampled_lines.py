"""Some pixels of each row, or of each column, of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.typing import Floats


def sampled_lines(
    image: NDArray[Any], axis: int, n: int, level: float, camera: Mapping[str, Any]
) -> Floats:
    """Some pixels of each line along an axis, minus the level of the frame.

    Parameters
    ----------
    image : numpy.ndarray, shape (x, y)
        In ADU.
    axis : int
        1 for rows (one y each), 0 for columns.
    n : int
        Number of pixels of each line, or slightly more, evenly distributed.
    level : float
        In ADU.
    camera
        Dark, which is subtracted, and mask, in the form that the core needs.

    Returns
    -------
    numpy.ndarray, shape (pixels, lines)
        In ADU; NaN for masked pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.camera.sampled_lines import sampled_lines
    >>> image = np.add.outer(np.arange(4), 10 * np.arange(3))
    >>> sampled_lines(image, 1, 2, 10.0, {"dark": None, "mask": None})
    array([[-9.,  1., 11.],
           [-7.,  3., 13.]])
    """
    step = max(1, image.shape[1 - axis] // n)
    some = slice(step // 2, None, step)
    where = (some, slice(None)) if axis == 1 else (slice(None), some)
    values: Floats = image[where].astype(np.float64)
    if camera["dark"] is not None:
        values -= camera["dark"][where]
    if camera["mask"] is not None:
        values[camera["mask"][where] != 0] = np.nan
    values -= level
    return values if axis == 1 else values.T
