"""Integrated spectra with cloud and pixel removed (`deconvolve`), compared with the truth."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr

from hrixs import integrate_frames, line_width, photon_spectrum, resolve_photons, sum_between
from hrixs.camera.curve import Curvature
from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import as_frames, camera_of_core
from hrixs.deconvolution.response import Response
from hrixs.deconvolution.sampled import sample
from validation.figures import save

TITLE = "Deconvolved spectra"

FloatArray = NDArray[np.float64]
CHARGE, LEVEL, CLOUD, TILT, MIDDLE = 150.0, 200.0, 0.55, 0.024, 12.3
SHAPE = (512, 40)
SIGMAS, DENSITIES, NOISES = (0.5, 1.0, 2.0), (0.5, 5.0), (1.6, 4.0)
#: Photons of a spectrum, and number of spectra of each kind.
PHOTONS, N_SPECTRA = 8000, 400
N_OTHERS = 10
#: Wanted: width, light, ghost, and share of values within their errors.
WIDTH, LIGHT, GHOST, COVERED = 0.03, 0.001, 0.01, (0.63, 0.73)
_TO_SIGMA = 1 / np.sqrt(8 * np.log(2))
Lines = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Kind:
    """How the images of a spectrum are simulated; all are summed into one."""

    lines: Lines
    density: float = 5.0
    noise: float = 1.6
    photons: float = PHOTONS
    tilt: float = TILT
    disturb: Callable[[FloatArray, np.random.Generator], None] | None = None

    @property
    def n_images(self) -> float:
        """Number of images that hold `photons` at this density (photons per pixel of the line)."""
        sigma = self.lines[0][1]
        return max(1.0, self.photons / (self.density * SHAPE[0] * 2 * np.sqrt(np.pi) * sigma))

    def image(self, seed: int) -> tuple[FloatArray, float]:
        """The sum of the images, in ADU; the charge of the photons on it, in photons."""
        rng = np.random.default_rng(seed)
        weights = np.array([line[2] for line in self.lines])
        n = rng.poisson(self.photons)
        line = rng.choice(len(weights), n, p=weights / weights.sum())
        rows, widths = (np.array([one[k] for one in self.lines])[line] for k in (0, 1))
        x = rng.uniform(-0.5, SHAPE[0] - 0.5, n)
        y = rng.normal(rows, widths) + self.tilt * x
        image = rng.normal(LEVEL, self.noise * np.sqrt(self.n_images), SHAPE)
        charge = _add_clouds(image, x, y, rng)
        if self.disturb is not None:
            self.disturb(image, rng)
        return image, charge / CHARGE

    def truth(self, y: FloatArray, width: float) -> FloatArray:
        """Expected photons in bins of `width` at `y`."""
        total = sum(line[2] for line in self.lines)
        shares = [
            w * (ndtr((y + width / 2 - row) / s) - ndtr((y - width / 2 - row) / s))
            for row, s, w in self.lines
        ]
        return np.asarray(self.photons / total * sum(shares))


def _add_clouds(image: FloatArray, x: FloatArray, y: FloatArray, rng: np.random.Generator) -> float:
    """Add photons with the noise of their electrons, 1 electron per ADU; return the charge."""
    reach = np.arange(-3, 4)
    edges = np.append(reach, 4) - 0.5
    columns, rows = np.rint(x).astype(int), np.rint(y).astype(int)
    shares = [
        np.diff(ndtr((edges - (place - pixel)[:, None]) / CLOUD), axis=1)
        for place, pixel in ((x, columns), (y, rows))
    ]
    electrons = rng.poisson(CHARGE * shares[0][:, :, None] * shares[1][:, None, :])
    i, j = columns[:, None, None] + reach[:, None], rows[:, None, None] + reach
    i, j = np.broadcast_arrays(i, j)
    inside = (i >= 0) & (i < image.shape[0]) & (j >= 0) & (j < image.shape[1])
    flat = i[inside] * image.shape[1] + j[inside]
    image += np.bincount(flat, electrons[inside], image.size).reshape(image.shape)
    return float(electrons[inside].sum())


#: Jobs of the worker processes, which inherit this list when they are forked.
_JOBS: list[Callable[[], Any]] = []
_PROCESSES = 4


def _together(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Results of all jobs, computed by a few processes."""
    _JOBS[:] = jobs
    with get_context("fork").Pool(_PROCESSES) as pool:
        return pool.map(_job, range(len(jobs)), chunksize=1)


def _job(number: int) -> Any:
    return _JOBS[number]()


def section(*, quick: bool) -> str:
    """Deconvolve lines of known width, and report as Markdown."""
    n, few = (3, 2) if quick else (N_SPECTRA, N_OTHERS)
    return "\n\n".join([_reach(n), _two_ways(few), _two_lines(few), _faults(few)])


