"""Sums of pixels by height and phase, from which the profile of a line is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.curve import Curvature
from hrixs.camera.frames import Frames, as_dark, as_mask
from hrixs.deconvolution.defaults import N_PHASES
from hrixs.utils.threads import resolve_threads

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Phases:
    """Phase of a line in the pixels of each column of a frame.

    A pixel ``(x, y)`` has the height ``y - curvature(x)``: a whole number of rows plus a phase.

    Attributes
    ----------
    whole_rows, phases : numpy.ndarray of int, shape (x,)
        Shift of each column in whole rows, and its phase.
    offsets, spreads : numpy.ndarray, shape (phases,)
        Mean height of each phase above its row, and its standard deviation, in pixels.
    moved : float
        By how many pixels the line moves over all columns.
    """

    whole_rows: NDArray[np.int64]
    phases: NDArray[np.int64]
    offsets: FloatArray
    spreads: FloatArray
    moved: float

    @classmethod
    def of(
        cls, curve: Curvature, first_column: int, n_columns: int, n_rows: int, n: int = N_PHASES
    ) -> Phases:
        """Phases of the columns of a frame that begins at `first_column` of the chip."""
        height = -curve(first_column + np.arange(n_columns, dtype=np.float64))
        if not np.abs(height).max(initial=0.0) < 1e9:  # beyond this no line is on the frame
            raise ValueError(
                f"curvature = {curve!r}, expected a curve with which lines are on the frame."
            )
        whole = np.floor(height)
        phases = np.minimum(np.floor((height - whole) * n), n - 1).astype(np.int64)
        counts = np.maximum(np.bincount(phases, minlength=n), 1)
        offsets = np.bincount(phases, height - whole, minlength=n) / counts
        away = (height - whole - offsets[phases]) ** 2
        spreads = np.sqrt(np.bincount(phases, away, minlength=n) / counts)
        rows = np.clip(whole, -n_rows, n_rows).astype(np.int64)
        return cls(rows, phases, offsets, spreads, float(np.ptp(height)) if n_columns else 0.0)

    def __len__(self) -> int:
        return len(self.offsets)

    def pixels(self, n_rows: int, mask: NDArray[Any] | None) -> FloatArray:
        """Number of unmasked pixels in each phase and row, shape (phases, rows)."""
        if mask is not None:
            return sums_by_phase(1.0 - np.asarray(mask, np.float64), self)
        counts = np.zeros((len(self), n_rows))
        both = np.column_stack([self.whole_rows, self.phases])
        alike, columns = np.unique(both, axis=0, return_counts=True)
        for (rows, phase), n in zip(alike, columns, strict=True):
            counts[phase, max(0, rows) : max(0, min(n_rows, n_rows + rows))] += n
        return counts


def sums_by_phase(image: FloatArray, where: Phases) -> FloatArray:
    """Sums of one image, as `sample` for frames."""
    n_rows = image.shape[1]
    sums = np.zeros((len(where), n_rows))
    for column, rows, phase in zip(image, where.whole_rows, where.phases, strict=True):
        begin, end = max(0, rows), min(n_rows, n_rows + rows)
        if begin < end:
            sums[phase, begin:end] += column[begin - rows : end - rows]
    return sums


def sample(
    frames: Frames,
    curve: Curvature,
    *,
    dark: xr.DataArray | ArrayLike | None,
    mask: xr.DataArray | ArrayLike | None,
    threads: int | None,
    n_phases: int = N_PHASES,
) -> tuple[FloatArray, FloatArray, Phases]:
    """Sums of each frame, shape (frames, phases, rows), their numbers of pixels, and the phases."""
    n_columns, n_rows = frames.frame_shape
    where = Phases.of(curve, frames.origin[0], n_columns, n_rows, n_phases)
    bad = as_mask(mask, frames)
    sums = _core.sample_frames(
        frames.pixels,
        whole_rows=where.whole_rows,
        phases=where.phases,
        n_phases=len(where),
        dark=as_dark(dark, frames),
        mask=bad,
        threads=resolve_threads(threads),
        first_frame=frames.first_frame,
    )
    return sums, where.pixels(n_rows, bad), where


def in_order(by_phase: FloatArray) -> FloatArray:
    """Sort values by phase and row, shape (..., phases, rows), by height."""
    *leading, n_phases, n_rows = by_phase.shape
    return np.moveaxis(by_phase, -2, -1).reshape(*leading, n_rows * n_phases)


def by_phase(in_order: FloatArray, n_phases: int) -> FloatArray:
    """Reverse `in_order`; returns shape (..., phases, rows)."""
    *leading, n = in_order.shape
    return np.moveaxis(in_order.reshape(*leading, n // n_phases, n_phases), -1, -2)
