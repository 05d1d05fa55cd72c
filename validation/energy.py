"""Width of a line, energy axis, energy loss and drift, compared with the truth."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import voigt_profile

from hrixs import HrixsWarning, LineFit, align, calibrate_energy, energy_loss, line_width
from hrixs.simulation import CURVE_A, CURVE_B, ENERGY_INTERCEPT, ENERGY_SLOPE, rixs_lines
from validation.figures import save

TITLE = "Resolution, energy axis, energy loss and drift"

Floats = NDArray[np.float64]

N_ROWS = 200
SIGMA = 1.3
HALF_LORENTZIAN = 0.8
FALSE_HITS = 0.2
PULL_LIMITS = (0.8, 1.2)


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    n = 20 if quick else 200
    few = 3 if quick else 30
    return "\n\n".join(
        [
            "Positions of photons are drawn at random from the true spectrum; no camera is "
            "simulated. 'pull': error / stated error; its mean should be 0 and its standard "
            "deviation 1.",
            f"**Width of a line** (`line_width`): {n} spectra per row, in bins of 0.4 px. The line "
            f"has a standard deviation of {SIGMA} px; 'voigt' has a Lorentzian part of "
            f"{2 * HALF_LORENTZIAN} px FWHM in addition. False hits, a fifth of the photons, are "
            f"evenly distributed over {N_ROWS} rows. 'RIXS': the elastic line of the full spectrum "
            "`simulation.rixs_lines`, with a quarter of its photons; the fit does not know the "
            "other lines.",
            _widths(n),
            f"**Energy axis** (`calibrate_energy`): {n} calibrations a row, from photon tables of "
            "RIXS spectra on curved lines, with false hits (a fifth of the photons). For degree 2 "
            "the true axis has a quadratic term of 4e-6 eV/px^2. 'errors enlarged': calibrations "
            "whose lines deviate from the axis by more than their errors, so that the stated "
            "errors are made larger.",
            _calibrations(n),
            "**Energy loss** (`energy_loss`): 50 trains whose photon energies differ by up to 0.5 "
            "eV, bins of 7.4 meV.",
            _losses(),
            f"**Drift** (`align`): {few} runs a row. Each run has 40 groups with RIXS spectra, "
            "which drift by 3 px along a sine and a slope, and false hits (a fifth of the "
            "photons). 'bound': the Cramér-Rao bound if the spectrum is known exactly and each "
            "group has its own drift; no method without an assumption on the drift can be better.",
            _drifts(few),
        ]
    )


def draw(path: Path) -> str:
    """Draw a line with its fit, errors of energy axes, and a drift; return the caption."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    line, axis, drift = figure.subplots(1, 3)
    _draw_line(line)
    _draw_axis(axis)
    _draw_drift(drift)
    for axes in (line, axis, drift):
        axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small")
    save(figure, path)
    return (
        "The elastic line of a RIXS spectrum with its fit; errors of energy axes from five lines; "
        "a drift, true and as found by `align`"
    )


def _draw_line(axes: Any) -> None:
    counts, edges = np.histogram(
        _rixs(np.random.default_rng(6), 4000, 170.0), round(N_ROWS / 0.4), (0, N_ROWS)
    )
    y = (edges[1:] + edges[:-1]) / 2
    fit = line_width(xr.DataArray(counts, {"y": y}, ["y"]))
    used = np.abs(y - 165) < 14
    axes.errorbar(
        y[used], counts[used], np.sqrt(counts[used]), fmt="o", ms=3, lw=1, color="C0",
        label="photons",
    )  # fmt: skip
    fine = np.arange(*fit.window, 0.4)
    label = f"FWHM {fit.fwhm:.2f} ± {fit.fwhm_err:.2f} px\ntrue {_fwhm('gaussian'):.2f} px"
    axes.plot(fine, fit.model(fine), "-", color="C1", lw=2, label=label)
    axes.set(xlabel="row (px)", ylabel="photons per bin of 0.4 px", ylim=(0, 1.5 * counts.max()))
    axes.set_title("width of a line", fontsize="medium")


