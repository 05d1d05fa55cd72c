"""Fit the peaks of one and two photons in the histogram of charges of spots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.utils.likelihood import errors_of, most_likely
from hrixs.utils.typing import Floats

# Fewest spots for a peak.
_LEAST_SPOTS = 50
# A peak wider than this share of its charge is not one of single photons.
_WIDEST = 0.35
# Range of the fit: below one photon in widths of the peak, and in photons.
_WIDTHS_BELOW, _PHOTONS_ABOVE = 3.0, 3.5
_BINS_A_WIDTH = 3.0
# The peak of false hits is below this, in standard deviations of the noise of a spot.
_FALSE_HITS = 3.5
# A neighbour with less than this share of its charge in the spot has its own hit, otherwise none.
# Of the values tried, it loses fewest photons in simulated frames: 1000, 5000 and 20000 photons at
# a noise of 1.6 e-, and 5000 and 20000 at 4 e-, with clouds of 0.55 px.
_PART_WITHOUT_A_HIT = 0.75


@dataclass(frozen=True)
class ChargePeaks:
    """Fitted charges of spots; errors are one standard deviation.

    Attributes
    ----------
    adu_per_photon, adu_per_photon_err : float
        Charge of one photon in its spot, in ADU. For a cloud with a width of half a pixel, a few
        permille are outside 4 x 4 pixels.
    width, width_err : float
        Standard deviation of the charge of single photons, in ADU.
    double_share, double_share_err : float
        Share of spots with two photons in one place, which look like one bright photon.
    spots : tuple of float
        Number of spots with one photon, one and part of another, two, two and part of a third, and
        three.
    noise : float
        Standard deviation of the charge of a spot by read noise alone, in ADU.
    """

    adu_per_photon: float
    adu_per_photon_err: float
    width: float
    width_err: float
    double_share: float
    double_share_err: float
    spots: tuple[float, float, float, float, float]
    noise: float

    def density(self, charge: ArrayLike) -> NDArray[np.float64]:
        """Spots per ADU at `charge`, by kind as in `spots`, shape (5, ...)."""
        shapes = _shapes(np.asarray(charge, float), self.adu_per_photon, self.width, self.noise)
        return np.asarray([n * shape for n, shape in zip(self.spots, shapes, strict=True)])

    @property
    def boundary(self) -> float:
        """Charge above which a spot counts as two photons, with the fewest mistakes, in ADU.

        Mistakes are single photons above, and double ones below. A neighbour with three quarters of
        its charge in the spot has no hit of its own, and counts as a second photon.
        """
        fraction = np.linspace(1.2, 2.2, 1001)
        one, part, two, two_and_part, three = self.density(self.adu_per_photon * fraction)
        without_hit = fraction > 1 + _PART_WITHOUT_A_HIT
        singles = one + np.where(without_hit, 0.0, part)
        doubles = two + two_and_part + three + np.where(without_hit, part, 0.0)
        mistakes = singles.sum() - np.cumsum(singles) + np.cumsum(doubles)
        return float(self.adu_per_photon * fraction[np.argmin(mistakes)])


def fit_charge_peaks(
    charge: ArrayLike,
    *,
    noise: float,
    alone: ArrayLike | None = None,
    crowded: bool = False,
) -> ChargePeaks | None:
    """Fit charges of spots: single photons, two photons, and photons with part of a neighbour.

    Parameters
    ----------
    charge : array_like, shape (n,)
        Charge of each spot above the pedestal, in ADU. Charges below the peak of single photons
        (false hits) and far above it (cosmic rays) do not matter.
    noise : float
        Standard deviation of a charge by read noise, in ADU: four times that of a pixel, for spots
        of 4 x 4 pixels.
    alone : array_like of bool, shape (n,), optional
        True for spots without a neighbour. If these have a peak, it gives the charge of one photon;
        in dense frames neighbours would increase the charge by some per cent.
    crowded : bool
        Whether to ignore spots with neighbours; there is no peak then if the others have none.

    Returns
    -------
    ChargePeaks or None
        None if there is no peak: fewer than 50 spots, or a width of more than a third.

    Notes
    -----
    The likelihood of counts in bins of a third of a width is maximised. The model has Gaussians at
    one, two and three photons, and an even distribution between them for parts of neighbours. The
    width of n photons is that of their electrons and of the noise of one spot. Uncertainties are
    from the Fisher information.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.noise.charge_peaks import fit_charge_peaks
    >>> rng = np.random.default_rng(1)
    >>> charge = np.concatenate([rng.normal(139, 8, 9000), rng.normal(278, 9, 1000)])
    >>> peaks = fit_charge_peaks(charge, noise=6.0)
    >>> round(peaks.adu_per_photon), round(peaks.width), round(peaks.double_share, 1)
    (139, 8, 0.1)
    """
    charges = np.asarray(charge, dtype=np.float64)
    single = None
    if alone is not None:
        single = _fit_peaks(charges[np.asarray(alone, dtype=bool)], noise, None)
        if crowded and single is None:
            return None
    return _fit_peaks(charges, noise, single)


def _fit_peaks(
    charges: NDArray[np.float64], noise: float, single: ChargePeaks | None
) -> ChargePeaks | None:
    """Fit all kinds of spots, with the peak of one photon fixed by `single`, if given."""
    charges = charges[np.isfinite(charges) & (charges > 0)]
    start = (single.adu_per_photon, single.width) if single else _first_peak(charges, noise)
    if start is None:
        return None
    photon, width = start
    for _ in range(1 if single else 2):  # the second time with bins that fit the width found
        low, high = photon - _WIDTHS_BELOW * width, _PHOTONS_ABOVE * photon
        n_bins = int(np.clip(_BINS_A_WIDTH * (high - low) / width, 20, 400))
        counts, edges = np.histogram(charges, bins=n_bins, range=(low, high))
        if counts.sum() < _LEAST_SPOTS:
            return None
        values, errors, share, share_err = _fit(
            counts, edges, photon, width, noise, held=single is not None
        )
        photon, width = float(values[0]), float(values[1])
        if not 0 < width < _WIDEST * photon:
            return None
    if values[2] < _LEAST_SPOTS / 2:
        return None
    if single:
        errors[:2] = single.adu_per_photon_err, single.width_err
    one, part, two, two_part, three = (float(n) for n in values[2:])
    return ChargePeaks(
        photon, float(errors[0]), width, float(errors[1]), share, share_err,
        (one, part, two, two_part, three), float(noise),
    )  # fmt: skip


@np.errstate(under="ignore")  # far from all spots
def _first_peak(charges: NDArray[np.float64], noise: float) -> tuple[float, float] | None:
    """Position and width of the highest peak, as start values."""
    from scipy.ndimage import gaussian_filter1d

    if len(charges) < _LEAST_SPOTS:
        return None
    top = 4 * float(np.median(charges))
    step = max(noise / 4, top / 4000)
    counts, edges = np.histogram(charges, bins=np.arange(0, top + step, step))
    # As little smoothing as the noise allows; more for few spots.
    smooth = gaussian_filter1d(counts.astype(float), max(noise, 0.03 * top) / step / 2)
    inner = smooth[1:-1]
    peaks = 1 + np.flatnonzero((inner >= smooth[:-2]) & (inner > smooth[2:]))
    peaks = peaks[edges[peaks] > _FALSE_HITS * noise]
    if not peaks.size:
        return None
    peak = int(peaks[np.argmax(smooth[peaks])])
    photon = float(edges[peak] + step / 2)
    # The half above the peak: parts of neighbours are there, too, but fewer.
    left = smooth[: peak + 1] < smooth[peak] / 2
    half = (peak - np.flatnonzero(left)[-1]) * step if left.any() else photon / 4
    return photon, float(np.clip(half / 1.18, max(noise, step), _WIDEST * photon * 0.9))


@np.errstate(under="ignore")  # far from a peak
def _shapes(
    charge: Floats, photon: float, width: float, noise: float, step: float = 0.0
) -> list[Floats]:
    """Probability density of each kind of spot, per ADU; the mean over bins of width `step`.

    The variance of a bin is added to the Gaussian, which gives its mean over the bin. With values
    at bin centres a peak three bins wide would be fitted too wide by half a percent.
    """
    from scipy.special import ndtr

    noise = min(noise, 0.999 * width)
    electrons = width**2 - noise**2

    def peak(n: int) -> NDArray[np.float64]:
        sigma = np.sqrt(n * electrons + noise**2 + step**2 / 12)
        z = (charge - n * photon) / sigma
        return np.asarray(np.exp(-0.5 * z**2) / (sigma * np.sqrt(2 * np.pi)))

    def between(n: int) -> NDArray[np.float64]:
        sigma = np.sqrt(n * electrons + noise**2 + step**2 / 12)
        below, above = (charge - n * photon) / sigma, (charge - (n + 1) * photon) / sigma
        return np.asarray((ndtr(below) - ndtr(above)) / photon)

    return [peak(1), between(1), peak(2), between(2), peak(3)]


@np.errstate(under="ignore")  # far from a peak
def _fit(
    counts: NDArray[np.int64],
    edges: NDArray[np.float64],
    photon: float,
    width: float,
    noise: float,
    *,
    held: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Values and errors of photon, width, spots and share of double hits."""
    centres, step = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    total = float(counts.sum())
    start = np.array([1.0, 1.0, 0.8, 0.05, 0.1, 0.02, 0.02])
    lowest = np.array([0.8, max(0.3, min(noise / width / 1.2, 0.99)), *[0.0] * 5])
    highest = np.array([1.25, 2.0, *[1.5] * 5])
    free = np.arange(7) >= (2 if held else 0)

    def expected(p: Floats) -> Floats:
        shapes = _shapes(centres, p[0] * photon, p[1] * width, noise, step)
        density = sum(share * shape for share, shape in zip(p[2:], shapes, strict=True))
        return np.asarray(total * step * density + 1e-9 * total)

    p = start.copy()
    p[free] = most_likely(
        lambda q: expected(np.concatenate([start[~free], q])),
        counts,
        start[free],
        limits=(lowest[free], highest[free]),
        tolerance=1e-6,
    )
    steps = np.maximum(1e-4 * np.abs(p), 1e-5)
    covariance = errors_of(expected, p, variance=expected(p), steps=steps, free=free)
    scale = np.array([photon, width, *[total] * 5])
    errors = scale * np.sqrt(np.maximum(np.diag(covariance), 0.0))
    shares = p[2:]
    share = float(shares[2] / shares.sum())
    slope = np.full(5, -share) + (np.arange(5) == 2)
    share_err = float(np.sqrt(slope @ covariance[2:, 2:] @ slope)) / float(shares.sum())
    return p * scale, errors, share, share_err
