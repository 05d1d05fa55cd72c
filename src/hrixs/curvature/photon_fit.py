"""Fit the curve of the spectral lines to positions of photons.

The right curve makes the spectrum of corrected positions as sharp as possible. All lines are used,
not only the strongest one, and no shape of a line is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import xarray as xr
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.curvature.sharpest_curve import (
    ROWS_OF_A_LINE,
    Extent,
    SharpestCurve,
    no_line_text,
    search_curve,
)
from hrixs.curvature.sharpness import StraightPhotons
from hrixs.utils.checks import require_photon_table, whole_number
from hrixs.utils.errors import NoLineError, warn
from hrixs.utils.provenance import first_pixel_of

_Floats: TypeAlias = NDArray[np.float64]

#: Number of bootstrap samples: standard deviations are known to 7 %.
N_BOOTSTRAP = 100
# The best candidate in noise, among all tilts and bends, has 2 to 6.
_LEAST_SIGNIFICANCE = 8.0
_FEWEST_PHOTONS = 100
# Rows by which a frame may extend beyond its photons.
_LITTLE_ROOM = 2.0
_LARGEST_DEGREE = 4
# Largest error of a curve, in pixels.
_LARGEST_ERROR = 2.0


@dataclass(frozen=True)
class PhotonCurvatureFit:
    """A fitted polynomial along the spectral lines, with its uncertainties.

    Attributes
    ----------
    coefficients : tuple of float
        Coefficients of ``x``, ``x**2`` and so on: a line that begins at row ``y0`` is at
        ``y0 + coefficients[0] * x + coefficients[1] * x**2 + ...``, in the same pixels as the
        photons.
    errors : tuple of float
        One standard deviation of each coefficient, from the bootstrap. Coefficients are correlated;
        the uncertainty of the curve is `curve_error`.
    sharpness : float
        Sum of the squared spectrum, smoothed by `smoothing`, without the pair of each photon with
        itself, in photons squared a pixel.
    significance : float
        Excess of close pairs of photons over chance, in standard deviations.
    smoothing : float
        Standard deviation of the Gaussian that smooths the spectrum, in pixels.
    y0 : float
        Row of the strongest line at ``x = 0``, in the same pixels as the photons.
    fwhm : float
        Full width at half maximum of the strongest line, in pixels; the smoothing is subtracted in
        quadrature.
    n_photons : float
        Number of photons that were used; a double hit counts as two.
    n_outside : float
        Photons left out because they are in corrected rows that not all columns of the frame see.
    n_not_finite : float
        Photons left out because they have no position.
    covariance : numpy.ndarray, shape (degree, degree)
        Covariance of the coefficients.
    """

    coefficients: tuple[float, ...]
    errors: tuple[float, ...]
    sharpness: float
    significance: float
    smoothing: float
    y0: float
    fwhm: float
    n_photons: float
    n_outside: float
    n_not_finite: float
    covariance: _Floats = field(repr=False, compare=False)

    @property
    def degree(self) -> int:
        """Degree of the polynomial."""
        return len(self.coefficients)

    @property
    def curvature(self) -> Curvature:
        """The curve with its errors, for all functions that take a curve."""
        covariance = tuple(map(tuple, self.covariance.tolist()))
        return Curvature(self.coefficients, 0.0, covariance)

    @property
    def curve_a(self) -> float:
        """Coefficient of ``x``: with a degree up to 2, the setting `CURVE_A`."""
        return self.coefficients[0]

    @property
    def curve_b(self) -> float:
        """Coefficient of ``x**2``: with a degree up to 2, the setting `CURVE_B`."""
        return self.coefficients[1] if self.degree > 1 else 0.0

    @property
    def curve_a_err(self) -> float:
        """Standard deviation of `curve_a`."""
        return self.errors[0]

    @property
    def curve_b_err(self) -> float:
        """Standard deviation of `curve_b`."""
        return self.errors[1] if self.degree > 1 else 0.0

    def curve(self, x: _Floats) -> _Floats:
        """Shift of a line at `x` relative to ``x = 0``, in pixels."""
        return np.asarray(Polynomial([0.0, *self.coefficients])(np.asarray(x, dtype=np.float64)))

    def curve_error(self, x: _Floats) -> _Floats:
        """Standard deviation of the curve at `x` without its mean over all `x`, in pixels."""
        powers = np.asarray(x, dtype=np.float64) ** np.arange(1.0, self.degree + 1)[:, None]
        powers -= powers.mean(axis=1, keepdims=True)
        variance = np.einsum("kn,kl,ln->n", powers, self.covariance, powers)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def centre(self, x: _Floats) -> _Floats:
        """Row of the strongest line at `x`, in pixels."""
        return self.y0 + self.curve(x)


def fit_curvature(
    photons: xr.Dataset,
    *,
    degree: int = 2,
    start: CurveLike | None = None,
    weights: ArrayLike | None = None,
    shape: tuple[int, int] | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> PhotonCurvatureFit:
    """Fit the curvature by making the spectrum of photons as sharp as possible.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table from `find_photons`: ``x``, ``y`` in pixels and ``double``. Its attribute
        ``first_pixel`` is the first pixel of the frames on the full chip.
    degree : int
        Degree of the polynomial in x, 1 to 4; 2 is the usual parabola.
    start : Curvature or sequence of float, optional
        Curve near which to search, or its coefficients ``(CURVE_A, CURVE_B)``. Default: tilts up to
        100 rows and bends up to 8 rows over the width are searched.
    weights : array_like, shape (photon,), optional
        Number of photons of each row of the table. Default: 2 for a double hit, otherwise 1. Use
        ``photons.charge`` if photons overlap. Rows are assumed to be independent: for pixels that
        share photons the stated errors are too small.
    shape : (int, int), optional
        Size (x, y) of the frames or their crop, in pixels. Default: the extent of the photons,
        which is right if they are all over the frame.
    n_bootstrap : int
        Number of samples of the bootstrap for the uncertainties.
    seed : int
        Seed of the bootstrap: the same seed gives the same uncertainties.

    Returns
    -------
    PhotonCurvatureFit
        Coefficients with uncertainties, about column 0 of the positions (column 0 of the full chip
        if positions are counted on it).

    Raises
    ------
    NoLineError
        If there are too few photons, or the best curve may be there by chance.
    TypeError, ValueError
        If `photons` is not a photon table, or an argument is invalid.

    Warns
    -----
    HrixsWarning
        For photons without a position, which are left out; for a line that leaves the frame.

    Notes
    -----
    ``docs/algorithms.md`` describes the steps.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import fit_curvature
    >>> rng = np.random.default_rng(1)
    >>> x = rng.uniform(0, 2000, 3000)
    >>> y = 300 + 0.02 * x + 5e-6 * x**2 + rng.normal(0, 1.3, 3000)
    >>> table = {"x": x, "y": y, "double": np.zeros(3000, bool)}
    >>> fit = fit_curvature(xr.Dataset({k: ("photon", v) for k, v in table.items()}))
    >>> round(fit.curve_a, 3), round(fit.curve_b, 6)
    (0.02, 5e-06)
    """
    degree = whole_number("degree", degree)
    if degree > _LARGEST_DEGREE:
        raise ValueError(f"degree = {degree}, expected 1 to {_LARGEST_DEGREE}.")
    n_bootstrap = whole_number("n_bootstrap", n_bootstrap)
    if n_bootstrap < 2:
        raise ValueError(f"n_bootstrap = {n_bootstrap}, expected 2 or more.")
    x, y, weight, n_not_finite = _columns(photons, weights)
    if len(x) < _FEWEST_PHOTONS:
        raise NoLineError(no_line_text(f"{len(x)} photons are given, at least {_FEWEST_PHOTONS}"))
    begin = first_pixel_of(photons.attrs) or (0, 0)
    if begin != (0, 0):  # about the crop's first column numbers are small
        x, y = x - begin[0], y - begin[1]
    if start is not None:
        start = _coefficients(start, begin[0])
    extent = _extent(x, y, shape)
    coarse, significance = search_curve(x, y, weight, extent, start, degree)
    if not significance > _LEAST_SIGNIFICANCE:
        raise NoLineError(
            no_line_text(
                f"the best candidate is {significance:.1f} standard deviations above chance, "
                f"expected at least {_LEAST_SIGNIFICANCE:g}"
            )
        )
    curve = SharpestCurve(x, y, weight, extent, degree)
    curve = curve.within_line(coarse)
    best, factors = curve.sharpest(curve.factors_of(coarse))
    moves = best.bootstrap(n_bootstrap, np.random.default_rng(seed))
    n_outside = float(weight.sum() - best.weight.sum())
    fit = _as_fit(curve, best, factors, moves, significance, n_outside, n_not_finite)
    return fit if begin == (0, 0) else _on_chip(fit, *begin)


def _coefficients(start: CurveLike, first_column: int) -> tuple[float, ...]:
    """Start values of the coefficients, about the first column of the frames."""
    try:
        curve = start if isinstance(start, Curvature) else Curvature(tuple(start))
        return curve.about(first_column).coefficients
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"start = {start!r}, expected finite numbers: coefficients of x, x**2..."
        ) from error


def _on_chip(fit: PhotonCurvatureFit, x0: int, y0: int) -> PhotonCurvatureFit:
    """Convert `fit` of frames that begin at column `x0`, row `y0` to column 0 of the chip."""
    of_frames = replace(fit.curvature, reference=float(x0))
    curve = of_frames.about(0.0)
    return replace(
        fit,
        coefficients=curve.coefficients,
        errors=curve.errors or (),
        covariance=np.array(curve.covariance),
        y0=y0 + fit.y0 + of_frames(0.0),
    )


def _columns(
    photons: xr.Dataset, weights: ArrayLike | None
) -> tuple[_Floats, _Floats, _Floats, float]:
    require_photon_table(photons, "x", "y", "double")
    x, y = (photons[name].values.astype(np.float64) for name in ("x", "y"))
    weight = np.where(photons["double"].values, 2.0, 1.0)
    if weights is not None:
        weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != x.shape or not (np.isfinite(weight) & (weight > 0)).all():
        raise ValueError(
            f"weights have shape {weight.shape} and a minimum of {weight.min(initial=np.inf)}, "
            f"expected a positive number for each of {len(x)} photons."
        )
    finite = np.isfinite(x) & np.isfinite(y)
    n_not_finite = float(weight[~finite].sum())
    if n_not_finite:
        warn(f"{n_not_finite:.0f} of {weight.sum():.0f} photons have no position and are left out.")
    return x[finite], y[finite], weight[finite], n_not_finite


def _extent(x: _Floats, y: _Floats, shape: tuple[int, int] | None) -> Extent:
    if shape is None:
        # Photons in few rows are those of one line; its rows are not those of the frame.
        room = _LITTLE_ROOM if np.ptp(y) > ROWS_OF_A_LINE else ROWS_OF_A_LINE
        ends = [(float(x.min()), float(x.max())), (float(y.min()) - room, float(y.max()) + room)]
    else:
        # No photons are found in the two outermost pixels.
        ends = [(1.5, whole_number("shape", size) - 2.5) for size in shape]
    if len(ends) != 2 or any(high - low < 8 for low, high in ends):
        raise ValueError(
            f"the photons lie within {ends} pixels, expected at least 8 along x and y. Check the "
            "columns x and y, and shape."
        )
    return ends[0], ends[1]


def _as_fit(
    curve: SharpestCurve,
    best: StraightPhotons,
    factors: _Floats,
    moves: _Floats,
    significance: float,
    n_outside: float,
    n_not_finite: float,
) -> PhotonCurvatureFit:
    to_powers = curve.to_powers
    covariance = to_powers[:, 1:].T @ np.atleast_2d(np.cov(moves.T)) @ to_powers[:, 1:]
    peak, fwhm = best.strongest_line(curve.rows_seen(factors))
    fit = PhotonCurvatureFit(
        coefficients=tuple(map(float, factors @ to_powers[:, 1:])),
        errors=tuple(map(float, np.sqrt(np.diag(covariance)))),
        sharpness=best.sharpness(),
        significance=significance,
        smoothing=best.smoothing,
        y0=peak + float(factors @ curve.functions(np.zeros(1))[:, 0]),
        fwhm=fwhm,
        n_photons=float(best.weight.sum()),
        n_outside=n_outside,
        n_not_finite=n_not_finite,
        covariance=covariance,
    )
    worst = float(fit.curve_error(np.linspace(*curve.extent[0], 64)).max())
    if not worst < _LARGEST_ERROR:
        raise NoLineError(
            no_line_text(
                f"the best curve is uncertain by {worst:.1f} pixels, expected below "
                f"{_LARGEST_ERROR:g}"
            )
        )
    return fit
