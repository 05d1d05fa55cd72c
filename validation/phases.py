"""Bias of positions inside the pixel: how it is detected, and what the correction gains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hrixs import (
    NoPhaseCorrectionError,
    classify_photons,
    find_photons,
    phase_correction,
    phase_uniformity,
)
from hrixs.photons.phases import phase_of
from hrixs.simulation import CURVE_A, CURVE_B, Sensor, SpectralLine, simulate_frames
from validation.figures import save

TITLE = "Bias of positions inside the pixel"

ENERGY = 530.0
TILT = (CURVE_A, CURVE_B)
MOST_BIAS = 0.02
# The scatter of a measured bias, peak to peak, is a few thousandths of a pixel.
BIAS_HARMONICS = np.arange(1, 5)


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    n_frames = 6 if quick else 100
    return "\n\n".join(
        [
            "Simulated frames of 2048 x 300 pixels with a wide line of about 1000 photons of "
            f"{ENERGY:g} eV each; {n_frames} frames per row; curvature ({CURVE_A:g}, {CURVE_B:g}). "
            "The correction (`phase_correction`) is learned from all single hits, as on a "
            "beamline. Errors are those along y, of photons without another within 7 px.",
            "'bias': the mean error as a function of the true pixel phase, peak to peak (four "
            "harmonics). 'implied bias': the estimate of `phase_uniformity`, which does not know "
            "the truth; scatter that depends on the phase also looks like a bias to it. 'found': "
            "share of these photons that are found. Where it is far below 100 %, the threshold "
            "loses photons of some phases.",
            _positions(n_frames),
            "**A line without a tilt** (A = 0, 0.3 px wide, cloud 0.55 px, noise 1.6 electrons, "
            "3x3). A correction learned along y would deform this line, so `phase_correction` must "
            "refuse it. The correction learned along x can be used for y (`y_from_x`).",
            _untilted(n_frames),
            "**The test of `phase_uniformity`** on random positions, without a bias and with a "
            "bias of known size. 'alarms': share of tables with p < 0.05.",
            _alarms(40 if quick else 1000),
        ]
    )


def draw(path: Path) -> str:
    """Draw the mean error against the phase, and the phases found; return the caption."""
    cloud, noise = 0.55, 1.6
    frames, truth, sensor = _wide_line(60, cloud, noise)
    options = {"dark": sensor.pattern, "threads": 1}
    com = classify_photons(frames, ENERGY, **options)
    corrected = phase_correction(com, curvature=TILT, min_singles=2000).apply(com)
    fit = classify_photons(frames, ENERGY, position="gaussian", cloud_sigma=cloud, **options)
    shown = {
        "centre of mass 3x3": (com, com, "s-", "C1", "C1"),
        "the same, corrected": (com, corrected, "s--", "C1", "white"),
        "fit": (fit, fit, "o-", "C0", "C0"),
    }
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    edges = np.linspace(-0.5, 0.5, 21)
    middles = (edges[1:] + edges[:-1]) / 2
    for name, (photons, placed, line, color, fill) in shown.items():
        style = {"color": color, "mfc": fill, "ms": 4, "lw": 1}
        _, (error, phase) = _errors(photons, truth, placed)
        bins = np.clip(np.digitize(phase, edges) - 1, 0, 19)
        counts = np.bincount(bins, minlength=20)
        mean = np.bincount(bins, error, 20) / counts
        left.errorbar(middles, mean, np.std(error) / np.sqrt(counts), fmt=line, label=name, **style)
        found = phase_of(placed["y"].values[~placed["double"].values])
        share = 20 * np.histogram(found, edges)[0] / len(found)
        right.plot(middles, share, line, **style)
    left.set(xlabel="true pixel phase along y (px)", ylabel="mean error along y (px)")
    right.set(xlabel="found pixel phase along y (px)", ylabel="photons / uniform")
    flat = np.sqrt(20 / len(found))
    right.axhspan(1 - flat, 1 + flat, color="0.85", zorder=0, label="uniform, 1 std")
    left.legend(fontsize="small")
    right.legend(fontsize="small")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    save(figure, path)
    return (
        f"Bias of positions against the pixel phase, and the phases that are found; cloud {cloud} "
        f"px, read noise {noise} electrons"
    )


def _wide_line(
    n_frames: int, cloud: float, noise: float
) -> tuple[xr.DataArray, xr.Dataset, Sensor]:
    sensor = Sensor(shape=(2048, 300), cloud_sigma=cloud, read_noise=noise)
    frames, truth = simulate_frames(
        n_frames,
        sensor=sensor,
        lines=(SpectralLine(120.0, 30.0, 1.0),),
        photons_per_frame=1000,
        energy=ENERGY,
        seed=1,
    )
    return frames, truth, sensor


def _positions(n_frames: int) -> str:
    rows = [
        "| cloud / px | noise / e⁻ | centre of mass | found | implied bias / px "
        "| bias before / px | bias after / px | wanted | | rms error before / px "
        "| rms error after / px | wanted | |",
        "|---" * 13 + "|",
    ]
    for cloud, noise in [(c, n) for n in (1.6, 4.0) for c in (0.4, 0.55, 0.8)]:
        frames, truth, sensor = _wide_line(n_frames, cloud, noise)
        for name, photons in _found(frames, sensor):
            corrected = phase_correction(photons, curvature=TILT, min_singles=2000).apply(photons)
            implied = phase_uniformity(photons, curvature=TILT).table.sel(axis="y")
            share, (error, phase) = _errors(photons, truth)
            _, (error_after, _) = _errors(photons, truth, corrected)
            bias, after = _bias(error, phase), _bias(error_after, phase)
            rms, rms_after = float(np.std(error)), float(np.std(error_after))
            rows.append(
                f"| {cloud} | {noise} | {name} | {share:.1%} | {float(implied.bias_pp):.3f} "
                f"| {bias:.3f} | {after:.3f} | <= {MOST_BIAS} | {_short(after <= MOST_BIAS)} "
                f"| {rms:.4f} | {rms_after:.4f} | <= before | {_short(rms_after <= rms)} |"
            )
    return "\n".join(rows)


def _found(frames: xr.DataArray, sensor: Sensor) -> Iterator[tuple[str, xr.Dataset]]:
    photon = ENERGY / 3.6 / sensor.electrons_per_adu
    options = {"dark": sensor.pattern, "threads": 1}
    yield (
        "4x4 pixels, 2x2 square above 0.3 photons",
        find_photons(frames, threshold=0.3 * photon, **options),
    )
    for low in (0.12, 0.2) if sensor.cloud_sigma > 0.6 else (0.2,):
        name = f"3x3 pixels, brightest pixel above {low} photons"
        yield name, classify_photons(frames, ENERGY, candidate_low=low, **options)


def _errors(
    photons: xr.Dataset, truth: xr.Dataset, placed: xr.Dataset | None = None
) -> tuple[float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Share of isolated photons found; errors along y and true phases of isolated single hits.

    `photons` are matched with the truth; `placed` are the same photons at the positions to test.
    """
    true = np.stack([1e5 * truth["frame"], truth["x"], truth["y"]], axis=1)
    tree = cKDTree(true)
    lone = tree.query(true, k=2)[0][:, 1] > 7
    places = np.stack([1e5 * photons["frame"], photons["x"], photons["y"]], axis=1)
    distance, match = tree.query(places, distance_upper_bound=1.5)
    found = np.isfinite(distance) & ~photons["double"].values
    found[found] = lone[match[found]]
    y = (photons if placed is None else placed)["y"].values[found]
    true_y = truth["y"].values[match[found]]
    return float(found.sum() / lone.sum()), (y - true_y, phase_of(true_y))


