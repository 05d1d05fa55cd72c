"""Frames with a bright line, whose photons lie over each other, and where these are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

LEVEL, CHARGE, SIGMA, NOISE = 200.0, 150.0, 0.55, 1.6


def clouds(places: NDArray, shape: tuple[int, int], charge=CHARGE, sigma=SIGMA) -> NDArray:
    """Light of photons at places, shape (n, 2), in ADU."""
    edges = [np.arange(n + 1) - 0.5 for n in shape]
    along = [
        np.diff(ndtr((edge[None] - place[:, None]) / sigma), axis=1)
        for edge, place in zip(edges, places.T, strict=True)
    ]
    return charge * np.einsum("ki,kj->ij", *along)


def camera(places: NDArray, shape=(64, 48), seed=0, noise=NOISE, sigma=SIGMA) -> NDArray:
    rng = np.random.default_rng(seed)
    light = rng.poisson(clouds(places, shape, sigma=sigma))
    return np.clip(np.round(rng.normal(LEVEL, noise, shape) + light), 0, 65535).astype(np.uint16)


def line(density: float, shape=(64, 48), seed=0, width=1.3) -> NDArray:
    rng = np.random.default_rng(seed)
    n = rng.poisson(density * shape[0] * 2 * np.sqrt(np.pi) * width)
    return np.stack([rng.uniform(-0.5, shape[0] - 0.5, n), rng.normal(24, width, n)], axis=1)
