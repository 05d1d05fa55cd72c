"""Two photons in one spot: how often they are separated, and the errors of their positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr

from hrixs import find_photons
from validation.figures import save

TITLE = "Splitting double hits"

FloatArray = NDArray[np.float64]

CLOUD_SIGMA = 0.55
LEVEL = 100.0
CELL = 24
DISTANCES = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.0, 2.5, 3.0)
#: Charge in electrons, at 1 electron per ADU, and read noise.
CAMERAS = ((140.0, 1.6), (140.0, 4.0), (400.0, 1.6))


def section(*, quick: bool) -> str:
    """Simulate pairs of photons at given distances, and find them."""
    side = 8 if quick else 40
    lines = [
        f"Each row: {side * side} pairs of photons of equal charge, in random directions and at "
        "random pixel phases. Each photon leaves the mean cloud of 0.55 px; the noise is read "
        "noise only. Settings: `split_doubles=True`, `dbl_threshold` 1.6 photons.",
        "",
        "'counted as two': the spot gives two photons, separate or as one double hit. "
        "'separated': the two photons have two positions. The rms error, of x and y together, is "
        "that of separated pairs; '-' where fewer than 10 pairs are separated. No limit is set.",
        "",
        "| electrons of a photon | noise / e⁻ | distance / px | counted as two | separated | "
        "rms error / px | the same of a single photon / px |",
        "|---|---|---|---|---|---|---|",
    ]
    for charge, noise in CAMERAS:
        alone = _single_error(charge, noise, side)
        for distance in DISTANCES:
            two, apart, error = _measure(charge, noise, distance, side)
            shown = f"{error:.3f}" if apart * side * side >= 10 else "-"
            lines.append(
                f"| {charge:.0f} | {noise:g} | {distance:g} | {two:.1%} | {apart:.1%} | {shown} | "
                f"{alone:.3f} |"
            )
    single = [_split_singles(charge, noise, side) for charge, noise in CAMERAS]
    lines += [
        "",
        "Single photons with twice the charge must not be split: at most "
        f"{max(single):.1%} of them are.",
    ]
    return "\n".join(lines)


def draw(path: Path) -> str:
    """Draw how often pairs are separated into a file; return the caption."""
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    distances = np.arange(0, 3.01, 0.2)
    for (charge, noise), mark in zip(CAMERAS, "os^", strict=True):
        apart = [_measure(charge, noise, distance, 20)[1] for distance in distances]
        axes.plot(
            distances, apart, f"{mark}-", ms=4, label=f"{charge:.0f} e$^-$, noise {noise:g} e$^-$"
        )
    axes.set(
        xlabel="distance of two photons (px)",
        ylabel="share of pairs that are separated",
        ylim=(0, 1.05),
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="lower right")
    save(figure, path)
    return "Share of pairs of photons that are separated, against their distance"


def _frame(
    places: FloatArray, charge: float, noise: float, side: int, seed: int
) -> NDArray[np.float32]:
    frame = np.random.default_rng(seed).normal(LEVEL, noise, (side * CELL, side * CELL))
    pixel = np.arange(-8, 9)
    for x, y in places:
        column, row = int(np.rint(x)), int(np.rint(y))
        shares = [
            ndtr((pixel + 0.5 + middle - place) / CLOUD_SIGMA)
            - ndtr((pixel - 0.5 + middle - place) / CLOUD_SIGMA)
            for place, middle in ((x, column), (y, row))
        ]
        frame[column - 8 : column + 9, row - 8 : row + 9] += charge * np.outer(*shares)
    return frame.astype(np.float32)


def _middles(side: int, rng: np.random.Generator) -> FloatArray:
    cells = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
    return CELL * (cells.reshape(-1, 2) + 0.5) + rng.uniform(-0.5, 0.5, (side * side, 2))


def _find(frame: NDArray[np.float32], charge: float, noise: float) -> Any:
    return find_photons(
        frame,
        threshold=4 * LEVEL + 6 * 2 * noise,
        dbl_threshold=1.6 * charge,
        position="gaussian",
        cloud_sigma=CLOUD_SIGMA,
        split_doubles=True,
    )


def _measure(charge: float, noise: float, distance: float, side: int) -> tuple[float, float, float]:
    """Share of pairs counted as two; share that is separated; rms error of the latter."""
    rng = np.random.default_rng(int(1000 * distance) + 1)
    middles = _middles(side, rng)
    angle = rng.uniform(0, 2 * np.pi, len(middles))
    half = 0.5 * distance * np.stack([np.cos(angle), np.sin(angle)], -1)
    truth = np.stack([middles - half, middles + half], 1)
    found = _find(_frame(truth.reshape(-1, 2), charge, noise, side, 7), charge, noise)
    places = np.stack([found.x.values, found.y.values], -1)
    two = apart = 0
    squares: list[float] = []
    for middle, pair in zip(middles, truth, strict=True):
        near = np.flatnonzero(np.hypot(*(places - middle).T) < 4)
        two += int(near.size + found.double.values[near].sum() == 2)
        if near.size == 2:
            apart += 1
            ways = [float(np.sum((places[near[order]] - pair) ** 2)) for order in ([0, 1], [1, 0])]
            squares.append(min(ways) / 4)
    error = float(np.sqrt(np.mean(squares))) if squares else np.nan
    return two / len(middles), apart / len(middles), error


def _single_error(charge: float, noise: float, side: int) -> float:
    middles = _middles(side, np.random.default_rng(0))
    found = _find(_frame(middles, charge, noise, side, 8), charge, noise)
    places = np.stack([found.x.values, found.y.values], -1)
    nearest = [places[np.hypot(*(places - middle).T).argmin()] - middle for middle in middles]
    return float(np.sqrt(np.mean(np.square(nearest))))


def _split_singles(charge: float, noise: float, side: int) -> float:
    middles = _middles(side, np.random.default_rng(3))
    found = _find(_frame(middles, 2 * charge, noise, side, 9), charge, noise)
    return float((found.flag.values & 16 > 0).sum() / 2 / len(middles))
