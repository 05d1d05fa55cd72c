"""Compare the speed of this build with that of another one, path by path.

``bench_against.py OTHER``: OTHER is the Python interpreter of an environment with the other build.
Both builds run in turn, and the ratio of each pair of times is taken. Results are checked first:
kernels must give equal bytes, all other paths the truth. Each path runs in its own processes, so
that its peak memory is measured, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_runs import make_run
from cases import simulate
from paths import KERNELS, KINDS, WANTED, WANTED_OF_RUNS, names

from hrixs import _core
from hrixs.simulation import write_run

SERVER = Path(__file__).with_name("path_server.py")
# Results of the paths that are not kernels: true value and allowed deviation. The default threshold
# finds about 95 % of a run's photons.
TRUTH: dict[str, tuple[float, float]] = {
    "largest distance": (0.0, 0.1), "level": (100.0, 1e-3), "sum": (1.8e6, 4e3), "groups": (12, 0),
    "photons": (60_000.0, 4_000.0), "n": (8_000.0, 270.0), "bad": (0.0, 10.0),
}  # fmt: skip
HEAD = """\
| path | ms | other | faster by | 5 to 95 % | wanted | x reading | peak MB, other | wrong |
|---|---|---|---|---|---|---|---|---|"""
# The command fails where this build is slower than this share of the other one's speed.
TOLERATED = 0.9


def write_inputs(folder: Path, n_frames: int, wanted: list[str]) -> None:
    """Write frames, dark and mask, and the runs that the wanted paths need."""
    frames = simulate((2048, 2048), n_frames)
    rng = np.random.default_rng(2)
    np.save(folder / "frames.npy", frames)
    np.save(folder / "small.npy", simulate((512, 1024), 4 * n_frames).reshape(-1, 16, 512, 1024))
    np.save(folder / "dark.npy", rng.normal(100.0, 0.3, frames.shape[1:]).astype(np.float32))
    np.save(folder / "mask.npy", rng.random(frames.shape[1:]) < 1e-4)
    darks = np.round(rng.normal(100.0, 1.6, (20, 2048, 2048))).astype(np.uint16)
    np.save(folder / "darks.npy", darks)
    if {"process_run", "find_curvature"} & set(wanted):
        make_run(folder, 1).rename(folder / "plain")
    if "process_run, gzip" in wanted:
        make_run(folder, 1, gzip=True).rename(folder / "gzip")
    if "load_dark" in wanted:
        write_run(folder / "made", np.tile(darks, (5, 1, 1))).rename(folder / "dark")


class Build:
    """A process with one build, ready to run one path."""

    def __init__(self, python: str, name: str, folder: Path) -> None:
        beside = {"EXTRA_DATA_DATA_ROOT": str(folder)}
        if python != sys.executable:
            beside["PYTHONPATH"] = ""  # it points to this build
        self.process = subprocess.Popen(
            [python, str(SERVER), name, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | beside,
        )  # fmt: skip
        self._name = f"{python} on path {name!r}"
        self.first = self._heard()
        self.spent: list[float] = []

    def _heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._name} ended without an answer")
        said: dict[str, Any] = json.loads(line)
        return said

    def run(self) -> None:
        """Run the path once and store its milliseconds a frame."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.spent.append(float(self._heard()["ms"]) / self.first["n_frames"])

    def end(self) -> None:
        """End the process."""
        self.process.communicate()


def compared(name: str, this: dict[str, Any], other: dict[str, Any] | None) -> str:
    """Return what is wrong with the results of the builds; empty if nothing is."""
    told = this["told"]
    if name.partition(":")[0] in KINDS:
        common = set(told) & set(other["told"]) if other is not None else set()
        differ = [key for key in sorted(common) if other and told[key] != other["told"][key]]
        return f"bytes differ: {', '.join(differ)}" if differ else ""
    wrong = []
    for build in (this, other):
        for key, value in (build["told"] if build is not None else {}).items():
            true, allowed = TRUTH.get(key, (value, 0.0))
            if abs(value - true) > allowed:
                wrong.append(f"{key} = {value:g}, true {true:g}")
    return "; ".join(wrong)


