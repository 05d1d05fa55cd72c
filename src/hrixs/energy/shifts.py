"""Maximum-likelihood shifts between groups of photons with the same spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrixs.spectra.rebin import rebin_shifted
from hrixs.utils.typing import Floats

#: Bin width of the template in pixels, much smaller than the width of a line.
_STEP = 0.1
# Smallest density of the template / mean density, so that a photon in an empty place does not
# decide alone.
_FLOOR = 0.05
#: Smallest number of photons of a group.
LEAST_PHOTONS = 20


@dataclass(frozen=True)
class Shifts:
    """Shift of each group and its standard deviation in pixels; groups that have none.

    A group with too few photons has shift 0 and error NaN; a group at the limit has an infinite
    error.
    """

    shift: Floats
    error: Floats

    @property
    def too_few(self) -> NDArray[np.bool_]:
        """Whether a group has too few photons."""
        return np.isnan(self.error)

    @property
    def at_limit(self) -> NDArray[np.bool_]:
        """Whether a group fits best at the largest shift that was allowed."""
        return np.isinf(self.error)


class GroupedPhotons:
    """Photons in groups, and the likelihood of each group under the spectrum of the others.

    The template of a group is the smoothed sum of all others, at their shifts. Only photons that
    stay inside the region at every shift are compared. The likelihood is conditional on this:
    otherwise the fixed ends of the region would bias the shifts.

    Parameters
    ----------
    position, weight, variance, group : numpy.ndarray, shape (n,)
        For each photon or bin: position in pixels, photons, variance, number of the group from 0.
    n_groups : int
        Number of groups; some may have no photon.
    region : (float, float)
        In pixels.
    max_shift, smoothing : float
        In pixels; smoothing is a standard deviation.
    """

    def __init__(
        self, position: Floats, weight: Floats, variance: Floats, group: NDArray[np.int64], *,
        n_groups: int, region: tuple[float, float], max_shift: float, smoothing: float,
    ) -> None:  # fmt: skip
        low, high = region
        self.n_bins = int(np.ceil((high - low) / _STEP))
        self.margin = int(np.ceil(max_shift / _STEP))
        self.smoothing = smoothing / _STEP
        number = np.floor((position - low) / _STEP).astype(np.int64)
        kept = np.flatnonzero((number >= 0) & (number < self.n_bins))
        kept = kept[np.argsort(group[kept], kind="stable")]
        self.number, self.weight, self.variance = number[kept], weight[kept], variance[kept]
        self.ends = np.searchsorted(group[kept], np.arange(n_groups + 1))
        compared = np.abs(self.number - (self.n_bins - 1) / 2) < self.n_bins / 2 - self.margin
        counts = np.bincount(group[kept], self.weight * compared, n_groups)
        self.n_compared: Floats = counts.astype(np.float64)
        self.low = low

    def left_out(self) -> tuple[float, float | None]:
        """Share of photons that are not compared; row of the tallest line if it is not compared."""
        total = np.bincount(self.number, self.weight, self.n_bins).astype(np.float64)
        inner = slice(self.margin, self.n_bins - self.margin)
        share = 1.0 - float(total[inner].sum() / total.sum())
        # Photons within the smoothing width; their number scatters.
        together = self._smoothed(total) * 2 * np.sqrt(np.pi) * self.smoothing
        tallest, inside = int(np.argmax(together)), float(together[inner].max())
        above = float(together[tallest]) - inside
        if above <= 3 * np.sqrt(float(together[tallest]) + inside):
            return share, None
        return share, self.low + (tallest + 0.5) * _STEP

    def shifts(self, *, max_rounds: int = 30, tolerance: float = 0.01) -> Shifts:
        """Shifts of all groups relative to each other; their mean over the photons is 0.

        Template and shifts are improved in turn until no shift changes by `tolerance` pixels.
        """
        used = self.n_compared >= LEAST_PHOTONS
        n_used = int(used.sum())
        if n_used < 2:
            return Shifts(np.zeros(len(used)), np.full(len(used), np.nan))
        # Relative to the others, a shift is n / (n - 1) of that relative to the mean of all.
        step = (n_used - 1) / n_used
        shift = np.zeros(len(used))
        error = np.full(len(used), np.nan)
        for _ in range(max_rounds):
            before, total = shift.copy(), self._template(used, shift)
            for k in np.flatnonzero(used).tolist():
                template = np.maximum(total - self._smoothed(self._aligned(k, before[k])), 0.0)
                found, error[k] = self._best(k, template + _FLOOR * template.mean())
                shift[k] += step * (found - shift[k])
            shift[used] -= np.average(shift[used], weights=self.n_compared[used])
            if np.abs(shift - before).max() < tolerance:
                break
        # With the mean of n shifts fixed at 0, each varies slightly less than it would alone.
        return Shifts(shift, error * np.sqrt(step))

    def _summed(self, k: int, values: Floats) -> Floats:
        part = slice(self.ends[k], self.ends[k + 1])
        return np.bincount(self.number[part], values[part], self.n_bins).astype(np.float64)

    def _aligned(self, k: int, shift: float) -> Floats:
        counts = self._summed(k, self.weight)[None]
        return np.asarray(rebin_shifted(counts, np.array([-shift / _STEP]), self.n_bins)[0])

    def _smoothed(self, row: Floats) -> Floats:
        from scipy.ndimage import gaussian_filter1d

        return np.asarray(gaussian_filter1d(row, self.smoothing, mode="reflect"))

    def _template(self, used: NDArray[np.bool_], shift: Floats) -> Floats:
        total = np.zeros(self.n_bins)
        for k in np.flatnonzero(used).tolist():
            total += self._aligned(k, shift[k])
        return self._smoothed(total)

    def _best(self, k: int, template: Floats) -> tuple[float, float]:
        """Shift with the largest likelihood and its standard deviation, in pixels."""
        from scipy.signal import fftconvolve

        m, n = self.margin, self.n_bins
        log, inner = np.log(template), slice(m, n - m)
        # Sum of log template(y - s) over the photons, for s from -m to m bins.
        fit = fftconvolve(log, self._summed(k, self.weight)[inner][::-1], mode="valid")[::-1]
        until = np.concatenate([[0.0], np.cumsum(template)])
        at = np.arange(2 * m, -1, -1)
        expected = until[at + n - 2 * m] - until[at]
        likelihood = fit - self.n_compared[k] * np.log(expected)
        best = int(np.argmax(likelihood))
        # A parabola over the positions at which the likelihood is nearly as large.
        near = int(np.count_nonzero(likelihood > likelihood[best] - 0.5)) // 2
        reach = int(np.clip(near, 2, 10))
        if not reach <= best <= 2 * m - reach:
            return (best - m) * _STEP, np.inf
        part = slice(best - reach, best + reach + 1)
        bend, tilt, _ = np.polyfit(np.arange(-reach, reach + 1), likelihood[part], 2)
        if not bend < 0:
            return (best - m) * _STEP, np.inf
        shift = best - m + float(np.clip(-tilt / (2 * bend), -reach, reach))
        # The scatter of the photons' slopes over the bend: right also where the template is wider
        # than the spectrum.
        places = np.arange(n)
        slope = np.interp(places[inner] - shift, places, np.gradient(log))
        density = np.interp(places[inner] - shift, places, template)
        slope -= (slope * density).sum() / density.sum()
        scatter = float((self._summed(k, self.variance)[inner] * slope**2).sum())
        return shift * _STEP, float(np.sqrt(scatter) / (-2 * bend)) * _STEP


def smooth_drift(shifts: Shifts) -> Shifts:
    """`shifts` of successive groups for a smooth drift, whose smoothness is found from the shifts.

    The velocity of the drift is a random walk; its step size is the most likely one. A group
    without a shift gets the shift of the drift.
    """
    known = np.isfinite(shifts.error) & (shifts.error > 0)
    n = len(known)
    if known.sum() < 4:
        return shifts
    weight = np.where(known, 1 / np.where(known, shifts.error, 1.0) ** 2, 0.0)
    measured = np.where(known, shifts.shift, 0.0)
    bend = np.diff(np.eye(n), n=2, axis=0)
    roughness = bend.T @ bend
    best = (-np.inf, measured, measured)
    for step in np.geomspace(1e-4, 3.0, 30):
        precision = np.diag(weight) + roughness / step**2
        covariance = np.linalg.inv(precision)
        drift = covariance @ (weight * measured)
        misfit = weight @ (measured - drift) ** 2 + drift @ roughness @ drift / step**2
        volume = np.linalg.slogdet(precision)[1]
        evidence = -0.5 * (misfit + volume) - (n - 2) * np.log(step)
        if evidence > best[0]:
            best = (float(evidence), drift, np.sqrt(np.diag(covariance)))
    return Shifts(best[1], best[2])
