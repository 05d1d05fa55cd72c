"""Every level of the processor gives the same bytes; HRIXS_SIMD chooses one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrixs import _core

SCRIPT = """
import hashlib
import numpy as np
import hrixs
from hrixs import _core
from hrixs.camera import as_frames, pixel_statistics
from hrixs.simulation import Sensor, simulate_frames

frames, _ = simulate_frames(2, sensor=Sensor(shape=(300, 517), hot_fraction=1e-3), seed=1)
frames = frames.values
dark = np.random.default_rng(0).normal(100, 1, frames.shape[1:])
mask = dark > 102.5
digest = hashlib.sha256()
wholes = frames.astype("f4")
for stack in (frames, wholes, wholes / 3, frames.astype("i4")):
    for options in ({}, {"dark": dark}, {"dark": dark.astype("f4")}, {"mask": mask}):
        threshold = 460.5 if "dark" not in options else 60.5
        for result in (
            hrixs.find_photons(stack, **options),
            hrixs.find_photons(stack, threshold=threshold, **options),
            hrixs.classify_photons(stack, 530.0, **options),
        ):
            for name in ("x", "y", "charge", "threshold", "base"):
                digest.update(result[name].values.tobytes())
        digest.update(hrixs.integrate_frames(stack, curvature=(0.02, 1e-6), **options).tobytes())
for stack in (np.concatenate([frames] * 3), np.concatenate([wholes / 3] * 3)):
    limits = {"n_sigma": 5.0, "least_noise": 1.0}
    found = pixel_statistics(as_frames(stack), **limits)
    for image in (found.median, found.noise, found.total, found.n_kept, found.n_left_out):
        digest.update(np.asarray(image).tobytes())
print(_core.simd_level(), digest.hexdigest())
"""


def run(level: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env=os.environ | {"HRIXS_SIMD": level},
    )


@pytest.fixture(scope="module")
def baseline() -> str:
    level, digest = run("baseline").stdout.split()
    assert level == "baseline"
    return digest


@pytest.mark.parametrize("level", ["", *_core.simd_levels()[1:]])
def test_same_bytes_as_the_baseline(level, baseline):
    used, digest = run(level).stdout.split()
    assert used == (level or _core.simd_levels()[-1])
    assert digest == baseline


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/cpuinfo")
def test_the_levels_of_this_processor_are_there():
    cpu = Path("/proc/cpuinfo").read_text().split()
    v3 = ("avx2", "bmi2", "fma")
    v4 = (*v3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")
    expected = ["baseline"] + ["avx2"] * all(flag in cpu for flag in v3)
    expected += ["avx512"] * all(flag in cpu for flag in v4)
    assert _core.simd_levels() == expected


def test_unknown_level_is_named():
    done = run("mmx")
    assert done.returncode != 0
    assert "HRIXS_SIMD = mmx, expected one that this processor has: baseline" in done.stderr
