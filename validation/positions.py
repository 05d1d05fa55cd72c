"""Errors of photon positions, compared with the smallest error that any fit can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hrixs import find_photons
from validation.figures import save

TITLE = "Positions of photons"

FloatArray = NDArray[np.float64]

CLOUDS, CHARGES, NOISES = (0.4, 0.55, 0.8), (60.0, 140.0, 400.0), (1.6, 4.0)
#: Wanted: rms error / bound; higher limits for faint photons and for electrons.
LIMIT, FAINT_LIMIT, FAINTEST_LIMIT, ELECTRON_LIMIT = 1.05, 1.10, 1.25, 1.15
BIAS_LIMIT, PULL_LIMITS = 0.01, (0.9, 1.1)
CELL, LEVEL, N_PHASES = 24, 100.0, 20
METHODS = ("com", "gaussian")


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    camera = _Camera(24 if quick else 100)
    n_photons = len(camera.places)
    return "\n\n".join(
        [
            f"Simulated frames of {n_photons} photons, one in each cell of {CELL} x {CELL} pixels "
            "and at least 13 px from the next, at 1 electron per ADU. The threshold is four "
            "standard deviations of a 2x2 square above the level. A photon is detected if a hit is "
            "within 1.5 px of it; its error is that of the nearest hit, the rms of x and y.",
            "'bound' is the Cramér-Rao bound of a fit of position and charge (rms over the pixel "
            "phases): no unbiased fit has a smaller error. 'com' and 'gaussian' are the errors of "
            "the centre of mass and of the fit, each divided by the bound; one standard error of "
            f"such a ratio is {1 / np.sqrt(4 * n_photons):.1%}. 'not fitted': photons that keep "
            "the centre of mass. 'pull' (of photons without a flag): error / stated error; its "
            "standard deviation should be 1.",
            "**Read noise only**: each photon leaves exactly the mean cloud.",
            _reach(camera, electrons=False),
            "**Read noise and noise of the electrons**: the electrons of a photon spread one by "
            "one. The fit is given the gain, from which it knows this noise.",
            _reach(camera, electrons=True),
            f"**Bias**: the mean error in each of {N_PHASES} bins of the pixel phase; the table "
            "gives the largest minus the smallest, in px. Photons leave the mean cloud; the read "
            "noise is 1.6 electrons. 'by chance': the value expected without any bias.",
            _bias(camera),
            "**Wrong settings of the fit**: rms errors in px, for a cloud of 0.55 px and a read "
            "noise of 1.6 electrons. Wanted: the fit is never worse than the centre of mass.",
            _wrong_models(camera),
        ]
    )


def draw(path: Path) -> str:
    """Draw the rms error against the charge into a file; return the caption."""
    camera = _Camera(32)
    charges = np.array([50.0, 70.0, 100.0, 140.0, 200.0, 280.0, 400.0, 600.0])
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, noise in zip(figure.subplots(1, 2, sharey=True), NOISES, strict=True):
        errors: dict[str, list[float]] = {"centre of mass 4x4": [], "fit": [], "bound": []}
        for charge in charges:
            frame = camera.frame(charge, 0.55, noise, electrons=True)
            for name, method in zip(errors, METHODS, strict=False):
                found = camera.measure(
                    frame, noise, method, cloud_sigma=0.55, electrons_per_adu=1.0
                )
                errors[name].append(found.rms)
            errors["bound"].append(_bound(charge, 0.55, noise, electrons=True))
        axes.plot(charges, errors["centre of mass 4x4"], "s-", color="C1", label="centre of mass")
        axes.plot(charges, errors["fit"], "o", color="C0", label="fit")
        axes.plot(charges, errors["bound"], "-", color="0.4", label="Cramér-Rao bound", zorder=0)
        axes.set(xscale="log", yscale="log", xlabel="electrons of a photon")
        axes.set_title(f"read noise {noise:g} e$^-$", fontsize="medium")
        ticks = [50, 100, 200, 400]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.set_yticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("rms error of a position (px)")
    figure.axes[0].legend(fontsize="small")
    save(figure, path)
    return "Errors of positions against the charge of a photon, cloud 0.55 px"


class _Found(NamedTuple):
    errors: FloatArray  # (photon, 2)
    phases: FloatArray  # (photon, 2)
    pulls: FloatArray  # only of photons without a flag
    detected: float
    failed: float

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(self.errors**2)))


class _Camera:
    """The same photons and the same noise for every setting."""

    def __init__(self, side: int) -> None:
        rng = np.random.default_rng(21)
        corners = np.stack(np.mgrid[:side, :side], axis=-1).reshape(-1, 2) * CELL
        self.places = corners + CELL / 2 + rng.uniform(-5.5, 5.5, corners.shape)
        self.noise = rng.standard_normal((side * CELL, side * CELL), dtype=np.float32)

    def frame(
        self,
        charge: float,
        cloud_sigma: float | FloatArray,
        noise: float,
        *,
        electrons: bool,
        hot_fraction: float = 0.0,
    ) -> NDArray[np.float32]:
        """A frame of all photons, in ADU; `cloud_sigma` may be one value for each photon."""
        rng = np.random.default_rng(22)
        frame = np.float32(LEVEL) + np.float32(noise) * self.noise
        widths = np.broadcast_to(np.asarray(cloud_sigma, dtype=np.float64), len(self.places))
        if electrons:
            counts = rng.poisson(charge, len(self.places))
            spread = np.repeat(widths, counts)[:, np.newaxis]
            strayed = np.repeat(self.places, counts, axis=0) + spread * rng.standard_normal(
                (counts.sum(), 2)
            )
            np.add.at(frame, tuple(np.rint(strayed).astype(np.int64).T), np.float32(1))
        else:
            pixels = np.rint(self.places).astype(np.int64)[:, :, np.newaxis] + np.arange(-5, 6)
            offset = pixels - self.places[:, :, np.newaxis]
            parts, _ = _shares(offset, widths[:, np.newaxis, np.newaxis])
            spots = charge * parts[:, 0, :, np.newaxis] * parts[:, 1, np.newaxis, :]
            where = pixels[:, 0, :, np.newaxis], pixels[:, 1, np.newaxis, :]
            frame[where] += spots.astype(np.float32)
        hot = rng.random(frame.shape, dtype=np.float32) < hot_fraction
        frame[hot] += rng.uniform(25, 500, np.count_nonzero(hot)).astype(np.float32)
        return frame

    def measure(self, frame: NDArray[np.float32], noise: float, method: str, **fit: Any) -> _Found:
        from scipy.spatial import cKDTree

        options = fit | {"read_noise": noise} if method == "gaussian" else {}
        table = find_photons(
            frame, threshold=4 * LEVEL + 8 * noise, position=method, threads=2, **options
        )
        hits = cKDTree(np.column_stack([table["x"], table["y"]]))
        distance, nearest = hits.query(self.places)
        detected = distance < 1.5
        table, true = table.isel(photon=nearest[detected]), self.places[detected]
        errors = np.column_stack([table["x"], table["y"]]) - true
        pulls, failed = np.empty(0), 0.0
        if method == "gaussian":
            stds = np.column_stack([table["sigma_x"], table["sigma_y"]])
            flag = table["flag"].values
            pulls = (errors / stds)[flag == 0].ravel()
            failed = float(np.mean(flag & 3 > 0))
        return _Found(errors, true - np.rint(true), pulls, float(detected.mean()), failed)


def _shares(offset: FloatArray, cloud_sigma: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of a cloud in pixels at `offset` from its centre; its derivative by the centre."""
    from scipy.special import ndtr

    lower, upper = (offset - 0.5) / cloud_sigma, (offset + 0.5) / cloud_sigma
    slope = (np.exp(-(lower**2) / 2) - np.exp(-(upper**2) / 2)) / np.sqrt(2 * np.pi) / cloud_sigma
    return ndtr(upper) - ndtr(lower), slope