def _bias(error: NDArray[np.float64], phase: NDArray[np.float64]) -> float:
    """Peak-to-peak of the mean error as a function of the true phase, from four harmonics."""
    at = np.linspace(-0.5, 0.5, 201)
    waves = np.exp(-2j * np.pi * np.outer(BIAS_HARMONICS, phase)) @ error / len(error)
    return float(np.ptp(2 * (waves @ np.exp(2j * np.pi * np.outer(BIAS_HARMONICS, at))).real))


def _untilted(n_frames: int) -> str:
    sensor = Sensor(shape=(2048, 100))
    frames, truth = simulate_frames(
        n_frames,
        sensor=sensor,
        lines=(SpectralLine(50.2, 0.3, 1.0),),
        photons_per_frame=200,
        curvature=(0.0, 0.0),
        energy=ENERGY,
        seed=2,
    )
    photons = classify_photons(frames, ENERGY, dark=sensor.pattern, threads=1)
    try:
        phase_correction(photons, min_singles=500)
        refused = False
    except NoPhaseCorrectionError:
        refused = True
    correction = phase_correction(photons, y_from_x=True, min_singles=500)
    _, (error, _) = _errors(photons, truth)
    _, (error_after, _) = _errors(photons, truth, correction.apply(photons))
    rms, after = float(np.std(error)), float(np.std(error_after))
    return "\n".join(
        [
            "| quantity | measured | wanted | |",
            "|---|---|---|---|",
            f"| correction learned along y | {'refused' if refused else 'accepted'} | refused "
            f"| {_short(refused)} |",
            f"| rms error along y, corrected by that of x | {after:.4f} px "
            f"| <= {rms:.4f} px, without correction "
            f"| {_short(after <= rms)} |",
        ]
    )


