"""Every level of the processor gives the same bytes; HRIXS_SIMD chooses one."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import hashlib
import numpy as np
import hrixs
from hrixs import _core
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


@pytest.mark.parametrize("level", ["", "avx2"])
def test_same_bytes_as_the_baseline(level, baseline):
    done = run(level)
    if level and "expected one that this processor has" in done.stderr:
        pytest.skip(f"this processor has no {level}")
    used, digest = done.stdout.split()
    assert level in ("", used)
    assert digest == baseline


def test_unknown_level_is_named():
    done = run("mmx")
    assert done.returncode != 0
    assert "HRIXS_SIMD = mmx, expected one that this processor has: baseline" in done.stderr
