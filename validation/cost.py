"""Time of photon positions by the fit, compared with the centre of mass."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from hrixs import classify_photons, find_photons
from hrixs.simulation import Sensor, simulate_frames
from validation.figures import save

TITLE = "Time of the fit"

#: Wanted: time of 'gaussian' / time of 'com'.
LIMIT = 1.6
N_FRAMES, ROUNDS = 16, 31
FIT: dict[str, Any] = {"position": "gaussian", "cloud_sigma": 0.55}


def section(*, quick: bool) -> str:
    """Time both kinds of positions in turn, on one thread; report medians as Markdown."""
    n_frames, rounds = (2, 2) if quick else (N_FRAMES, ROUNDS)
    lines = [
        "Milliseconds for a frame of 2048 x 2048 uint16 pixels on one thread: medians of "
        f"{rounds} rounds of {n_frames} frames, all kinds in turn. 'com': positions by the centre "
        "of mass; 'gaussian': by the fit; 'with noise of electrons': by the fit, with the gain. "
        "'neighbours': share of the photons that are fitted together with others. `centroid_two` "
        "always knows the gain, so its fit always includes the noise of electrons. Wanted: a ratio "
        f"of at most {LIMIT} in one row.",
        "",
        "| photons per frame | finder | com | gaussian | gaussian / com | with noise of electrons "
        "| neighbours | wanted | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for photons, name, ms, neighbours in _measured(n_frames, rounds):
        limit = photons == 1000 and name == "centroid_one"
        short = limit and max(ms["gaussian"], ms["electrons"]) > LIMIT * ms["com"]
        electrons = f"{ms['electrons']:.2f}" if "electrons" in ms else ""
        lines.append(
            f"| {photons} | {name} | {ms['com']:.2f} | {ms['gaussian']:.2f} | "
            f"{ms['gaussian'] / ms['com']:.2f} | {electrons} | {neighbours:.0%} | "
            f"{LIMIT if limit else ''} | {'missed' if short else ''} |"
        )
    return "\n".join(lines)


def draw(path: Path) -> str:
    """Draw the times as bars into a file; return the caption."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    shown = {
        "com": ("centre of mass", "C1", ""),
        "gaussian": ("fit", "C0", ""),
        "electrons": ("fit, with noise of electrons", "#9ecae1", "//"),
    }
    panels = figure.subplots(1, 2, sharey=True)
    for axes, finder in zip(panels, _finders(), strict=True):
        times = {one.photons: one.ms for one in _measured(N_FRAMES, ROUNDS) if one.finder == finder}
        ways = list(times[1000])
        for number, way in enumerate(ways):
            ms = [one[way] for one in times.values()]
            # The classifier knows the gain, and so the noise of electrons.
            label, color, hatch = shown["electrons" if ways[-1] == way != "com" else way]
            at = np.arange(len(ms)) + 0.27 * (number - (len(ways) - 1) / 2)
            bars = axes.bar(at, ms, 0.25, color=color, hatch=hatch, edgecolor="white", label=label)
            axes.bar_label(bars, fmt="%.1f", fontsize="x-small", padding=1)
        axes.set_xticks(range(len(times)), [str(photons) for photons in times])
        axes.set_title(finder, fontsize="medium")
        axes.set_xlabel("photons per frame")
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("time of a frame (ms)")
    panels[0].margins(y=0.12)
    panels[0].legend(fontsize="small", loc="upper left")
    save(figure, path)
    return "Time of a frame of 2048 x 2048 pixels on one thread"


class _Time(NamedTuple):
    photons: int
    finder: str
    ms: dict[str, float]
    neighbours: float


@cache
def _measured(n_frames: int, rounds: int) -> list[_Time]:
    result = []
    for photons in (100, 1000, 5000):
        frames, _ = simulate_frames(n_frames, sensor=Sensor(), photons_per_frame=photons)
        pixels = frames.values
        for name, find in _finders().items():
            ways: dict[str, dict[str, Any]] = {"com": {}, "gaussian": FIT}
            if name == "centroid_one":
                ways["electrons"] = FIT | {"electrons_per_adu": 1.06}
            times: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(rounds):
                for way, options in ways.items():
                    begin = time.perf_counter()
                    find(pixels, **options)
                    times[way].append(1e3 * (time.perf_counter() - begin) / n_frames)
            ms = {way: float(np.median(spent)) for way, spent in times.items()}
            flags = find(pixels, **FIT).flag.values
            result.append(_Time(photons, name, ms, float(np.mean(flags & 4 > 0))))
    return result


def _finders() -> dict[str, Callable[..., Any]]:
    return {
        "centroid_one": lambda frames, **options: find_photons(frames, threads=1, **options),
        "centroid_two": lambda frames, **options: classify_photons(
            frames, 530.0, threads=1, **options
        ),
    }
