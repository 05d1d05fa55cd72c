"""Fit one line to the bins of a spectrum: shape of the line, noise, start values.

Positions are in bins, from the first bin; `hrixs.line_width` is the function for users.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hrixs.utils.errors import NoLineError
from hrixs.utils.likelihood import errors_of, most_likely, slopes_of
from hrixs.utils.statistics import FWHM
from hrixs.utils.typing import Floats

#: Half width of the fit window, in FWHM; wings of a Lorentzian are wide.
HALF_WINDOW = {"gaussian": 1.7, "voigt": 6.0}
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
# Smallest photons / uncertainty of a line: above what the best position gives by chance.
_LEAST_SIGNIFICANCE = 6.0
# In the search, the height of a line must be above zero by this number of standard deviations.
_LEAST_IN_SEARCH = 3.5
# Expected photons in a bin from which on chi-square has its usual distribution.
_LEAST_EXPECTED = 5.0


@dataclass(frozen=True)
class Noise:
    """Poisson noise times `dispersion`, or Gaussian noise with a `sigma` for each bin."""

    dispersion: float = 1.0
    sigma: Floats | None = None
    #: Whether `sigma` is only relative, and the scatter gives the scale.
    from_scatter: bool = False

    def unit(self, values: Floats) -> float:
        """About one standard deviation of a bin, or one photon for counts."""
        if self.sigma is None:
            return self.dispersion
        size = np.abs(np.diff(values)) if self.from_scatter else self.sigma
        of_all = (float(np.median(size)), float(np.abs(values).max()), 1.0)
        return next(one for one in of_all if one > 0)

    def over(self, unit: float) -> Noise:
        """The noise after values are divided by `unit`."""
        sigma = self.sigma if self.sigma is None or self.from_scatter else self.sigma / unit
        return replace(self, dispersion=self.dispersion / unit, sigma=sigma)

    def variance(self, model: Floats, used: NDArray[np.bool_]) -> Floats:
        """Variance of each bin if the model is right."""
        if self.sigma is not None:
            return np.asarray(self.sigma[used] ** 2)
        return np.asarray(self.dispersion * np.maximum(model, 1e-12))


@dataclass(frozen=True)
class Line:
    """The fitted parameters in units of bins, and their covariance.

    `parameters`: area, centre, logarithm of the FWHM, background, and for a Voigt line the FWHM of
    the Lorentzian part / FWHM of the line.
    """

    parameters: Floats
    covariance: Floats
    height: float
    height_err: float
    chi2: float
    window: tuple[float, float]

    def times(self, unit: float) -> Line:
        """The line after values are multiplied by `unit`."""
        scale = np.array([unit, 1.0, 1.0, unit, 1.0])[: len(self.parameters)]
        # The square of values beyond 1e150 overflows to an infinite variance.
        with np.errstate(over="ignore", invalid="ignore"):
            covariance = self.covariance * np.outer(scale, scale)
        return replace(
            self,
            parameters=self.parameters * scale,
            covariance=covariance,
            height=self.height * unit,
            height_err=self.height_err * unit,
        )


def bins_of_line(distance: Floats, fwhm: float, lorentzian: float | None) -> Floats:
    """Share of a line in bins of width 1 with centres at `distance` from its centre."""
    from scipy.special import ndtr, voigt_profile

    if lorentzian is None:
        sigma = fwhm / FWHM
        return np.asarray(ndtr((distance + 0.5) / sigma) - ndtr((distance - 0.5) / sigma))
    # Olivero and Longbothum's width of a Voigt line, solved for its Gaussian part.
    rest = (1.0 - 0.5346 * lorentzian) ** 2 - 0.2166 * lorentzian**2
    sigma = fwhm * np.sqrt(max(rest, 0.0)) / FWHM
    inside = voigt_profile(distance[:, None] + _NODES / 2, sigma, lorentzian * fwhm / 2)
    return np.asarray(inside @ _WEIGHTS / 2)


def fit_line(at: Floats, values: Floats, noise: Noise, shape: str, *, whole: bool) -> Line:
    """Fit the tallest line, to all bins if `whole`, otherwise to bins near it.

    Raises
    ------
    NoLineError
        If there is no significant line.
    """
    # A fit ends when its steps are small compared with 1; this must not depend on the unit.
    unit = noise.unit(values)
    values, noise = values / unit, noise.over(unit)
    centre, width = _tallest(at, values, noise)
    near = _near(at, centre, width, shape, whole)
    p = _start(values[near], centre, width, shape)
    for _ in range(8):
        p = _minimum(at, values, noise, near, p)
        if not at[0] - 0.5 <= p[1] <= at[-1] + 0.5:
            raise NoLineError(no_line_text("the best candidate is outside the axis"))
        followed = _near(at, float(p[1]), float(np.exp(p[2])), shape, whole)
        if (followed == near).all():
            break
        near = followed
    else:
        p = _minimum(at, values, noise, near, p)
    return _checked(_line(at[near], values[near], noise, near, p).times(unit))


def no_line_text(why: str) -> str:
    """Text of a NoLineError."""
    return (
        f"no spectral line found: {why}. Expected a spectrum with a clear line. Add up "
        "more frames, check curvature and threshold, or give the line's region."
    )


def _near(at: Floats, centre: float, width: float, shape: str, whole: bool) -> NDArray[np.bool_]:
    """Bins of the fit: a window that follows the line, or all."""
    if whole:
        return np.ones(len(at), dtype=bool)
    return np.asarray(np.abs(at - centre) <= max(HALF_WINDOW[shape] * width, 5.0))


def _model(p: Floats, at: Floats) -> Floats:
    lorentzian = float(p[4]) if len(p) > 4 else None
    return np.asarray(p[0] * bins_of_line(at - p[1], float(np.exp(p[2])), lorentzian) + p[3])


def _start(values: Floats, centre: float, width: float, shape: str) -> Floats:
    background = float(np.quantile(values, 0.2))
    area = float(np.clip(values - background, 0, None).sum())
    background = max(background, 0.02 * area / len(values))
    return np.array([area, centre, np.log(width), background, 0.3][: 5 if shape == "voigt" else 4])


def _minimum(
    at: Floats, values: Floats, noise: Noise, near: NDArray[np.bool_], start: Floats
) -> Floats:
    at, values = at[near], values[near]
    if len(at) <= len(start):
        raise NoLineError(no_line_text("the best candidate has too few bins"))
    n = len(start)
    unit = max(float(start[0]), float(np.abs(values).max()) * 1e-6, 1e-300)
    scale = np.array([unit, 1.0, 1.0, unit / len(at), 1.0])[:n]
    least = 0.0 if noise.sigma is None else -np.inf
    low = np.array([0.0, at[0] - 3, np.log(0.2), least, 0.0])[:n]
    high = np.array([np.inf, at[-1] + 3, np.log(3 * np.ptp(at)), np.inf, 1.0])[:n]
    return most_likely(
        lambda p: _model(p, at),
        values,
        start,
        sigma=None if noise.sigma is None else noise.sigma[near],
        scale=scale,
        limits=(low, high),
    )


def _line(
    at: Floats, values: Floats, noise: Noise, near: NDArray[np.bool_], p: Floats
) -> Line:  # fmt: skip
    model = _model(p, at)
    variance = noise.variance(model, near)
    free = np.ones(len(p), dtype=bool)
    # A parameter at its limit is fixed: it has no uncertainty, and adds none to the others.
    if noise.sigma is None:
        free[3] = p[3] * len(at) > 1e-3 * np.sqrt(p[0])
    if len(p) > 4:
        free[4] = 1e-3 < p[4] < 1 - 1e-3
    covariance = errors_of(
        lambda q: _model(q, at), p, variance=variance, steps=_steps(p), free=free
    )
    chi2 = _chi2(values, model, variance, int(free.sum()), counts=noise.sigma is None)
    if noise.from_scatter:
        covariance, chi2 = covariance * chi2, 1.0
    top = slopes_of(lambda q: _model(q, q[1:2]) - q[3], p, _steps(p))[0]
    height = float(_model(p, p[1:2])[0] - p[3])
    window = (float(at[0]) - 0.5, float(at[-1]) + 0.5)
    return Line(p, covariance, height, float(np.sqrt(top @ covariance @ top)), chi2, window)


def _chi2(values: Floats, model: Floats, variance: Floats, n_free: int, *, counts: bool) -> float:
    """Pearson's chi-square per degree of freedom.

    It needs bins with a nearly Gaussian distribution: nearly empty bins are joined with their
    neighbours.
    """
    if not counts:
        return float(((values - model) ** 2 / variance).sum() / max(len(values) - n_free, 1))
    # Expected photons, without the factor of double hits or a norm.
    until = np.cumsum(model**2 / variance)
    ends: list[int] = []
    since = 0.0
    while until[-1] > since + _LEAST_EXPECTED:
        ends.append(int(np.searchsorted(until, since + _LEAST_EXPECTED)) + 1)
        since = float(until[ends[-1] - 1])
    if len(ends) <= n_free:
        return float("nan")
    starts = np.array([0, *ends[:-1]])  # what is left at the end belongs to the last one
    together = [np.add.reduceat(one, starts) for one in (values - model, variance)]
    return float((together[0] ** 2 / together[1]).sum() / (len(starts) - n_free))


def _checked(line: Line) -> Line:
    area, _, log_width = line.parameters[:3]
    area_err, _, log_width_err = np.sqrt(np.diag(line.covariance))[:3]
    if not area > _LEAST_SIGNIFICANCE * area_err:
        raise NoLineError(
            no_line_text(
                f"the best candidate has an area of {area:.3g} ± {area_err:.2g}, expected "
                f"{_LEAST_SIGNIFICANCE:g} standard deviations"
            )
        )
    if not (log_width_err < 1 and 2 * np.exp(log_width) < np.ptp(line.window)):
        raise NoLineError(no_line_text("the best candidate's width cannot be determined"))
    return line


def _steps(p: Floats) -> Floats:
    """Steps for derivatives: area and background relative to their size, others in bins."""
    size = max(abs(float(p[0])), 1e-300)
    return 1e-5 * np.array([size, 1.0, 1.0, size, 1.0])[: len(p)]


def _tallest(at: Floats, values: Floats, noise: Noise) -> tuple[float, float]:
    """Position and FWHM of the line with the largest certain height, over lines of all widths.

    A narrow spike of few photons is high, but uncertain; a broad hump is certain, but low. The
    height minus its uncertainty is compared.
    """
    from scipy.ndimage import gaussian_filter1d

    if noise.sigma is not None:
        variances = noise.sigma**2
    else:
        variances = noise.dispersion * np.maximum(values, 0)
    if noise.from_scatter:  # of neighbours, which a line hardly touches
        variances = np.full(len(values), np.median(np.abs(np.diff(values))) ** 2 / 0.91 + 1e-300)
    scales = 0.5 * 1.4 ** np.arange(40)
    scales = scales[: max(1, int(np.count_nonzero(scales <= len(values) / 6)))]
    heights, certain = [], []
    for sigma in scales:
        smooth = gaussian_filter1d(values, sigma, mode="nearest")
        # The square of a Gaussian kernel is a Gaussian kernel.
        spread = gaussian_filter1d(variances, sigma / np.sqrt(2), mode="nearest")
        spread /= max(2 * np.sqrt(np.pi) * sigma, 1.0)
        heights.append(smooth - np.median(smooth))
        certain.append(heights[-1] - _LEAST_IN_SEARCH * np.sqrt(spread))
    scale, peak = np.unravel_index(np.argmax(certain), np.shape(certain))
    least = certain[scale][peak]
    if not least > 0:
        raise NoLineError(no_line_text("no bin is above the others by more than the noise"))
    # While the kernel is narrower than the line, the smoothed line keeps its height.
    kept = [k for k in range(len(scales)) if heights[k][peak] > 0.7 * least]
    return float(at[peak]), max(FWHM * float(scales[kept[-1]]), 1.0)
