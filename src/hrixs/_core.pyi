"""The C++ core. Arrays must be native, aligned, with strides of whole pixels; see frames.py."""

from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[Any]  # (..., x, y), one of the core's pixel types
DarkImage: TypeAlias = NDArray[np.float32 | np.float64]  # (x, y)
MaskImage: TypeAlias = NDArray[np.uint8]  # (x, y), not 0: bad
PhotonAdu: TypeAlias = NDArray[np.float64]  # (frames,), contiguous
RowSums: TypeAlias = NDArray[np.float64]  # (frames, y)
RowWeights: TypeAlias = NDArray[np.float64]  # (y,)

class Found(TypedDict):
    frame: NDArray[np.int64]  # (photons,)
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    charge: NDArray[np.float64]
    double: NDArray[np.bool_]
    base: NDArray[np.float64]  # (frames,)
    threshold: NDArray[np.float64]
    n_dropped: NDArray[np.int64]

class NonFinitePixelsError(ValueError): ...
class TooManyPhotonsError(ValueError): ...

def simd_level() -> str: ...
def find_photons(
    frames: Pixels,
    *,
    threshold: float | None,
    std_threshold: float,
    double_threshold: float | None,
    dark: DarkImage | None,
    mask: MaskImage | None,
    max_photons: int,
    threads: int,
    first_frame: int = 0,
) -> Found: ...
def classify_photons(
    frames: Pixels,
    *,
    photon_adu: PhotonAdu,
    candidate_low: float,
    candidate_high: float,
    single_low: float,
    double_low: float,
    dark: DarkImage | None,
    mask: MaskImage | None,
    max_photons: int,
    threads: int,
    first_frame: int = 0,
) -> Found: ...
def integrate_frames(
    frames: Pixels,
    *,
    curve_a: float,
    curve_b: float,
    dark: DarkImage | None,
    mask: MaskImage | None,
    threads: int,
    first_frame: int = 0,
) -> tuple[RowSums, RowWeights]: ...
