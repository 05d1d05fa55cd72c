"""What placing photons by a fit costs beside the centre of mass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hrixs import classify_photons, find_photons
from hrixs.simulation import Sensor, simulate_frames

TITLE = "Cost of the fit"

#: Wanted: time of 'gaussian' over that of 'com'.
LIMIT = 1.6
FIT: dict[str, Any] = {"position": "gaussian", "cloud_sigma": 0.55}


def section(*, quick: bool) -> str:
    """Time both positions in turn, on one thread, and take medians."""
    n_frames, rounds = (2, 2) if quick else (16, 31)
    lines = [
        "Milliseconds a frame of 2048 x 2048 uint16 pixels, one thread, "
        f"{n_frames} frames at a time, medians of {rounds} rounds in "
        "turn. 'neighbours': photons that are fitted together with others.",
        "",
        "| photons a frame | finder | com | gaussian | ratio | with electrons' noise | "
        "neighbours | wanted | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
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
            limit = photons == 1000 and name == "centroid_one"
            short = limit and max(ms["gaussian"], ms["electrons"]) > LIMIT * ms["com"]
            electrons = f"{ms['electrons']:.2f}" if "electrons" in ms else ""
            lines.append(
                f"| {photons} | {name} | {ms['com']:.2f} | {ms['gaussian']:.2f} | "
                f"{ms['gaussian'] / ms['com']:.2f} | {electrons} | {np.mean(flags & 4 > 0):.0%} | "
                f"{LIMIT if limit else ''} | {'short' if short else ''} |"
            )
    return "\n".join(lines)


def _finders() -> dict[str, Callable[..., Any]]:
    return {
        "centroid_one": lambda frames, **options: find_photons(frames, threads=1, **options),
        "centroid_two": lambda frames, **options: classify_photons(
            frames, 530.0, threads=1, **options
        ),
    }