def _draw_axis(axes: Any) -> None:
    rows = np.linspace(0, N_ROWS, 101)
    y = np.linspace(30, 170, 5)
    for number, rng in enumerate(np.random.default_rng(7).spawn(12)):
        fit = calibrate_energy(
            [_table(rng, 2000, row) for row in y], _energy(700 + y, 0.0),
            curvature=(CURVE_A, CURVE_B), first_row=700,
        )  # fmt: skip
        if number == 0:
            band = 1e3 * fit.energy_err(700 + rows)
            axes.fill_between(
                700 + rows, -band, band, color="C1", alpha=0.35, lw=0, label="energy_err"
            )
        error = 1e3 * (fit.energy(700 + rows) - _energy(700 + rows, 0.0))
        label = "12 calibrations" if number == 0 else None
        axes.plot(700 + rows, error, color="C0", lw=0.8, alpha=0.7, label=label)
    axes.plot(700 + y, 0 * y, "|", color="0.2", ms=9, label="lines of known energy")
    axes.set(xlabel="row of the chip (px)", ylabel="error of energy (meV)", ylim=(-4, 6))
    axes.set_title("energy axis", fontsize="medium")


def _draw_drift(axes: Any) -> None:
    truth = _drift()
    table = _drifting(np.random.default_rng(8), 500, truth)
    group = np.arange(len(truth))
    for slow, style, label in (
        (False, {"fmt": "s", "color": "C1", "mfc": "none"}, "no assumption"),
        (True, {"fmt": "o", "color": "C0"}, "smooth"),
    ):
        found = align(table, trains_per_group=1, slow_drift=slow)
        mean = np.average(truth, weights=found.n_compared)
        axes.errorbar(
            group, found.drift.values + mean, found.drift_err.values, ms=3, lw=0.8, label=label,
            **style,
        )  # fmt: skip
    axes.plot(group, truth, "-", color="0.35", label="true", zorder=5)
    axes.set(xlabel="group of 500 photons", ylabel="drift (px)")
    axes.set_title("drift", fontsize="medium")


def _widths(n: int) -> str:
    rows = [
        "| line | photons | FWHM / true FWHM | pull of FWHM: mean | wanted | standard deviation "
        "| wanted | pull of centre: standard deviation | wanted | no line found | |",
        "|---" * 11 + "|",
    ]
    for shape in ("gaussian", "voigt"):
        fwhm = _fwhm(shape)
        for n_photons in (200, 1000, 5000, 20_000):

            def draw(rng: np.random.Generator, shape: str = shape, n: int = n_photons) -> Floats:
                m = rng.poisson(n)
                y = rng.normal(100.3, SIGMA, m)
                if shape == "voigt":
                    y += HALF_LORENTZIAN * rng.standard_cauchy(m)
                return np.append(y, rng.uniform(0, N_ROWS, rng.poisson(FALSE_HITS * n)))

            rows.append(_width_row(shape, n_photons, draw, n, shape, fwhm, 100.3))
    for n_photons in (800, 4000, 80_000):

        def draw_rixs(rng: np.random.Generator, n: int = n_photons) -> Floats:
            return _rixs(rng, n, 170.0)

        name = f"RIXS, {n_photons // 4} elastic"
        rows.append(_width_row(name, n_photons, draw_rixs, n, "gaussian", _fwhm("gaussian"), 170.0))
    return "\n".join(rows)


def _width_row(
    name: str,
    n_photons: int,
    draw: Callable[[np.random.Generator], Floats],
    n: int,
    shape: str,
    fwhm: float,
    centre: float,
) -> str:
    fits: list[LineFit] = []
    for rng in np.random.default_rng(1).spawn(n):
        counts, edges = np.histogram(draw(rng), round(N_ROWS / 0.4), (0, N_ROWS))
        spectrum = xr.DataArray(counts, {"y": (edges[1:] + edges[:-1]) / 2}, ["y"])
        try:
            fits.append(line_width(spectrum, shape=shape))
        except ValueError:
            continue
    widths = np.array([fit.fwhm for fit in fits])
    pulls = np.array([(fit.fwhm - fwhm) / fit.fwhm_err for fit in fits])
    centres = np.array([(fit.centre - centre) / fit.centre_err for fit in fits])
    mean, std, centre_std = pulls.mean(), pulls.std(ddof=1), centres.std(ddof=1)
    good = abs(mean) < 0.35 and _sane(std) and _sane(centre_std) and len(fits) == n
    return (
        f"| {name} | {n_photons} | {widths.mean() / fwhm:.4f} | {mean:.2f} | -0.35..0.35 "
        f"| {std:.2f} | 0.8..1.2 | {centre_std:.2f} | 0.8..1.2 | {n - len(fits)} "
        f"| {_verdict(good)} |"
    )


