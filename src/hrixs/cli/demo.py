"""The work of ``hrixs demo``: analyse a simulated run, and compare with the truth."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm import tqdm

from hrixs.curvature.image_fit import CurvatureFit
from hrixs.runs.mock import run_folder
from hrixs.simulation import (
    CURVE_A,
    CURVE_B,
    ENERGY_INTERCEPT,
    ENERGY_SLOPE,
    Sensor,
    SpectralLine,
    rixs_lines,
    simulate_frames,
    write_run,
)
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.statistics import FWHM

PROPOSAL, DARK_RUN, DATA_RUN, BRIGHT_RUN = 900999, 1, 2, 3
PHOTON_ENERGY = 530.0
PHOTONS_PER_FRAME = 200.0
# Photons of the bright run, whose spots overlap.
BRIGHT_FRAMES, BRIGHT_PHOTONS = 3, 12_000.0
DELAYS = (-1.0, 0.5, 1.0, 5.0)
ELASTIC_ROW = (PHOTON_ENERGY - ENERGY_INTERCEPT) / ENERGY_SLOPE
Y_RANGE = slice(1400, 1850)


@dataclass(frozen=True)
class Comparison:
    """One row of the demo's table: the value found, its error, and the true value."""

    quantity: str
    found: float
    error: float
    truth: float

    @property
    def agrees(self) -> bool:
        """Whether value and truth differ by at most three stated errors."""
        return abs(self.found - self.truth) <= 3 * self.error

    def __str__(self) -> str:
        digits = max(0, 1 - int(np.floor(np.log10(self.error))))
        return (
            f"{self.quantity:38s} {self.found:14.{digits}f} +- {self.error:<12.{digits}f}"
            f"{self.truth:14.{digits}f}   {'agrees' if self.agrees else 'DIFFERS'}"
        )


def run_demo(out: Path, *, n_frames: int = 48, seed: int = 1) -> list[Comparison]:
    """Simulate a dark and a data run in `out`, analyse them and print what was found.

    Parameters
    ----------
    out : path
        Folder to write to; the runs of an earlier demo in it are replaced.
    n_frames : int
        Number of frames of the data run; at least 24.
    seed : int
        Seed of the simulation.

    Returns
    -------
    list of Comparison
        The rows of the printed table.
    """
    truth = _write_runs(out, n_frames, seed)
    n_bright = _write_bright_run(out, seed)
    before = os.environ.get("EXTRA_DATA_DATA_ROOT")
    os.environ["EXTRA_DATA_DATA_ROOT"] = str(out.resolve())
    try:
        return _analyse(out, truth, n_bright)
    finally:
        del os.environ["EXTRA_DATA_DATA_ROOT"]
        if before is not None:
            os.environ["EXTRA_DATA_DATA_ROOT"] = before


def _analyse(out: Path, truth: xr.Dataset, n_bright: float) -> list[Comparison]:
    """Analyse the run as a user would, print the results and write them."""
    h = hRIXS(PROPOSAL)
    h.Y_RANGE = Y_RANGE
    h.ENERGY_INTERCEPT, h.ENERGY_SLOPE = ENERGY_INTERCEPT, ENERGY_SLOPE
    h.BINS = 4 * (Y_RANGE.stop - Y_RANGE.start)
    h.DBL_THRESHOLD = 1.5 * truth.adu_per_photon
    h.load_dark(DARK_RUN)
    h.find_curvature(DATA_RUN, plot=False)
    data = h.from_run(DATA_RUN)
    counted = h.centroid(data)
    integrated = h.integrate(data)
    by_delay = h.normalize(h.aggregate(counted.drop_vars(h.DETECTOR), "hRIXS_delay"))

    assert h.curvature_fit is not None
    rows = _compare(counted, integrated, h.curvature_fit, truth)
    rows.append(_bright(h, n_bright))
    _print_report(data, rows)
    _write_results(out, h, counted, integrated, by_delay)
    return rows


