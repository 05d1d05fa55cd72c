"""The curve that the spectral lines follow on the detector, from the positions of photons.

On the right curve the spectrum of corrected positions is sharpest. All lines take part, not only
the strongest one, and no shape of a line is assumed.
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

#: Samples of the bootstrap: they give a standard deviation to 7 %.
N_BOOTSTRAP = 100
# Noise has its best candidate among all tilts and bends at 2 to 6.
_LEAST_SIGNIFICANCE = 8.0
_FEWEST_PHOTONS = 100
# Rows by which a frame may reach beyond its photons.
_LITTLE_ROOM = 2.0
_LARGEST_DEGREE = 4
# A curve known no better than that is none, in pixels.
_LARGEST_ERROR = 2.0


@dataclass(frozen=True)
class PhotonCurvatureFit:
    """A polynomial that the spectral lines follow, with its uncertainties.

    Attributes
    ----------
    coefficients : tuple of float
        Of ``x``, ``x**2`` and so on: a line that begins at row ``y0`` lies at
        ``y0 + coefficients[0] * x + coefficients[1] * x**2 + ...``, in pixels, counted as those of
        the photons.
    errors : tuple of float
        One standard deviation of each, from the bootstrap. They depend on each other: the
        uncertainty of the curve itself is `curve_error`.
    sharpness : float
        Sum of the squared spectrum, smoothed by `smoothing`, less each photon's pair with itself,
        in photons squared a pixel.
    significance : float
        Pairs of photons on lines in standard deviations of what chance would give.
    smoothing : float
        Standard deviation of the Gaussian that smooths the spectrum, in pixels.
    y0 : float
        Row at ``x = 0`` of the strongest line, in pixels, counted as those of the photons.
    fwhm : float
        Full width at half maximum of the strongest line, in pixels, of which the smoothing is
        subtracted in squares.
    n_photons : float
        Photons that took part, a double hit as two.
    n_outside : float
        Photons left out, as they lie in rows that not all of the frame's columns see.
    n_not_finite : float
        Photons left out, as they have no position.
    covariance : numpy.ndarray, shape (degree, degree)
        Of the coefficients.
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
        """The curve, with what is known of its errors, for all functions that take one."""
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
        """How far a line has moved at `x` since ``x = 0``, in pixels."""
        return np.asarray(Polynomial([0.0, *self.coefficients])(np.asarray(x, dtype=np.float64)))

    def curve_error(self, x: _Floats) -> _Floats:
        """Standard deviation of the curve at `x`, less its mean over all `x` given, in pixels."""
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
    """Fit the curvature by making the spectrum of photons as sharp as it gets.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table, as from `find_photons`: ``x``, ``y`` in pixels and ``double``. Its attribute
        ``first_pixel`` says where on the full chip the frames begin.
    degree : int
        Of the polynomial in x, 1 to 4; 2 is the parabola that the other functions take.
    start : Curvature or sequence of float, optional
        Curve near which to search, or its coefficients, as ``(CURVE_A, CURVE_B)``. By default
        tilts up to 100 rows and bends up to 8 rows over the width are tried.
    weights : array_like, shape (photon,), optional
        How many photons each row of the table stands for. By default a double hit counts as two
        and all others as one; ``photons.charge`` serves where photons lie on each other. Rows are
        taken for independent: of pixels that share photons the stated errors are too small.
    shape : (int, int), optional
        Pixels (x, y) of the frames, or of their crop. By default the extent of the photons, which
        serves where they lie all over the frame.
    n_bootstrap : int
        Samples of the bootstrap that gives the uncertainties.
    seed : int
        Of the bootstrap: the same seed gives the same uncertainties.

    Returns
    -------
    PhotonCurvatureFit
        Coefficients with uncertainties, about column 0 of the positions: of the full chip, where
        that is what these are counted on.

    Raises
    ------
    NoLineError
        If there are too few photons, or the best curve is none that chance would not give.
    TypeError, ValueError
        If `photons` is no photon table, or a setting is wrong.

    Warns
    -----
    HrixsWarning
        For photons without a position, which are left out; for a line that leaves the frame.

    Notes
    -----
    ``docs/algorithms.md`` has the steps.

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
        raise ValueError(f"n_bootstrap = {n_bootstrap}, expected 2 or more: they have a scatter.")
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
                f"the best candidate stands {significance:.1f} standard deviations above chance, "
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
    """Coefficients to start from, about the first column of the frames."""
    try:
        curve = start if isinstance(start, Curvature) else Curvature(tuple(start))
        return curve.about(first_column).coefficients
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"start = {start!r}, expected finite numbers: coefficients of x, x**2..."
        ) from error


def _on_chip(fit: PhotonCurvatureFit, x0: int, y0: int) -> PhotonCurvatureFit:
    """`fit`, of frames that begin at column `x0` and row `y0`, about column 0 of the chip."""
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
            f"weights of shape {weight.shape} from {weight.min(initial=np.inf)} on, expected a "
            f"positive number for each of {len(x)} photons."
        )
    finite = np.isfinite(x) & np.isfinite(y)
    n_not_finite = float(weight[~finite].sum())
    if n_not_finite:
        warn(f"{n_not_finite:.0f} of {weight.sum():.0f} photons have no position and are left out.")
    return x[finite], y[finite], weight[finite], n_not_finite


def _extent(x: _Floats, y: _Floats, shape: tuple[int, int] | None) -> Extent:
    if shape is None:
        # Photons in so few rows are those of a line alone, whose rows are not the frame's.
        room = _LITTLE_ROOM if np.ptp(y) > ROWS_OF_A_LINE else ROWS_OF_A_LINE
        ends = [(float(x.min()), float(x.max())), (float(y.min()) - room, float(y.max()) + room)]
    else:
        # No photon is found in the outermost two pixels.
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