def deconvolve(image: FloatArray, tilt: float = TILT, **changed: Any) -> xr.Dataset:
    """The deconvolved spectrum of a sum of images, without warnings."""
    known = {"cloud_sigma": CLOUD, "photon_charge": CHARGE, "deconvolve": True} | changed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return integrate_frames(image, curvature=(tilt, 0.0), **known)


def _width(spectrum: xr.DataArray, sigma: float, row: float = MIDDLE) -> float:
    region = (row - 4 * sigma - 3, row + 4 * sigma + 3)
    return float(line_width(spectrum, noise="gaussian", region=region).fwhm * _TO_SIGMA)


@dataclass(frozen=True)
class _Found:
    width: float
    width_err: float
    plain: float
    light: float
    light_err: float
    ghost: float
    covered: float
    light_covered: float


def _measured(kind: Kind, n: int) -> _Found:
    row, sigma, _ = kind.lines[0]
    reach = 4 * sigma + 3
    widths, plain, light, sums, spectra, inside, within = [], [], [], [], [], [], []
    for seed in range(n):
        image, n_photons = kind.image(seed)
        made = deconvolve(image, kind.tilt)
        spectrum = made["spectrum"]
        y = spectrum["y"].values
        truth = kind.truth(y, y[1] - y[0])
        widths.append(_width(spectrum, sigma))
        frame = xr.DataArray(image, dims=("x", "y"))
        rows = integrate_frames(frame, curvature=(kind.tilt, 0.0))
        plain.append(_width(rows, sigma))
        counted = sum_between(made, row - reach, row + reach)
        light.append(float(counted["spectrum"]) / n_photons)
        of_sum = float(counted["spectrum_err"])
        sums.append(abs(float(counted["spectrum"]) - kind.photons) < of_sum)
        spectra.append(spectrum.values - truth)
        near = np.abs(y - row) < 2.5 * sigma
        inside.append(np.abs(spectra[-1][near]) < made["spectrum_err"].values[near])
    mean = np.mean(spectra, axis=0)
    beside = (np.abs(y - row) > 3 * sigma) & (np.abs(y - row) < reach) & (y > 1)
    within = np.mean(inside)
    return _Found(
        float(np.mean(widths) / sigma - 1),
        float(np.std(widths) / sigma / np.sqrt(n)),
        float(np.mean(plain) / sigma - 1),
        float(np.mean(light) - 1),
        float(np.std(light) / np.sqrt(n)),
        float(np.abs(mean[beside]).max() / truth.max()),
        float(within),
        float(np.mean(sums)),
    )


def _reach(n: int) -> str:
    lines = [
        f"`deconvolve=True` on one line: frames of {SHAPE[0]} x {SHAPE[1]} pixels, tilt {TILT}, "
        f"{CHARGE:.0f} ADU per photon, cloud {CLOUD} px, {PHOTONS} photons per spectrum, "
        f"{n} spectra per row.",
        "",
        "'width', by `line_width`, and 'light', the sum of the line, are deviations from the "
        "truth. 'ghost': the largest mean deviation further than three widths from the line, "
        "divided by the height of the line. 'bins within error', 'sums within error': share of the "
        "bins of the line, and of its sums by `sum_between`, within one stated error of the truth. "
        f"Wanted: width within {WIDTH:.0%}, light within {LIGHT:.1%} plus three of its standard "
        f"errors, ghost below {GHOST:.0%}, {COVERED[0]:.0%} to {COVERED[1]:.0%} of the bins within "
        "their errors.",
        "",
        "| line (1 std) / px | photons per pixel | noise / ADU | width, integrated | "
        "width, deconvolved | light | ghost | bins within error | sums within error | |",
        "|" + "---|" * 10,
    ]
    kinds = [
        Kind(((MIDDLE, sigma, 1.0),), density, noise)
        for sigma in SIGMAS
        for density in DENSITIES
        for noise in NOISES
    ]
    for kind, one in zip(
        kinds, _together([partial(_measured, one, n) for one in kinds]), strict=True
    ):
        sigma, density, noise = kind.lines[0][1], kind.density, kind.noise
        short = abs(one.width) > WIDTH or one.ghost > GHOST
        short |= abs(one.light) > LIGHT + 3 * one.light_err
        short |= not COVERED[0] <= one.covered <= COVERED[1]
        lines.append(
            f"| {sigma} | {density} | {noise} | {one.plain:+.1%} | "
            f"{one.width:+.2%} ± {one.width_err:.2%} | {one.light:+.2%} ± "
            f"{one.light_err:.2%} | {one.ghost:.2%} | {one.covered:.0%} | "
            f"{one.light_covered:.0%} | {'missed' if short else ''} |"
        )
    return "\n".join(lines)


