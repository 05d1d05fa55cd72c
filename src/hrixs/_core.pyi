"""The C++ core. Arrays must be native, aligned, with strides of whole pixels; see frames.py."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[Any]  # (..., x, y), one of the core's pixel types
DarkImage: TypeAlias = NDArray[np.float32 | np.float64]  # (x, y)
MaskImage: TypeAlias = NDArray[np.uint8]  # (x, y), not 0: bad
PhotonAdu: TypeAlias = NDArray[np.float64]  # (frames,), contiguous
RowSums: TypeAlias = NDArray[np.float64]  # (frames, y)
RowWeights: TypeAlias = NDArray[np.float64]  # (y,)
PhaseSums: TypeAlias = NDArray[np.float64]  # (frames, phase, y)

class Found(TypedDict):
    """Those that are not required are there where photons are placed by a fit."""

    frame: NDArray[np.int64]  # (photons,)
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    charge: NDArray[np.float64]
    double: NDArray[np.bool_]
    base: NDArray[np.float64]  # (frames,)
    threshold: NDArray[np.float64]
    n_dropped: NDArray[np.int64]
    n_cosmics: NDArray[np.int64]
    sigma_x: NotRequired[NDArray[np.float64]]  # (photons,)
    sigma_y: NotRequired[NDArray[np.float64]]
    chi2: NotRequired[NDArray[np.float64]]
    own_cloud_sigma: NotRequired[NDArray[np.float64]]
    own_cloud_sigma_err: NotRequired[NDArray[np.float64]]
    flag: NotRequired[NDArray[np.uint8]]
    noise: NotRequired[NDArray[np.float64]]  # (frames,)

class LightSums(TypedDict):
    """Of each frame, over the parts of it that have light; in ADU."""

    pixels: NDArray[np.float64]
    charge: NDArray[np.float64]
    light: NDArray[np.float64]
    variance: NDArray[np.float64]
    dark_pixels: NDArray[np.float64]
    dark_level: NDArray[np.float64]

class Resolved(Found):
    crowding: NDArray[np.float64]  # (photons,)
    light: LightSums

class Counted(TypedDict):
    """Of the pixels, or of the 2x2 squares, of each frame; NaN where there are none."""

    n: NDArray[np.int64]  # (frames,)
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    median: NDArray[np.float64]
    lower: NDArray[np.float64]
    level: NDArray[np.float64]
    noise: NDArray[np.float64]
    first_edge: NDArray[np.float64]
    bin_width: NDArray[np.float64]
    counts: NDArray[np.int64]  # (frames, bins)

class PixelStatistics(TypedDict):
    """Of each pixel over the frames, images of shape (x, y)."""

    median: NotRequired[NDArray[np.float64]]  # not about a reference
    noise: NotRequired[NDArray[np.float64]]
    lower_noise: NotRequired[NDArray[np.float64]]
    total: NDArray[np.float64]
    n_kept: NDArray[np.int32]
    n_left_out: NDArray[np.int64]  # (frames,)

class SquareMaxima(TypedDict):
    """Hits in the order of the frames."""

    frame: NDArray[np.int64]  # (hits,)
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    height: NDArray[np.float64]
    brightest_x: NDArray[np.int64]
    brightest_y: NDArray[np.int64]

class FitOptions:
    """How photons are placed, and what is too bright for one."""

    def __init__(
        self,
        *,
        cloud_sigma: float | None = None,
        read_noise: float | None = None,
        noise_map: NDArray[np.float64] | None = None,
        electrons_per_adu: float | None = None,
        local_background: bool = False,
        split_doubles: bool = False,
        max_pixel: float | None = None,
        max_charge: float | None = None,
    ) -> None: ...

PHOTON_FLAGS: dict[str, int]

class NonFinitePixelsError(ValueError): ...
class TooManyPhotonsError(ValueError): ...

def simd_level() -> str: ...
def simd_levels() -> list[str]: ...
def find_photons(
    frames: Pixels,
    *,
    threshold: float | None,
    std_threshold: float,
    dbl_threshold: float | None,
    dark: DarkImage | None,
    mask: MaskImage | None,
    max_photons: int,
    fit: FitOptions = ...,
    threads: int,
    first_frame: int = 0,
    noise_threshold: float | None = None,
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
    fit: FitOptions = ...,
    threads: int,
    first_frame: int = 0,
) -> Found: ...
def resolve_photons(
    frames: Pixels,
    *,
    photon_adu: PhotonAdu,
    dark: DarkImage | None,
    mask: MaskImage | None,
    max_photons: int,
    fit: FitOptions,
    threads: int,
    first_frame: int = 0,
) -> Resolved: ...
def frame_pedestals(
    frames: Pixels,
    *,
    dark: DarkImage | None,
    mask: MaskImage | None,
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...  # (frames,), mean and noise
def count_frames(
    frames: Pixels,
    *,
    dark: DarkImage | None,
    mask: MaskImage | None,
    step: float,
    threads: int,
    first_frame: int = 0,
    squares: bool = True,
) -> tuple[Counted, Counted]: ...
def pixel_statistics(
    frames: Pixels,
    *,
    offsets: Sequence[float] | NDArray[np.float64],
    n_sigma: float = 0.0,
    least_noise: float = 0.0,
    reference: NDArray[np.float64] | None = None,
    limit: NDArray[np.float64] | None = None,
    total: NDArray[np.float64] | None = None,  # (x, y), as n_kept; added to
    n_kept: NDArray[np.int32] | None = None,
    medians: bool = True,
    threads: int,
) -> PixelStatistics: ...
def cell_medians(
    image: NDArray[np.float64],
    *,
    size_x: int,
    size_y: int,
    less_of_y: Sequence[float] | NDArray[np.float64],
    less_of_x: Sequence[float] | NDArray[np.float64],
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...  # (cells,), medians and numbers
def square_maxima(
    frames: Pixels,
    *,
    thresholds: Sequence[float] | NDArray[np.float64],
    dark: DarkImage | None,
    mask: MaskImage | None,
    threads: int,
    first_frame: int = 0,
) -> SquareMaxima: ...
def integrate_frames(
    frames: Pixels,
    *,
    curve_a: float,
    curve_b: float,
    dark: DarkImage | None,
    mask: MaskImage | None,
    threads: int,
    first_frame: int = 0,
    first_column: float = 0.0,
    displacements: NDArray[np.float64] | None = None,
) -> tuple[RowSums, RowWeights]: ...
def sample_frames(
    frames: Pixels,
    *,
    whole_rows: NDArray[np.int64],
    phases: NDArray[np.int64],
    n_phases: int,
    dark: DarkImage | None,
    mask: MaskImage | None,
    threads: int,
    first_frame: int = 0,
) -> PhaseSums: ...
