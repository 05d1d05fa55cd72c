"""Levels, fitted darks, tracks and backgrounds in plain NumPy and SciPy, written for reading."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import erf


def light(rng, shape, density, *, charge=140.0, sigma=0.55):
    """Light of photons, `density` of them a pixel, in ADU: the truth beside what is made of it."""
    nx, ny = shape
    hits = rng.poisson(np.broadcast_to(density, shape))
    x, y = (np.repeat(at, hits[hits > 0]) for at in np.nonzero(hits))
    own = rng.normal(charge, 0.03 * charge, len(x))
    reach = np.arange(-2, 3)

    def shares(places):
        edges = (np.arange(-2.5, 3.0) - places[:, None]) / sigma / np.sqrt(2)
        return np.diff(erf(edges), axis=1) / 2

    share_x, share_y = (shares(rng.uniform(-0.5, 0.5, len(x))) for _ in range(2))
    image = np.zeros((nx + 4) * (ny + 4))
    for i in range(5):
        for j in range(5):
            place = (x + 2 + reach[i]) * (ny + 4) + y + 2 + reach[j]
            part = own * share_x[:, i] * share_y[:, j]
            image += np.bincount(place, part, minlength=image.size)
    return image.reshape(nx + 4, ny + 4)[2:-2, 2:-2]


def tracks(rng, shape, n, *, low=300.0, high=20000.0, sigma=0.4):
    """Cosmic rays: straight ones, worms and spots of several pixels, in ADU."""
    image = np.zeros(shape)
    for number in range(n):
        height = np.exp(rng.uniform(np.log(low), np.log(high)))
        x, y, angle = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(0, 2 * np.pi)
        if number % 3 == 2:
            points = [(x + rng.normal(0, 0.8), y + rng.normal(0, 0.8)) for _ in range(5)]
        else:
            points = []
            for _ in range(rng.integers(10, 60)):
                angle += 0.5 * rng.normal() * (number % 3)
                x, y = x + np.cos(angle), y + np.sin(angle)
                points.append((x, y))
        for at_x, at_y in points:
            for i in range(round(at_x) - 1, round(at_x) + 2):
                for j in range(round(at_y) - 1, round(at_y) + 2):
                    if 0 <= i < shape[0] and 0 <= j < shape[1]:
                        distance = (i - at_x) ** 2 + (j - at_y) ** 2
                        image[i, j] += height * np.exp(-distance / 2 / sigma**2)
    return image


def clipped_mean(values):
    """Mean of what lies within three standard deviations, again and again."""
    kept = np.asarray(values, dtype=float)
    for _ in range(50):
        middle, width = kept.mean(), kept.std() / 0.98657
        near = values[np.abs(values - middle) <= 3 * width]
        if len(near) == len(kept):
            break
        kept = near
    return float(kept.mean())


def dark_fit(frame, dark, unlit):
    """Factor and offset of a dark by least squares, on pixels that are known to have no light."""
    x, y = dark[unlit], frame[unlit]
    kept = np.ones(len(x), bool)
    for _ in range(20):
        factor, offset = np.polyfit(x[kept], y[kept], 1)
        rest = y - factor * x - offset
        kept = np.abs(rest) <= 3 * rest[kept].std()
    return float(factor), float(offset)


def tracks_by_comparison(frames, number, least):
    """Pixels of one frame that lie further above the median of the others than light comes."""
    others = np.median(np.delete(frames, number, axis=0).astype(float), axis=0)
    return frames[number] - others > least


def poisson_polynomial(counts, places, degree):
    """The most likely polynomial of Poisson counts, by a general minimiser."""
    basis = np.polynomial.legendre.legvander(places, degree)

    def minus_log(coefficients):
        expected = basis @ coefficients
        if (expected <= 0).any():
            return 1e12
        return float((expected - counts * np.log(expected)).sum())

    start = np.zeros(degree + 1)
    start[0] = counts.mean()
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20000, "maxfev": 20000}
    return minimize(minus_log, start, method="Nelder-Mead", options=options).x
