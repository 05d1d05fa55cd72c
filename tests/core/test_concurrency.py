"""Many threads and processes at once, and other libraries' threads beside ours: the same bytes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs import LostPhotonsWarning, hRIXS
from hrixs.simulation import Sensor, simulate_frames

FIT = {"position": "gaussian", "cloud_sigma": 0.55}
KERNELS = {
    "find": lambda frames, **o: hrixs.find_photons(frames, **o),
    "classify": lambda frames, **o: hrixs.classify_photons(frames, 530.0, **o),
    "integrate": lambda frames, **o: hrixs.integrate_frames(frames, curvature=(0.024, -4e-7), **o),
    "find and fit": lambda frames, **o: hrixs.find_photons(
        frames, dbl_threshold=220.0, split_doubles=True, **FIT, **o
    ),
    "classify and fit": lambda frames, **o: hrixs.classify_photons(
        frames, 530.0, local_background=True, **FIT, **o
    ),
    "estimate and fit": lambda frames, **o: hrixs.find_photons(frames, position="gaussian", **o),
}


def stack(seed: int = 0) -> np.ndarray:
    sensor = Sensor(shape=(64, 90), hot_fraction=0.0)
    # Stacks of other numbers of frames and photons, so that scratch space of one would not do.
    options = {"sensor": sensor, "photons_per_frame": 60 + 9 * seed, "seed": seed}
    return simulate_frames(3 + seed, **options)[0].values


def contents(result) -> bytes:
    if isinstance(result, np.ndarray):
        return result.tobytes()
    return b"".join(result[name].values.tobytes() for name in sorted(map(str, result.variables)))


def run_python(script: str | Path, *arguments: str, timeout: float = 120) -> str:
    """Run a script, or a file of one, in a process of its own; give what it printed."""
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    command = [str(script)] if isinstance(script, Path) else ["-c", script]
    done = subprocess.run(
        [sys.executable, *command, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_kernels_at_once_in_many_threads():
    stacks = [stack(seed) for seed in range(4)]
    work = [(name, number) for name in KERNELS for number in range(len(stacks))]
    expected = {one: contents(KERNELS[one[0]](stacks[one[1]], threads=1)) for one in work}
    together = threading.Barrier(8)

    def worker(seed: int) -> list[tuple[str, int]]:
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(work))
        together.wait(timeout=60)
        return [
            work[k]
            for k in order
            if contents(KERNELS[work[k][0]](stacks[work[k][1]], threads=1 + seed % 3))
            != expected[work[k]]
        ]

    with ThreadPoolExecutor(8) as pool:
        wrong = list(pool.map(worker, range(8)))
    assert wrong == [[]] * 8


def test_spectrometers_in_several_threads():
    data = xr.Dataset({"MaranaX": (("trainId", "x", "y"), stack(1))}, {"trainId": range(4)})
    data["nrj"] = 530.0
    shared = hRIXS()

    def work(number: int) -> list[bytes]:
        own = hRIXS()
        own.set_params(bins=50 + number % 2)
        both = (shared.centroid(data.copy()), own.centroid(data.copy(), method="manual"))
        return [made.spectrum.values.tobytes() for made in both]

    with pytest.warns(LostPhotonsWarning):
        alone = [work(0), work(1)]
    with pytest.warns(LostPhotonsWarning), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(12))) == alone * 6


POOL = """
import multiprocessing
import sys

from test_concurrency import KERNELS, contents, stack


def work(name):
    return contents(KERNELS[name](stack(2), threads=2))


if __name__ == "__main__":
    # With threads of OpenMP in the parent already.
    expected = [work(name) for name in KERNELS]
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map_async(work, KERNELS).get(timeout=90) == expected
    assert [work(name) for name in KERNELS] == expected
    print("same in the pool")
"""
NO_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.mark.parametrize(
    "method",
    [pytest.param("fork", marks=NO_FORK), "spawn", pytest.param("forkserver", marks=NO_FORK)],
)
@pytest.mark.one_in(2)
def test_all_kernels_in_a_pool_of_processes(method, tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    assert run_python(script, method) == "same in the pool"


PASHA = """
import sys
import pasha
from test_concurrency import KERNELS, contents, stack

frames = stack(3)
kinds = {"find": "charge", "find and fit": "x"}
spectra = [KERNELS["integrate"](frame, threads=1) for frame in frames]
sums = [[KERNELS[k](f, threads=1)[c].values.sum() for k, c in kinds.items()] for f in frames]
for threads in (1, 2):
    pasha.set_default_context(sys.argv[1], num_workers=2)
    made = pasha.alloc(shape=(len(frames), len(spectra[0])), dtype="f8")
    totals = pasha.alloc(shape=(len(frames), 2), dtype="f8")

    def work(worker, index, frame):
        made[index] = KERNELS["integrate"](frame, threads=threads)
        for column, (kind, name) in enumerate(kinds.items()):
            totals[index, column] = KERNELS[kind](frame, threads=threads)[name].values.sum()

    pasha.map(work, frames)
    assert (made == spectra).all() and (totals == sums).all(), threads
print("same with pasha")
"""


@pytest.mark.parametrize("context", ["threads", pytest.param("processes", marks=NO_FORK)])
@pytest.mark.one_in(2)
def test_frames_shared_out_by_pasha(context):
    pytest.importorskip("pasha")
    assert run_python(PASHA, context) == "same with pasha"


# Work of other libraries, which have threads of OpenBLAS, of an OpenMP of their own, or of both.
OTHERS = {
    "numpy": "import numpy as np; a = np.ones((300, 300)); other = lambda: a @ a",
    "sklearn": "import numpy as np; from sklearn.cluster import KMeans; a = np.ones((9, 4)) "
    "* np.arange(9)[:, None]; other = lambda: KMeans(8, n_init=1).fit(a)",
    "torch": "import torch; a = torch.ones(300, 300); other = lambda: (a @ a, a.sum())",
}
BESIDE = """
from concurrent.futures import ThreadPoolExecutor
{first}
{second}
frames = stack(2)
expected = {{name: contents(kernel(frames, threads=1)) for name, kernel in KERNELS.items()}}
with ThreadPoolExecutor(3) as pool:
    for threads in (2, 3):
        theirs = [pool.submit(other) for _ in range(6)]
        ours = {{name: pool.submit(KERNELS[name], frames, threads=threads) for name in KERNELS}}
        assert {{name: contents(one.result()) for name, one in ours.items()}} == expected
        [one.result() for one in theirs]
        other()
print("both work")
"""
OURS = "from test_concurrency import KERNELS, contents, stack"


@pytest.mark.parametrize("library", OTHERS)
def test_beside_another_library_s_threads(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    orders = [(OTHERS[library], OURS), (OURS, OTHERS[library])]
    for first, second in orders if library != "numpy" else orders[:1]:  # it is imported by ours
        assert run_python(BESIDE.format(first=first, second=second)) == "both work"
