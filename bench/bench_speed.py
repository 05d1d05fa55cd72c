"""Time for a frame: hrixs, plain NumPy (tests/oracles/frames.py), and other installed programs.

Every result is first compared with that of NumPy. Then all programs run in turn, so that a slow
moment of the machine affects all of them. Medians are printed, written as JSON and drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cases import KERNELS, Case, make_cases
from numpy.typing import NDArray
from peers import installed

import hrixs
from hrixs import _core
from hrixs.utils import available_threads

#: Wanted ratio to NumPy on one thread for uint16; half of it for other pixel types.
WANTED = dict(zip(KERNELS, (75, 110, 50, 150), strict=True))
#: A case is certainly slower than before if its ratio is below this share of the earlier one.
TOLERATED = 0.5


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def sum_of_bytes(frames: NDArray[Any], threads: int = 1) -> int:
    """Milliseconds of a plain sum, which is the time of reading the memory."""
    parts = np.array_split(frames.reshape(-1).view(np.uint64), threads)
    if threads == 1:
        return int(parts[0].sum())
    with ThreadPoolExecutor(threads) as pool:
        return sum(int(total) for total in pool.map(np.sum, parts))


def wanted_ratio(case: Case) -> float:
    full = case.data in ("uint16", "uint16, 512x1024, 16 a train")
    return WANTED[case.kernel] * (1.0 if full else 0.5)


def time_kernels(cases: list[Case], rounds: int, threads: int) -> list[dict[str, Any]]:
    """Milliseconds a frame of every case, and its ratios."""
    times: dict[int, dict[str, list[float]]] = {k: {} for k in range(len(cases))}
    for _ in range(rounds):
        for k, case in enumerate(cases):
            n = case.n_frames
            for name, spent in (
                ("reading", milliseconds(partial(sum_of_bytes, case.frames)) / n),
                ("one", milliseconds(partial(case.run, 1)) / n),
                ("many", milliseconds(partial(case.run, threads)) / n),
                ("numpy", milliseconds(case.run_reference)),
            ):
                times[k].setdefault(name, []).append(spent)
    rows = []
    for k, case in enumerate(cases):
        median = {name: float(np.median(spent)) for name, spent in times[k].items()}
        rows.append(
            {"data": case.data, "kernel": case.kernel, "frames": case.n_frames}
            | {f"{name}_ms": value for name, value in median.items()}
            | {
                "ratio": median["numpy"] / median["one"],
                "wanted_ratio": wanted_ratio(case),
                "over_reading": median["one"] / median["reading"],
            }
        )
    return rows


def time_threads(frames: NDArray[Any], rounds: int, threads: int) -> list[dict[str, Any]]:
    """Times of the kernels, and of a plain sum of the bytes, with one and with more threads."""
    works: dict[str, Callable[[int], object]] = {
        case.kernel: case.run for case in (Case(kernel, "uint16", frames) for kernel in KERNELS)
    }
    works["plain sum of the bytes"] = partial(sum_of_bytes, frames)
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            for n, spent in zip((1, threads), times[name], strict=True):
                spent.append(milliseconds(partial(work, n)) / len(frames))
    return [
        {"work": name, "one_ms": float(np.median(one)), "many_ms": float(np.median(many))}
        for name, (one, many) in times.items()
    ]


def time_peers(frames: NDArray[Any], rounds: int, threads: int) -> list[dict[str, Any]]:
    """Times of other installed programs and of the finders of hrixs on the same frames."""

    def count(case: Case) -> int:
        return int(case.run(threads).sizes["photon"])

    finders: dict[str, Callable[[], int]] = {
        f"hrixs {kernel}, {threads} threads": partial(count, Case(kernel, "uint16", frames))
        for kernel in KERNELS[:3]
    }
    finders |= installed(frames, threads)
    times: dict[str, list[float]] = {name: [] for name in finders}
    found = {name: find() / len(frames) for name, find in finders.items()}
    for _ in range(rounds):
        for name, find in finders.items():
            times[name].append(milliseconds(find) / len(frames))
    return [
        {"finder": name, "ms": float(np.median(spent)), "photons": found[name]}
        for name, spent in times.items()
    ]


def overheads(stack: NDArray[Any]) -> dict[str, float]:
    """Time of a call without pixels, and of the import beyond that of numpy and xarray."""
    tiny = np.full((16, 8, 8), 100, np.uint16)
    options: dict[str, Any] = {
        "threshold": 450.0,
        "std_threshold": 3.5,
        "dbl_threshold": None,
        "dark": None,
        "mask": None,
        "max_photons": 1000,
        "threads": 1,
    }

    def call_core(frames: NDArray[Any]) -> object:
        return _core.find_photons(frames, **options)

    def call_python(frames: NDArray[Any]) -> object:
        return hrixs.find_photons(frames, threshold=450.0, threads=1)

    times = [
        [milliseconds(partial(call_core, tiny)), milliseconds(partial(call_python, tiny))]
        for _ in range(200)
    ]
    core, python = (float(t) for t in np.median(times, axis=0))
    sixteen = float(np.median([milliseconds(partial(call_python, stack)) for _ in range(9)]))
    imports = [
        float(
            subprocess.run(
                [sys.executable, "-c", IMPORT_TIME], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(5)
    ]
    return {
        "core_call_us": 1e3 * core,
        "python_call_us": 1e3 * (python - core),
        "python_share_of_16_frames": (python - core) / sixteen,
        "import_s": float(np.median(imports)),
    }


IMPORT_TIME = """
import time, numpy, xarray
start = time.perf_counter()
import hrixs
hrixs.find_photons
print(time.perf_counter() - start)
"""


def print_report(report: dict[str, Any]) -> None:
    n = report["threads"]
    print(f"\n{report['cpu']}, {report['simd']}, {n} threads, {report['rounds']} rounds\n")
    print(f"| frames | kernel | 1 thread, ms | {n} threads | NumPy | ratio | wanted | x reading |")
    print("|---|---|---|---|---|---|---|---|")
    for row in report["kernels"]:
        short = "" if row["ratio"] >= row["wanted_ratio"] else " (missed)"
        print(
            f"| {row['data']} | {row['kernel']} | {row['one_ms']:.2f} | {row['many_ms']:.2f} | "
            f"{row['numpy_ms']:.0f} | {row['ratio']:.0f}x{short} | {row['wanted_ratio']:.0f}x | "
            f"{row['over_reading']:.1f} |"
        )
    for title, key in (
        (f"{report['stack']} frames", "scaling"),
        ("one frame alone", "single_frame"),
    ):
        print(f"\n| {title} | 1 thread, ms per frame | {n} threads | faster |\n|---|---|---|---|")
        for row in report[key]:
            faster = row["one_ms"] / row["many_ms"]
            print(f"| {row['work']} | {row['one_ms']:.2f} | {row['many_ms']:.2f} | {faster:.2f}x |")
    print("\n| finder | ms per frame | photons per frame |\n|---|---|---|")
    for row in report["peers"]:
        print(f"| {row['finder']} | {row['ms']:.2f} | {row['photons']:.0f} |")
    cost = report["overheads"]
    print(
        f"\nA call takes {cost['core_call_us']:.0f} us in the core and "
        f"{cost['python_call_us']:.0f} us in Python, {cost['python_share_of_16_frames']:.1%} of "
        f"16 frames; the import takes {cost['import_s']:.2f} s beyond numpy and xarray."
    )


def draw(report: dict[str, Any], path: Path) -> None:
    """Bar chart of the uint16 frames, on a logarithmic scale."""
    from matplotlib.figure import Figure

    rows = [row for row in report["kernels"] if row["data"] == "uint16"]
    reading = float(np.median([row["reading_ms"] for row in rows]))
    bars = [("reading the bytes", reading, "0.6")]
    for row in rows:
        bars.append((f"hrixs {row['kernel']}", row["one_ms"], "C0"))
    for row in report["peers"]:
        if not row["finder"].startswith("hrixs"):
            bars.append((row["finder"], row["ms"], "C1"))
    for row in rows:
        bars.append((f"NumPy {row['kernel']}", row["numpy_ms"], "0.8"))
    figure = Figure(figsize=(8, 0.36 * len(bars) + 1.2), layout="constrained")
    axes = figure.subplots()
    names, values, colours = zip(*bars[::-1], strict=True)
    drawn = axes.barh(names, values, color=colours)
    axes.bar_label(drawn, labels=[f"{value:.3g} ms" for value in values], padding=3)
    axes.set_xscale("log")
    axes.set_xlim(0.2, 4 * max(values))
    axes.set_xlabel("ms for 2048 x 2048 pixels, 1000 photons; one thread if nothing else is given")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def compare(report: dict[str, Any], earlier: dict[str, Any]) -> list[str]:
    """Cases whose ratio to NumPy is far below that of an earlier report."""
    before = {(row["data"], row["kernel"]): row["ratio"] for row in earlier["kernels"]}
    return [
        f"{row['data']}, {row['kernel']}: {row['ratio']:.0f}x, was {before[key]:.0f}x"
        for row in report["kernels"]
        if (key := (row["data"], row["kernel"])) in before
        and row["ratio"] < TOLERATED * before[key]
    ]


def cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--frames", type=int, default=32, help="number of frames in a stack, a multiple of 4"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, default=Path("speed.json"))
    parser.add_argument("--chart", type=Path, default=Path("speed.png"))
    parser.add_argument(
        "--check", type=Path, metavar="JSON", help="fail if a ratio has halved since this report"
    )
    arguments = parser.parse_args()
    # Other programs that use OpenMP run with the same number of threads.
    threads = available_threads()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    cases = make_cases(arguments.frames)
    for case in cases:
        case.check()
    frames = cases[0].frames
    report: dict[str, Any] = {
        "hrixs": hrixs.__version__,
        "cpu": cpu_name(),
        "simd": _core.simd_level(),
        "threads": threads,
        "stack": arguments.frames,
        "rounds": arguments.rounds,
        "kernels": time_kernels(cases, arguments.rounds, threads),
        "scaling": time_threads(frames, arguments.rounds, threads),
        "single_frame": time_threads(frames[:1], 3 * arguments.rounds, threads),
        "peers": time_peers(frames[:16], arguments.rounds, threads),
        "overheads": overheads(frames[:16]),
    }
    print_report(report)
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    draw(report, arguments.chart)
    if arguments.check:
        slower = compare(report, json.loads(arguments.check.read_text()))
        if slower:
            raise SystemExit("slower than before:\n" + "\n".join(slower))


if __name__ == "__main__":
    main()