def _bound(charge: float, cloud_sigma: float, noise: float, *, electrons: bool) -> float:
    phases = (np.arange(10) + 0.5) / 10 - 0.5
    parts, slopes = _shares(np.arange(-5, 6) - phases[:, np.newaxis], cloud_sigma)
    variances = []
    for x in range(10):
        for y in range(10):
            rates = np.array(
                [
                    charge * np.outer(slopes[x], parts[y]),
                    charge * np.outer(parts[x], slopes[y]),
                    np.outer(parts[x], parts[y]),
                ]
            ).reshape(3, -1)
            variance = noise**2 + charge * rates[2] * electrons
            variances.append(np.diag(np.linalg.inv((rates / variance) @ rates.T))[:2])
    return float(np.sqrt(np.mean(variances)))


def _short(missed: bool) -> str:
    return "missed" if missed else ""


def _reach(camera: _Camera, *, electrons: bool) -> str:
    rows = [
        "| cloud / px | electrons of a photon | noise / e⁻ | detected | bound / px | com / bound "
        "| gaussian / bound | wanted | not fitted | pull, standard deviation | wanted | |",
        "|---" * 12 + "|",
    ]
    for cloud_sigma in CLOUDS:
        for charge in CHARGES:
            for noise in NOISES:
                bound = _bound(charge, cloud_sigma, noise, electrons=electrons)
                frame = camera.frame(charge, cloud_sigma, noise, electrons=electrons)
                fit = {"electrons_per_adu": 1.0} if electrons else {}
                com, fitted = (
                    camera.measure(frame, noise, method, cloud_sigma=cloud_sigma, **fit)
                    for method in METHODS
                )
                faintest = (cloud_sigma, charge, noise) == (0.8, 60.0, 4.0)
                limit = FAINTEST_LIMIT if faintest else FAINT_LIMIT if charge == 60 else LIMIT
                limit = ELECTRON_LIMIT if electrons else limit
                ratio, width = fitted.rms / bound, float(fitted.pulls.std())
                missed = ratio > limit or not PULL_LIMITS[0] <= width <= PULL_LIMITS[1]
                rows.append(
                    f"| {cloud_sigma:g} | {charge:g} | {noise:g} | {fitted.detected:.1%} "
                    f"| {bound:.4f} | {com.rms / bound:.2f} | {ratio:.3f} | {limit:.2f} "
                    f"| {fitted.failed:.1%} | {width:.2f} "
                    f"| {PULL_LIMITS[0]} to {PULL_LIMITS[1]} | {_short(missed)} |"
                )
    return "\n".join(rows)


