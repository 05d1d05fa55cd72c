"""The curvature fitted to photons: its deviation from the truth, and its stated errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hrixs import NoLineError, find_photons, fit_curvature, fit_curvature_image
from hrixs.camera.curve import Curvature
from hrixs.simulation import Sensor, rixs_lines, simulate_frames
from validation.figures import save

TITLE = "Curvature from photons"

CHIP = (2048, 2048)
X = np.arange(CHIP[0], dtype=np.float64)
LARGEST_TILT, LARGEST_BEND = 60.0, 5e-6
WANTED, WANTED_PULLS, WANTED_AGREEMENT = 0.1, (0.8, 1.2), 0.5
REAL_FRAME = Path(__file__).parents[2] / "shared" / "data" / "LSCO_0040.tif"


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    return "\n\n".join(
        [
            "`fit_curvature` without start values, on photons of a cuprate's spectrum "
            "(`rixs_lines`: a quarter of the photons in the elastic line, standard deviation 1.3 "
            "px) on a chip of 2048 x 2048 pixels. Tilts are random, -60 to 60 px over the width; "
            "bends are random, -5e-6 to 5e-6 a pixel. 'false': share of false hits, evenly "
            "distributed over the chip.",
            "'deviation': the largest difference of the fitted and the true curve on the chip, "
            "after the mean difference is subtracted. 'within': share of fits whose deviation is "
            "within the wanted one. 'bound': the Cramér-Rao bound of the curve's standard "
            "deviation at the ends of the chip; no method can be better. Where the bound is not "
            "far below the wanted deviation, some fits must miss it. 'pull': deviation of a "
            "coefficient / its stated error, as root mean square over all fits.",
            _deviations(quick),
            "**From frames** of `simulate_frames` with all kinds of noise; photons of "
            "`find_photons`.",
            _frames(quick),
            "**False hits alone** must raise `NoLineError`.",
            _no_line(3 if quick else 40),
            "**A real frame** with overlapping photons: `fit_curvature` compared with "
            "`fit_curvature_image`. 'distance': the largest distance of both curves. 'error': the "
            "stated error at the ends of the chip. For pixels it is too small, because pixels "
            "that share a photon are not independent.",
            _real_frame(),
        ]
    )


def draw(path: Path) -> str:
    """Draw the errors of curves against the columns, and the bound; return the caption."""
    n, n_fits = 20_000, 12
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    x = X[::16]
    for axes, false in zip(panels, (0.0, 0.5), strict=True):
        bound = _bound(n, false, 2 * x / X[-1] - 1)
        axes.fill_between(x, -bound, bound, color="C1", alpha=0.35, lw=0, label="bound, 1 std")
        rng = np.random.default_rng(n)
        inside = []
        for number in range(n_fits):
            a, b = _curve(rng, number)
            fit = fit_curvature(_photons(rng, n, false, a, b), shape=CHIP)
            error = fit.curve(x) - Curvature((a, b))(x)
            error -= error.mean()
            inside.append(np.abs(error) < bound)
            label = f"{n_fits} fits" if number == 0 else None
            axes.plot(x, error, color="C0", lw=0.8, alpha=0.7, label=label)
        for sign in (-1, 1):
            label = "wanted" if sign == 1 else None
            axes.axhline(sign * WANTED, color="0.3", ls="--", lw=1, label=label)
        title = f"{false:.0%} false hits: {np.mean(inside):.0%} inside the bound"
        axes.set_title(title, fontsize="medium")
        axes.set(xlabel="column x (px)", xlim=(0, X[-1]), ylim=(-0.22, 0.22))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("error of the curve minus its mean (px)")
    panels[0].legend(fontsize="small", loc="upper center", ncols=3)
    save(figure, path)
    return (
        f"Errors of curves fitted to {n} hits. A fit as good as the bound is inside it at 68% of "
        "the columns, on average"
    )


def _curve(rng: np.random.Generator, number: int) -> tuple[float, float]:
    """Random coefficients of a curve; for every second the tilt is that of the chord."""
    b = rng.uniform(-LARGEST_BEND, LARGEST_BEND)
    a = rng.uniform(-LARGEST_TILT, LARGEST_TILT) / CHIP[0] - number % 2 * b * CHIP[0]
    return a, b


def _photons(rng: np.random.Generator, n: int, false: float, a: float, b: float) -> xr.Dataset:
    nx, ny = CHIP
    lines = rixs_lines(0.85 * ny - max(0.0, Curvature((a, b))(float(nx))))
    n_false = round(false * n)
    weight = np.array([line.weight for line in lines])
    line = rng.choice(len(lines), n - n_false, p=weight / weight.sum())
    x, y = rng.uniform(-0.5, nx - 0.5, n), rng.uniform(1, ny - 2, n)
    centre, sigma = (np.array([getattr(one, name) for one in lines]) for name in ("y", "sigma"))
    y[n_false:] = Curvature((a, b))(x[n_false:]) + rng.normal(centre[line], sigma[line])
    kept = (y > 1) & (y < ny - 2)
    return _table(x[kept], y[kept])


def _table(x: NDArray[np.float64], y: NDArray[np.float64]) -> xr.Dataset:
    double = np.zeros(len(x), dtype=bool)
    return xr.Dataset({"x": ("photon", x), "y": ("photon", y), "double": ("photon", double)})


def _bound(n: int, false: float, u: NDArray[np.float64] | float = 1.0) -> NDArray[np.float64]:
    """Smallest standard deviation of a parabola from `n` photons of known lines; `u` is -1 to 1."""
    row = np.arange(0, CHIP[1], 0.05)
    lines = [
        line.weight / line.sigma * np.exp(-0.5 * ((row - line.y) / line.sigma) ** 2)
        for line in rixs_lines(0.85 * CHIP[1])
    ]
    density = (1 - false) * sum(lines) / np.sqrt(2 * np.pi) + false / CHIP[1]
    information = n * float((np.gradient(density, row) ** 2 / density).sum()) * 0.05
    # Tilt and bend as Legendre polynomials are independent; their squares give 3 + 5 at the ends.
    tilt, bend = 3 * np.square(u), 5 * np.square(1.5 * np.square(u) - 0.5)
    return np.sqrt((tilt + bend) / information)


def _deviation(curve: NDArray[np.float64]) -> float:
    return float(np.abs(curve - curve.mean()).max())


def _deviations(quick: bool) -> str:
    rows = [
        "| hits | false | fits | failed | median deviation (px) | 90 % are below (px) | wanted "
        "| within | bound (px) | pull of A | pull of B | wanted | |",
        "|---" * 13 + "|",
    ]
    for n, false in ((2000, 0.0), (2000, 0.5), (20_000, 0.0), (20_000, 0.5), (200_000, 0.5)):
        n_fits = 3 if quick else {2000: 120, 20_000: 80, 200_000: 12}[n]
        if quick and n > 20_000:
            continue
        rng = np.random.default_rng(n)
        deviations, pulls, failed = [], [], 0
        for number in range(n_fits):
            a, b = _curve(rng, number)
            try:
                fit = fit_curvature(_photons(rng, n, false, a, b), shape=CHIP)
            except NoLineError:
                failed += 1
                continue
            deviations.append(_deviation(fit.curve(X) - Curvature((a, b))(X)))
            pulls.append((np.array(fit.coefficients) - (a, b)) / fit.errors)
        spread = np.sqrt((np.array(pulls) ** 2).mean(axis=0))
        high = float(np.quantile(deviations, 0.9))
        limit = WANTED if n >= 20_000 else None
        within = np.mean(np.array(deviations) < WANTED)
        short = [
            text
            for text, is_short in (
                ("deviation missed", limit is not None and within < 1),
                ("pulls missed", (np.abs(spread - 1) > 0.2).any() and n_fits > 50),
                ("missed: fits failed", failed > 0),
            )
            if is_short
        ]
        rows.append(
            f"| {n} | {false:.0%} | {n_fits} | {failed} | {np.median(deviations):.3f} | {high:.3f} "
            f"| {limit or '-'} | {within:.0%} | {_bound(n, false):.3f} "
            f"| {spread[0]:.2f} | {spread[1]:.2f} | {WANTED_PULLS[0]} to {WANTED_PULLS[1]} "
            f"| {', '.join(short)} |"
        )
    return "\n".join(rows)


def _frames(quick: bool) -> str:
    rows = [
        "| curve (A, B) | frames | photons | deviation (px) | stated error (px) | wanted | |",
        "|---" * 7 + "|",
    ]
    n_frames, shape = (2, (1024, 600)) if quick else (6, (2048, 1024))
    for a, b in ((0.0240845, -3.6953e-7), (-0.029, 0.0), (0.0, 5e-6)):
        lines = rixs_lines(0.85 * shape[1] - max(0.0, Curvature((a, b))(float(shape[0]))))
        found, counted = [], 0
        for number in range(n_frames):
            frames, _ = simulate_frames(
                1,
                sensor=Sensor(shape=shape),
                lines=lines,
                curvature=(a, b),
                photons_per_frame=shape[0] * 1.7,
                seed=number,
            )
            photons = find_photons(frames, std_threshold=5.0)
            found.append(photons[["x", "y", "double"]].drop_vars("frame"))
            counted += photons.sizes["photon"]
        fit = fit_curvature(xr.concat(found, "photon"), shape=shape)
        x = np.arange(shape[0], dtype=np.float64)
        deviation = _deviation(fit.curve(x) - Curvature((a, b))(x))
        limit = "-" if quick else str(WANTED)
        short = "missed" if deviation > WANTED and not quick else ""
        rows.append(
            f"| ({a:g}, {b:g}) | {n_frames} | {counted} | {deviation:.3f} "
            f"| {fit.curve_error(x).max():.3f} | {limit} | {short} |"
        )
    return "\n".join(rows)


def _no_line(n_tables: int) -> str:
    rows = [
        "| false hits | rows of the chip | tables | a line is found in | wanted | |",
        "|---" * 6 + "|",
    ]
    for n, n_rows in ((200, 200), (2000, 200), (2000, 2048), (20_000, 200), (20_000, 2048)):
        rng = np.random.default_rng(n + n_rows)
        n_found = 0
        for _ in range(n_tables):
            x, y = rng.uniform(0, 2047, n), rng.uniform(1, n_rows - 2, n)
            try:
                fit_curvature(_table(x, y), shape=(2048, n_rows), n_bootstrap=2)
            except NoLineError:
                continue
            n_found += 1
        short = "missed" if n_found else ""
        rows.append(f"| {n} | {n_rows} | {n_tables} | {n_found} | 0 | {short} |")
    return "\n".join(rows)


def _real_frame() -> str:
    if not REAL_FRAME.exists():
        return "This frame is not part of the repository and was not available."
    import tifffile

    frame = tifffile.imread(REAL_FRAME).T
    image = fit_curvature_image(frame.astype(np.float64))
    spots = find_photons(frame)
    light = frame - np.median(frame)
    x, y = np.nonzero(light > 60)
    pixels = _table(x.astype(np.float64), y.astype(np.float64))
    columns = np.arange(len(frame), dtype=np.float64)
    rows = ["| fitted to | number of these | distance (px) | error (px) | wanted | |"]
    rows.append("|---" * 6 + "|")
    for name, photons, weights in (
        ("photons of `find_photons`, equal weights", spots, None),
        ("photons of `find_photons`, weighted by charge", spots, spots.charge),
        ("pixels, weighted by intensity", pixels, light[x, y]),
    ):
        fit = fit_curvature(photons, weights=weights, shape=frame.shape)
        distance = _deviation(fit.curve(columns) - image.centre(columns))
        short = "missed" if distance > WANTED_AGREEMENT else ""
        rows.append(
            f"| {name} | {photons.sizes['photon']} | {distance:.2f} "
            f"| {fit.curve_error(columns).max():.2f} | {WANTED_AGREEMENT} | {short} |"
        )
    return "\n".join(rows)
