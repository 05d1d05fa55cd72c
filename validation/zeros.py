"""The zero of the energy loss of several runs; part of the section `experiment`."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs import align_elastic, energy_loss, line_width
from hrixs.simulation import ENERGY_INTERCEPT, ENERGY_SLOPE, rixs_lines

Floats = NDArray[np.float64]

N_RUNS, DRIFT_OF_A_RUN, ELASTIC = 12, 0.3, 400
RESOLUTION = 1.3
FIRST_TRAIN = 1_600_000_000


def zeros(n_scans: int) -> str:
    """Zero of the loss, drift and width of the line, before and after `align_elastic`."""
    rows = ["| quantity | measured | wanted | |", "|---|---|---|---|"]
    before, fitted, errors, pulls = [], [], [], []
    widths: dict[str, list[float]] = {"straight": [], "before": [], "after": []}
    drift = np.arange(N_RUNS) * np.float64(DRIFT_OF_A_RUN)
    for seed in range(n_scans):
        scan = _scan(seed, drift)
        aligned = align_elastic(scan)
        before.append(_zero(scan))
        fitted.append(_zero(aligned))
        errors.append(aligned.drift.values - drift)
        pulls.append(errors[-1] / aligned.drift_err.values)
        for name, one in (
            ("straight", _scan(seed, 0 * drift)),
            ("before", scan),
            ("after", aligned),
        ):
            widths[name].append(_fit(energy_loss(one).spectrum.sum("trainId", keep_attrs=True))[1])
    off, left = np.abs(before).max(), np.abs(fitted).max()
    true = 1e3 * ENERGY_SLOPE * np.array(errors)
    rms = float(np.sqrt(np.mean(true**2)))
    bound = 1e3 * ENERGY_SLOPE * RESOLUTION / np.sqrt(ELASTIC)
    straight, moved, mended = (1e3 * np.mean(widths[name]) for name in widths)
    most, std = np.abs(pulls).max(), np.std(pulls)
    for name, value, wanted, good in (
        ("largest error of the zero before, as fitted / meV", f"{1e3 * off:.1f}", "-", True),
        (
            "largest error of the zero after, as fitted / meV",
            f"{1e3 * left:.2f}",
            "< 0.5",
            left < 5e-4,
        ),
        (
            "error of the zero after, compared with the truth, rms / meV",
            f"{rms:.2f}",
            f"{bound:.2f} (width / root of the number of photons) within 15 %",
            abs(rms / bound - 1) < 0.15,
        ),
        ("the same, largest / meV", f"{np.abs(true).max():.1f}", "-", True),
        ("pull of `drift`: mean", f"{np.mean(pulls):+.2f}", "-0.2..0.2", abs(np.mean(pulls)) < 0.2),
        ("pull of `drift`: standard deviation", f"{std:.2f}", "0.8..1.2", 0.8 <= std <= 1.2),
        ("pull of `drift`: largest", f"{most:.1f}", "< 4", most < 4),
        ("FWHM of the sum of all runs before / meV", f"{moved:.1f}", "-", True),
        (
            "FWHM of the sum of all runs after / meV",
            f"{mended:.1f}",
            f"{straight:.1f} (without drift) within 2 %",
            abs(mended / straight - 1) < 0.02,
        ),
    ):
        rows.append(f"| {name} | {value} | {wanted} | {_verdict(bool(good))} |")
    return "\n".join(rows)


def _scan(seed: int, drift: Floats) -> xr.Dataset:
    """One spectrum for each run, in bins of 0.4 px."""
    nrj = 528.5 + 0.25 * np.arange(N_RUNS)
    edges = np.arange(1300.0, 1900.0, 0.4)
    counts = []
    for rng, energy, off in zip(
        np.random.default_rng([27, seed]).spawn(N_RUNS), nrj, drift, strict=True
    ):
        lines = rixs_lines((energy - ENERGY_INTERCEPT) / ENERGY_SLOPE + off, resolution=RESOLUTION)
        rows = [rng.normal(one.y, one.sigma, round(4 * ELASTIC * one.weight)) for one in lines]
        counts.append(np.histogram(np.concatenate(rows), edges)[0].astype(float))
    axis = ENERGY_INTERCEPT + ENERGY_SLOPE * (edges[1:] + edges[:-1]) / 2
    attrs = {"units": "photons", "energy_slope": ENERGY_SLOPE, "energy_intercept": ENERGY_INTERCEPT}
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), np.array(counts), attrs),
            "nrj": ("trainId", nrj, {"units": "eV"}),
        },
        {
            "trainId": FIRST_TRAIN + np.arange(N_RUNS),
            "energy": ("energy", axis, {"units": "eV"}),
            "run": ("trainId", [f"r{number:04d}" for number in range(145, 145 + N_RUNS)]),
        },
    )


def _zero(scan: xr.Dataset) -> list[float]:
    """Energy loss of the elastic line of each run."""
    loss = energy_loss(scan).spectrum
    return [_fit(loss.isel(trainId=k))[0] for k in range(loss.sizes["trainId"])]


def _fit(loss: xr.DataArray) -> tuple[float, float]:
    near = loss.isel(energy_loss=np.flatnonzero(np.abs(loss.energy_loss) < 0.15))
    fit = line_width(near)
    return fit.centre, fit.fwhm


def _verdict(good: bool) -> str:
    return "" if good else "missed"