def pair(
    name: str, other: str, folder: Path, rounds: int, reading: Callable[[], float]
) -> dict[str, Any]:
    """Times of both builds on one path, in turn, and of summing the bytes of the frames."""
    builds = [Build(python, name, folder) for python in (sys.executable, other)]
    this, that = builds
    absent = "absent" in that.first
    wrong = compared(name, this.first, None if absent else that.first)
    read = []
    for k in range(rounds):
        for build in builds if k % 2 else builds[::-1]:
            if "absent" not in build.first:
                build.run()
        read.append(reading())
    for build in builds:
        build.end()
    row: dict[str, Any] = {"path": name, "ms": float(np.median(this.spent)), "wrong": wrong}
    row["peak_mb"] = this.first["peak_mb"]
    row["over_reading"] = row["ms"] / float(np.median(read))
    if not absent:
        ratios = np.divide(that.spent, this.spent)
        low, middle, high = np.percentile(ratios, (5, 50, 95))
        row |= {"other_ms": float(np.median(that.spent)), "other_peak_mb": that.first["peak_mb"]}
        row |= {"faster": float(middle), "from": float(low), "to": float(high)}
    return row


def wanted_ratio(name: str, level: str) -> float | None:
    kind, _, kernel = name.partition(": ")
    if kind not in KINDS:
        return WANTED_OF_RUNS[name]
    on_avx2 = kind == "uint16" and "512" not in level
    of_kind = WANTED["uint16 on AVX2" if on_avx2 else kind]
    return of_kind[KERNELS.index(kernel)]


def line(row: dict[str, Any], level: str) -> str:
    wanted = wanted_ratio(row["path"], level)
    cells = [row["path"], f"{row['ms']:.2f}"]
    if "faster" in row:
        short = wanted is not None and row["faster"] < wanted
        cells += [f"{row['other_ms']:.2f}", f"{row['faster']:.2f}",
                  f"{row['from']:.2f} to {row['to']:.2f}"]  # fmt: skip
    else:
        short, cells = False, [*cells, "", "", ""]
    cells += ["" if wanted is None else f"{wanted:g}{' (missed)' if short else ''}"]
    cells += [f"{row['over_reading']:.1f}"]
    cells += [f"{row['peak_mb']:.0f} / {row.get('other_peak_mb', float('nan')):.0f}", row["wrong"]]
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", help="Python interpreter of the environment with the other build")
    parser.add_argument(
        "--frames", type=int, default=16, help="number of frames of 2048 x 2048, a multiple of 4"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--paths", nargs="*", default=[], help="only paths that begin with these names"
    )
    parser.add_argument(
        "--folder", type=Path, help="folder for the inputs (default: a temporary one)"
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file, too")
    parser.add_argument(
        "--check", action="store_true", help="fail if a path is slower or gives another result"
    )
    arguments = parser.parse_args()
    chosen = [name for name in names() if not arguments.paths or
              any(name.startswith(one) for one in arguments.paths)]  # fmt: skip
    level = _core.simd_level()
    rows = []
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="hrixs-bench-") as made:
        folder = Path(made)
        write_inputs(folder, arguments.frames, chosen)
        bytes_of_frames = np.load(folder / "frames.npy").reshape(-1).view(np.uint64)

        def reading() -> float:
            start = time.perf_counter()
            bytes_of_frames.sum()
            return 1e3 * (time.perf_counter() - start) / float(arguments.frames)

        print(
            f"\n{level}, {arguments.rounds} rounds; "
            "ms per frame, or per call if a path has no frames\n"
        )
        print(
            "| path | ms | other | faster by | 5 to 95 % | wanted | x reading | peak MB | wrong |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for name in chosen:
            rows.append(pair(name, arguments.other, folder, arguments.rounds, reading))
            print(line(rows[-1], level), flush=True)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"level": level, "rounds": arguments.rounds, "rows": rows}, indent=1) + "\n"
        )
    slower = [row["path"] for row in rows if row.get("to", 1.0) < TOLERATED]
    wrong = [row["path"] for row in rows if row["wrong"]]
    if arguments.check and (slower or wrong):
        raise SystemExit(f"slower: {slower}; wrong: {wrong}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
