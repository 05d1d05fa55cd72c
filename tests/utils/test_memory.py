"""A call needs memory for its output and for some rows, and once for a dark made ready."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import hrixs

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

dtype, with_dark, threads = sys.argv[1], sys.argv[2] == "dark", int(sys.argv[3])
rng = np.random.default_rng(1)
one = rng.normal(100, 2, (1024, 2048)).round()
one[5::40, 7::40] += 300
frames = np.stack([one.astype(dtype)] * 12)
options = {"threads": threads}
if with_dark:
    options["dark"] = np.full(one.shape, 99.5, np.float32)
small = {k: v[:8, :8] if k == "dark" else v for k, v in options.items()}
for kind in ("warm up", "measured"):
    stack, given = (frames[:, :8, :8], small) if kind == "warm up" else (frames, options)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak()
    hrixs.find_photons(stack, **given)
    hrixs.find_photons(stack, threshold=4 * 150.0, **given)
    hrixs.classify_photons(stack, 530.0, **given)
    hrixs.integrate_frames(stack, curvature=(0.02, 0.0), **given)
print((peak() - before) / one.size)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dark", ["dark", "none"])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.one_in(3)
def test_peak_memory_of_a_call(dtype, dark, threads):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, dtype, dark, str(threads)],
        capture_output=True,
        text=True,
        check=True,
    )
    # Six bytes are a dark made ready for counts; the rest are each thread's rows, up to 72 in
    # doubles, and the tables of photons.
    made_ready = 6.0 if (dtype, dark) == ("uint16", "dark") else 0.0
    assert float(done.stdout) <= made_ready + 1.5 * threads
