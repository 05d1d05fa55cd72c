"""Other photon finders for comparison; each returns the photons in a stack of frames.

pycentroids (https://github.com/NSLS-II/centroids) and aare
(https://github.com/slsdetectorgroup/aare) are used if they are installed. RixsToolBox (ESRF) is a
program with windows; the rule of its classifier is written here in NumPy.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

PEDESTAL = 100.0
READ_NOISE = 1.6
#: Charge of a photon of 530 eV in ADU: 3.6 eV an electron, 1.06 electrons an ADU.
CHARGE = 530.0 / 3.6 / 1.06


def pycentroids(frames: NDArray[Any]) -> Callable[[], int]:
    """pycentroids: centres of mass in a 5x5 box, without its Gaussian fits."""
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
    """aare: clusters of 3x3 pixels, 5 standard deviations above the pedestal, on one thread."""
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


def rixs_toolbox(frames: NDArray[Any]) -> Callable[[], int]:
    """RixsToolBox: local maxima of 0.2 to 1 photon with at least 0.2 photons in 3x3 pixels."""
    photon = CHARGE

    def count(frame: NDArray[Any]) -> int:
        image = frame.astype(np.float64) - np.mean(frame[:50])
        middle = image[1:-1, 1:-1]
        sides = [
            image[1 + i : image.shape[0] - 1 + i, 1 + j : image.shape[1] - 1 + j]
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
        ]
        is_peak = (middle > 0.2 * photon) & (middle < photon)
        for side in sides:
            is_peak &= middle >= side
        x, y = np.nonzero(is_peak)
        charges = sum(side[x, y] for side in sides)
        return int(np.count_nonzero(charges > 0.2 * photon))

    return lambda: sum(count(frame) for frame in frames)


def installed(frames: NDArray[Any], threads: int) -> dict[str, Callable[[], int]]:
    """The installed programs, prepared for `frames`; OMP_NUM_THREADS is `threads`."""
    known = {
        "pycentroids": (pycentroids, f"pycentroids, {threads} threads"),
        "aare": (aare, "aare, 1 thread"),
    }
    found = {
        title: make(frames)
        for name, (make, title) in known.items()
        if importlib.util.find_spec(name)
    }
    return found | {"rule of RixsToolBox in NumPy, 1 thread": rixs_toolbox(frames)}
