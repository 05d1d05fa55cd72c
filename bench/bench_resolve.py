"""Time of `resolve_photons` on dense photons, compared with centroid_one on the same frames.

Every result is compared with the true photons. ``--peer`` is the src folder of an older build;
centroid_one is then timed with that build.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hrixs

CHARGE, CLOUD, LEVEL, NOISE = 150.0, 0.55, 200.0, 1.6
TILT, LINE_WIDTH = 0.024, 1.3
SHAPE = (2048, 2048)
#: Photons in a frame: number of lines that give 0.1 photons per pixel, and the wanted ratio.
WANTED = {1000: (1, 4.0), 5000: (5, None), 10_000: (10, 25.0), 20_000: (20, None)}

_PEER = """
import sys, time
import numpy as np
import hrixs
frames = np.load(sys.argv[1])
for _ in sys.stdin:
    start = time.process_time()
    hrixs.find_photons(frames, std_threshold=3.5, threads=1)
    print(1e3 * (time.process_time() - start) / len(frames), flush=True)
"""


def frames_with(photons: int, lines: int, n_frames: int) -> tuple[NDArray[np.uint16], int]:
    """Frames with `photons` photons each on `lines` lines; the number of all photons."""
    from scipy.special import ndtr

    rng = np.random.default_rng(photons)
    reach = np.arange(-4, 5)
    edges = np.append(reach, 5) - 0.5
    frames, total = [], 0
    for _ in range(n_frames):
        image = rng.normal(LEVEL, NOISE, SHAPE)
        n = rng.poisson(photons)
        total += n
        x = rng.uniform(6, SHAPE[0] - 7, n)
        row = 100 + rng.integers(0, lines, n) * (1800 // lines)
        y = row + TILT * x + rng.normal(0, LINE_WIDTH, n)
        for u, v in zip(x, y, strict=True):
            i, j = round(u), round(v)
            shares = (np.diff(ndtr((edges - at) / CLOUD)) for at in (u - i, v - j))
            cloud = rng.poisson(CHARGE * np.outer(*shares))
            image[i - 4 : i + 5, j - 4 : j + 5] += cloud
        frames.append(np.clip(np.round(image), 0, 65535).astype(np.uint16))
    return np.stack(frames), total


def resolve(frames: NDArray[Any], threads: int = 1) -> Any:
    return hrixs.resolve_photons(
        frames, photon_charge=CHARGE, cloud_sigma=CLOUD, electrons_per_adu=1.0, threads=threads
    )


def milliseconds(work: Any, n_frames: int) -> float:
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start) / n_frames


def time_case(
    photons: int, lines: int, n_frames: int, rounds: int, peer: str | None
) -> dict[str, Any]:
    frames, total = frames_with(photons, lines, n_frames)
    table = resolve(frames)
    found = table.sizes["photon"] / total
    assert abs(found - 1) < 0.01, f"{found:.4f} of the photons found"
    assert resolve(frames, threads=2).equals(table)
    times: dict[str, list[float]] = {"resolve": [], "centroid_one": []}
    other = None
    if peer is not None:
        stored = Path(f"frames-{photons}.npy")
        np.save(stored, frames)
        other = subprocess.Popen(
            [sys.executable, "-c", _PEER, str(stored)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"PYTHONPATH": peer, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    for _ in range(rounds):
        times["resolve"].append(milliseconds(lambda: resolve(frames), n_frames))
        if other is None:
            one = milliseconds(lambda: hrixs.find_photons(frames, threads=1), n_frames)
        else:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write("go\n")
            other.stdin.flush()
            one = float(other.stdout.readline())
        times["centroid_one"].append(one)
    if other is not None:
        other.communicate()
        stored.unlink()
    medians = {name: float(np.median(spent)) for name, spent in times.items()}
    return {"photons": photons, "found": found} | medians


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peer", metavar="SRC", help="src folder of an older build")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    beside = "centroid_one of the older build" if arguments.peer else "centroid_one"
    print(f"| photons per frame | found / true | resolve / ms | {beside} / ms | ratio | wanted |")
    print("|---|---|---|---|---|---|")
    rows = []
    for photons, (lines, wanted) in WANTED.items():
        row = time_case(photons, lines, arguments.frames, arguments.rounds, arguments.peer)
        ratio = row["resolve"] / row["centroid_one"]
        short = "" if wanted is None else f"at most {wanted:g}" + (" (missed)" * (ratio > wanted))
        print(
            f"| {photons} | {row['found']:.4f} | {row['resolve']:.1f} | "
            f"{row['centroid_one']:.2f} | {ratio:.1f} | {short} |",
            flush=True,
        )
        rows.append(row | {"ratio": ratio})
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
