"""Tracks of cosmic rays in single frames: found by what the other images show, and replaced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.level.cosmic_limits import (
    ALONG,
    GROW_CHANCE,
    SEED_CHANCE,
    CosmicLimits,
    block_sums,
)
from hrixs.utils.typing import Floats

# So many blocks of columns show how bright a frame is.
_LOOKED_AT = 8
# Limits are made for the brightness of the first images, and for each so many times brighter.
_BRIGHTER = 1.3
# Light is as in the first images where rows are not brighter by this, and so many errors.
_MORE, _ERRORS = 1.5, 5.0
# Rows of a chip that may be brighter all the same, as tracks make them.
_FEW_ROWS = 0.004
# Blocks along the line, of which the middle one counts, and rows that lines may climb in these.
_BESIDE, _CLIMB = 9, 2
# A frame with tracks on more than this part of its pixels is none that can be compared.
_MOST_SEEDS = 0.1


@dataclass
class TrackRemover:
    """Removes tracks from frames, one by one; what a frame gets does not depend on the others.

    Attributes
    ----------
    limits : CosmicLimits
    mask : numpy.ndarray of bool, shape (x, y), or None
        Bad pixels, which are left as they are.
    keep_light : bool
        Whether light that is usual is put in the place of what is removed, as integrating needs;
        else the level alone, as counting does.
    """

    limits: CosmicLimits
    mask: NDArray[np.bool_] | None
    keep_light: bool

    def __post_init__(self) -> None:
        self._made: dict[tuple[int, str], NDArray[Any]] = {}

    def remove(self, frame: NDArray[Any]) -> int:
        """Replace the tracks in a frame, in place; how many pixels they are, -1: incomparable."""
        shift, brightness, light = self._state_of(frame)
        limit = self._limit(frame.dtype, brightness, light)
        if abs(shift) > self.limits.noise:
            limit = _as_limit(limit.astype(np.float64) + shift, frame.dtype)
        seeds = np.flatnonzero(frame > limit)
        if not len(seeds):
            return 0
        if len(seeds) > _MOST_SEEDS * frame.size:
            return -1
        light_there = self.limits.light * brightness if light is None else light
        track = self._grown(frame, seeds, shift, light_there)
        if len(track) > _MOST_SEEDS * frame.size:
            return -1
        columns, rows = np.divmod(track, frame.shape[1])
        usual = self.limits.usual.ravel()[track].astype(np.float64) + shift
        own = light_there[columns // ALONG, rows]
        own = np.minimum(own, np.maximum(self.limits.mean_light[columns // ALONG, rows], 0.0))
        values = usual + (brightness - 1) * own if self.keep_light else usual - own
        if frame.dtype.kind in "iu":
            info = np.iinfo(frame.dtype)
            values = np.clip(np.rint(values), info.min, info.max)
        frame[columns, rows] = values
        return len(track)

    @cached_property
    def _blocks(self) -> NDArray[np.int64]:
        """Numbers of the blocks that are looked at; whole ones."""
        whole = max(1, self.limits.usual.shape[0] // ALONG)
        return np.unique(np.linspace(0, whole - 1, _LOOKED_AT + 2).round()[1:-1].astype(np.int64))

    def _state_of(self, frame: NDArray[Any]) -> tuple[float, float, Floats | None]:
        """Shift of the level, brightness against the first images, and light where it is new."""
        columns = np.minimum(self._blocks[:, None] * ALONG + np.arange(ALONG), frame.shape[0] - 1)
        part = frame[columns].astype(np.float32) - self.limits.usual[columns]
        if self.mask is not None or frame.dtype.kind == "f":
            part[self._useless(part, columns)] = 0.0
        mean_light = self.limits.mean_light[self._blocks]
        dim = mean_light <= np.median(mean_light)
        shift = float(np.median(np.moveaxis(part, 1, 2)[dim][::8]))
        # Of each row of a block without its brightest pixel: a track is not light.
        extra = part - np.float32(shift)
        rows = (extra.sum(axis=1) - extra.max(axis=1)) / (ALONG - 1)
        known = float(mean_light.sum())
        few = 20 * self.limits.part / ALONG
        brightness = max((known + float(rows.sum()) + few) / (known + few), 0.0)
        brightness = min(brightness, 100.0)
        expected = np.maximum(self.limits.light[self._blocks] * max(brightness, 1.0), 0.0)
        error = np.sqrt((expected * self.limits.scatter + self.limits.noise**2) / ALONG)
        error += self.limits.part / ALONG
        new = mean_light + rows > _MORE * expected + _ERRORS * error
        if np.median(new.sum(axis=1)) <= _FEW_ROWS * frame.shape[1]:
            return shift, brightness, None
        return shift, brightness, self._own_light(frame, shift, brightness)

    def _useless(self, values: NDArray[Any], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Pixels of some columns that are masked, or NaN or infinite."""
        useless = np.asarray(~np.isfinite(values))
        return useless if self.mask is None else np.asarray(useless | self.mask[columns])

    def _own_light(self, frame: NDArray[Any], shift: float, brightness: float) -> Floats:
        """Light of a frame whose lines are not those of the first images, held through tracks."""
        extra = frame - self.limits.usual - np.float32(shift)
        if self.mask is not None:
            extra[self.mask] = 0.0
        ends = np.arange(0, frame.shape[0], ALONG)
        sums = block_sums(np.nan_to_num(extra))
        sizes = np.diff(np.append(ends, frame.shape[0]))[:, None]
        own = self.limits.mean_light + sums / sizes
        near = _sliding(own, _CLIMB, 1).max(axis=-1)
        middle = np.median(_sliding(near, _BESIDE // 2, 0), axis=-1)
        return np.asarray(np.maximum(self.limits.light * max(brightness, 1.0), middle))

    def _limit(self, dtype: np.dtype[Any], brightness: float, light: Floats | None) -> NDArray[Any]:
        """Value of each pixel above which no light makes it."""
        if light is not None:
            return self._limit_of(light, dtype)
        step = max(0, int(np.ceil(np.log(max(brightness, 1e-9)) / np.log(_BRIGHTER))))
        if (step, dtype.str) not in self._made:
            if len(self._made) > 3:
                self._made.clear()
            bright = self.limits.light * _BRIGHTER**step
            self._made[step, dtype.str] = self._limit_of(bright, dtype)
        return self._made[step, dtype.str]

    def _limit_of(self, light: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
        nx = self.limits.usual.shape[0]
        above = self.limits.above(SEED_CHANCE, light) - self.limits.mean_light
        limit = np.repeat(above.astype(np.float32), ALONG, axis=0)[:nx] + self.limits.usual
        hot, height = self.limits.extra
        if len(hot):
            limit.ravel()[hot] += height.astype(np.float32)
        if self.mask is not None:
            limit[self.mask] = np.inf
        return _as_limit(limit, dtype)

    def _grown(
        self, frame: NDArray[Any], seeds: NDArray[np.int64], shift: float, light: Floats
    ) -> NDArray[np.int64]:
        """Seeds, the bright pixels connected to them, and one pixel around."""
        values, usual = frame.ravel(), self.limits.usual.ravel()
        track, border = seeds, seeds
        while len(border) and len(track) <= _MOST_SEEDS * frame.size:
            near = np.setdiff1d(_around(border, frame.shape), track, assume_unique=True)
            columns, rows = np.divmod(near, frame.shape[1])
            at = (columns // ALONG, rows)
            limit = self.limits.above(GROW_CHANCE, light[at]) - self.limits.mean_light[at]
            border = near[values[near] - usual[near] - shift > limit]
            track = np.union1d(track, border)
        track = np.union1d(track, _around(track, frame.shape))
        # What is NaN or infinite is told as such.
        track = track[np.isfinite(values[track])]
        if self.mask is not None:
            track = track[~self.mask.ravel()[track]]
        return np.asarray(track)


def _around(places: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat numbers of the pixels that touch some, and of these themselves."""
    columns, rows = np.divmod(places, shape[1])
    step = np.arange(-1, 2)
    x = np.clip(columns[:, None, None] + step[:, None], 0, shape[0] - 1)
    y = np.clip(rows[:, None, None] + step, 0, shape[1] - 1)
    return np.unique(x * shape[1] + y)


def _sliding(image: Floats, reach: int, axis: int) -> Floats:
    pad = [(0, 0), (0, 0)]
    pad[axis] = (reach, reach)
    padded = np.pad(image, pad, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)


def _as_limit(limit: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A limit that is compared with frames in their own numbers."""
    if dtype.kind not in "iu":
        return limit.astype(dtype, copy=False)
    info = np.iinfo(dtype)
    top = np.where(np.isfinite(limit), np.minimum(limit, info.max), info.max)
    return np.asarray(np.floor(np.maximum(top, info.min)).astype(dtype))
