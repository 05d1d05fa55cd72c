"""Errors of counted spectra: how often the truth lies within one standard deviation."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs import difference, hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

TITLE = "Errors of counted spectra"

STATES = ("pumped", "unpumped")
WANTED, TOLERANCE, LEAST_PHOTONS = 0.68, 0.02, 20
N_ROWS, N_SITES = 16, 48


def section(*, quick: bool) -> str:
    """Simulate, measure against truth, and report as Markdown."""
    n_pairs, n_simulated = (200, 12) if quick else (1000, 300)
    return "\n\n".join(
        [
            "Pairs of a pumped and an unpumped measurement of known rates, from frames over "
            "`centroid`, `aggregate` (in groups) and `normalize` to `difference`. Each number is "
            "the share of bins that lie within one standard deviation of the truth, in bins with "
            f"{LEAST_PHOTONS} photons or more; {n_pairs} pairs a row. Photons fall on sites that "
            "do not touch, each on any: where two meet, they make a double hit, of three the third "
            "is lost. 'as one event' is the share if a double hit were one event of weight 2, with "
            "a variance of 4.",
            _met_by_chance(n_pairs),
            "Frames of `simulate_frames`, 128 x 96 pixels with all noise, read with both methods. "
            "The truth is the mean of all pairs. Where photons are dense, spots merge: photons "
            "meet as double hits, or are lost. 'Scatter' is the variance of normalised counts from "
            "pair to pair over that by `spectrum_err`, and 1 where errors are right, to some "
            f"{(2 / (N_ROWS * n_simulated)) ** 0.5:.2f} (one standard error).",
            _simulated(n_simulated),
            "Few photons a bin: below 10 the share is no longer that of a standard deviation. Put "
            "bins together there.",
            _few_photons(20_000 if quick else 1_000_000),
        ]
    )


def _verdict(*shares: float) -> str:
    short = any(abs(share - WANTED) > TOLERANCE for share in shares)
    return f"{WANTED} ± {TOLERANCE} | {'short' if short else ''}"


def _met_by_chance(n_pairs: int) -> str:
    rows = [
        "| photons a site | double hits a hit | lost | difference | relative difference "
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
            for begin in range(0, n_pairs, 20):  # so that the frames need little memory
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
        share = _share(distance, result["difference_err"])
        relative = rates["pumped"] / rates["unpumped"] - 1
        error = result["relative_difference_err"]
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
    """Frames of photons that fall on squares of 2x2 pixels, one in 4x4, and their numbers.

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
        "| method | photons a frame | found | double hits a hit | scatter | difference | wanted "
        "| |",
        "|---" * 8 + "|",
    ]
    sensor = Sensor(shape=(128, 96), hot_fraction=0.0, cosmics_per_frame=0.0)
    # So wide that most bins have 20 photons, and not the same in both.
    lines = {
        "pumped": (SpectralLine(44.0, 22.0, 1.0),),
        "unpumped": (SpectralLine(52.0, 22.0, 1.0),),
    }
    for flux in (10.0, 50.0, 250.0):
        n_frames = int(500 / flux)
        options = {"sensor": sensor, "curvature": (0.0, 0.0)}
        dark, _ = simulate_frames(50, photons_per_frame=0, seed=1, **options)
        made = {}
        for number, state in enumerate(STATES):
            norm = np.random.default_rng(number).uniform(0.7, 1.3, n_frames * n_pairs)
            images, truth = simulate_frames(
                len(norm), lines=lines[state], photons_per_frame=flux * norm, seed=2 + number,
                **options,
            )  # fmt: skip
            data = images.rename(frame="trainId").to_dataset(name="MaranaX")
            data["hRIXS_norm"] = ("trainId", norm)
            data["pair"] = ("trainId", np.repeat(np.arange(n_pairs), n_frames))
            made[state] = (data.assign(nrj=530.0), truth.sizes["photon"])
        for method in ("auto", "manual"):
            h = hRIXS()
            h.set_params(threshold=60.0, dbl_threshold=210.0, bins=16)
            h.load_dark(dark.rename(frame="trainId").to_dataset(name="MaranaX"))
            rows.append(_row_of(h, method, flux, made))
    return "\n".join(rows)


def _row_of(h: hRIXS, method: str, flux: float, made: dict[str, tuple[xr.Dataset, int]]) -> str:
    sums, found, hits, n_true = {}, 0.0, 0.0, 0
    for state, (data, n_photons) in made.items():
        counted = h.centroid(data.copy(), method=method).drop_vars(["MaranaX", "nrj"])
        sums[state] = h.normalize(h.aggregate(counted, "pair"))
        found += counted["spectrum"].attrs["n_photons"]
        hits += counted["spectrum"].attrs["n_hits"]
        n_true += n_photons
    result = difference(sums["pumped"], sums["unpumped"])
    enough = np.minimum(*(one["spectrum"].mean("pair") for one in sums.values())) >= LEAST_PHOTONS
    truth = result["difference"].mean("pair")
    share = _share((result["difference"] - truth)[:, enough.values], result["difference_err"])
    one = sums["unpumped"].isel(energy=enough.values)
    by_error = (one["normalized_err"] ** 2).mean("pair")
    scatter = float((one["normalized"].var("pair", ddof=1) / by_error).mean())
    return (
        f"| {method} | {flux:g} | {found / n_true:.1%} | {found / hits - 1:.1%} | {scatter:.2f} "
        f"| {share:.3f} | {_verdict(share)} |"
    )


def _few_photons(n_pairs: int) -> str:
    rows = ["| photons a bin | difference | relative difference |", "|---" * 3 + "|"]
    rng = np.random.default_rng(5)
    for expected in (1, 2, 5, 10, 20, 50):
        rate = {"pumped": 1.1 * expected, "unpumped": float(expected)}
        sides = []
        for state in STATES:
            counts = rng.poisson(rate[state], n_pairs).astype(float)
            variables = {"spectrum": ("energy", counts), "spectrum_err": ("energy", counts**0.5)}
            sides.append(xr.Dataset(variables, {"energy": np.arange(n_pairs)}))
        result = difference(*sides, which="spectrum")
        share = _share(result["difference"] - 0.1 * expected, result["difference_err"])
        error = result["relative_difference_err"]
        relative = _share(result["relative_difference"] - 0.1, error)
        rows.append(f"| {expected} | {share:.3f} | {relative:.3f} |")
    return "\n".join(rows)


def _share(distance: xr.DataArray, error: xr.DataArray) -> float:
    """Share of values nearer to the truth than their error; those that are NaN are not."""
    return float((np.abs(distance) < error).mean())
