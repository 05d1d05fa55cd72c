"""Spectra from simulated frames, compared with the true spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr

from hrixs import LineFit, hRIXS, line_width
from hrixs.simulation import CURVE_A, CURVE_B, Sensor, SpectralLine, simulate_frames
from validation.energy import SIGMA
from validation.figures import save

TITLE = "Spectra"

ENERGY = 530.0
SENSOR = Sensor(shape=(2048, 200))
ELASTIC, BROAD = SpectralLine(130.3, SIGMA, 0.4), SpectralLine(75.0, 14.0, 0.6)
LINES = (ELASTIC, BROAD)
FWHM = float(ELASTIC.sigma * np.sqrt(8 * np.log(2)))
#: Rows that the pixels of all columns reach after the tilt is corrected.
REACHED = (0.0, 150.0)
BINS, LEAST_PHOTONS = 500, 20
#: Photons in a frame: number of frames; and how many are simulated at a time, for memory.
FLUXES = {100: 400, 1000: 40}
AT_A_TIME, N_DARKS = 50, 50
#: Wanted: photons found, deviation in stated errors, and deviation of an integrated line (px).
FOUND, MOST_ERRORS, INTEGRATED_SHIFT = (0.98, 1.02), 3.0, 0.05
FIT: dict[str, Any] = {"position": "gaussian"}
SPLIT: dict[str, Any] = FIT | {"split_doubles": True}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "auto, centre of mass": ("auto", {}),
    "auto, fit": ("auto", FIT),
    "auto, fit, `split_doubles`": ("auto", SPLIT),
    "manual, centre of mass": ("manual", {}),
    "manual, fit": ("manual", FIT),
    "manual, fit, `split_doubles`": ("manual", SPLIT),
    "integrate": ("integrate", {}),
}

FloatArray = NDArray[np.float64]


def section(*, quick: bool) -> str:
    """Simulate a known spectrum, recover it in every way, and report as Markdown."""
    nx, ny = SENSOR.shape
    smeared = np.sqrt(ELASTIC.sigma**2 + SENSOR.cloud_sigma**2 + 1 / 6) * FWHM / ELASTIC.sigma
    return "\n\n".join(
        [
            f"Simulated frames of {nx} x {ny} pixels with all kinds of noise and photons of "
            f"{ENERGY:g} eV. The spectrum: an elastic line of {ELASTIC.sigma} px (1 std, FWHM "
            f"{FWHM:.3f} px) at row {ELASTIC.y}, and a broad feature of {BROAD.sigma:g} px with "
            f"{BROAD.weight:.0%} of the photons; curvature ({CURVE_A:g}, {CURVE_B:g}). `hRIXS` is "
            f"used as on a beamline: a dark of {N_DARKS} frames, the thresholds of "
            f"`noise_report`, the width of the cloud by `estimate_cloud`, {BINS} bins.",
            "'photons': photons in the spectrum / photons on the chip. Row and FWHM are those of "
            f"the elastic line by `line_width`; wanted: the truth within {MOST_ERRORS:g} stated "
            f"errors. 'chi2 a bin': deviation of each bin of at least {LEAST_PHOTONS} true photons "
            "from the true spectrum, in stated errors. 'chi2 of the shape': the same after the "
            "true spectrum is scaled to the number of photons found; wanted: 1 within 3 standard "
            "deviations.",
            "'integrate' adds pixel values, and has no errors; its line is wider by the cloud, "
            f"the pixel and the sharing between rows ({smeared:.2f} px are expected). In frames "
            "with many photons, spots in the line merge: photons are lost, or two are found as one "
            "between them. `method='resolve'` is for such frames.",
            _table(quick),
        ]
    )


def draw(path: Path) -> str:
    """Draw the spectra found, the true one and the residuals; return the caption."""
    flux = min(FLUXES)
    found = {one.way: one for one in _recovered(False) if one.flux == flux}
    shown = {
        "auto, centre of mass": {"fmt": "s", "ms": 5, "mfc": "none", "color": "C1"},
        "auto, fit": {"fmt": "o", "ms": 3, "color": "C0"},
    }
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    grid = figure.subplots(2, 2, sharex="col", height_ratios=(2.4, 1), width_ratios=(1.25, 1))
    ends = ((20.0, 145.0), (124.0, 137.0))
    for (above, below), (low, high), rebin in zip(grid.T, ends, (5, 1), strict=True):
        for name, style in shown.items():
            one = found[name]
            y, counts, errors, truth = one.rebinned(rebin)
            used = (y > low) & (y < high) & (truth >= LEAST_PHOTONS)
            y, counts, errors, truth = y[used], counts[used], errors[used], truth[used]
            per_row = BINS / SENSOR.shape[1] / rebin
            label = name.removeprefix("auto, ")
            above.errorbar(
                y, counts * per_row, errors * per_row, **style, lw=1, label=f"photons, {label}"
            )
            below.errorbar(y, (counts - truth) / errors, **style)
        fine = np.linspace(low, high, 600)
        above.plot(fine, one.n_true * _density(fine), "-", color="0.35", label="true", zorder=5)
        y = found["integrate"].spectrum["energy"].values
        used = (y > low) & (y < high)
        above.plot(
            y[used], found["integrate"].spectrum.values[used], "-", color="0.65", lw=1.2,
            drawstyle="steps-mid", label="integrated", zorder=0,
        )  # fmt: skip
        below.axhspan(-1, 1, color="0.9", zorder=0)
        below.axhline(0, color="0.35", lw=1)
        below.set(xlabel="row, curvature taken out (px)", ylim=(-4.5, 4.5), xlim=(low, high))
        for axes in (above, below):
            axes.grid(alpha=0.3)
    grid[0, 0].set(ylabel="photons per row", ylim=(0, 1000))
    grid[0, 0].set_title("broad feature (elastic line cut off)", fontsize="medium")
    grid[0, 1].set_title("elastic line", fontsize="medium")
    grid[0, 1].set_ylim(0, 5500)
    grid[1, 0].set_ylabel("residual / error")
    grid[0, 0].legend(fontsize="x-small", loc="upper left")
    save(figure, path)
    return (
        f"Spectra found in {FLUXES[flux]} frames of {flux} photons, the true spectrum, and the "
        "residuals in stated errors"
    )


@dataclass
class _Recovered:
    """A spectrum in photons per bin, of `n_true` photons; `error` is None for integrated ones."""

    flux: int
    way: str
    spectrum: xr.DataArray
    error: xr.DataArray | None
    n_true: int

    @property
    def found(self) -> float:
        """Photons in the spectrum / true photons."""
        rows = self.spectrum.sel(energy=slice(*REACHED)) if self.error is None else self.spectrum
        return float(rows.sum()) / self.n_true

    @property
    def line(self) -> LineFit:
        """The elastic line."""
        return line_width(self.spectrum, noise="gaussian" if self.error is None else "poisson")

    def rebinned(self, n: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Centres, photons, errors and truth, of `n` bins together."""
        y = self.spectrum["energy"].values
        truth = self.n_true * _density(y) * (y[1] - y[0])
        square = np.square(self.error.values) if self.error is not None else truth
        columns = (y, self.spectrum.values, square, truth)
        y, counts, square, truth = (c[: len(c) // n * n].reshape(-1, n) for c in columns)
        return y.mean(1), counts.sum(1), np.sqrt(square.sum(1)), truth.sum(1)

    def chi2(self) -> tuple[float, float, int]:
        """Chi2 per bin; the same with the truth scaled to the photons found; number of bins."""
        _, counts, errors, truth = self.rebinned(1)
        used = truth >= LEAST_PHOTONS
        counts, errors, truth = counts[used], errors[used], truth[used]
        as_it_is, as_many = (
            float(np.mean(((counts - scale * truth) / errors) ** 2)) for scale in (1.0, self.found)
        )
        return as_it_is, as_many, len(truth)


def _density(y: FloatArray) -> FloatArray:
    """Share of the photons per row, averaged over a bin around each `y`."""
    half = SENSOR.shape[1] / BINS / 2
    shares = [
        line.weight
        * (ndtr((y + half - line.y) / line.sigma) - ndtr((y - half - line.y) / line.sigma))
        for line in LINES
    ]
    return np.asarray(sum(shares) / (2 * half))


def _parts(flux: int, n_frames: int) -> Iterator[tuple[xr.Dataset, int]]:
    """Datasets like those of a run, and the number of photons in them."""
    for begin in range(0, n_frames, AT_A_TIME):
        n = min(AT_A_TIME, n_frames - begin)
        frames, truth = simulate_frames(
            n, sensor=SENSOR, lines=LINES, photons_per_frame=flux, energy=ENERGY, seed=31 + begin
        )
        yield _dataset(frames).assign(nrj=ENERGY), truth.sizes["photon"]


def _dataset(frames: xr.DataArray) -> xr.Dataset:
    return frames.rename(frame="trainId").to_dataset(name="MaranaX")


@cache
def _recovered(quick: bool) -> list[_Recovered]:
    darks, _ = simulate_frames(N_DARKS, sensor=SENSOR, photons_per_frame=0, seed=30)
    result = []
    for flux, n_frames in FLUXES.items():
        h = hRIXS()
        h.set_params(curve_a=CURVE_A, curve_b=CURVE_B, bins=BINS)
        h.ELECTRONS_PER_ADU = SENSOR.electrons_per_adu
        h.load_dark(_dataset(darks))
        sums: dict[str, tuple[Any, Any]] = {}
        n_true = 0
        for data, n_photons in _parts(flux, n_frames // 10 if quick else n_frames):
            if not sums:
                h.set_params(**h.noise_report(data).settings)
                h.estimate_cloud(data)
            n_true += n_photons
            for name, (method, settings) in WAYS.items():
                h.set_params(**({"position": "com", "split_doubles": False} | settings))
                counted = (
                    h.integrate(data) if method == "integrate" else h.centroid(data, method=method)
                )
                total, square = sums.get(name, (0.0, 0.0))
                errors = (
                    np.nan * counted["spectrum"] if method == "integrate" else counted.hrixs.error()
                )
                sums[name] = (
                    total + counted["spectrum"].sum("trainId"),
                    square + (errors**2).sum("trainId"),
                )
        for name, (total, square) in sums.items():
            if name == "integrate":
                # Convert the mean intensity of a pixel to photons in a row.
                to_photons = SENSOR.shape[0] * SENSOR.electrons_per_adu * 3.6 / ENERGY
                result.append(_Recovered(flux, name, total * to_photons, None, n_true))
            else:
                total = total.assign_attrs(units="photons")
                result.append(_Recovered(flux, name, total, np.sqrt(square), n_true))
    return result


def _table(quick: bool) -> str:
    rows = [
        "| photons per frame | frames | method, position | photons | wanted | row / px | wanted "
        "| FWHM / px | wanted | chi2 a bin | chi2 of the shape | wanted | |",
        "|---" * 13 + "|",
    ]
    for one in _recovered(quick):
        line = one.line
        counted = one.error is not None
        as_it_is, shape, n_bins = one.chi2()
        spread = 3 * np.sqrt(2 / n_bins)
        shift = MOST_ERRORS * line.centre_err if counted else INTEGRATED_SHIFT
        good = FOUND[0] <= one.found <= FOUND[1] and abs(line.centre - ELASTIC.y) <= shift
        if counted:
            good &= abs(line.fwhm - FWHM) <= MOST_ERRORS * line.fwhm_err
            good &= abs(shape - 1) <= spread
        chi2 = f"{as_it_is:.2f} | {shape:.2f} | {1 - spread:.2f} to {1 + spread:.2f}"
        n_frames = FLUXES[one.flux] // 10 if quick else FLUXES[one.flux]
        rows.append(
            f"| {one.flux} | {n_frames} | {one.way} | {one.found:.1%} "
            f"| {FOUND[0]:.0%} to {FOUND[1]:.0%} "
            f"| {line.centre:.3f} ± {line.centre_err:.3f} | {ELASTIC.y} ± {shift:.3f} "
            f"| {line.fwhm:.3f} ± {line.fwhm_err:.3f} "
            f"| {f'{FWHM:.3f} ± {MOST_ERRORS * line.fwhm_err:.3f}' if counted else '-'} "
            f"| {chi2 if counted else '- | - | -'} | {'' if good else 'missed'} |"
        )
    return "\n".join(rows)
