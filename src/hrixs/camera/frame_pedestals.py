"""Level and noise of the pixels without light, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs import _core
from hrixs.utils.typing import Floats

#: Number of pixels that are used for the level of a frame.
PIXELS_FOR_A_LEVEL = 8192


def frame_pedestals(pixels: NDArray[Any], camera: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Mean and noise of the pixels without light of each frame, in ADU; 0 if all are masked.

    Parameters
    ----------
    pixels : numpy.ndarray, shape (..., x, y)
    camera
        From `hrixs.camera.frames.camera_of_core`.
    """
    mean, noise = _core.frame_pedestals(pixels, **camera)
    return np.where(np.isfinite(mean), mean, 0.0), np.where(np.isfinite(noise), noise, 0.0)