def _calibrations(n: int) -> str:
    rows = [
        "| degree | lines | photons a line | pull of slope: standard deviation | of intercept "
        "| of energy at the middle | wanted | within 3 stated errors | wanted | errors enlarged "
        "| |",
        "|---" * 11 + "|",
    ]
    for degree, n_lines, n_photons in ((1, 3, 2000), (1, 5, 2000), (1, 5, 20_000), (2, 6, 4000)):
        quadratic = 4e-6 if degree == 2 else 0.0
        y = np.linspace(30, 170, n_lines)
        known = _energy(700 + y, quadratic)
        pulls, scattered = [], 0
        for rng in np.random.default_rng(2).spawn(n if n_photons < 10_000 else max(n // 4, 10)):
            tables = [_table(rng, n_photons, row) for row in y]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HrixsWarning)
                fit = calibrate_energy(
                    tables, known, degree=degree, curvature=(CURVE_A, CURVE_B), first_row=700
                )
            scattered += fit.scale > 1
            middle = float(fit.energy(800.0) - _energy(np.array(800.0), quadratic))
            pulls.append(
                [
                    (fit.slope - ENERGY_SLOPE) / fit.slope_err,
                    (fit.intercept - ENERGY_INTERCEPT) / fit.intercept_err,
                    middle / float(fit.energy_err(800.0)),
                ]
            )
        stds = np.std(pulls, axis=0, ddof=1)
        within = float(np.mean(np.abs(pulls) < 3))
        good = all(_sane(std) for std in stds) and within > 0.99
        rows.append(
            f"| {degree} | {n_lines} | {n_photons} | {stds[0]:.2f} | {stds[1]:.2f} | {stds[2]:.2f} "
            f"| 0.8..1.2 | {100 * within:.1f} % | > 99 % | {scattered} of {len(pulls)} "
            f"| {_verdict(good)} |"
        )
    return "\n".join(rows)


def _losses() -> str:
    rng = np.random.default_rng(3)
    energy = 510 + 0.4 * ENERGY_SLOPE * np.arange(500)
    nrj = 512.8 + rng.uniform(-0.25, 0.25, 50)
    at_line = np.exp(-0.5 * ((nrj[:, None] - energy) / 0.03) ** 2)
    data = xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), rng.poisson(5 * at_line + 0.1).astype(float)),
            "nrj": ("trainId", nrj),
        },
        {"energy": ("energy", energy, {"units": "eV"})},
    )
    loss = energy_loss(data)
    before = data.spectrum.sum("energy").values
    after = loss.spectrum.sum("energy_loss").values
    lost = float(np.abs(after - before).max() / before.max())
    own = (data.spectrum * (data.nrj - data.energy)).sum("energy").values / before
    moved = (loss.spectrum * loss.energy_loss).sum("energy_loss").values / after
    off = float(np.abs(own - moved).max())
    total = loss.spectrum.sum("trainId").assign_attrs(units="photons")
    fit = line_width(total)
    wide = 2.3548 * np.hypot(0.03, 0.4 * ENERGY_SLOPE / np.sqrt(6))
    good = abs(fit.centre) < 4 * fit.centre_err and abs(fit.fwhm - wide) < 4 * fit.fwhm_err
    return "\n".join(
        [
            "| quantity | measured | wanted | |",
            "|---|---|---|---|",
            f"| photons of a train, relative change | {lost:.1e} | < 1e-12 "
            f"| {_verdict(lost < 1e-12)} |",
            f"| centre of mass of a train, change / eV | {off:.1e} | < 1e-9 "
            f"| {_verdict(off < 1e-9)} |",
            f"| elastic line of the sum, loss / meV | {1e3 * fit.centre:.2f} ± "
            f"{1e3 * fit.centre_err:.2f} | 0 | {_verdict(good)} |",
            f"| its FWHM / meV ({1e3 * 2.3548 * 0.03:.1f} without sharing between bins) | "
            f"{1e3 * fit.fwhm:.1f} ± {1e3 * fit.fwhm_err:.1f} | {1e3 * wide:.1f} "
            f"| {_verdict(good)} |",
        ]
    )


