"""The cases that are timed: each kernel on each kind of frames, and its NumPy oracle."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import hrixs
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles import frames as reference

CURVATURE = (0.0240845, -3.6953e-7)
ENERGY = 530.0
#: Threshold of a 2x2 square above the mean of its four pixels, in ADU.
THRESHOLD = 50.0
#: Photons on 2048 x 2048 pixels; fewer on a smaller chip.
PHOTONS = 1000.0
KERNELS = ("centroid_one, std", "centroid_one, fixed", "centroid_two", "integrate")


@dataclass(frozen=True)
class Case:
    """One kernel on one kind of frames."""

    kernel: str
    data: str
    frames: NDArray[Any]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def n_frames(self) -> int:
        """Number of frames in the stack."""
        return int(np.prod(self.frames.shape[:-2]))

    @property
    def first(self) -> NDArray[Any]:
        """The frame for the oracle."""
        return self.frames.reshape(-1, *self.frames.shape[-2:])[0]

    @property
    def threshold(self) -> float:
        """Fixed threshold on 2x2 squares, in ADU."""
        pedestal = 0.0 if "dark" in self.options else 100.0
        return 4 * pedestal + THRESHOLD

    def run(self, threads: int, frames: NDArray[Any] | None = None) -> Any:
        """Result of hrixs."""
        stack = self.frames if frames is None else frames
        options = self.options | {"threads": threads}
        if self.kernel == "centroid_one, std":
            return hrixs.find_photons(stack, **options)
        if self.kernel == "centroid_one, fixed":
            return hrixs.find_photons(stack, threshold=self.threshold, **options)
        if self.kernel == "centroid_two":
            return hrixs.classify_photons(stack, ENERGY, **options)
        return hrixs.integrate_frames(stack, curvature=CURVATURE, **options)

    def run_reference(self) -> Any:
        """Result of the oracle, for the first frame."""
        if self.kernel == "centroid_one, std":
            return reference.find_photons(self.first, **self.options)
        if self.kernel == "centroid_one, fixed":
            return reference.find_photons(self.first, threshold=self.threshold, **self.options)
        if self.kernel == "centroid_two":
            return reference.classify_photons(self.first, ENERGY, **self.options)
        return reference.integrate(self.first, curvature=CURVATURE, **self.options)[0]

    def check(self) -> None:
        """Raise AssertionError if hrixs and the oracle give different results."""
        found, expected = self.run(1, self.first), self.run_reference()
        if not isinstance(found, xr.Dataset):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-10)
            return
        assert found.sizes["photon"] == len(expected.x) > 0
        np.testing.assert_array_equal(found["double"], expected.double)
        for name in ("x", "y", "charge"):
            np.testing.assert_allclose(found[name], getattr(expected, name), rtol=0, atol=1e-7)
        np.testing.assert_allclose(found["threshold"][0], expected.threshold, rtol=1e-11)


def simulate(shape: tuple[int, int], n_frames: int) -> NDArray[np.uint16]:
    """Frames with photons on a tilted line; a few are simulated and repeated in memory."""
    n_simulated = min(n_frames, 8)
    photons = PHOTONS * shape[0] * shape[1] / 2048**2
    lines = (SpectralLine(photons, shape[1] / 7, 1.0),)
    frames, _ = simulate_frames(
        n_simulated, sensor=Sensor(shape=shape), lines=lines, curvature=CURVATURE, seed=1
    )
    repeats = -(-n_frames // n_simulated)
    return np.tile(frames.values, (repeats, 1, 1))[:n_frames]


def make_cases(n_frames: int) -> list[Case]:
    """All kernels on all kinds of frames; some share their memory."""
    frames = simulate((2048, 2048), n_frames)
    dark = np.random.default_rng(2).normal(100.0, 0.3, frames.shape[1:]).astype(np.float32)
    small = simulate((512, 1024), 4 * n_frames).reshape(-1, 16, 512, 1024)
    kinds: list[tuple[str, NDArray[Any], dict[str, Any]]] = [
        ("uint16", frames, {}),
        ("uint16, float32 dark", frames, {"dark": dark}),
        ("float32", frames.astype(np.float32), {}),
        ("uint16, 512x1024, 16 a train", small, {}),
    ]
    return [Case(kernel, name, stack, opts) for name, stack, opts in kinds for kernel in KERNELS]