def _two_ways(n: int) -> str:
    lines = [
        "**Why a penalised fit**: the method of hrixs ('penalised scoring') and the one of "
        "Richardson and Lucy (EM, with the noise as a known background) on the same sums. The "
        "latter must be stopped after a number of rounds, and the best number depends on the "
        "line. 'error': rms error of a bin of the line / height of the line.",
        "",
        "| line (1 std) / px | method | width | error |",
        "|---|---|---|---|",
    ]
    for sigma in (0.5, 1.0):
        kind = Kind(((MIDDLE, sigma, 1.0),), 0.5)
        found: dict[str, list[FloatArray]] = {}
        for seed in range(n):
            image, _ = kind.image(seed)
            y = deconvolve(image)["spectrum"]["y"]
            found.setdefault("penalised scoring", []).append(deconvolve(image)["spectrum"].values)
            for rounds, spectrum in _richardson_lucy(image, (30, 100, 300)).items():
                found.setdefault(f"Richardson-Lucy, {rounds} rounds", []).append(spectrum)
        truth = kind.truth(y.values, 1 / 3)
        near = np.abs(y.values - MIDDLE) < 2.5 * sigma
        for way, spectra in found.items():
            widths = [_width(xr.DataArray(s, {"y": y}, ("y",)), sigma) for s in spectra]
            error = np.sqrt(np.mean((np.array(spectra) - truth)[:, near] ** 2)) / truth.max()
            lines.append(f"| {sigma} | {way} | {np.mean(widths) / sigma - 1:+.2%} | {error:.2%} |")
    return "\n".join(lines)


def _richardson_lucy(image: FloatArray, rounds: tuple[int, ...]) -> dict[int, FloatArray]:
    stack = as_frames(image)
    camera: dict[str, Any] = {"dark": None, "mask": None, "threads": 1}
    sums, pixels, where = sample(stack, Curvature.of((TILT, 0.0)), **camera)
    level, noise = frame_pedestals(stack.pixels, camera_of_core(stack, **camera))
    response = Response(CLOUD, 0.3, where.offsets, where.spreads, 3)
    share, n_rows = pixels / SHAPE[0], image.shape[1]
    # Noise is a background with as many photons as its variance; a constant light is subtracted.
    off = 3 * float(noise[0]) / CHARGE * np.sqrt(SHAPE[0]) / 3
    known = pixels * (noise[0] / CHARGE) ** 2
    data = (sums[0] - level[0] * pixels) / CHARGE + known
    whole = np.maximum(response.back(share), 1e-9)
    data = np.maximum(data + share * response.seen(np.full(len(whole), off), n_rows), 0.0)
    g = np.full(len(whole), max(float(data.sum() / whole.sum()), off))
    found = {}
    for number in range(1, max(rounds) + 1):
        expected = share * response.seen(g, n_rows) + known
        g = g * response.back(share * data / np.maximum(expected, 1e-9)) / whole
        if number in rounds:
            found[number] = response.spread_out(g - off)[response.inner(n_rows)]
    return found


def _two_lines(n: int) -> str:
    lines = [
        "**Two close lines** of 0.5 px (1 std), 1.5 px apart, in bins of a third of a pixel: the "
        "lowest value between them / the mean of both peaks. Integrated spectra show one line.",
        "",
        "| photons per pixel | noise / ADU | true ratio | deconvolved |",
        "|---|---|---|---|",
    ]
    for density in DENSITIES:
        for noise in NOISES:
            kind = Kind(((12.0, 0.5, 1.0), (13.5, 0.5, 1.0)), density, noise)
            ratios, truth = [], 0.0
            for seed in range(n):
                spectrum = deconvolve(kind.image(seed)[0])["spectrum"]
                y = spectrum["y"].values
                ratios.append(_valley(y, spectrum.values))
                truth = _valley(y, kind.truth(y, 1 / 3))
            lines.append(
                f"| {density} | {noise} | {truth:.2f} | {np.mean(ratios):.2f} ± "
                f"{np.std(ratios):.2f} |"
            )
    return "\n".join(lines)


def _valley(y: FloatArray, values: FloatArray) -> float:
    between = (y > 12.4) & (y < 13.1)
    peaks = [values[np.abs(y - row) < 0.5].max() for row in (12.0, 13.5)]
    return float(values[between].min() / np.mean(peaks))


