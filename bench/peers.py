"""Other photon finders, where they are installed: each gives the photons in a stack of frames.

pycentroids: https://github.com/NSLS-II/centroids. aare: https://github.com/slsdetectorgroup/aare.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

PEDESTAL = 100.0
READ_NOISE = 1.6


def pycentroids(frames: NDArray[Any]) -> Callable[[], int]:
    """Centres of mass in a 5x5 box, without its Gaussian fits."""
    import pycentroids as peer

    no_filter = np.zeros(frames.shape[1:], np.uint16)
    settings: dict[str, Any] = {
        "threshold": 115,
        "box": 2,
        "search_box": 1,
        "pixel_photon": 9,
        "pixel_bgnd": 15,
        "com_photon": 9,
        "overlap_max": 25,
        "sum_min": 60.0,
        "sum_max": 1e4,
        "fit_pixels_2d": False,
        "fit_pixels_1d_x": False,
        "fit_pixels_1d_y": False,
        "return_pixels": "none",
        "return_map": False,
    }
    return lambda: len(peer.find_photons(frames, filter=no_filter, **settings)[0])


def aare(frames: NDArray[Any]) -> Callable[[], int]:
    """Clusters of 3x3 pixels, 5 standard deviations above the pedestal, on one thread."""
    import aare as peer

    finder = peer.ClusterFinder(
        frames.shape[1:], cluster_size=(3, 3), n_sigma=5, dtype=np.int32, capacity=1 << 16
    )
    random = np.random.default_rng(3)
    noise = random.normal(PEDESTAL, READ_NOISE, frames.shape[1:]).round().astype(np.uint16)
    for _ in range(1000):
        finder.push_pedestal_frame(np.roll(noise, random.integers(1 << 22)))

    def find() -> int:
        n_found = 0
        for frame in frames:
            finder.find_clusters(frame)
            n_found += finder.steal_clusters(True).size
        return n_found

    return find


def installed(frames: NDArray[Any], threads: int) -> dict[str, Callable[[], int]]:
    """The peers that can be imported, made ready for `frames`; OMP_NUM_THREADS is `threads`."""
    known = {
        "pycentroids": (pycentroids, f"pycentroids, {threads} threads"),
        "aare": (aare, "aare, 1 thread"),
    }
    return {
        title: make(frames)
        for name, (make, title) in known.items()
        if importlib.util.find_spec(name)
    }