def _alarms(n_tables: int) -> str:
    rng = np.random.default_rng(3)
    rows = [
        "| single hits | bias, peak to peak / px | alarms along y | wanted | "
        "| alarms: blocks of the chip differ | wanted | |",
        "|---" * 8 + "|",
    ]
    # Four standard deviations of the counting.
    low, high = 0.05 + 4 * np.sqrt(0.05 * 0.95 / n_tables) * np.array([-1, 1])
    for n, bias, least in (
        (1000, 0.0, None),
        (10_000, 0.0, None),
        (10_000, 0.01, None),
        (10_000, 0.02, 0.5),
        (10_000, 0.03, 0.95),
    ):
        alarms = blocks = 0
        for _ in range(n_tables):
            found = phase_uniformity(_drawn(rng, n, bias), curvature=TILT).table
            alarms += int(found.p_value.sel(axis="y") < 0.05)
            blocks += found.attrs["blocks_p_value"] < 0.05
        share, of_blocks = alarms / n_tables, blocks / n_tables
        near = max(low, 0.0), high
        if bias == 0:
            wanted, good = f"{near[0]:.1%} to {near[1]:.1%}", near[0] <= share <= near[1]
        else:
            wanted, good = (f">= {least:.0%}", share >= least) if least else ("-", True)
        rows.append(
            f"| {n} | {bias} | {share:.1%} | {wanted} | {_short(good)} | {of_blocks:.1%} "
            f"| {near[0]:.1%} to {near[1]:.1%} | {_short(near[0] <= of_blocks <= near[1])} |"
        )
    return "\n".join(rows)


def _drawn(rng: np.random.Generator, n: int, bias: float) -> xr.Dataset:
    x = rng.uniform(-0.5, 2047.5, n)
    y = 100 + rng.normal(0, 1.3, n) + (CURVE_B * x + CURVE_A) * x
    return xr.Dataset(
        {
            "x": ("photon", x),
            "y": ("photon", y - bias / 2 * np.sin(2 * np.pi * y)),
            "double": ("photon", np.zeros(n, bool)),
        }
    )


def _short(good: bool) -> str:
    return "" if good else "missed"