def _write_runs(out: Path, n_frames: int, seed: int) -> xr.Dataset:
    """Write a dark and a data run; return the true photons of the data run."""
    for run in (DARK_RUN, DATA_RUN, BRIGHT_RUN):
        shutil.rmtree(run_folder(out, PROPOSAL, run), ignore_errors=True)
    sensor = Sensor(hot_fraction=1e-5)
    n_trains = n_frames + 4
    without_image = [5, n_trains // 2, n_trains // 2 + 1, n_trains - 3]
    delay = np.repeat(DELAYS, -(-n_trains // len(DELAYS)))[:n_trains]
    norm = np.random.default_rng(seed).normal(1000.0, 50.0, n_trains)
    has_image = ~np.isin(np.arange(n_trains), without_image)
    dark, _ = simulate_frames(16, sensor=sensor, photons_per_frame=0, seed=seed + 1)
    write_run(out, dark, proposal=PROPOSAL, run=DARK_RUN)

    frames, truths = [], []
    with tqdm(total=n_frames, desc="simulating", unit="frame") as progress:
        for number, train in enumerate(np.flatnonzero(has_image)):
            one, true = simulate_frames(
                1,
                sensor=sensor,
                lines=_lines_at(float(delay[train])),
                photons_per_frame=PHOTONS_PER_FRAME * norm[train] / 1000.0,
                energy=PHOTON_ENERGY,
                seed=1000 * seed + number,
            )
            frames.append(one)
            truths.append(true.drop_vars("n_cosmics"))
            progress.update()
    write_run(
        out,
        xr.concat(frames, "frame"),
        proposal=PROPOSAL,
        run=DATA_RUN,
        slow={
            "hRIXS_delay": delay,
            "hRIXS_norm": norm,
            "hRIXS_index": np.arange(n_trains),
            "hRIXS_exposure": np.full(n_trains, 100.0),
            "nrj": np.full(n_trains, PHOTON_ENERGY),
        },
        trains_without_image=without_image,
    )
    return xr.concat(truths, "photon", combine_attrs="override")


def _write_bright_run(out: Path, seed: int) -> float:
    """Write a run with a bright spectrum; return the true photons per frame in the crop."""
    frames, truth = simulate_frames(
        BRIGHT_FRAMES,
        sensor=Sensor(hot_fraction=1e-5),
        lines=_lines_at(DELAYS[0]),
        photons_per_frame=BRIGHT_PHOTONS,
        energy=PHOTON_ENERGY,
        seed=seed + 2,
    )
    values = {"nrj": PHOTON_ENERGY, "hRIXS_delay": DELAYS[0], "hRIXS_norm": 1000.0}
    values |= {"hRIXS_index": 0.0, "hRIXS_exposure": 100.0}
    slow = {name: np.full(BRIGHT_FRAMES, value) for name, value in values.items()}
    write_run(out, frames, proposal=PROPOSAL, run=BRIGHT_RUN, slow=slow)
    rows = truth["y"].values
    return float(((rows > Y_RANGE.start + 2) & (rows < Y_RANGE.stop - 2)).sum()) / BRIGHT_FRAMES


def _bright(h: hRIXS, truth: float) -> Comparison:
    """Count a bright run with a threshold, which reports its loss, and with 'resolve'."""
    data = h.from_run(BRIGHT_RUN)
    by_threshold = h.centroid(data).spectrum
    print(
        f"run {BRIGHT_RUN} is bright: method 'auto' finds "
        f"{float(by_threshold.sum()) / BRIGHT_FRAMES / truth:.0%} of its photons, and "
        "warns of the loss"
    )
    resolved = h.centroid(data, method="best").spectrum
    found = float(resolved.sum()) / BRIGHT_FRAMES
    return Comparison("photons per frame, bright run, resolved", found, 0.01 * truth, truth)


def _lines_at(delay: float) -> tuple[SpectralLine, ...]:
    """Return the spectrum at a pump-probe delay: the pump weakens the dd excitations."""
    pumped = 0.5 * np.exp(-delay / 3.0) if delay > 0 else 0.0
    return tuple(
        SpectralLine(
            line.y, line.sigma, line.weight * (1 - pumped * (line.name == "dd")), line.name
        )
        for line in rixs_lines(ELASTIC_ROW)
    )


def _compare(
    counted: xr.Dataset, integrated: xr.Dataset, fit: CurvatureFit, truth: xr.Dataset
) -> list[Comparison]:
    n_frames = counted.sizes["trainId"]
    rows = truth["y"].values
    in_crop = (rows > Y_RANGE.start + 2) & (rows < Y_RANGE.stop - 2)
    n_true = int(in_crop.sum()) / n_frames
    elastic = rixs_lines(ELASTIC_ROW)[0]
    # Overlapping photons merge, which counts fewer and draws the line together: seen over seeds,
    # under 1 % of the photons and 2 % of the width.
    lost, narrowed = 0.01, 0.02
    # Energies refer to x = 0, where the curvature fit places the line with this error.
    reference = fit.y0_err * ENERGY_SLOPE
    # Integration sees the charge cloud, the pixel and its sharing by two rows.
    broadened = float(np.sqrt(elastic.sigma**2 + Sensor.cloud_sigma**2 + 1 / 12 + 1 / 6))
    found = float(counted.spectrum.sum()) / n_frames
    comparisons = [
        Comparison("photons per frame", found, lost * n_true, n_true),
        Comparison("curvature A", fit.curve_a, fit.curve_a_err, CURVE_A),
        Comparison("curvature B (1e-6)", fit.curve_b * 1e6, fit.curve_b_err * 1e6, CURVE_B * 1e6),
    ]
    for name, data, sigma in (
        ("counted", counted, elastic.sigma),
        ("integrated", integrated, broadened),
    ):
        (centre, centre_err), (fwhm, fwhm_err) = _elastic_line(data)
        true_fwhm = 1e3 * FWHM * sigma * ENERGY_SLOPE
        comparisons += [
            Comparison(
                f"elastic line, {name} (eV)",
                centre,
                float(np.hypot(centre_err, reference)),
                PHOTON_ENERGY,
            ),
            Comparison(
                f"elastic FWHM, {name} (meV)",
                fwhm,
                float(np.hypot(fwhm_err, narrowed * fwhm)),
                true_fwhm,
            ),
        ]
    return comparisons


def _elastic_line(data: xr.Dataset) -> tuple[tuple[float, float], tuple[float, float]]:
    """Position (eV) and FWHM (meV) of the elastic line in the summed spectrum, with errors."""
    from scipy.optimize import curve_fit

    spectrum = data.spectrum.sum("trainId").sel(
        energy=slice(PHOTON_ENERGY - 0.1, PHOTON_ENERGY + 0.4)
    )
    energy, values = spectrum.energy.values, spectrum.values
    floor = float(np.median(values))

    def line(e, height, centre, sigma, background):  # type: ignore[no-untyped-def]  # for scipy
        return height * np.exp(-0.5 * ((e - centre) / sigma) ** 2) + background

    start = (values.max() - floor, energy[np.argmax(values)], 1.5 * ENERGY_SLOPE, floor)
    noise = np.sqrt(np.maximum(values, 1)) if "n_photons" in spectrum.attrs else None
    best, covariance = curve_fit(line, energy, values, start, sigma=noise)
    errors = np.sqrt(np.diag(covariance))
    to_fwhm = 1e3 * FWHM
    return (float(best[1]), float(errors[1])), (
        to_fwhm * abs(float(best[2])),
        to_fwhm * float(errors[2]),
    )


def _print_report(data: xr.Dataset, rows: list[Comparison]) -> None:
    print(
        f"run {DATA_RUN}: {data.attrs['n_trains']} trains, {data.attrs['n_images']} images, "
        f"{data.attrs['n_trains_without_image']} trains without an image"
    )
    print(f"{'':38s} {'found':>14s}    {'error':12s}{'truth':>14s}")
    for row in rows:
        print(row)
    print(
        "agrees: within 3 errors. Overlapping photons add 1 % to the error of their number and\n"
        "2 % to that of the widths; integration sees the charge cloud and the pixel as well."
    )


def _write_results(
    out: Path, h: hRIXS, counted: xr.Dataset, integrated: xr.Dataset, by_delay: xr.Dataset
) -> None:
    from hrixs.curvature.plots import plot_curvature
    from hrixs.spectra.plots import plot_spectra
    from hrixs.spectra.train_plot import plot_per_train
    from hrixs.utils.figures import new_figure

    path = out / "spectrum.nc"
    counted.drop_vars(h.DETECTOR).to_netcdf(path, engine="h5netcdf", group="counted")
    for group, result in (
        ("integrated", integrated.drop_vars(h.DETECTOR)),
        ("by_delay", by_delay),
    ):
        result.to_netcdf(path, engine="h5netcdf", group=group, mode="a")

    assert h.curvature_fit is not None
    figure, axes = new_figure([["image", "spectra"], ["image", "trains"]], (15, 8.5))
    plot_curvature(h.mean_image(counted), h.curvature_fit, axes["image"])
    both = {"photons counted": counted, "intensity integrated": integrated}
    plot_spectra(both, axes["spectra"], scale="peak", offset=0.3)
    plot_per_train(counted, axes["trains"])
    figure.savefig(out / "demo.png", dpi=110)
    print(f"wrote {path} (groups counted, integrated, by_delay) and {out / 'demo.png'}")
    folders = [run_folder(out, PROPOSAL, run) for run in (DATA_RUN, DARK_RUN)]
    print(
        f"the same on the command line:\n  hrixs process {folders[0]} --dark {folders[1]} \\\n"
        f"    --find-curvature --y-range {Y_RANGE.start}:{Y_RANGE.stop} --bins {h.BINS} "
        f"--dbl-threshold {h.DBL_THRESHOLD:.0f} \\\n    --energy-slope {ENERGY_SLOPE} "
        f"--energy-intercept {ENERGY_INTERCEPT} -o spectrum.nc --plot spectrum.png"
    )
