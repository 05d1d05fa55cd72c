"""Speed and peak memory of `hRIXS.process_run` on long runs in the format of European XFEL.

Speed: compared with extra-data reading the same frames into one buffer that is used again. Both
run in turn, with the files of the run in the page cache. Memory: each run has its own process; the
peak is that above the import. Every result is compared with that of the run loaded as a whole.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from extra_data import RunDirectory

import hrixs
from hrixs import hRIXS
from hrixs.simulation import simulate_frames, write_run
from hrixs.utils import available_threads

SOURCE = hrixs.mnemonics["MaranaX"]["source"]
KEY = hrixs.mnemonics["MaranaX"]["key"]
DATASET = f"INSTRUMENT/{SOURCE}/{KEY.replace('.', '/')}"
METHODS = ("auto", "manual", "integrate")
FRAMES = 60
PHOTONS = 1000.0
FRAMES_PER_FILE = 60
WANTED_SPEED = 0.85

PEAK = r"""
import re, sys
from pathlib import Path
import h5py, scipy, extra_data, hrixs
from hrixs import hRIXS
h = hRIXS()
h.FIELDS = ["MaranaX", "nrj"]
# Not ru_maxrss, which begins with that of the process that started this one.
peak = lambda: int(re.search(r'VmHWM:\s+(\d+) kB', Path('/proc/self/status').read_text())[1])
before = peak()
result = h.process_run(sys.argv[1], memory=sys.argv[2], method=sys.argv[3], progress=False)
print(result.sizes["trainId"], (peak() - before) * 1024)
"""


def spectrometer() -> hRIXS:
    h = hRIXS()
    h.FIELDS = ["MaranaX", "nrj"]
    return h


def make_run(root: Path, n_files: int, *, gzip: bool = False) -> Path:
    """Write a run of several sequence files with the same frames in each."""
    frames, _ = simulate_frames(15, photons_per_frame=PHOTONS, seed=1)
    stack = np.tile(frames.values, (FRAMES_PER_FILE // 15, 1, 1))
    folders = []
    for number in range(n_files):
        first = 1_600_000_000 + number * FRAMES_PER_FILE
        slow = {"nrj": np.full(FRAMES_PER_FILE, 530.0)}
        options: dict[str, Any] = {"slow": slow, "n_sequence_files": 1, "first_train": first}
        folders.append(write_run(root / f"{number}", stack, **options))
    whole = folders[0]
    for number, folder in enumerate(folders):
        for path in sorted(folder.glob("*.h5")):
            path.rename(whole / path.name.replace("S00000", f"S{number:05d}"))
    if gzip:
        for path in sorted(whole.glob("*-DA02-*.h5")):
            deflate(path)
    return whole


def deflate(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        images = file[DATASET][:]
        del file[DATASET]
        chunks = (1, *images.shape[1:])
        file.create_dataset(
            DATASET, data=images, chunks=chunks, compression="gzip", compression_opts=1,
            shuffle=True,
        )  # fmt: skip


def read_only(folder: Path, trains_per_part: int = 8) -> Callable[[], None]:
    """Read with extra-data, part by part, into a buffer that is used again."""
    keys = RunDirectory(folder)[SOURCE, KEY]
    buffer = np.empty((trains_per_part, *keys.entry_shape), keys.dtype)

    def read() -> None:
        for part in keys.split_trains(trains_per_part=trains_per_part):
            part.ndarray(out=buffer[: part.shape[0]])

    return read


def check(folder: Path, method: str) -> None:
    """Raise AssertionError if the result differs from that of the run loaded as a whole."""
    h = spectrometer()
    data = h.from_run(folder)
    expected = h.integrate(data) if method == "integrate" else h.centroid(data, method=method)
    found = h.process_run(folder, method=method, progress=False)
    assert found.spectrum.identical(expected.spectrum)


def milliseconds_per_frame(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start) / FRAMES


def time_run(folder: Path, rounds: int, threads: int) -> list[dict[str, Any]]:
    """Median time of each work, run in turn, and median of the ratios in a round."""
    h = spectrometer()
    works: dict[str, Callable[[], object]] = {"read with extra-data": read_only(folder)}
    for method in METHODS:
        works[method] = lambda method=method: h.process_run(
            folder, method=method, threads=threads, progress=False
        )
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(milliseconds_per_frame(work))
    reading = np.array(times["read with extra-data"])
    return [
        {
            "work": name,
            "ms": float(np.median(spent)),
            "frames_per_s": 1e3 / float(np.median(spent)),
            "speed": float(np.median(reading / np.array(spent))),
        }
        for name, spent in times.items()
    ]


def peak_memory(folder: Path, memory: str, method: str) -> tuple[int, float]:
    """Number of frames of the run, and its peak memory above the import in MB."""
    command = [sys.executable, "-c", PEAK, str(folder), memory, method]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(said[0]), int(said[1]) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--folder", type=Path, help="folder for the runs (default: a temporary one)"
    )
    parser.add_argument("--memory", default="512MB", help="memory that process_run may use")
    parser.add_argument("--json", type=Path, default=Path("runs.json"))
    arguments = parser.parse_args()
    threads = available_threads()
    report: dict[str, Any] = {"threads": threads, "speed": {}, "memory": []}
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="hrixs-bench-") as name:
        root = Path(name)
        runs = {
            "uncompressed": make_run(root / "short", 1),
            "gzip, shuffled": make_run(root / "gzip", 1, gzip=True),
            "uncompressed, 600 frames": make_run(root / "long", 10),
        }
        short = ("uncompressed", "gzip, shuffled")
        for kind in short:
            for method in METHODS:
                check(runs[kind], method)
            report["speed"][kind] = time_run(runs[kind], arguments.rounds, threads)
        for kind, folder in runs.items():
            for method in METHODS:
                frames, megabytes = peak_memory(folder, arguments.memory, method)
                row = {"run": kind, "frames": frames, "method": method, "peak_mb": megabytes}
                report["memory"].append(row)
    print(f"\n{threads} threads, {arguments.rounds} rounds, {FRAMES} frames, page cache warm\n")
    print("| run | work | ms per frame | frames/s | speed over reading | wanted |")
    print("|---|---|---|---|---|---|")
    for kind, rows in report["speed"].items():
        for row in rows:
            print(
                f"| {kind} | {row['work']} | {row['ms']:.2f} | {row['frames_per_s']:.0f} | "
                f"{row['speed']:.2f} | {WANTED_SPEED} |"
            )
    print(f"\n| run | frames | method | peak above the import, MB (of {arguments.memory}) |")
    print("|---|---|---|---|")
    for row in report["memory"]:
        print(f"| {row['run']} | {row['frames']} | {row['method']} | {row['peak_mb']:.0f} |")
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
