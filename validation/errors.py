"""Errors of counted spectra: how often the truth is within one standard deviation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hrixs import difference, hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames
from validation.figures import save

TITLE = "Errors of counted spectra"

STATES = ("pumped", "unpumped")
WANTED, TOLERANCE, LEAST_PHOTONS = 0.68, 0.02, 20
N_ROWS, N_SITES = 16, 48


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    n_pairs, n_simulated = (200, 12) if quick else (1000, 300)
    return "\n\n".join(
        [
            "Pairs of a pumped and an unpumped measurement with known rates are analysed from "
            "frames by `centroid`, `aggregate` (in groups), `normalize` and `difference`; "
            f"{n_pairs} pairs a row. 'difference' and 'relative difference' give the share of bins "
            "within one stated error of the truth, for bins with at least "
            f"{LEAST_PHOTONS} photons; 0.683 is right.",
            "Each photon falls on a random site; sites do not touch each other. Two photons on one "
            "site make a double hit; of three, one is lost. 'as one event': the share if a double "
            "hit were counted as one event of weight 2 with a variance of 4.",
            _met_by_chance(n_pairs),
            "**Simulated frames** of `simulate_frames`, 128 x 96 pixels with all kinds of noise. "
            "The truth is the mean of all pairs. Where photons are dense, spots merge, and photons "
            "become double hits or are lost. 'scatter': the variance of normalised spectra from "
            "pair to pair / the variance that `hrixs.error` states; 1 is right (one standard error "
            f"is about {(2 / (N_ROWS * n_simulated)) ** 0.5:.2f}).",
            _simulated(n_simulated),
            "**Few photons per bin**: below 10 photons the share differs from that of a standard "
            "deviation. Use wider bins there.",
            _few_photons(20_000 if quick else 1_000_000),
        ]
    )


def draw(path: Path) -> str:
    """Draw pulls of simulated spectra, and the bins within their errors; return the caption."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    h, made = _camera(50.0, 120)
    steps = np.arange(-4, 4.01, 0.4)
    for (method, color, line), shift in zip(
        (("auto", "C0", "o"), ("manual", "C1", "s")), (-0.04, 0.04), strict=True
    ):
        sums = [_pairs(h, method, data)[0] for data, _ in made.values()]
        pulls = _pulls(*sums)
        counts, _ = np.histogram(pulls, steps)
        width = len(pulls) * 0.4
        left.errorbar(
            (steps[1:] + steps[:-1]) / 2 + shift, counts / width, np.sqrt(counts) / width,
            fmt=line, ms=4, lw=1, color=color, label=f"{method}: std {pulls.std():.2f}",
        )  # fmt: skip
    x = np.linspace(-4, 4, 201)
    normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    left.plot(x, normal, "-", color="0.35", label="unit normal", zorder=0)
    left.set(xlabel="(difference - true) / its error", ylabel="probability density")
    left.set_ylim(0, 0.55)
    n = np.array([1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 50, 100])
    shares = np.array([_shares_of_few(int(expected), 100_000) for expected in n])
    right.plot(n, shares[:, 0], "o-", ms=4, color="C0", label="difference")
    right.plot(n, shares[:, 1], "s-", ms=4, color="C1", label="relative difference")
    low, high = WANTED - TOLERANCE, WANTED + TOLERANCE
    right.axhspan(
        low, high, color="0.85", zorder=0, label=f"wanted from {LEAST_PHOTONS} photons on"
    )
    right.axvline(LEAST_PHOTONS, color="0.5", ls=":", lw=1)
    right.set(
        xlabel="photons per bin", ylabel="share of bins within one error of the truth", xscale="log"
    )
    right.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    right.minorticks_off()
    left.legend(fontsize="small", loc="upper left")
    right.legend(fontsize="small", loc="lower right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    save(figure, path)
    return (
        "Left: pulls (error / stated error) of differences of simulated spectra, 50 photons per "
        "frame. Right: share of bins within one stated error, against the photons in a bin"
    )


def _verdict(*shares: float) -> str:
    short = any(abs(share - WANTED) > TOLERANCE for share in shares)
    return f"{WANTED} ± {TOLERANCE} | {'missed' if short else ''}"


def _met_by_chance(n_pairs: int) -> str:
    rows = [
        "| photons a site | double hits / hits | lost | difference | relative difference "
        "| as one event | wanted | |",
        "|---" * 8 + "|",
    ]
    rates = {"pumped": np.linspace(1, 2, N_ROWS), "unpumped": np.linspace(1.6, 1.4, N_ROWS)}
    rates = {state: rate / rate.mean() for state, rate in rates.items()}
    for per_site in (0.01, 0.05, 0.2):
        rng = np.random.default_rng(1)
        h = hRIXS()
        h.set_params(threshold=50.0, dbl_threshold=150.0, bins=N_ROWS)
        n_frames = round(1 / per_site)
        sums, one_event, n_true, found, hits = {}, {}, 0, 0.0, 0.0
        for state in STATES:
            parts, doubles = [], []
            for begin in range(0, n_pairs, 20):  # in parts, to save memory
                pairs = np.arange(begin, min(begin + 20, n_pairs))
                frames, number = _on_sites(rng, per_site * rates[state], pairs, n_frames)
                counted = h.centroid(frames)
                parts.append(h.aggregate(counted.drop_vars("MaranaX"), "pair"))
                doubles.append((number > 1).sum(axis=(1, 2)))
                n_true += int(number.sum())
                found += counted["spectrum"].attrs["n_photons"]
                hits += counted["spectrum"].attrs["n_hits"]
            sums[state] = one = h.normalize(xr.concat(parts, "pair"))
            variance = one["spectrum"] + 2 * np.concatenate(doubles)
            one_event[state] = variance / one["hRIXS_norm"] ** 2
        result = difference(sums["pumped"], sums["unpumped"])
        change = per_site * N_SITES * (rates["pumped"] - rates["unpumped"])
        distance = result["difference"] - change
        share = _share(distance, result.hrixs.error("difference"))
        relative = rates["pumped"] / rates["unpumped"] - 1
        error = result.hrixs.error("relative_difference")
        relative_share = _share(result["relative_difference"] - relative, error)
        as_one = _share(distance, np.sqrt(one_event["pumped"] + one_event["unpumped"]))
        rows.append(
            f"| {per_site:g} | {found / hits - 1:.1%} | {1 - found / n_true:.1%} | {share:.3f} "
            f"| {relative_share:.3f} | {as_one:.3f} | {_verdict(share, relative_share)} |"
        )
    return "\n".join(rows)


def _on_sites(
    rng: np.random.Generator, rate: NDArray[np.float64], pairs: NDArray[np.int64], n_frames: int
) -> tuple[xr.Dataset, NDArray[np.int64]]:
    """Frames of photons on squares of 2x2 pixels, one square in 4x4 pixels; their numbers.

    A photon is 25 in each pixel of its square; `rate` is the mean number by row of sites. The
    numbers are over pair, frame, site and row.
    """
    norm = rng.uniform(0.7, 1.3, n_frames * len(pairs))
    number = rng.poisson(norm[:, None, None] * rate, (len(norm), N_SITES, N_ROWS))
    images = np.zeros((len(norm), 4 * N_SITES, 4 * N_ROWS), np.uint16)
    for dx in (1, 2):
        for dy in (1, 2):
            images[:, dx::4, dy::4] = 25 * number
    frames = xr.Dataset(
        {
            "MaranaX": (("trainId", "x", "y"), images),
            "hRIXS_norm": ("trainId", norm),
            "pair": ("trainId", np.repeat(pairs, n_frames)),
        },
        {"trainId": np.arange(len(norm))},
    )
    return frames, number.reshape(len(pairs), n_frames, N_SITES, N_ROWS)


def _simulated(n_pairs: int) -> str:
    rows = [
        "| method | photons per frame | found | double hits / hits | scatter | difference | wanted "
        "| |",
        "|---" * 8 + "|",
    ]
    for flux in (10.0, 50.0, 250.0):
        h, made = _camera(flux, n_pairs)
        rows += [_row_of(h, method, flux, made) for method in ("auto", "manual")]
    return "\n".join(rows)


_Made = dict[str, tuple[xr.Dataset, int]]


def _camera(flux: float, n_pairs: int) -> tuple[hRIXS, _Made]:
    """The class with its dark; for each state the frames of all pairs and their photons."""
    sensor = Sensor(shape=(128, 96), hot_fraction=0.0, cosmics_per_frame=0.0)
    # Wide, so that most bins have 20 photons; different for both states.
    lines = {
        "pumped": (SpectralLine(44.0, 22.0, 1.0),),
        "unpumped": (SpectralLine(52.0, 22.0, 1.0),),
    }
    n_frames = int(500 / flux)
    options = {"sensor": sensor, "curvature": (0.0, 0.0)}
    dark, _ = simulate_frames(50, photons_per_frame=0, seed=1, **options)
    made = {}
    for number, state in enumerate(STATES):
        norm = np.random.default_rng(number).uniform(0.7, 1.3, n_frames * n_pairs)
        images, truth = simulate_frames(
            len(norm), lines=lines[state], photons_per_frame=flux * norm, seed=2 + number, **options
        )
        data = images.rename(frame="trainId").to_dataset(name="MaranaX")
        data["hRIXS_norm"] = ("trainId", norm)
        data["pair"] = ("trainId", np.repeat(np.arange(n_pairs), n_frames))
        made[state] = (data.assign(nrj=530.0), truth.sizes["photon"])
    h = hRIXS()
    h.set_params(threshold=60.0, dbl_threshold=210.0, bins=16)
    h.load_dark(dark.rename(frame="trainId").to_dataset(name="MaranaX"))
    return h, made


def _pairs(h: hRIXS, method: str, data: xr.Dataset) -> tuple[xr.Dataset, float, float]:
    """Normalised spectra of all pairs; photons and hits in them."""
    counted = h.centroid(data.copy(), method=method).drop_vars(["MaranaX", "nrj"])
    attrs = counted["spectrum"].attrs
    return h.normalize(h.aggregate(counted, "pair")), attrs["n_photons"], attrs["n_hits"]


def _enough(*sums: xr.Dataset) -> NDArray[np.bool_]:
    """Bins with enough photons in both states."""
    least = np.minimum(*(one["spectrum"].mean("pair") for one in sums))
    return np.asarray(least.values >= LEAST_PHOTONS)


def _pulls(pumped: xr.Dataset, unpumped: xr.Dataset) -> NDArray[np.float64]:
    """Pulls: deviations of the differences from their mean over all pairs, in stated errors."""
    result = difference(pumped, unpumped)
    distance = result["difference"] - result["difference"].mean("pair")
    used = _enough(pumped, unpumped)
    return np.asarray((distance / result.hrixs.error("difference"))[:, used].values.ravel())


def _row_of(h: hRIXS, method: str, flux: float, made: _Made) -> str:
    sums, found, hits, n_true = {}, 0.0, 0.0, 0
    for state, (data, n_photons) in made.items():
        sums[state], of_state, hits_of_state = _pairs(h, method, data)
        found, hits, n_true = found + of_state, hits + hits_of_state, n_true + n_photons
    share = float((np.abs(_pulls(*sums.values())) < 1).mean())
    one = sums["unpumped"].isel(energy=_enough(*sums.values()))
    by_error = (one.hrixs.error("normalized") ** 2).mean("pair")
    scatter = float((one["normalized"].var("pair", ddof=1) / by_error).mean())
    return (
        f"| {method} | {flux:g} | {found / n_true:.1%} | {found / hits - 1:.1%} | {scatter:.2f} "
        f"| {share:.3f} | {_verdict(share)} |"
    )


def _few_photons(n_pairs: int) -> str:
    rows = ["| photons per bin | difference | relative difference |", "|---" * 3 + "|"]
    for expected in (1, 2, 5, 10, 20, 50):
        share, relative = _shares_of_few(expected, n_pairs)
        rows.append(f"| {expected} | {share:.3f} | {relative:.3f} |")
    return "\n".join(rows)


def _shares_of_few(expected: int, n_pairs: int) -> tuple[float, float]:
    """Shares of bins within one error: of the difference and the relative difference."""
    rng = np.random.default_rng(5 + expected)
    rate = {"pumped": 1.1 * expected, "unpumped": float(expected)}
    sides = []
    for state in STATES:
        counts = rng.poisson(rate[state], n_pairs).astype(float)
        variables = {"spectrum": ("energy", counts), "spectrum_err": ("energy", counts**0.5)}
        sides.append(xr.Dataset(variables, {"energy": np.arange(n_pairs)}))
    result = difference(*sides, which="spectrum")
    share = _share(result["difference"] - 0.1 * expected, result.hrixs.error("difference"))
    error = result.hrixs.error("relative_difference")
    return share, _share(result["relative_difference"] - 0.1, error)


def _share(distance: xr.DataArray, error: xr.DataArray) -> float:
    """Share of deviations smaller than their error; NaN counts as larger."""
    return float((np.abs(distance) < error).mean())
