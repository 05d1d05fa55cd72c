"""Fit the parabola of the spectral lines to an image.

The model is a Gaussian line on a constant, fitted by least squares to the pixels near the line.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.camera.frames import along_x_y, first_pixel
from hrixs.camera.possible_pixels import refuse_impossible
from hrixs.curvature.image_search import search_curvature, strip_profiles
from hrixs.curvature.line_model import line_jacobian, line_model
from hrixs.utils.errors import NoLineError
from hrixs.utils.statistics import FWHM, median_of

FloatImage = NDArray[np.float64]

# Number of blocks of columns for the errors, and columns of a block: so wide that few photons are
# in two blocks, unless the image is too narrow.
_N_BLOCKS, _LEAST_BLOCK, _FEWEST_BLOCKS = 64, 16, 16
# Step for second derivatives, in standard deviations of a parameter.
_STEP = 0.05
# Smallest amplitude / uncertainty of a line: well above the largest that noise gives in a search
# over all tilts, bends and rows.
_LEAST_SIGNIFICANCE = 8.0
# The fits that place the window end when their steps are small compared with it.
_ROUGHLY = {"ftol": 1e-3, "xtol": 1e-3}
# Number of columns for a first level.
_SAMPLE = 256


@dataclass(frozen=True, repr=False)
class CurvatureFit:
    """A fitted Gaussian line along a parabola; errors are one standard deviation.

    Attributes
    ----------
    curve_a, curve_b : float
        Coefficients: the centre of the line is ``y0 + (curve_b * x + curve_a) * x``, in pixels of
        the full chip if coordinates of the image give its position, otherwise of the image.
    y0 : float
        Row of the line at ``x = 0``.
    sigma : float
        Width of the line as a standard deviation, in pixels.
    amplitude, background : float
        Height above the background, and background, in the unit of the image.
    curve_a_err, curve_b_err, y0_err, sigma_err, amplitude_err, background_err : float
        Standard deviations, from the scatter of residuals in blocks of columns. That of `y0` is
        large if column 0 is far from the image.
    covariance : numpy.ndarray, shape (3, 3), or None
        Covariance of `y0`, `curve_a` and `curve_b`.
    """

    curve_a: float
    curve_b: float
    y0: float
    sigma: float
    amplitude: float
    background: float
    curve_a_err: float
    curve_b_err: float
    y0_err: float
    sigma_err: float
    amplitude_err: float
    background_err: float
    covariance: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)

    @property
    def curvature(self) -> Curvature:
        """The curve with its errors, for all functions that take a curve."""
        pair = self.curve_a, self.curve_b
        if self.covariance is None:
            return Curvature(pair)
        return Curvature(pair, 0.0, tuple(map(tuple, self.covariance[1:, 1:].tolist())))

    @property
    def fwhm(self) -> float:
        """Full width at half maximum of the line, in pixels."""
        return float(FWHM * self.sigma)

    def curve_error(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard deviation of the curve at `x` without its mean over all `x`, in pixels."""
        if self.covariance is None:
            return np.full(np.shape(x), np.nan)
        powers = np.stack([x, np.square(x)]).astype(np.float64)
        powers -= powers.mean(axis=1, keepdims=True)
        variance = np.einsum("kn,kl,ln->n", powers, self.covariance[1:, 1:], powers)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def centre(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Row of the centre of the line at `x`, in pixels."""
        return self.y0 + self.curvature(x)

    def __repr__(self) -> str:
        return (
            f"<CurvatureFit: A {self.curve_a:.5g} ± {self.curve_a_err:.1g}, "
            f"B {self.curve_b:.4g} ± {self.curve_b_err:.1g} /px, row {self.y0:.2f} ± "
            f"{self.y0_err:.2f} px at x = 0, FWHM {self.fwhm:.2f} ± {FWHM * self.sigma_err:.2f} px>"
        )


def fit_curvature_image(
    image: xr.DataArray | ArrayLike,
    *,
    start: CurveLike | None = None,
    **options: Any,
) -> CurvatureFit:
    """Fit the strongest line of an image with a Gaussian along a parabola.

    Parameters
    ----------
    image : array_like, shape (x, y)
        Usually the sum of the frames of a run, dark subtracted. NaN pixels are left out. If
        coordinates ``x`` and ``y`` are consecutive whole numbers, they give its place on the chip.
    start : Curvature or (float, float), optional
        Start values: a curve, or ``(curve_a, curve_b)``. Default: they are searched.
    **options
        Passed to `scipy.optimize.least_squares`.

    Returns
    -------
    CurvatureFit
        The fit about column 0 of the full chip, or of the image if it has no coordinates.

    Raises
    ------
    NoLineError
        If no line is above the noise.
    ValueError
        If the image is not two-dimensional, or too small; for pixels beyond 1e100.

    Examples
    --------
    >>> import numpy as np
    >>> from hrixs.curvature import fit_curvature_image
    >>> x, y = np.mgrid[:200, :100]
    >>> line = 100 * np.exp(-0.5 * ((y - 40 - 0.05 * x) / 1.5) ** 2)
    >>> line += np.random.default_rng(1).normal(size=line.shape)
    >>> fit = fit_curvature_image(line)
    >>> round(fit.curve_a, 2), round(fit.y0, 1), round(fit.sigma, 1)
    (0.05, 40.0, 1.5)
    """
    x0, y0 = first_pixel(image) or (0, 0)
    pixels = _pixels(image)
    if pixels.ndim != 2 or min(pixels.shape) < 16:
        raise ValueError(
            f"the image has shape {pixels.shape}, expected (x, y) with at least 16 x 16 pixels."
        )
    finite = np.isfinite(pixels)
    if not finite.any():
        raise NoLineError("the image has no finite pixel; expected an image with a line.")
    refuse_impossible(pixels)
    begin = search_curvature(pixels) if start is None else _start(start, x0)
    fit = _fit(pixels, _guess_line(pixels, *begin), options)
    return _on_chip(fit, x0, y0) if x0 or y0 else fit


def rough_line(image: FloatImage) -> tuple[Curvature, float]:
    """Start values of the fit: curve and row, relative to the corner of the image.

    They are found also if only a few columns have light, too few for a fit.
    """
    curve_a, curve_b = search_curvature(image)
    return Curvature((curve_a, curve_b)), float(_guess_line(image, curve_a, curve_b)[1])


def _pixels(image: xr.DataArray | ArrayLike) -> FloatImage:
    image = along_x_y(image)
    return np.asarray(image, dtype=np.float64)


def _start(start: CurveLike, first_column: int) -> tuple[float, float]:
    """Start values of the coefficients, about the first column of the image."""
    expected = f"args = {start!r}, expected a pair of finite numbers (A, B), or a parabola."
    try:
        curve = Curvature.of(start)
    except ValueError as error:
        raise ValueError(expected) from error
    if curve.degree > 2:
        raise ValueError(expected)
    a, b = (*curve.about(first_column).coefficients, 0.0)[:2]
    return a, b


def _on_chip(fit: CurvatureFit, x0: int, y0: int) -> CurvatureFit:
    """Convert `fit` of an image that begins at column `x0`, row `y0` to column 0 of the chip."""
    # Convert y0, a and b from the corner of the image to that of the chip.
    to_chip = np.array([[1.0, -x0, x0**2], [0.0, 1.0, -2.0 * x0], [0.0, 0.0, 1.0]])
    row, a, b = to_chip @ [fit.y0, fit.curve_a, fit.curve_b]
    assert fit.covariance is not None
    covariance = to_chip @ fit.covariance @ to_chip.T
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return replace(
        fit, y0=y0 + float(row), curve_a=float(a), curve_b=float(b), covariance=covariance,
        y0_err=float(errors[0]), curve_a_err=float(errors[1]), curve_b_err=float(errors[2]),
    )  # fmt: skip


def line_positions(
    image: xr.DataArray | ArrayLike, fit: CurvatureFit, n_strips: int = 16
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre of the line in strips of an image, measured independently of the parabola.

    For checking a fit: the residuals of the strips should be a fraction of a pixel.

    Parameters
    ----------
    image : array_like, shape (x, y)
        The image that was fitted.
    fit : CurvatureFit
        Only used to find the line: within four of its widths.
    n_strips : int
        Number of strips along x.

    Returns
    -------
    x, y : numpy.ndarray, shape (n_strips,)
        Middle of each strip, and centre of mass of the line in it, in the pixels of the fit.
    """
    x0, y0 = first_pixel(image) or (0, 0)
    pixels = _pixels(image)
    edges = np.linspace(0, len(pixels), n_strips + 1).astype(int)
    rows = y0 + np.arange(pixels.shape[1], dtype=np.float64)
    middle = np.empty(n_strips)
    centre = np.empty(n_strips)
    for k, (begin, end) in enumerate(itertools.pairwise(edges)):
        x = x0 + np.arange(begin, end, dtype=np.float64)
        middle[k] = x.mean()
        at = fit.centre(x)[:, None]
        offset = 0.0
        for _ in range(3):  # the window follows the line, which is where the fit may be wrong
            distance = rows - at - offset
            near = np.abs(distance) < max(4 * fit.sigma, 3)
            weight = np.where(near, pixels[begin:end] - fit.background, 0.0)
            offset += float(np.nansum(weight * distance) / np.nansum(weight))
        centre[k] = float(at.mean()) + offset
    return middle, centre


def _guess_line(image: FloatImage, curve_a: float, curve_b: float) -> NDArray[np.float64]:
    """Start values of the fit: amplitude, y0, sigma, curve_a, curve_b, background."""
    from scipy.ndimage import gaussian_filter1d

    nx, ny = image.shape
    bend = Curvature((curve_a, curve_b))
    x, strips = strip_profiles(image, min(256, nx))
    own = np.arange(ny, dtype=np.float64)
    # The line may cross column 0 outside the rows of the image.
    low, high = min(0.0, -float(bend(x).max())), max(0.0, -float(bend(x).min()))
    rows = np.arange(np.floor(low), ny + np.ceil(high))
    moved = np.array(
        [
            np.interp(rows + bend(float(xs)), own, strip, np.nan, np.nan)
            for xs, strip in zip(x, strips, strict=True)
        ]
    )
    reached = np.isfinite(moved)
    profile = np.where(reached, moved, 0).sum(axis=0) / np.maximum(reached.sum(axis=0), 1)
    profile[reached.sum(axis=0) < len(strips) / 2] = 0.0
    smooth = gaussian_filter1d(profile, 1.5)
    peak = int(np.argmax(smooth))
    background = float(np.median(profile[reached.sum(axis=0) >= len(strips) / 2]))
    height = smooth[peak] - background
    above = smooth > background + height / 2
    begin = peak - int(np.argmin(above[peak::-1])) if not above[: peak + 1].all() else 0
    end = peak + int(np.argmin(above[peak:])) if not above[peak:].all() else len(rows)
    sigma = max((end - begin - 1) / FWHM, 0.7)
    offset = median_of(image[:: max(1, nx // _SAMPLE)])
    return np.array([height, float(rows[peak]), sigma, curve_a, curve_b, offset + background])


def _fit(image: FloatImage, guess: NDArray[np.float64], options: dict[str, Any]) -> CurvatureFit:
    from scipy.optimize import least_squares

    nx, ny = image.shape
    if not guess[0] > 0:
        raise NoLineError(_no_line_text("no row is brighter than the others"))
    scale = np.array([1.0, 1.0, 1.0, 1.0 / nx, 1.0 / nx**2, 1.0])
    scale[[0, 5]] = guess[0]
    parameters = guess
    for last in (False, False, True):  # the window follows the line
        x, y, values = _near_line(image, parameters)
        if len(values) < 64:
            raise NoLineError(_no_line_text("the line leaves the image"))
        result = least_squares(
            lambda p, x=x, y=y, v=values: line_model(p * scale, x, y) - v,
            parameters / scale,
            jac=lambda p, x=x, y=y: line_jacobian(p * scale, x, y) * scale,
            **{"method": "lm", "max_nfev": 100, **({} if last else _ROUGHLY), **options},
        )
        parameters = result.x * scale
        parameters[2] = abs(parameters[2])
        if not np.isfinite(parameters).all() or not 0.2 < parameters[2] < ny / 4:
            raise NoLineError(
                _no_line_text(
                    f"the fitted width is {parameters[2]:.3g} pixels, too much for a line; "
                    "perhaps the lines lie along the other axis"
                )
            )
    errors, covariance = _errors(parameters, scale, x, y, values, nx)
    amplitude, y0, sigma, curve_a, curve_b, background = (float(p) for p in parameters)
    if not amplitude > _LEAST_SIGNIFICANCE * errors[0]:
        raise NoLineError(
            _no_line_text(
                f"the best candidate is {amplitude / errors[0]:.1f} standard deviations high, "
                f"expected at least {_LEAST_SIGNIFICANCE:g}"
            )
        )
    middle = y0 + Curvature((curve_a, curve_b))(nx / 2)
    if not 0 <= middle < ny:
        raise NoLineError(_no_line_text(f"it would lie at row {middle:.0f} of {ny}"))
    amplitude_err, y0_err, sigma_err, a_err, b_err, background_err = map(float, errors)
    return CurvatureFit(
        curve_a, curve_b, y0, sigma, amplitude, background,
        a_err, b_err, y0_err, sigma_err, amplitude_err, background_err,
        covariance[np.ix_([1, 3, 4], [1, 3, 4])],
    )  # fmt: skip


def _no_line_text(why: str) -> str:
    return (
        f"no spectral line found: {why}. Expected an image with one dominant line along x. "
        "Check the run and the crop (Y_RANGE), load a dark, or give a start with "
        "args=(CURVE_A, CURVE_B)."
    )


def _near_line(
    image: FloatImage, parameters: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates and values of the finite pixels within a window along the line."""
    _, y0, sigma, curve_a, curve_b, _ = parameters
    half = int(np.ceil(max(5 * sigma, 6)))
    x = np.arange(len(image))
    centre = np.rint(y0 + Curvature((curve_a, curve_b))(x.astype(np.float64))).astype(np.int64)
    rows = centre[:, None] + np.arange(-half, half + 1)
    inside = (rows >= 0) & (rows < image.shape[1])
    columns = np.broadcast_to(x[:, None], rows.shape)[inside]
    rows = rows[inside]
    values = image[columns, rows]
    finite = np.isfinite(values)
    return columns[finite].astype(np.float64), rows[finite].astype(np.float64), values[finite]


def _errors(
    parameters: NDArray[np.float64],
    scale: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    values: NDArray[np.float64],
    nx: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviations and covariance, if neighbouring pixels share the charge of photons.

    A jackknife: the change of the fit without each block of columns, to first order.
    """
    n_blocks = min(_N_BLOCKS, max(nx // _LEAST_BLOCK, min(_FEWEST_BLOCKS, nx // 4)))
    block = (x * n_blocks // nx).astype(np.int64)

    def gradients(at: NDArray[np.float64]) -> FloatImage:
        residual = line_model(at, x, y) - values
        columns = (line_jacobian(at, x, y) * scale).T
        return np.stack([np.bincount(block, column * residual, n_blocks) for column in columns])

    jacobian = line_jacobian(parameters, x, y) * scale
    pulls = gradients(parameters)
    bread = np.linalg.pinv(jacobian.T @ jacobian)
    first = np.sqrt(np.diag(bread @ (pulls @ pulls.T) @ bread))
    if not (np.isfinite(first) & (first > 0)).all():
        return first * scale, np.diag(first**2) * np.outer(scale, scale)
    # Second derivatives of the squares of each block: blocks with few photons have other ones.
    bends = np.empty((n_blocks, len(scale), len(scale)))
    for k, step in enumerate(_STEP * first):
        moved = np.zeros(len(scale))
        moved[k] = step * scale[k]
        bends[:, :, k] = (gradients(parameters + moved) - pulls).T / step
    bends = (bends + bends.transpose(0, 2, 1)) / 2
    whole = bends.sum(axis=0)
    moves = np.stack(
        [np.linalg.pinv(whole - own) @ pull for own, pull in zip(bends, pulls.T, strict=True)],
        axis=1,
    )
    covariance = moves @ moves.T * (n_blocks - 1) / n_blocks
    return np.sqrt(np.diag(covariance)) * scale, covariance * np.outer(scale, scale)
