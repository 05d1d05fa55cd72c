"""Photons found and missed, and false hits, with default and with suggested thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hrixs import bad_pixels, classify_photons, find_photons, line_width, noise_report
from hrixs.noise.false_hits import expected_false_hits
from hrixs.noise.levels import frame_noise
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from validation.figures import save

TITLE = "Finding photons"

ENERGY = 530.0
NOISES = (1.6, 4.0)
#: Photons in 2048 x 2048 pixels, and the number of half frames simulated with them.
FLUXES = {10: 24, 100: 8, 1000: 4, 5000: 2, 20000: 2}
HALF_FRAME, FULL_FRAME = (1024, 2048), (2048, 2048)
REACH = 1.5
SPLIT: dict[str, Any] = {"position": "gaussian", "split_doubles": True}
#: Wanted: false hits of pure noise, found / expected.
FALSE_HIT_LIMITS = (0.8, 1.2)
#: Largest charge of a spot in the rows with `max_charge`, in photons.
BRIGHTEST = 3.5
#: Photons of one line in a frame, its width (1 std, px), and photons simulated with each.
CROWDS = (100, 200, 400, 1000)
LINE_SIGMA, N_IN_LINE = 1.3, 20_000
DEFAULTS, SUGGESTED, BY_ENERGY = (
    "`centroid_one`, defaults",
    "`centroid_one`, suggested",
    "`centroid_two`",
)


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    fluxes = {100: 8, 5000: 2} if quick else FLUXES
    camera = Sensor(shape=(256, 1024) if quick else HALF_FRAME)
    return "\n\n".join(
        [
            f"Simulated frames of {camera.shape[0]} x {camera.shape[1]} pixels with photons of "
            f"{ENERGY:g} eV in the lines of a cuprate. All numbers are scaled to a frame of "
            "2048 x 2048 pixels with the same number of photons per pixel. A photon is found if a "
            f"hit is within {REACH} px of it; a single hit finds one photon, a double hit two. "
            "'suggested' are the thresholds that `noise_report` suggests for these frames. "
            "'mistakes': photons missed plus false hits; wanted: fewer mistakes with the suggested "
            "thresholds than with the defaults.",
            _by_flux(camera, fluxes),
            "**Hot pixels and cosmic rays**: the same frames, with 1000 photons each, and with 1 "
            "hot pixel in 10 000 or 4 cosmic rays a frame. Every hit of these is a false one. The "
            "masks are `noise_report(frames).repeating` and that of `bad_pixels` from 8 dark "
            "frames. Wanted: fewer mistakes with the suggested thresholds than with the defaults.",
            _with_faults(camera, n_frames=4),
            "**Frames of noise alone**: false hits found per frame, and the number expected from "
            "the noise of the frames. Wanted: equal within 20 %.",
            _pure_noise(camera, n_frames=3 if quick else 8),
            f"**Dense lines**: one straight line of {LINE_SIGMA} px (1 std, FWHM "
            f"{_fwhm(LINE_SIGMA):.2f} px) over 1024 columns; read noise 1.6 e⁻, cloud 0.55 px, "
            "positions by the fit, thresholds suggested for the frames with the fewest photons. "
            "'found': number of hits, double hits counted twice, divided by the photons. No limit "
            "is set; the table shows how many photons a dense line loses. For dense lines use "
            "`method='resolve'`.",
            _crowding(N_IN_LINE // 10 if quick else N_IN_LINE),
        ]
    )


def draw(path: Path) -> str:
    """Draw photons missed and false hits against the threshold; return the caption."""
    flux = 1000
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, noise in zip(panels, NOISES, strict=True):
        camera = Sensor(shape=HALF_FRAME, read_noise=noise)
        frames, truth = _simulate(camera, flux, 2)
        report = noise_report(frames, threads=1)
        level = float(frame_noise(frames).square_level.mean())
        default = float(find_photons(frames, threads=1).threshold.mean()) - level
        heights = np.geomspace(8, 110, 16)
        scores = []
        for height in heights:
            table = find_photons(
                frames,
                threshold=level + height,
                dbl_threshold=report.dbl_threshold,
                threads=1,
            )
            scores.append(_score(table, truth, frames))
        missed = np.array([score.n_photons - score.found for score in scores])
        false = np.array([score.false for score in scores])
        axes.plot(heights, missed + false, "-", color="0.75", lw=4, label="mistakes: sum of both")
        axes.plot(heights, false, "s-", color="C1", ms=4, label="false hits")
        axes.plot(heights, missed, "o-", color="C0", ms=4, label="photons missed")
        for at, text, line in (
            (default, "default", ":"),
            (report.threshold - level, "suggested", "--"),
        ):
            axes.axvline(at, color="0.3", ls=line, lw=1.2, label=f"{text} threshold")
        axes.set(xlabel="threshold above the level of a 2x2 square (ADU)", yscale="log")
        axes.set_ylim(0.3, 3e4)
        axes.set_title(f"read noise {noise:g} e$^-$", fontsize="medium")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("number in a frame of 2048 x 2048")
    panels[1].legend(fontsize="x-small", loc="upper right")
    save(figure, path)
    return f"Photons missed and false hits against the threshold, {flux} photons per frame"


@dataclass
class _Score:
    """Photons and hits of a photon table, scaled to one full frame."""

    n_photons: float
    found: float
    false: float

    @property
    def mistakes(self) -> float:
        return self.n_photons - self.found + self.false

    def cells(self) -> str:
        recall = self.found / max(self.n_photons, 1e-9)
        return f"{100 * recall:.1f} % | {_number(self.false)} | {_number(self.mistakes)}"


def _by_flux(camera: Sensor, fluxes: dict[int, int]) -> str:
    rows = [
        "| read noise (e⁻) | photons per frame | finder | found | false hits per frame "
        "| mistakes a frame | |",
        "|---|---|---|---|---|---|---|",
    ]
    for noise in NOISES:
        for flux, n_frames in fluxes.items():
            scores = _scores(replace(camera, read_noise=noise), flux, n_frames)
            for name, score in scores.items():
                better = score.mistakes < scores[DEFAULTS].mistakes
                verdict = ("" if better else "missed") if name == SUGGESTED else ""
                rows.append(f"| {noise} | {flux} | {name} | {score.cells()} | {verdict} |")
    return "\n".join(rows)


def _scores(camera: Sensor, flux: int, n_frames: int) -> dict[str, _Score]:
    frames, truth = _simulate(camera, flux, n_frames)
    report = noise_report(frames, threads=1)
    tables = {
        DEFAULTS: find_photons(frames, threads=1),
        SUGGESTED: find_photons(
            frames,
            threshold=report.threshold,
            dbl_threshold=report.dbl_threshold,
            threads=1,
        ),
        BY_ENERGY: classify_photons(frames, ENERGY, threads=1),
    }
    if report.dbl_threshold is not None:
        tables[f"{SUGGESTED}, doubles split"] = find_photons(
            frames,
            threshold=report.threshold,
            dbl_threshold=report.dbl_threshold,
            electrons_per_adu=camera.electrons_per_adu,
            threads=1,
            **SPLIT,
        )
    tables[f"{BY_ENERGY}, doubles split"] = classify_photons(frames, ENERGY, threads=1, **SPLIT)
    return {name: _score(table, truth, frames) for name, table in tables.items()}


def _with_faults(camera: Sensor, *, n_frames: int, flux: int = 1000) -> str:
    rows = [
        "| fault | mask | finder | found | false hits per frame | mistakes a frame | |",
        "|---|---|---|---|---|---|---|",
    ]
    share = np.prod(camera.shape) / np.prod(FULL_FRAME)
    faults = {
        "hot pixels": replace(camera, hot_fraction=1e-4),
        "cosmic rays": replace(camera, cosmics_per_frame=4.0 * float(share)),
    }
    for fault, faulty in faults.items():
        frames, truth = _simulate(faulty, flux, n_frames)
        darks, _ = _simulate(faulty, 0, 8, seed=99)
        masks = {
            "none": None,
            "`repeating`": noise_report(frames, threads=1).repeating,
            "`bad_pixels`": bad_pixels(darks),
        }
        least = np.inf
        if not faulty.hot_fraction:
            masks = {"none": None}
        for mask_name, mask in masks.items():
            report = noise_report(frames, mask=mask, threads=1)
            suggested = find_photons(
                frames,
                threshold=report.threshold,
                dbl_threshold=report.dbl_threshold,
                mask=mask,
                threads=1,
            )
            tables = {
                DEFAULTS: find_photons(frames, mask=mask, threads=1),
                BY_ENERGY: classify_photons(frames, ENERGY, mask=mask, threads=1),
                SUGGESTED: suggested,
            }
            if report.peaks is not None:
                tables[f"{SUGGESTED}, `max_charge` of {BRIGHTEST} photons"] = find_photons(
                    frames,
                    threshold=report.threshold,
                    dbl_threshold=report.dbl_threshold,
                    max_charge=BRIGHTEST * report.peaks.adu_per_photon,
                    mask=mask,
                    threads=1,
                )
            for name, table in tables.items():
                score = _score(table, truth, frames)
                if name == DEFAULTS:
                    least = min(least, score.mistakes)
                better = "" if score.mistakes < least else "missed"
                verdict = better if name.startswith(SUGGESTED) else ""
                rows.append(f"| {fault} | {mask_name} | {name} | {score.cells()} | {verdict} |")
    return "\n".join(rows)


def _pure_noise(camera: Sensor, *, n_frames: int) -> str:
    rows = [
        "| read noise (e⁻) | threshold (standard deviations) | found | expected "
        "| found / expected | |",
        "|---|---|---|---|---|---|",
    ]
    to_full = _to_full_frame(camera.shape)
    for noise in NOISES:
        frames, _ = _simulate(replace(camera, read_noise=noise), 0, n_frames)
        measured = frame_noise(frames).mean()
        level, sigma = float(measured.square_level), float(measured.square_noise)
        for height in (3.0, 3.5, 4.0):
            threshold = level + height * sigma
            n_found = find_photons(frames, threshold=threshold, threads=1).sizes["photon"]
            expected = float(
                expected_false_hits(
                    threshold, level=level, noise=sigma, shape=camera.shape, step=1.0
                )
            )
            ratio, found = n_found / n_frames / expected, n_found / n_frames * to_full
            low, high = FALSE_HIT_LIMITS
            verdict = "" if low < ratio < high else "missed"
            rows.append(
                f"| {noise} | {height} | {found:.0f} | {expected * to_full:.0f} "
                f"| {ratio:.2f} ± {ratio / np.sqrt(max(n_found, 1)):.2f} | {verdict} |"
            )
    return "\n".join(rows)


def _crowding(n_in_line: int) -> str:
    rows = [
        "| photons of the line in a frame | found | FWHM (px) | found, with `split_doubles` "
        "| FWHM, with `split_doubles` (px) |",
        "|---|---|---|---|---|",
    ]
    camera = Sensor(shape=(1024, 96))
    line = SpectralLine(camera.shape[1] / 2, LINE_SIGMA, 1.0)
    options: dict[str, Any] = {}
    for flux in CROWDS:
        frames, truth = simulate_frames(
            n_in_line // flux,
            sensor=camera,
            lines=[line],
            photons_per_frame=flux,
            curvature=(0.0, 0.0),
            energy=ENERGY,
        )
        if not options:
            report = noise_report(frames, threads=1)
            options = {
                "threshold": report.threshold,
                "dbl_threshold": report.dbl_threshold,
                "electrons_per_adu": camera.electrons_per_adu,
                "cloud_sigma": camera.cloud_sigma,
                "position": "gaussian",
                "threads": 1,
            }
        cells = []
        for split in (False, True):
            table = find_photons(frames, split_doubles=split, **options)
            y = np.repeat(table["y"].values, np.where(table["double"].values, 2, 1))
            counts, edges = np.histogram(y, bins=np.arange(line.y - 12, line.y + 12.1, 0.25))
            spectrum = xr.DataArray(counts, dims="y", coords={"y": (edges[1:] + edges[:-1]) / 2})
            fit = line_width(spectrum)
            found = len(y) / truth.sizes["photon"]
            cells.append(f"{found:.2f} | {fit.fwhm:.2f} ± {fit.fwhm_err:.2f}")
        rows.append(f"| {flux} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _fwhm(sigma: float) -> float:
    return float(sigma * np.sqrt(8 * np.log(2)))


def _simulate(
    camera: Sensor, flux: float, n_frames: int, seed: int = 0
) -> tuple[xr.DataArray, xr.Dataset]:
    photons = flux / _to_full_frame(camera.shape)
    return simulate_frames(
        n_frames, sensor=camera, photons_per_frame=photons, energy=ENERGY, seed=seed
    )


def _score(table: xr.Dataset, truth: xr.Dataset, frames: xr.DataArray) -> _Score:
    times = np.where(table["double"].values, 2, 1)
    hits = np.repeat(_places(table), times, axis=0)
    found = _pairs(hits, _places(truth))
    per_frame = _to_full_frame(frames.shape[1:]) / len(frames)
    return _Score(
        truth.sizes["photon"] * per_frame, found * per_frame, (len(hits) - found) * per_frame
    )


def _pairs(hits: NDArray[np.float64], photons: NDArray[np.float64]) -> int:
    """Largest number of pairs of a hit and a photon within reach, each used once."""
    from scipy.sparse.csgraph import maximum_bipartite_matching
    from scipy.spatial import cKDTree

    if not (len(hits) and len(photons)):
        return 0
    near = cKDTree(hits).sparse_distance_matrix(cKDTree(photons), REACH, output_type="coo_matrix")
    near.data[:] = 1.0  # a distance of 0 would be no pair
    return int(np.count_nonzero(maximum_bipartite_matching(near.tocsr()) >= 0))


def _places(table: xr.Dataset) -> NDArray[np.float64]:
    """Positions, shifted by frame so that only those of the same frame are near each other."""
    apart = 1e5 * table["frame"].values
    return np.column_stack([table["x"].values + apart, table["y"].values])


def _to_full_frame(shape: tuple[int, ...]) -> float:
    return float(np.prod(FULL_FRAME) / np.prod(shape))


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}"