def _bias(camera: _Camera) -> str:
    rows = [
        "| cloud / px | electrons of a photon | axis | com / px | gaussian / px | by chance / px "
        "| wanted / px | |",
        "|---" * 8 + "|",
    ]
    for cloud_sigma in CLOUDS:
        for charge in (140.0, 400.0):
            frame = camera.frame(charge, cloud_sigma, 1.6, electrons=False)
            com, fitted = (
                camera.measure(frame, 1.6, method, cloud_sigma=cloud_sigma) for method in METHODS
            )
            for axis, name in enumerate("xy"):
                (of_com, _), (bias, chance) = (_phase_bias(one, axis) for one in (com, fitted))
                # Chance adds to the range of the means in quadrature.
                missed = bias**2 - chance**2 > BIAS_LIMIT**2
                rows.append(
                    f"| {cloud_sigma:g} | {charge:g} | {name} | {of_com:.4f} | {bias:.4f} "
                    f"| {chance:.4f} | {BIAS_LIMIT} | {_short(missed)} |"
                )
    return "\n".join(rows)


def _phase_bias(found: _Found, axis: int) -> tuple[float, float]:
    """Range of the mean errors in bins of the phase; the range expected by chance."""
    bins = np.clip((found.phases[:, axis] + 0.5) * N_PHASES, 0, N_PHASES - 1).astype(np.int64)
    counts = np.bincount(bins, minlength=N_PHASES)
    errors = found.errors[:, axis]
    means = np.bincount(bins, errors, N_PHASES) / counts
    standard_error = float(np.sqrt(np.mean((errors - means[bins]) ** 2) / counts.mean()))
    # The mean range of 20 normal numbers is 3.73 of their standard deviations.
    return float(np.ptp(means)), 3.73 * standard_error


def _wrong_models(camera: _Camera) -> str:
    rows = [
        "| what is wrong | electrons of a photon | frame has noise of electrons | com / px "
        "| gaussian / px | gaussian / com | not fitted | |",
        "|---" * 8 + "|",
    ]
    widths = np.random.default_rng(23).uniform(0.45, 0.65, len(camera.places))
    gain = {"electrons_per_adu": 1.0}
    models: list[tuple[str, dict[str, Any], dict[str, Any], tuple[bool, ...]]] = [
        ("nothing", {}, gain, (False, True)),
        ("`cloud_sigma` 20 % too small", {}, gain | {"cloud_sigma": 0.44}, (False, True)),
        ("`cloud_sigma` 10 % too small", {}, gain | {"cloud_sigma": 0.495}, (False, True)),
        ("`cloud_sigma` 10 % too large", {}, gain | {"cloud_sigma": 0.605}, (False, True)),
        ("`cloud_sigma` 20 % too large", {}, gain | {"cloud_sigma": 0.66}, (False, True)),
        ("real clouds vary from 0.45 to 0.65 px", {"cloud_sigma": widths}, gain, (False, True)),
        ("gain not given, so no noise of electrons", {}, {}, (True,)),
        ("0.1 % hot pixels, not masked", {"hot_fraction": 1e-3}, gain, (False, True)),
    ]
    for name, made, fit, both in models:
        for electrons in both:
            for charge in (140.0, 400.0):
                frame = camera.frame(
                    charge, electrons=electrons, noise=1.6, **({"cloud_sigma": 0.55} | made)
                )
                known = fit if electrons else {k: v for k, v in fit.items() if k not in gain}
                com, fitted = (
                    camera.measure(frame, 1.6, method, **({"cloud_sigma": 0.55} | known))
                    for method in METHODS
                )
                rows.append(
                    f"| {name} | {charge:g} | {'yes' if electrons else 'no'} | {com.rms:.4f} "
                    f"| {fitted.rms:.4f} | {fitted.rms / com.rms:.2f} | {fitted.failed:.1%} "
                    f"| {_short(fitted.rms > com.rms)} |"
                )
    return "\n".join(rows)
