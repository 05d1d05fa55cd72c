"""The peaks of one and of two photons in the histogram of the spots' charges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.utils.likelihood import errors_of, most_likely
from hrixs.utils.typing import Floats

# Fewer spots than this show no peak.
_LEAST_SPOTS = 50
# A peak wider than this fraction of its charge is not one of single photons.
_WIDEST = 0.35
# Range of the fit: below one photon in widths of the peak, and in photons.
_WIDTHS_BELOW, _PHOTONS_ABOVE = 3.0, 3.5
_BINS_A_WIDTH = 3.0
# False hits have their peak below this, in standard deviations of a spot's noise.
_FALSE_HITS = 3.5
# A neighbour of which the spot holds less than this has a hit of its own, one of which it holds
# more has none. Of the values tried, simulated frames lose least with it: those with 1000, 5000 and
# 20000 photons at a noise of 1.6 e-, and with 5000 and 20000 at 4 e-, of clouds of 0.55 px.
_PART_WITHOUT_A_HIT = 0.75


@dataclass(frozen=True)
class ChargePeaks:
    """Charges of spots as fitted, with one standard deviation of each number.

    Attributes
    ----------
    adu_per_photon, adu_per_photon_err : float
        Charge of one photon in its spot, in ADU. Of a cloud of half a pixel's width some permille
        lie outside of 4 x 4 pixels.
    width, width_err : float
        Standard deviation of the single photons' charge, in ADU.
    double_share, double_share_err : float
        Share of the spots between which and one photon there is nothing to see: two photons in
        one place.
    spots : tuple of float
        Number of spots with one photon, with one and a part of another, with two, with two and a
        part of a third, and with three.
    noise : float
        Standard deviation that the read noise alone gives to a spot's charge, in ADU.
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
        """Charge above which a spot is taken for two photons with the fewest mistakes, in ADU.

        The mistakes are single photons above it and double ones below. A neighbour of which three
        quarters lie in the spot has no hit of its own, and counts as a second photon there.
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
    """Fit the charges of spots: photons alone, in twos, and with a part of a neighbour.

    Parameters
    ----------
    charge : array_like, shape (n,)
        Charge of each spot above the pedestal, in ADU. Charges below the peak of single photons,
        as false hits have, and far above it, as cosmic rays have, do not disturb.
    noise : float
        Standard deviation that read noise gives to a charge, in ADU: for a spot of 4 x 4 pixels
        four times that of a pixel.
    alone : array_like of bool, shape (n,), optional
        True for spots without a neighbour. Where they show a peak, the charge of one photon is
        taken from it, which neighbours would raise by per cents in crowded frames.
    crowded : bool
        Whether nothing is taken from spots with neighbours: there is no peak then if those without
        show none.

    Returns
    -------
    ChargePeaks or None
        None where there is no peak: fewer than 50 spots, or a spread of more than a third.

    Notes
    -----
    Likelihood of the counts in bins of a third of a width, for Gaussians at one, two and three
    photons, and between them the photons of which a neighbour's spot holds a part, spread evenly.
    The width of n photons is that of n photons' electrons and of one spot's noise. Uncertainties
    are from the Fisher information.

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
    """Fit all kinds of spots, with the peak of one photon held where `single` gives it."""
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
    """Place and width of the highest peak, as a start of the fit."""
    from scipy.ndimage import gaussian_filter1d

    if len(charges) < _LEAST_SPOTS:
        return None
    top = 4 * float(np.median(charges))
    step = max(noise / 4, top / 4000)
    counts, edges = np.histogram(charges, bins=np.arange(0, top + step, step))
    # As smooth as the noise allows, and smoother where there are few spots.
    smooth = gaussian_filter1d(counts.astype(float), max(noise, 0.03 * top) / step / 2)
    inner = smooth[1:-1]
    peaks = 1 + np.flatnonzero((inner >= smooth[:-2]) & (inner > smooth[2:]))
    peaks = peaks[edges[peaks] > _FALSE_HITS * noise]
    if not peaks.size:
        return None
    peak = int(peaks[np.argmax(smooth[peaks])])
    photon = float(edges[peak] + step / 2)
    # Half of the peak above its place: neighbours' photons lie there too, but fewer.
    left = smooth[: peak + 1] < smooth[peak] / 2
    half = (peak - np.flatnonzero(left)[-1]) * step if left.any() else photon / 4
    return photon, float(np.clip(half / 1.18, max(noise, step), _WIDEST * photon * 0.9))


@np.errstate(under="ignore")  # far from a peak
def _shapes(
    charge: Floats, photon: float, width: float, noise: float, step: float = 0.0
) -> list[Floats]:
    """Probability density of each kind of spot, per ADU; the mean over bins of width `step`.

    A Gaussian whose variance is larger by that of a bin is its mean over the bin. At the bins'
    centres alone a peak three bins wide would be fitted too wide by half a percent.
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
    """Values and errors of photon, width and spots, and the share of doubles with its own."""
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
