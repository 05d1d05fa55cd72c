"""Plain NumPy reference of the camera-frame algorithms, written from the specification alone.

A frame is ``image[x, y]`` and an integer coordinate is the centre of a pixel. It is the oracle
that the fast kernels are tested against, and the NumPy baseline that they are timed against.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NEIGHBOURS_BEFORE = ((-1, -1), (-1, 0), (-1, 1), (0, -1))
NEIGHBOURS_AFTER = ((0, 1), (1, -1), (1, 0), (1, 1))


class Photons(NamedTuple):
    """Hits of one frame, in row-major order of the hit; a double hit is one entry.

    Attributes
    ----------
    x, y
        Centre of mass of the spot as measured, without curvature correction.
    charge
        Sum of the spot above the mean of the frame, in ADU.
    double
        Whether the hit counts as two photons.
    n_dropped
        Number of hits that were found but whose spot sum is too small.
    threshold
        The threshold in use: on the 2x2 sum for `find_photons`, on the brightest pixel above
        the mean for `classify_photons`.
    """

    x: FloatArray
    y: FloatArray
    charge: FloatArray
    double: BoolArray
    n_dropped: int
    threshold: float


def corrected(
    image: ArrayLike, dark: ArrayLike | None = None, mask: ArrayLike | None = None
) -> FloatArray:
    """Return ``image - dark`` as float64, with NaN where `mask` is True (a bad pixel)."""
    frame = np.array(image, dtype=np.float64)
    if dark is not None:
        frame -= np.asarray(dark, dtype=np.float64)
    if mask is not None:
        frame[np.asarray(mask, dtype=bool)] = np.nan
    return frame


def squares(image: ArrayLike) -> FloatArray:
    """Return the sums of all 2x2 squares, indexed by their lower corner."""
    img = np.asarray(image, dtype=np.float64)
    # The order of additions is part of the specification: sums decide which pixel is a hit.
    return (img[:-1, :-1] + img[:-1, 1:]) + (img[1:, :-1] + img[1:, 1:])


def square_threshold(
    image: ArrayLike, threshold: float | None = None, std_threshold: float = 3.5
) -> float:
    """Return `threshold`, or if None, mean + `std_threshold` * std of the 2x2 sums of `image`."""
    if threshold is not None:
        return float(threshold)
    return _threshold_of_sums(squares(image), std_threshold)


def find_photons(
    image: ArrayLike,
    *,
    threshold: float | None = None,
    std_threshold: float = 3.5,
    dbl_threshold: float | None = None,
    dark: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Photons:
    """Find photons by their 2x2 sum, and measure them in the 4x4 square around it.

    Parameters
    ----------
    image
        The frame, in ADU.
    threshold
        A photon has a 2x2 sum above this; None takes it from the frame.
    std_threshold
        The threshold in standard deviations of the 2x2 sums, if `threshold` is None.
    dbl_threshold
        A spot with a sum above this is a double hit; None means there are no double hits.
    dark, mask
        Dark frame to subtract, and bad pixels to ignore.
    """
    frame = corrected(image, dark, mask)
    base = _mean_of_valid(frame)
    sums = squares(frame)
    if threshold is None:
        threshold = _threshold_of_sums(sums, std_threshold)

    x, y, charge, double = [], [], [], []
    n_dropped = 0
    # A square on the border competes, but is no hit: its spot does not fit into the image.
    for i, j in _local_maxima(sums, sums > threshold):
        spot = frame[i - 1 : i + 3, j - 1 : j + 3] - base
        spot_sum, dx, dy = _centre_of_mass(spot)
        if not spot_sum > 0:
            n_dropped += 1
            continue
        x.append(i - 1 + dx)
        y.append(j - 1 + dy)
        charge.append(spot_sum)
        double.append(dbl_threshold is not None and spot_sum > dbl_threshold)
    return _photons(x, y, charge, double, n_dropped, threshold)


def centroid_one(
    image: ArrayLike, *, curvature: tuple[float, float] = (0.0, 0.0), **options: Any
) -> list[tuple[float, float]]:
    """Return the (x, corrected y) of all photons; a double hit stands in the list twice.

    `curvature` is ``(CURVE_A, CURVE_B)``; `options` are those of `find_photons`.
    """
    photons = find_photons(image, **options)
    positions = []
    for x, y, double in zip(photons.x, photons.y, photons.double, strict=True):
        position = (float(x), float(y - parabola(x, curvature)))
        positions += [position, position] if double else [position]
    return positions


def classify_photons(
    image: ArrayLike,
    energy: float,
    *,
    ev_per_pair: float = 3.6,
    electrons_per_adu: float = 1.06,
    candidate_low: float = 0.2,
    candidate_high: float = 1.0,
    single_low: float = 0.2,
    double_low: float = 1.5,
    dark: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Photons:
    """Find single and double hits with thresholds given by the photon energy.

    Parameters
    ----------
    image
        The frame, in ADU.
    energy
        The photon energy, in eV.
    ev_per_pair, electrons_per_adu
        Energy to free one electron, and electrons per ADU: they give the ADU of one photon.
    candidate_low, candidate_high
        Open range of the brightest pixel of a photon, in units of one photon.
    single_low, double_low
        A 3x3 sum above `double_low` photons is a double hit, else above `single_low` a single.
    dark, mask
        Dark frame to subtract, and bad pixels to ignore.
    """
    photon = energy / ev_per_pair / electrons_per_adu
    frame = corrected(image, dark, mask)
    img = frame - _mean_of_valid(frame)
    threshold = candidate_low * photon
    in_range = (img > threshold) & (img < candidate_high * photon)

    x, y, charge, double = [], [], [], []
    n_dropped = 0
    for i, j in _local_maxima(img, in_range):
        spot_sum, dx, dy = _centre_of_mass(img[i - 1 : i + 2, j - 1 : j + 2])
        is_double = spot_sum > double_low * photon
        is_single = not is_double and spot_sum > single_low * photon
        # Without charge there is no centre of mass, which only a `single_low` < 0 lets through.
        if not (is_single or is_double) or not spot_sum > 0:
            n_dropped += 1
            continue
        x.append(i - 1 + dx)
        y.append(j - 1 + dy)
        charge.append(spot_sum)
        double.append(is_double)
    return _photons(x, y, charge, double, n_dropped, threshold)


def centroid_two(
    image: ArrayLike,
    energy: float,
    *,
    curvature: tuple[float, float] = (0.0, 0.0),
    **options: Any,
) -> tuple[FloatArray, FloatArray]:
    """Return (singles, doubles), arrays of shape (n, 2) with columns x and corrected y.

    `curvature` is ``(CURVE_A, CURVE_B)``; `options` are those of `classify_photons`.
    """
    photons = classify_photons(image, energy, **options)
    positions = np.column_stack([photons.x, photons.y - parabola(photons.x, curvature)])
    return positions[~photons.double], positions[photons.double]


def parabola(x: Any, curvature: tuple[float, float]) -> Any:
    """Return the shift along y of the spectral line at `x`; `curvature` is (CURVE_A, CURVE_B)."""
    curve_a, curve_b = curvature
    return (curve_b * x + curve_a) * x


def spectrum(
    x: ArrayLike,
    y: ArrayLike,
    double: ArrayLike,
    *,
    bins: int,
    range: tuple[float, float],
    curvature: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Histogram the corrected y over equal bins on ``[lo, hi)``; a double hit counts two."""
    low, high = range
    x = np.asarray(x, dtype=np.float64)
    position = np.asarray(y, dtype=np.float64) - parabola(x, curvature)
    photons = np.where(np.asarray(double, dtype=bool), 2.0, 1.0)
    inside = (position >= low) & (position < high)
    index = np.floor((position[inside] - low) / (high - low) * bins).astype(np.intp)
    # Just below `high` the quotient may round up to 1.
    index = np.minimum(index, bins - 1)
    # Without any photon, bincount ignores the weights and counts in integers.
    return np.bincount(index, weights=photons[inside], minlength=bins).astype(np.float64)


