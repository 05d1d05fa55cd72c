"""Plain reference of photons placed by a maximum-likelihood fit, and the limit of any such place.

The model of a pixel is ``background + charge * gx * gy``, where ``gx`` is the part of a Gaussian
cloud of known width that falls between the pixel's edges. A fit solves
``sum((pixel - model) / variance * d(model)) = 0`` over the pixels in use; with electrons counted,
the variance is that of the model itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares, root
from scipy.special import ndtr

FloatArray = NDArray[np.float64]

#: Pixels from the brightest one to the edge of its window of 5x5.
HALF_WINDOW = 2


class Fit(NamedTuple):
    """One photon: what was fitted, its standard deviations, and how well it fits.

    `sigma_x` and `sigma_y` are those of the inverse of the full Fisher matrix; `chi2` is per
    degree of freedom.
    """

    x: float
    y: float
    charge: float
    background: float
    sigma_x: float
    sigma_y: float
    chi2: float


class Photon(NamedTuple):
    """A cloud: place in pixels (an integer is the centre of one), and charge in ADU."""

    x: float
    y: float
    charge: float


def shares(pixels: ArrayLike, centre: float, cloud_sigma: float) -> tuple[FloatArray, FloatArray]:
    """Return the part of a cloud in each of `pixels` along one axis, and its slope in `centre`."""
    lower = (np.asarray(pixels) - 0.5 - centre) / cloud_sigma
    upper = lower + 1 / cloud_sigma
    density = np.sqrt(2 * np.pi) * cloud_sigma
    slope = (np.exp(-(lower**2) / 2) - np.exp(-(upper**2) / 2)) / density
    return ndtr(upper) - ndtr(lower), slope


def cloud(columns: ArrayLike, rows: ArrayLike, photon: Photon, cloud_sigma: float) -> FloatArray:
    """Return the charge of `photon` in the pixels (columns, rows), shape (columns, rows)."""
    along_x, _ = shares(columns, photon.x, cloud_sigma)
    along_y, _ = shares(rows, photon.y, cloud_sigma)
    return photon.charge * np.outer(along_x, along_y)


def slopes(
    columns: ArrayLike, rows: ArrayLike, photon: Photon, cloud_sigma: float
) -> list[FloatArray]:
    """Return the derivatives of `cloud` in x, y and charge, each of shape (columns, rows)."""
    along_x, slope_x = shares(columns, photon.x, cloud_sigma)
    along_y, slope_y = shares(rows, photon.y, cloud_sigma)
    return [
        photon.charge * np.outer(slope_x, along_y),
        photon.charge * np.outer(along_x, slope_y),
        np.outer(along_x, along_y),
    ]


def variances(
    signal: FloatArray, read_noise: ArrayLike, electrons_per_adu: float | None
) -> FloatArray:
    """Return the variance of each pixel, in ADU^2; None leaves out the electron statistics."""
    noise = np.broadcast_to(np.square(np.asarray(read_noise, dtype=np.float64)), signal.shape)
    if electrons_per_adu is None:
        return noise
    return noise + np.maximum(signal, 0.0) / electrons_per_adu


def brightest(frame: ArrayLike, corner: tuple[int, int], size: int = 2) -> tuple[int, int]:
    """Return the brightest pixel of a square, the first of equal ones; NaN is never it."""
    square = np.asarray(frame, dtype=np.float64)[tuple(slice(c, c + size) for c in corner)]
    return tuple(
        int(c + i)
        for c, i in zip(corner, np.unravel_index(np.nanargmax(square), square.shape), strict=True)
    )


def gaussian_fits(
    frame: ArrayLike,
    pixels: Sequence[tuple[int, int]],
    *,
    cloud_sigma: float,
    read_noise: ArrayLike,
    background: float = 0.0,
    electrons_per_adu: float | None = None,
    local_background: bool = False,
) -> list[Fit]:
    """Fit one photon around each of `pixels`, all at once, to the union of their windows.

    Parameters
    ----------
    frame
        In ADU, shape (x, y); NaN marks a pixel that takes no part.
    pixels
        The brightest pixel of each photon, the centre of its 5x5 window.
    cloud_sigma
        Standard deviation of the cloud, in pixels.
    read_noise
        In ADU: one number, or one for each pixel of the frame.
    background
        Level below the photons, in ADU; with `local_background` the one to start from.
    electrons_per_adu
        Gain, for the statistics of electrons; None leaves them out.
    local_background
        Whether a level that all photons share is fitted too.
    """
    frame = np.asarray(frame, dtype=np.float64)
    columns, rows = (
        np.arange(
            max(min(pixel[axis] for pixel in pixels) - HALF_WINDOW, 0),
            min(max(pixel[axis] for pixel in pixels) + HALF_WINDOW + 1, frame.shape[axis]),
        )
        for axis in (0, 1)
    )
    used = np.zeros((len(columns), len(rows)), dtype=bool)
    for i, j in pixels:
        used |= np.outer(abs(columns - i) <= HALF_WINDOW, abs(rows - j) <= HALF_WINDOW)
    block = np.ix_(columns, rows)
    used &= np.isfinite(frame[block])
    values = frame[block][used]
    noise = np.broadcast_to(np.asarray(read_noise, dtype=np.float64), frame.shape)[block][used]

    total = max(np.sum(values - background) / len(pixels), 1.0)
    start = [[i, j, total] for i, j in pixels]
    # Charges are hundreds where places are tenths: in units of the first guess both are alike.
    units = np.array([one for photon in start for one in (1.0, 1.0, photon[2])])
    first = np.ravel(start)
    if local_background:
        units, first = np.append(units, np.mean(noise)), np.append(first, background)

    def model(scaled: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        parameters = scaled * units
        photons = [Photon(*one) for one in parameters[: 3 * len(pixels)].reshape(-1, 3)]
        signal = sum(cloud(columns, rows, photon, cloud_sigma)[used] for photon in photons)
        rates = [s[used] for p in photons for s in slopes(columns, rows, p, cloud_sigma)]
        if local_background:
            rates.append(np.ones_like(signal))
        level = parameters[-1] if local_background else background
        return (
            level + signal,
            np.array(rates) * units[:, np.newaxis],
            variances(signal, noise, electrons_per_adu),
        )

    def score(scaled: FloatArray) -> FloatArray:
        expected, rates, variance = model(scaled)
        return rates @ ((values - expected) / variance)

    # Without electron statistics this is the solution, else it is near it.
    scaled = least_squares(
        lambda scaled: (values - model(scaled)[0]) / noise,
        first / units,
        jac=lambda scaled: -(model(scaled)[1] / noise).T,
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
    ).x
    if electrons_per_adu is not None:
        scaled = root(score, scaled, method="hybr", options={"xtol": 1e-12}).x
    expected, rates, variance = model(scaled)
    if np.abs(score(scaled)).max() > 1e-6 * np.abs(rates @ (expected / variance)).max():
        raise ArithmeticError(f"no solution near {scaled * units}")

    stds = np.sqrt(np.diag(np.linalg.inv((rates / variance) @ rates.T))) * units
    degrees = len(values) - len(units)
    chi2 = float(np.sum((values - expected) ** 2 / variance) / degrees) if degrees else np.nan
    parameters = scaled * units
    level = float(parameters[-1]) if local_background else background
    return [
        Fit(*parameters[n : n + 3].tolist(), level, *stds[n : n + 2].tolist(), chi2)
        for n in range(0, 3 * len(pixels), 3)
    ]


def gaussian_fit(frame: ArrayLike, pixel: tuple[int, int], **options: object) -> Fit:
    """Fit one photon around its brightest pixel; `options` are those of `gaussian_fits`."""
    (fit,) = gaussian_fits(frame, [pixel], **options)
    return fit


def cramer_rao(
    photon: Photon,
    *,
    cloud_sigma: float,
    read_noise: float,
    electrons_per_adu: float | None = None,
    size: int = 11,
    local_background: bool = False,
) -> tuple[float, float]:
    """Return the least standard deviations of x and y that a fit without bias can have.

    The window of `size` x `size` pixels is centred on pixel (0, 0). The Fisher information is
    ``sum(d(model)^2 / variance)``; place, charge and, with `local_background`, the level are free.
    """
    pixels = np.arange(size) - size // 2
    rates = slopes(pixels, pixels, photon, cloud_sigma)
    if local_background:
        rates.append(np.ones((size, size)))
    signal = cloud(pixels, pixels, photon, cloud_sigma)
    variance = variances(signal, read_noise, electrons_per_adu).ravel()
    rates = np.array(rates).reshape(len(rates), -1)
    covariance = np.linalg.inv((rates / variance) @ rates.T)
    return float(np.sqrt(covariance[0, 0])), float(np.sqrt(covariance[1, 1]))


def mean_bound(charge: float, *, n_phases: int = 10, **options: object) -> float:
    """Return the rms of `cramer_rao` over photons spread evenly over a pixel, along one axis."""
    phases = (np.arange(n_phases) + 0.5) / n_phases - 0.5
    bounds = [cramer_rao(Photon(x, y, charge), **options) for x in phases for y in phases]
    return float(np.sqrt(np.mean(np.square(bounds))))
