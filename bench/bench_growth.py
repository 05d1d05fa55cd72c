"""How time grows with the number of frames, photons, pixels and threads: lines and slopes.

The slope is that of the logarithms in the upper half of each range: 1 is linear, 0 is a constant
time. The command fails if a time grows faster than linearly.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from cases import CURVATURE, ENERGY, THRESHOLD
from numpy.typing import NDArray

import hrixs
from hrixs import _core
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from hrixs.utils import available_threads

FRAMES = (1, 3, 10, 30, 100, 300, 1000)
PHOTONS = (10, 100, 300, 1000, 3000, 10_000, 20_000)
CHIPS = (512, 1024, 2048, 4096)
#: Photons per pixel; size of the frames of the row "frames".
DENSITY, SMALL = 1000 / 2048**2, (512, 1024)
#: Largest slope that counts as linear; times on a busy machine scatter.
STEEPEST = 1.1
PEDESTAL = 100.0


class Line(NamedTuple):
    """Milliseconds of calls of one kernel while one number grows."""

    over: str
    kernel: str
    numbers: list[int]
    ms: list[float]

    @property
    def slope(self) -> float:
        """Exponent of the growth in the upper half of the numbers."""
        half = max(len(self.numbers) // 2, 2)
        x, y = np.log(self.numbers[-half:]), np.log(self.ms[-half:])
        return float(np.polyfit(x, y, 1)[0])


def kernels(frames: NDArray[Any], threads: int) -> dict[str, Callable[[], Any]]:
    """A call of each kernel on `frames`."""
    threshold = 4 * PEDESTAL + THRESHOLD
    fit: dict[str, Any] = {"position": "gaussian", "cloud_sigma": 0.55, "read_noise": 1.6}
    crowd: dict[str, Any] = {"photon_charge": 138.9, "cloud_sigma": 0.55, "electrons_per_adu": 1.06}
    return {
        "centroid_one, std": lambda: hrixs.find_photons(frames, threads=threads),
        "centroid_one, fixed": lambda: hrixs.find_photons(
            frames, threshold=threshold, threads=threads
        ),
        "with a fit": lambda: hrixs.find_photons(
            frames, threshold=threshold, threads=threads, **fit
        ),
        "centroid_two": lambda: hrixs.classify_photons(frames, ENERGY, threads=threads),
        "integrate": lambda: hrixs.integrate_frames(frames, curvature=CURVATURE, threads=threads),
        "resolve": lambda: hrixs.resolve_photons(frames, threads=threads, **crowd),
    }


def simulated(n_frames: int, photons: float, shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Frames with `photons` photons each on wide lines; four are simulated and repeated."""
    lines = (SpectralLine(shape[1] / 2, shape[1] / 7, 1.0),)
    sensor = Sensor(shape=shape)
    made, _ = simulate_frames(
        min(n_frames, 4), sensor=sensor, lines=lines, photons_per_frame=photons,
        curvature=CURVATURE, seed=1,
    )  # fmt: skip
    return np.tile(made.values, (-(-n_frames // 4), 1, 1))[:n_frames]


def milliseconds(work: Callable[[], Any], rounds: int, clock: Callable[[], float]) -> float:
    """Shortest time of some calls: other work on the machine only makes calls longer."""
    spent = []
    for _ in range(rounds):
        start = clock()
        work()
        spent.append(1e3 * (clock() - start))
    return min(spent)


def grown(
    over: str,
    numbers: Sequence[int],
    made: Callable[[int], tuple[NDArray[Any], int]],
    rounds: int,
) -> list[Line]:
    """A line for each kernel; `made` returns frames and threads for a number."""
    lines: dict[str, Line] = {}
    # Processor time of one thread does not contain the work of other programs.
    clock = time.perf_counter if over == "threads" else time.process_time
    for number in numbers:
        frames, threads = made(number)
        for name, work in kernels(frames, threads).items():
            line = lines.setdefault(name, Line(over, name, [], []))
            line.numbers.append(number)
            line.ms.append(milliseconds(work, rounds, clock))
    return list(lines.values())


def all_lines(rounds: int) -> list[Line]:
    """All kernels over frames, photons, pixels and threads."""
    full = (2048, 2048)
    density = DENSITY * SMALL[0] * SMALL[1]
    stack = simulated(8, 1000, full)
    threads = range(1, available_threads() + 1)
    return [
        *grown("frames", FRAMES, lambda n: (simulated(n, density, SMALL), 1), min(rounds, 3)),
        *grown("photons per frame", PHOTONS, lambda n: (simulated(4, n, full), 1), rounds),
        *grown("pixels", [n * n for n in CHIPS], lambda n: (_square(n), 1), rounds),
        *grown("threads", threads, lambda n: (stack, n), rounds),
    ]


def _square(pixels: int) -> NDArray[np.uint16]:
    side = round(pixels**0.5)
    return simulated(2, DENSITY * pixels, (side, side))


def draw(lines: list[Line], path: Path) -> None:
    """Draw a panel for each number that grows; both axes are logarithmic."""
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(line.over for line in lines))
    figure = Figure(figsize=(11, 8), layout="constrained")
    for axes, over in zip(figure.subplots(2, 2).flat, groups, strict=True):
        for k, line in enumerate(line for line in lines if line.over == over):
            label = f"{line.kernel}, slope {line.slope:.2f}"
            axes.plot(line.numbers, line.ms, "o-", color=f"C{k}", markersize=4, label=label)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(over)
        axes.set_ylabel("ms a call")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_formatter("{x:g}")
        if over == "threads":
            axes.set_xticks(
                sorted({n for line in lines if line.over == over for n in line.numbers})
            )
            axes.minorticks_off()
        if over != "threads":  # the colours are explained in the other panels
            axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the lines to this file, too")
    parser.add_argument("--chart", type=Path, default=Path("growth.png"))
    arguments = parser.parse_args()
    lines = all_lines(arguments.rounds)
    print(f"\n{_core.simd_level()}, shortest of {arguments.rounds} calls\n")
    print(
        "| what grows | kernel | from | to | ms at the start | ms at the end | slope |\n"
        "|---|---|---|---|---|---|---|"
    )
    for line in lines:
        first, last = line.numbers[0], line.numbers[-1]
        print(
            f"| {line.over} | {line.kernel} | {first} | {last} | {line.ms[0]:.3g} | "
            f"{line.ms[-1]:.3g} | {line.slope:.2f} |"
        )
    draw(lines, arguments.chart)
    if arguments.json:
        rows = [line._asdict() | {"slope": line.slope} for line in lines]
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    steep = [f"{one.kernel} over {one.over}: {one.slope:.2f}" for one in lines
             if one.slope > STEEPEST]  # fmt: skip
    if steep:
        raise SystemExit("faster than linearly:\n" + "\n".join(steep))


if __name__ == "__main__":
    main()
