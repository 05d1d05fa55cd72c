"""Level and noise of frames, from some of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hrixs.camera.counts import count_frames
from hrixs.camera.frames import Frames
from hrixs.utils.typing import Floats

# Number of columns for level and noise of a frame; they are contiguous in memory.
_COLUMNS = 8


def level_and_noise(frames: Frames, camera: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Level and noise of each frame from some of its columns, in ADU; 0 if all is masked.

    Parameters
    ----------
    frames : Frames
    camera
        Dark, mask and threads in the form that the core needs.
    """
    step = max(1, frames.frame_shape[0] // _COLUMNS)
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)[:, step // 2 :: step]
    dark, mask = (
        None if camera[name] is None else np.ascontiguousarray(camera[name][step // 2 :: step])
        for name in ("dark", "mask")
    )
    few = replace(frames, pixels=pixels, first_pixel=None)
    counts, _ = count_frames(few, dark=dark, mask=mask, squares=False, threads=camera["threads"])
    return np.nan_to_num(counts.median), np.nan_to_num(counts.noise)
