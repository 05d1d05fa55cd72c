"""Correct frames before they are analysed: level, dark and tracks of cosmic rays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.camera.frames import Frames, as_frames
from hrixs.level.cosmic_limits import FEWEST_IMAGES, MOST_IMAGES, CosmicLimits, LightLearner
from hrixs.level.dark_fit import DarkFit, fit_dark
from hrixs.level.told import DARK_FACTOR, DARK_FACTOR_ERR, DARK_OFFSET, LIT, PEDESTAL, PIXELS
from hrixs.level.tracks import TrackRemover
from hrixs.level.unlit import Sample, UnlitLevel, clipped_mean, unlit_level
from hrixs.utils.errors import warn
from hrixs.utils.threads import map_in_threads
from hrixs.utils.typing import Floats

# A region without light has fewer of its pixels above this many standard deviations.
_N_SIGMA, _LIT_PART = 5.0, 0.01
# Number of pixels of a region that are used for its level.
_OF_A_REGION = 131_072


@dataclass(frozen=True)
class Mending:
    """Corrections of each frame, which depend on this frame and on the first frames only.

    Attributes
    ----------
    pedestal
        ``'image'``, or rows of the crop without light; None: nothing is subtracted.
    dark_fit
        Parameters of the dark that are fitted, one of `DARK_FITS`; None: it is subtracted as it is.
    cosmics
        Whether tracks are removed.
    dark : numpy.ndarray, shape (x, y), or None
        Dark of the crop, in ADU.
    dark_error
        Error of one pixel of the dark, in ADU.
    mask : numpy.ndarray of bool, shape (x, y), or None
    keep_light
        Whether tracks are replaced by the usual light, as integrating needs.
    limits
        Limits of light from the first images; None before, or if too few can be compared.
    first_row
        First row of the crop on the chip, for texts.
    """

    pedestal: str | slice | None
    dark_fit: str | None
    cosmics: bool
    dark: NDArray[Any] | None
    dark_error: float
    mask: NDArray[np.bool_] | None
    keep_light: bool
    limits: CosmicLimits | None = None
    first_row: int = 0

    @property
    def subtracts(self) -> bool:
        """Whether dark and level are subtracted here, and not later."""
        return self.pedestal is not None or self.dark_fit is not None

    def bytes_beside(self, dtype: np.dtype[Any]) -> float:
        """Bytes of a corrected copy for each byte of frames of this dtype."""
        return self._dtype(dtype).itemsize / dtype.itemsize

    def attrs(self) -> dict[str, Any]:
        """Settings for ``attrs``."""
        rows, first = self.pedestal, self.first_row
        text = f"{first + rows.start}:{first + rows.stop}" if isinstance(rows, slice) else rows
        known = {"pedestal": text, "dark_fit": self.dark_fit}
        found = {name: value for name, value in known.items() if value is not None}
        return found | {"remove_cosmics": 1} if self.cosmics else found

    def learned(self, stacks: Iterable[Any]) -> Mending:
        """The same with limits of light, learned from at most 32 first frames."""
        if not self.cosmics:
            return self
        learner: LightLearner | None = None
        for stack in stacks:
            frames, _ = self.of(as_frames(stack))
            pixels = frames.pixels.reshape(-1, *frames.frame_shape)
            if learner is None:
                zero = None if self.subtracts else self.dark
                learner = LightLearner(frames.frame_shape, zero, self.mask)
            for frame in pixels:
                if learner.n_images < MOST_IMAGES:
                    learner.add(frame)
        limits = None if learner is None else learner.learned()
        if limits is None:
            warn(
                f"REMOVE_COSMICS needs to compare images, but fewer than {FEWEST_IMAGES} of this "
                "run can be used, or the first ones have too little light. No track is removed. "
                "For counted photons set MAX_PIXEL instead."
            )
        return replace(self, limits=limits)

    def of(self, frames: Frames, threads: int = 1) -> tuple[Frames, dict[str, NDArray[Any]]]:
        """Corrected frames, and columns of shape (frames,) that say what was done with each."""
        pixels = frames.pixels.reshape(-1, *frames.frame_shape)
        new = np.empty(pixels.shape, self._dtype(pixels.dtype)) if self.subtracts else pixels.copy()

        def mend(number: int) -> list[float]:
            return self._mend(pixels[number], new[number])

        made = map_in_threads(mend, range(len(pixels)), threads)
        values = np.array(made, dtype=np.float64).reshape(len(made), len(self.columns))
        columns = dict(zip(self.columns, values.T, strict=True))
        return replace(frames, pixels=new.reshape(frames.pixels.shape)), columns

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        names = []
        if self.dark_fit is not None:
            names += [DARK_FACTOR, DARK_FACTOR_ERR, DARK_OFFSET]
        if self.pedestal is not None:
            names.append(PEDESTAL)
        if self.subtracts:
            names.append(LIT)
        if self.cosmics:
            names.append(PIXELS)
        return tuple(names)

    def _dtype(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """Type of corrected frames: float32 if this holds the given type."""
        return np.result_type(given, np.float32) if self.subtracts else given

    def _mend(self, frame: NDArray[Any], new: NDArray[Any]) -> list[float]:
        """Write a corrected frame to `new`; return the values of its columns."""
        row: dict[str, float] = dict.fromkeys(self.columns, 0.0)
        if self.subtracts:
            self._level(frame, new, row)
        if self.cosmics and self._remover is not None:
            row[PIXELS] = self._remover.remove(new)
        return list(row.values())

    def _level(self, frame: NDArray[Any], new: NDArray[Any], row: dict[str, float]) -> None:
        """Write a frame minus its dark and its pedestal to `new`."""
        strips = self._strips(frame)
        fit, lit = DarkFit(1.0, 0.0), False
        if self.dark_fit is not None and self._dark_strips is not None:
            fit = fit_dark(strips, self._dark_strips, self.dark_fit, dark_error=self.dark_error)
            fit = replace(fit, offset=float(np.nan_to_num(fit.offset)))
            row |= {DARK_FACTOR: fit.factor, DARK_OFFSET: fit.offset}
            row[DARK_FACTOR_ERR] = fit.factor_err
            lit = fit.lit and self.dark_fit != "factor"
        level = 0.0
        if self.pedestal is not None:
            if isinstance(self.pedestal, slice):
                found = self._of_region(frame, fit)
            else:
                found = unlit_level(strips - self._fitted_strips(fit))
            level, lit = float(np.nan_to_num(found.level)), found.lit
            row[PEDESTAL] = level
        row[LIT] = lit
        new[...] = frame
        if self.dark is not None:
            dark = self.dark if fit.factor == 1.0 else new.dtype.type(fit.factor) * self.dark
            np.subtract(new, dark, out=new, casting="same_kind")
        new -= new.dtype.type(fit.offset + level)

    def _strips(self, frame: NDArray[Any]) -> Floats:
        strips = self._sample(frame.shape).of(frame)
        if self._masked_strips is not None:
            strips[self._masked_strips] = np.nan
        return strips

    def _sample(self, shape: tuple[int, ...]) -> Sample:
        known: Sample | None = self.__dict__.get("_known_sample")
        if known is None or known.shape != shape:
            known = self.__dict__["_known_sample"] = Sample((shape[0], shape[1]))
        return known

    def _fitted_strips(self, fit: DarkFit) -> Floats | float:
        if self._dark_strips is None:
            return fit.offset
        return np.asarray(np.float32(fit.factor) * self._dark_strips + np.float32(fit.offset))

    def _of_region(self, frame: NDArray[Any], fit: DarkFit) -> UnlitLevel:
        """Level of the rows without light: the clipped mean of some of their columns."""
        assert isinstance(self.pedestal, slice)
        nx, ny = frame[:, self.pedestal].shape
        step = max(1, nx * ny // _OF_A_REGION)
        values = frame[::step, self.pedestal].astype(np.float64)
        if self.dark is not None:
            values -= fit.factor * self.dark[::step, self.pedestal]
        values -= fit.offset
        if self.mask is not None:
            values = values[~self.mask[::step, self.pedestal]]
        values = values[np.isfinite(values)]
        if not len(values):
            return UnlitLevel(0.0, 0.0, 0.0, True, np.zeros(0, bool))
        level, noise = clipped_mean(values)
        lit = float(np.mean(values > level + _N_SIGMA * noise)) > _LIT_PART
        return UnlitLevel(level, noise, 1.0, lit, np.zeros(0, bool))

    @cached_property
    def _dark_strips(self) -> Floats | None:
        if self.dark is None:
            return None
        return self._strips(self.dark)

    @cached_property
    def _masked_strips(self) -> NDArray[np.bool_] | None:
        if self.mask is None:
            return None
        return np.asarray(self.mask[self._sample(self.mask.shape).columns])

    @cached_property
    def _remover(self) -> TrackRemover | None:
        if self.limits is None:
            return None
        return TrackRemover(self.limits, self.mask, self.keep_light)

    def __getstate__(self) -> dict[str, Any]:
        """State for pickling, without values that can be computed again."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
