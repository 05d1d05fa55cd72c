"""Simulated runs of a scan: five incident energies, three delays, a fluctuating monitor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conftest import CURVATURE, PROPOSAL
from hrixs import hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

STEPS = 512.9 + 0.2 * np.arange(5)
DELAYS = np.array([-1.0, 0.5, 2.0])
SLOPE, INTERCEPT = 0.018387, 498.27
SCAN, NEXT = 201, 202


@dataclass(frozen=True)
class ScanRuns:
    """Two runs of the same scan, with other trains."""

    root: Path
    folders: tuple[Path, Path]


def write_scans(root: Path, *, per_step: int = 4) -> ScanRuns:
    """Write two runs of a scan; the second one has other photons."""
    return ScanRuns(root, (_write(root, SCAN, 0, per_step), _write(root, NEXT, 1, per_step)))


def scan_settings() -> hRIXS:
    """The settings with which the runs are looked at."""
    h = hRIXS(PROPOSAL)
    h.set_params(y_range=slice(650, 950), std_threshold=4.0, bins=300)
    h.set_params(curve_a=CURVATURE[0], curve_b=CURVATURE[1])
    h.set_params(energy_slope=SLOPE, energy_intercept=INTERCEPT)
    return h


def _write(root: Path, run: int, seed: int, per_step: int) -> Path:
    rng = np.random.default_rng(seed)
    step = np.repeat(np.arange(len(STEPS)), per_step)
    frames = []
    for number, one in enumerate(step):
        row = (STEPS[one] - INTERCEPT) / SLOPE
        lines = (SpectralLine(row, 1.3, 0.5), SpectralLine(row - 0.8 / SLOPE, 4.0, 0.5))
        made, _ = simulate_frames(
            1, sensor=Sensor(shape=(256, 1024)), photons_per_frame=120.0, energy=530.0,
            curvature=CURVATURE, lines=lines, seed=1000 * (seed + 1) + number,
        )  # fmt: skip
        frames.append(made.values[0])
    n = len(step)
    slow = {
        "nrj": STEPS[step] + rng.normal(0, 0.002, n),
        "hRIXS_delay": np.resize(DELAYS, n) + rng.normal(0, 0.005, n),
        "hRIXS_norm": rng.uniform(800, 1200, n),
        "hRIXS_index": np.arange(n),
        "hRIXS_exposure": np.full(n, 0.1),
    }
    first = 1_600_002_000 + 1000 * seed
    return write_run(
        root, np.stack(frames), proposal=PROPOSAL, run=run, slow=slow, first_train=first
    )
