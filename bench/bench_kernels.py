"""Times of a frame, beside the plain NumPy of tests/reference.py.

Frames of 2048 x 2048 uint16 pixels with 1000 photons. Kernel and reference take turns; the figures
are medians. Every kernel's answer is checked against the reference's first.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import hrixs
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import reference

CURVATURE = (0.0240845, -3.6953e-7)
ENERGY = 530.0
THRESHOLD = 450.0


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def cases(frames: np.ndarray) -> dict[str, tuple[Callable[[int], object], Callable[[], object]]]:
    """Kernel, taking the threads, and reference of one frame, by name."""
    one = frames[0]
    return {
        "centroid_one, threshold from std": (
            lambda threads: hrixs.find_photons(frames, threads=threads),
            lambda: reference.find_photons(one),
        ),
        "centroid_one, fixed threshold": (
            lambda threads: hrixs.find_photons(frames, threshold=THRESHOLD, threads=threads),
            lambda: reference.find_photons(one, threshold=THRESHOLD),
        ),
        "centroid_two": (
            lambda threads: hrixs.classify_photons(frames, ENERGY, threads=threads),
            lambda: reference.classify_photons(one, ENERGY),
        ),
        "integrate": (
            lambda threads: hrixs.integrate_frames(frames, curvature=CURVATURE, threads=threads),
            lambda: reference.integrate(one, curvature=CURVATURE),
        ),
    }


def check(frames: np.ndarray) -> None:
    """Both give the same photons and the same integrals."""
    one = frames[0]
    for found, expected in (
        (hrixs.find_photons(one), reference.find_photons(one)),
        (hrixs.classify_photons(one, ENERGY), reference.classify_photons(one, ENERGY)),
    ):
        for name in ("x", "y", "charge", "double"):
            np.testing.assert_allclose(found[name], getattr(expected, name), rtol=0, atol=1e-7)
    expected, _, _ = reference.integrate(one, curvature=CURVATURE)
    np.testing.assert_allclose(
        hrixs.integrate_frames(one, curvature=CURVATURE), expected, rtol=1e-12
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    sensor = Sensor()
    lines = (SpectralLine(1000.0, 300.0, 1.0),)
    stack, _ = simulate_frames(
        arguments.frames, sensor=sensor, lines=lines, curvature=CURVATURE, seed=1
    )
    frames = stack.values
    check(frames)
    threads = hrixs.threads.available_threads()
    names = ["reading the bytes", *cases(frames)]
    times: dict[str, list[list[float]]] = {name: [[], [], []] for name in names}
    for _ in range(arguments.rounds):
        times[names[0]][0].append(milliseconds(lambda: frames.view(np.uint64).sum()) / len(frames))
        for name, (kernel, oracle) in cases(frames).items():
            times[name][0].append(milliseconds(lambda k=kernel: k(1)) / len(frames))
            times[name][1].append(milliseconds(lambda k=kernel: k(threads)) / len(frames))
            times[name][2].append(milliseconds(oracle))
    print(f"| kernel | hrixs, 1 thread | hrixs, {threads} threads | plain NumPy | ratio |")
    print("|---|---|---|---|---|")
    for name in names:
        one, many, oracle = (float(np.median(t)) if t else np.nan for t in times[name])
        rest = f"{many:.2f} | {oracle:.0f} | {oracle / one:.0f}x" if many == many else "| |"
        print(f"| {name} | {one:.2f} | {rest} |")


if __name__ == "__main__":
    main()
