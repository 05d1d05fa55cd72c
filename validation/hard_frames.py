"""Frames for comparisons: of a camera, and with few values, so that many pixels are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from validation.plain import reference

PIXELS = ("uint16", "int16", "float32", "float64")
#: Level of a pixel, and the value above which it is hot, in ADU.
PEDESTAL, HOT = 100.0, 150.0
#: Electrons per ADU: floating-point frames are in electrons, so they are no whole numbers.
GAIN = 1.06
SYMMETRIC_LEVEL = 300


@dataclass(frozen=True)
class Stack:
    """Frames with their dark and mask.

    Attributes
    ----------
    level : float
        Approximate mean of a frame after the dark is subtracted.
    unit : float
        Step between neighbouring pixel values; 0 where values are not few.
    """

    pixels: NDArray[np.generic]
    level: float
    unit: float = 0.0
    dark: NDArray[np.floating] | None = None
    mask: NDArray[np.bool_] | None = None

    @property
    def chip(self) -> dict[str, NDArray[np.generic] | None]:
        """Dark and mask, as options of every kernel."""
        return {"dark": self.dark, "mask": self.mask}

    @property
    def brightest(self) -> float:
        """Largest pixel after the dark is subtracted, in ADU."""
        images = (reference.corrected(image, **self.chip) for image in self.pixels)
        return max(float(np.nanmax(np.abs(image))) for image in images)

    def as_float64(self) -> Stack:
        """The same values in float64."""
        return replace(self, pixels=self.pixels.astype(np.float64))


def stacks(quick: bool) -> Iterator[tuple[str, str, list[Stack]]]:
    """All kinds of frames: kind, pixel type, and the stacks."""
    for dtype in PIXELS:
        yield "camera", dtype, list(camera(dtype, 1 if quick else 3))
        yield "few values", dtype, list(few_values(dtype, 4 if quick else 20))


def camera(dtype: str, n_frames: int) -> Iterator[Stack]:
    """Photons on a bent line, hot pixels, cosmic rays: raw, with a dark, with a mask, with both.

    The dark has fractions; masked pixels are NaN where the pixels can be.
    """
    sensor = Sensor(shape=(512, 512), hot_fraction=1e-4, cosmics_per_frame=2.0, pedestal=PEDESTAL)
    frames, _ = simulate_frames(n_frames, sensor=sensor, photons_per_frame=400, seed=5)
    scale = GAIN if np.dtype(dtype).kind == "f" else 1.0
    pixels, dark = (scale * frames.values).astype(dtype), np.float32(scale) * sensor.pattern
    mask = sensor.pattern > HOT
    masked = pixels.copy()
    if scale != 1:
        masked[:, mask] = np.nan
    yield Stack(pixels, scale * PEDESTAL)
    yield Stack(pixels, 0.0, dark=dark)
    yield Stack(masked, scale * PEDESTAL, mask=mask)
    yield Stack(masked, 0.0, dark=dark, mask=mask)


def few_values(dtype: str, n_frames: int) -> Iterator[Stack]:
    """Seven pixel values around `level`, again with dark and mask; all their sums are exact.

    4096 pixels are in use, half of them the negative of the other half: the mean is `level`, and
    pixels and squares also tie with the limits.
    """
    rng = np.random.default_rng(11)
    kind = np.dtype(dtype).kind
    level, unit = (8.0, 1.0) if kind == "u" else (0.0, 1.0) if kind == "i" else (0.0, 0.25)
    for masked in (False, True):
        half = (34, 64) if masked else (32, 64)
        steps = rng.integers(0, 4, (n_frames, *half)) * (rng.random((n_frames, *half)) < 0.6)
        pixels = (level + unit * np.concatenate([steps, -steps], axis=1)).astype(dtype)
        mask = None
        if masked:
            mask = np.zeros(half, dtype=bool)
            # Without the first column a curved line leaves rows that no pixel reaches.
            mask[0] = True
            mask.flat[64 + rng.choice(mask.size - 64, 64, replace=False)] = True
            mask = np.concatenate([mask, mask])
            if kind == "f":
                pixels[:, mask] = np.nan
        yield Stack(pixels, level, unit, mask=mask)
        dark = rng.integers(0, 5, pixels.shape[1:]) / 4
        yield Stack(pixels, level, unit, dark=dark.astype(np.float32), mask=mask)


def symmetric(n_frames: int, photons: float, *, seed: int) -> NDArray[np.uint16]:
    """Frames of a wide line, of which each row of pixels has its negative on its other half.

    Any mean or median of a row is so `SYMMETRIC_LEVEL`, and a fit depends on its window alone.
    """
    frames, _ = simulate_frames(
        n_frames,
        sensor=Sensor(shape=(512, 128), pedestal=PEDESTAL, pedestal_spread=0.0),
        lines=(SpectralLine(64.0, 25.0, 1.0),),
        photons_per_frame=photons,
        curvature=(0.0, 0.0),
        seed=seed,
    )
    signal = np.minimum(frames.values.astype(np.int64) - int(PEDESTAL), SYMMETRIC_LEVEL)
    both = SYMMETRIC_LEVEL + np.concatenate([signal, -signal], axis=2)
    return both.astype(np.uint16)