def _faults(n: int) -> str:
    lines = [
        "**Wrong settings and faults of the camera**: 5 photons per pixel, noise 1.6 ADU.",
        "",
        "| line (1 std) / px | what is wrong | width | light | ghost |",
        "|---|---|---|---|---|",
    ]
    rng = np.random.default_rng(2)
    hot = rng.random(SHAPE) < 1e-3

    def with_hot(image: FloatArray, _: np.random.Generator) -> None:
        image[hot] += 60 * (1 + np.arange(hot.sum()) % 5)

    def near_line(image: FloatArray, _: np.random.Generator) -> None:
        x, y = np.indices(image.shape)
        image += np.abs(y - TILT * x - MIDDLE) < 12

    for sigma in (0.5, 1.0):
        plain = Kind(((MIDDLE, sigma, 1.0),))
        faults: dict[str, tuple[Kind, dict[str, Any], float]] = {
            "nothing": (plain, {}, TILT),
            "`cloud_sigma` 20 % too large": (plain, {"cloud_sigma": 1.2 * CLOUD}, TILT),
            "`cloud_sigma` 20 % too small": (plain, {"cloud_sigma": 0.8 * CLOUD}, TILT),
            "tilt set 1 % too large": (plain, {}, 1.01 * TILT),
            "level 1 ADU higher near the line": (replace(plain, disturb=near_line), {}, TILT),
            "hot pixels, 0.1 %, 60 to 300 ADU": (replace(plain, disturb=with_hot), {}, TILT),
            "the same, masked": (replace(plain, disturb=with_hot), {"mask": hot}, TILT),
            "a line without a tilt": (replace(plain, tilt=0.0), {}, 0.0),
        }
        found = _together(
            [partial(_wrong, kind, changed, tilt, n) for kind, changed, tilt in faults.values()]
        )
        lines += [f"| {sigma} | {name} | {one} |" for name, one in zip(faults, found, strict=True)]
    return "\n".join(lines)


def _wrong(kind: Kind, changed: dict[str, Any], tilt: float, n: int) -> str:
    row, sigma, _ = kind.lines[0]
    reach = 4 * sigma + 3
    widths, light, off = [], [], []
    for seed in range(n):
        image, n_photons = kind.image(seed)
        made = deconvolve(image, tilt, **changed)
        spectrum = made["spectrum"]
        y = spectrum["y"].values
        widths.append(_width(spectrum, sigma))
        light.append(float(sum_between(made, row - reach, row + reach)["spectrum"]) / n_photons)
        off.append(spectrum.values - kind.truth(y, y[1] - y[0]))
    beside = (np.abs(y - row) > 3 * sigma + 0.5) & (np.abs(y - row) < reach) & (y > 1)
    ghost = np.abs(np.mean(off, axis=0)[beside]).max() / kind.truth(y, y[1] - y[0]).max()
    return f"{np.mean(widths) / sigma - 1:+.1%} | {np.mean(light) - 1:+.2%} | {ghost:.2%}"


def draw(path: Path) -> str:
    """Draw counted, integrated and deconvolved spectra of the same images; return the caption."""
    lines = ((10.5, 0.5, 0.4), (12.0, 0.5, 0.3), (17.0, 2.0, 0.3))
    kind = Kind(lines, 0.2, 1.6, photons=300.0)
    images, places = [], []
    for seed in range(40):
        images.append(np.round(kind.image(seed)[0]))
    stack = np.stack(images).astype(np.uint16)
    curve = (TILT, 0.0)
    labelled = xr.DataArray(stack, dims=("frame", "x", "y"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        places = resolve_photons(labelled, photon_charge=CHARGE, cloud_sigma=CLOUD,
                                 electrons_per_adu=1.0, max_photons=10**6)  # fmt: skip
    counted = photon_spectrum(places, bins=120, range=(-0.5, 39.5), curvature=curve).sum("frame")
    integrated = integrate_frames(labelled, curvature=curve).sum("frame")
    level = float(integrated[24:27].mean())
    made = deconvolve(stack)
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    y = made["spectrum"]["y"].values
    rows = np.arange(40)
    axes.plot(rows, (integrated - level) * SHAPE[0] / CHARGE, "-", color="0.6",
              drawstyle="steps-mid", label="integrated")  # fmt: skip
    axes.plot(counted["y"], 3 * counted, "s", ms=3, mfc="none", color="C1", label="counted")
    axes.errorbar(y, 3 * made["spectrum"], 3 * made["spectrum_err"], fmt="o", ms=2.5, lw=1,
                  color="C0", label="deconvolved")  # fmt: skip
    fine = np.linspace(5, 27, 800)
    axes.plot(fine, 40 * kind.truth(fine, 0.01) / 0.01, "-", lw=1, color="0.2", label="true")
    axes.set(xlim=(5, 24), xlabel="row, curvature taken out (px)", ylabel="photons per row")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save(figure, path)
    return "One spectrum counted, integrated and deconvolved from the same 40 images"
