"""Find tracks of cosmic rays in single frames by comparison with other images, and replace them."""

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

# Number of blocks of columns that show how bright a frame is.
_LOOKED_AT = 8
# Limits are made for the brightness of the first images, and for multiples by this factor.
_BRIGHTER = 1.3
# Rows may be brighter than in the first images by this share plus this number of errors.
_MORE, _ERRORS = 1.5, 5.0
# Share of the rows that may be brighter still, because of tracks.
_FEW_ROWS = 0.004
# Blocks along the line whose median is used, and rows that lines may climb within them.
_BESIDE, _CLIMB = 9, 2
# A frame with tracks on a larger share of its pixels cannot be compared.
_MOST_SEEDS = 0.1


@dataclass
class TrackRemover:
    """Removes tracks from frames one by one; the result for a frame does not depend on the others.

    Attributes
    ----------
    limits : CosmicLimits
    mask : numpy.ndarray of bool, shape (x, y), or None
        Bad pixels, which are left as they are.
    keep_light : bool
        True: replace tracks by the usual light, as integrating needs. False: by the level, as
        counting needs.
    """

    limits: CosmicLimits
    mask: NDArray[np.bool_] | None
    keep_light: bool

    def __post_init__(self) -> None:
        self._made: dict[tuple[int, str], NDArray[Any]] = {}

    def remove(self, frame: NDArray[Any]) -> int:
        """Replace tracks in a frame, in place; return the number of pixels, -1: not comparable."""
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
        """Numbers of the blocks that are used; only whole blocks."""
        whole = max(1, self.limits.usual.shape[0] // ALONG)
        return np.unique(np.linspace(0, whole - 1, _LOOKED_AT + 2).round()[1:-1].astype(np.int64))

    def _state_of(self, frame: NDArray[Any]) -> tuple[float, float, Floats | None]:
        """Shift of the level, brightness relative to the first images, and light in new places."""
        columns = np.minimum(self._blocks[:, None] * ALONG + np.arange(ALONG), frame.shape[0] - 1)
        part = frame[columns].astype(np.float32) - self.limits.usual[columns]
        if self.mask is not None or frame.dtype.kind == "f":
            part[self._useless(part, columns)] = 0.0
        mean_light = self.limits.mean_light[self._blocks]
        dim = mean_light <= np.median(mean_light)
        shift = float(np.median(np.moveaxis(part, 1, 2)[dim][::8]))
        # Each row of a block without its brightest pixel, because a track is not light.
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
        """Light of a frame with other lines than the first images; tracks do not change it."""
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
        """Value of each pixel that light does not exceed."""
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
        """Seeds, bright pixels connected to them, and one pixel around."""
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
        # NaN and infinite pixels are reported later.
        track = track[np.isfinite(values[track])]
        if self.mask is not None:
            track = track[~self.mask.ravel()[track]]
        return np.asarray(track)


def _around(places: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat indices of some pixels and of all that touch them."""
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
    """A limit in the type of the frames, for comparison with them."""
    if dtype.kind not in "iu":
        return limit.astype(dtype, copy=False)
    info = np.iinfo(dtype)
    top = np.where(np.isfinite(limit), np.minimum(limit, info.max), info.max)
    return np.asarray(np.floor(np.maximum(top, info.min)).astype(dtype))