def integrate(
    image: ArrayLike,
    *,
    curvature: tuple[float, float] = (0.0, 0.0),
    dark: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    first_column: int = 0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum the frame along the curved line and divide by the number of pixels summed.

    `first_column` is the place on the camera of a crop's first column.

    Returns
    -------
    spectrum, weights, sums
        One value per row `y`, ``spectrum = sums / weights``. It is NaN where no pixel contributes.
    """
    frame = corrected(image, dark, mask)
    nx, ny = frame.shape
    x = np.arange(nx, dtype=np.float64)[:, np.newaxis]
    y = np.arange(ny, dtype=np.float64)[np.newaxis, :]
    position = y - parabola(x + first_column, curvature)
    lower = np.floor(position)
    fraction = position - lower
    valid = ~np.isnan(frame)

    weights = np.zeros(ny)
    sums = np.zeros(ny)
    for row, share in ((lower, 1.0 - fraction), (lower + 1.0, fraction)):
        use = valid & (row >= 0) & (row < ny)
        index = row[use].astype(np.intp)
        weights += np.bincount(index, weights=share[use], minlength=ny)
        sums += np.bincount(index, weights=share[use] * frame[use], minlength=ny)

    mean = np.full(ny, np.nan)
    np.divide(sums, weights, out=mean, where=weights > 0)
    return mean, weights, sums


def _without_nan(values: FloatArray) -> FloatArray:
    """Return the values that are not NaN."""
    bad = np.isnan(values)
    # Most frames have no mask, and then need no copy.
    return values[~bad] if bad.any() else values


def _mean_of_valid(values: FloatArray) -> float:
    """Return the mean over all values that are not NaN; NaN if there are none."""
    valid = _without_nan(values)
    return float(valid.mean()) if valid.size else float("nan")


def _threshold_of_sums(sums: FloatArray, std_threshold: float) -> float:
    """Return mean + `std_threshold` * population std, over the sums that are not NaN."""
    valid = _without_nan(sums)
    if not valid.size:
        return float("nan")
    return float(valid.mean() + std_threshold * valid.std())


def _local_maxima(values: FloatArray, candidates: BoolArray) -> list[tuple[int, int]]:
    """Return the candidates, off the border, that are a maximum among their 8 neighbours.

    A maximum is >= the neighbours before it in row-major order and > those after it, so that a
    pair of equal neighbours has one maximum. A comparison with a NaN never counts against it.
    """
    i, j = np.nonzero(candidates[1:-1, 1:-1])
    i, j = i + 1, j + 1
    centre = values[i, j]
    beaten = np.zeros(centre.shape, dtype=bool)
    for di, dj in NEIGHBOURS_BEFORE:
        beaten |= values[i + di, j + dj] > centre
    for di, dj in NEIGHBOURS_AFTER:
        beaten |= values[i + di, j + dj] >= centre
    return list(zip(i[~beaten].tolist(), j[~beaten].tolist(), strict=True))


def _centre_of_mass(spot: FloatArray) -> tuple[float, float, float]:
    """Return the sum of `spot` and its centre of mass from its first pixel, without NaN pixels."""
    weights = np.where(np.isnan(spot), 0.0, spot)
    total = float(weights.sum())
    if total == 0:
        return total, float("nan"), float("nan")
    dx = weights.sum(axis=1) @ np.arange(spot.shape[0]) / total
    dy = weights.sum(axis=0) @ np.arange(spot.shape[1]) / total
    return total, float(dx), float(dy)


def _photons(
    x: list[float],
    y: list[float],
    charge: list[float],
    double: list[bool],
    n_dropped: int,
    threshold: float,
) -> Photons:
    return Photons(
        np.array(x, dtype=np.float64),
        np.array(y, dtype=np.float64),
        np.array(charge, dtype=np.float64),
        np.array(double, dtype=bool),
        n_dropped,
        float(threshold),
    )