def _drifts(n_runs: int) -> str:
    rows = [
        "| photons a group | assumption on the drift | rms error / px | bound / px | wanted | "
        "| pull: standard deviation | wanted | |",
        "|---" * 9 + "|",
    ]
    drift = _drift()
    for n_photons in (200, 500, 2000):
        streams = np.random.default_rng(4).spawn(n_runs)
        tables = [_drifting(rng, n_photons, drift) for rng in streams]
        bound = 1 / np.sqrt(n_photons * _information())
        for slow in (False, True):
            errors, pulls = [], []
            for table in tables:
                found = align(table, trains_per_group=1, slow_drift=slow)
                truth = drift - np.average(drift, weights=found.n_compared)
                errors.append(found.drift.values - truth)
                pulls.append(errors[-1] / found.drift_err.values)
            rms, std = float(np.std(errors)), float(np.std(pulls))
            wanted = n_photons >= 500
            rows.append(
                f"| {n_photons} | {'smooth' if slow else 'none'} | {rms:.3f} | "
                f"{'-' if slow else f'{bound:.3f}'} | {'< 0.1' if wanted else '-'} | "
                f"{_verdict(rms < 0.1) if wanted else ''} | {std:.2f} | 0.8..1.2 | "
                f"{_verdict(_sane(std))} |"
            )
    return "\n".join(rows)


def _drift() -> Floats:
    t = np.linspace(0, 1, 40)
    return np.asarray(1.5 * np.sin(2 * np.pi * t) + 1.5 * (t - 0.5))


def _drifting(rng: np.random.Generator, n_photons: int, drift: Floats) -> xr.Dataset:
    parts = [_table(rng, n_photons, 170.0, shift, flat=True) for shift in drift]
    frame = np.repeat(np.arange(len(drift)), [part.sizes["photon"] for part in parts])
    return xr.concat(parts, "photon").assign_coords(frame=("photon", frame))


def _information() -> float:
    """Fisher information on the shift per photon of a spectrum with false hits, in 1/px^2."""
    y = np.arange(0, N_ROWS, 0.01)
    lines = rixs_lines(170.0)
    density = sum(
        one.weight * np.exp(-0.5 * ((y - one.y) / one.sigma) ** 2) / one.sigma / np.sqrt(2 * np.pi)
        for one in lines
    )
    density = density + FALSE_HITS / N_ROWS
    return float((np.gradient(density, y) ** 2 / density).sum() * 0.01)


def _fwhm(shape: str) -> float:
    """Full width at half maximum, computed from the profile."""
    half = HALF_LORENTZIAN if shape == "voigt" else 0.0
    top = voigt_profile(0.0, SIGMA, half)
    return float(2 * brentq(lambda x: voigt_profile(x, SIGMA, half) - top / 2, 0, 20))


def _rixs(rng: np.random.Generator, n_photons: int, row: float) -> Floats:
    """Rows of the photons of a RIXS spectrum, and of false hits, which do not drift."""
    lines = rixs_lines(row, resolution=SIGMA)
    n = rng.poisson(n_photons)
    which = rng.choice(len(lines), n, p=[one.weight for one in lines])
    y = rng.normal(
        np.array([one.y for one in lines])[which], np.array([one.sigma for one in lines])[which]
    )
    return np.append(y, rng.uniform(0, N_ROWS, rng.poisson(FALSE_HITS * n_photons)))


def _table(
    rng: np.random.Generator, n_photons: int, row: float, shift: float = 0.0, *, flat: bool = False
) -> xr.Dataset:
    y = _rixs(rng, n_photons, row + shift)
    y = y[(y >= 0) & (y < N_ROWS)]
    x = rng.uniform(0, 2048, len(y))
    curve = 0.0 if flat else (CURVE_B * x + CURVE_A) * x
    return xr.Dataset(
        {
            "x": ("photon", x),
            "y": ("photon", y + curve),
            "double": ("photon", np.zeros(len(y), dtype=bool)),
        }
    )


def _energy(row: Floats, quadratic: float) -> Floats:
    return np.asarray(ENERGY_INTERCEPT + (ENERGY_SLOPE + quadratic * row) * row)


def _sane(std: float) -> bool:
    return PULL_LIMITS[0] <= std <= PULL_LIMITS[1]


def _verdict(good: bool) -> str:
    return "" if good else "missed"
