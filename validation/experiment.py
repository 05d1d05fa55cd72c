"""Incident intensity, blanks, set-points that jitter, levels and zeros of scans."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hrixs.groups.jitter import clear_tolerance
from hrixs.groups.rules import by_gaps
from hrixs.i0.of_run import RunI0
from hrixs.i0.pulses import sum_over_pulses
from hrixs.selection.groups import two_groups
from hrixs.simulation import ENERGY_SLOPE
from validation import levels, zeros

TITLE = "At the experiment"

Floats = NDArray[np.float64]

FIRST_TRAIN = 1_600_000_000
N_IMAGES = 32
N_PULSES, N_SLOTS, NO_PULSE = 8, 10, 1.0
STEP = 0.18


def section(*, quick: bool) -> str:
    """Simulate images and scans of a beamtime, and report as Markdown."""
    n = 20 if quick else 1000
    few = 1 if quick else 16
    return "\n\n".join(
        [
            f"**Incident intensity** (`I0`): {10 * n} images per row. An image takes one or "
            "several trains, and its light is proportional to the pulse energy of all of them. "
            "Pulse energies of trains have a gamma distribution. The monitor's array has "
            f"{N_SLOTS} values a train, {N_PULSES} of them pulses; the others are 1.0.",
            "'I0 / truth': smallest value, 5 %, 95 % and largest value of all images. 'only the "
            "image's own train': the same if one took the monitor's sum in the train of the image "
            "alone (scaled to a mean of 1).",
            _exposures(10 * n),
            f"**Which trains belong to an image** (`I0_SHIFT`): {n} runs of {N_IMAGES} images, one "
            "image in ten trains; pulse energies scatter by 30 %. Of the shifts -1, 0 and 9 the "
            "one with the smallest scatter of `n_photons / I0` is chosen. 'true one chosen': share "
            "of the runs in which this is the true shift; wanted: more than 95 % for 1000 photons.",
            _shifts(n),
            f"**Blanks** (`select` without a number): {n} runs a row, all without blanks. 'split': "
            "runs whose images are split into two groups by mistake. 'photons': Poisson "
            "distributed, with pulse energies of a gamma distribution.",
            _split(n),
            f"{n} runs a row, {N_IMAGES} images each, some of them blanks. Blanks have false "
            "photons only, the other images false photons and light. 'found': exactly the blanks "
            "are found. 'wrong split': other images are split off. There is no limit for light "
            "that scatters by 30 %, nor for single blanks: give `select` a number there.",
            _blanks(n),
            f"**Set-points that jitter** (`tolerance='auto'`): {n} scans a row, with steps of "
            f"{STEP} eV. The value of each image deviates from its set-point by a Gaussian jitter "
            "(its standard deviation is given). 'found': all set-points with their images; "
            "'wrong': other groups. In the remaining scans hrixs refuses to make groups.",
            _jitter(n),
            f"{n} scans a row with random values that have no set-points. 'grouped': groups are "
            "made by mistake.",
            _anywhere(n),
            f"**Level under light** (`PEDESTAL = 'image'`): {few} images of 512 x 512 pixels a "
            f"row, with photons of {levels.CHARGE:.0f} ADU all over the chip. 'level too high': by "
            "how much the level found is above the true one, in units of the noise; mean and "
            "largest deviation of the images. 'reported as lit': images for which hrixs reports "
            "that light covers the whole image.",
            levels.pedestals(few),
            f"**Cosmic rays** (`REMOVE_COSMICS`): {few} images of 512 x 512 pixels a row, photons "
            f"of {levels.CHARGE:.0f} ADU, noise of {levels.NOISE:.0f} ADU. Each image has "
            f"{levels.N_TRACKS} tracks (straight ones, curled ones and spots) of 300 to 20000 ADU "
            "a pixel; in the last column they have 300 to 600 ADU per pixel. The limits are "
            "learned from eight other images with one track each.",
            "'lines': a line of 1.5 px and a broad one; 'photons per pixel' is the density at the "
            "top of the narrow line. 'even': this density in every pixel. 'light lost': share of "
            "the light that is removed from images without tracks. 'charge removed': share of the "
            "charge of the tracks; above 100 %, light is removed with the tracks.",
            levels.cosmics(few),
            "**Time of these corrections** for an image of 2048 x 2048 pixels, on one core.",
            levels.costs(1 if quick else 5, 512 if quick else 2048),
            f"**Zero of the energy loss** (`align_elastic`): {max(n // 20, 2)} scans of "
            f"{zeros.N_RUNS} runs. Each run has its own photon energy and {zeros.ELASTIC} elastic "
            f"photons; the elastic line drifts by {zeros.DRIFT_OF_A_RUN} px ("
            f"{1e3 * zeros.DRIFT_OF_A_RUN * ENERGY_SLOPE:.1f} meV) from run to run. A magnon at "
            "0.25 eV is within the fitted range, but the fit does not know it.",
            zeros.zeros(max(n // 20, 2)),
        ]
    )


def _exposures(n_images: int) -> str:
    rows = [
        "| trains of an image | scatter of pulse energies | `I0` / truth | wanted "
        "| only the image's own train | |",
        "|---" * 6 + "|",
    ]
    for n_trains in (1, 10, 50):
        for scatter in (0.1, 0.3, 0.5):
            rng = np.random.default_rng([21, n_trains])
            energies = 1000 * _energies(rng, scatter, n_images * n_trains)
            pulses = np.full((len(energies), N_SLOTS), NO_PULSE)
            pulses[:, :N_PULSES] = energies[:, None] / N_PULSES
            truth = energies.reshape(n_images, n_trains).sum(axis=1)
            last = n_trains * np.arange(1, n_images + 1) - 1
            known = sum_over_pulses(pulses, NO_PULSE)
            ratio, own = _i0(known, last, 0) / truth, known[last] / truth
            good = bool(np.abs(ratio - 1).max() < 1e-12)
            rows.append(
                f"| {n_trains} | {scatter:.0%} | {_range(ratio)} | 1 | {_range(own / own.mean())} "
                f"| {_verdict(good)} |"
            )
    return "\n".join(rows)


def _range(values: Floats) -> str:
    return ", ".join(f"{one:.2f}" for one in np.quantile(values, [0, 0.05, 0.95, 1]))


def _shifts(n_runs: int) -> str:
    rows = [
        "| photons per image | true shift | true one chosen | scatter with the true shift | "
        "with the two others | with the image's own train only | |",
        "|---" * 7 + "|",
    ]
    shifts = (-1, 0, 9)
    for photons in (30, 100, 1000):
        for true in shifts:
            scatters, own = [], []
            for rng in np.random.default_rng([22, photons]).spawn(n_runs):
                energies = _energies(rng, 0.3, 10 * (N_IMAGES + 4))
                images = 10 * np.arange(2, N_IMAGES + 2) + 5
                sums = [_i0(energies, images, shift) for shift in shifts]
                exposed = sums[shifts.index(true)] / 10
                counts = rng.poisson(photons * exposed)
                scatters.append([_relative(counts / one) for one in sums])
                own.append(_relative(counts / energies[images]))
            at = shifts.index(true)
            found = float(np.mean(np.argmin(scatters, axis=1) == at))
            mean = np.mean(scatters, axis=0)
            others = ", ".join(f"{one:.1%}" for k, one in enumerate(mean) if k != at)
            rows.append(
                f"| {photons} | {true} | {found:.1%} | {mean[at]:.1%} | {others} | "
                f"{np.mean(own):.1%} | {_verdict(photons < 1000 or found > 0.95)} |"
            )
    return "\n".join(rows)


def _i0(energies: Floats, images: NDArray[np.int64], shift: int) -> Floats:
    """`I0` as read from a run with these pulse energies and images in some of its trains."""
    ids = (FIRST_TRAIN + np.arange(len(energies))).astype(np.uint64)
    run = RunI0(
        "SCS_SA3", ids, energies, (int(ids[0]), int(ids[-1])), ids[images], None, None, shift, None
    )
    return np.asarray(run.of_images(ids[images]).values)


def _split(n_runs: int) -> str:
    rows = ["| values | images | split | wanted | |", "|---" * 5 + "|"]

    def row(name: str, n: int, draw: Callable[[np.random.Generator], Floats], most: float) -> None:
        rng = np.random.default_rng([23, n])
        counts = name.startswith("photons")
        split = sum(two_groups(draw(rng), counts=counts) is not None for _ in range(n_runs))
        rows.append(
            f"| {name} | {n} | {split} of {n_runs} | < {most:.1%} "
            f"| {_verdict(split < most * n_runs)} |"
        )

    for photons in (30, 1000):
        for scatter in (0.1, 0.3):
            for n in (8, 32, 500):
                name = f"photons, {photons} an image, scatter {scatter:.0%}"
                row(name, n, partial(_light, photons=photons, scatter=scatter, n=n), 0.01)
    row("Gaussian", 32, lambda rng: rng.normal(size=32), 0.01)
    row("uniform", 32, lambda rng: rng.uniform(size=32), 0.02)
    return "\n".join(rows)


def _blanks(n_runs: int) -> str:
    rows = [
        "| photons of light, scatter | false photons | blanks | found | wanted | wrong split | |",
        "|---" * 7 + "|",
    ]
    for scatter in (0.1, 0.3):
        for false in (2, 60):
            for n_blank in (1, 3, 16, 28):
                rng = np.random.default_rng([24, false, n_blank])
                found = elsewhere = 0
                for _ in range(n_runs):
                    lit = _light(rng, 150, scatter, N_IMAGES - n_blank)
                    counts = rng.poisson(false, N_IMAGES).astype(float)
                    counts[n_blank:] += lit
                    groups = two_groups(counts, counts=True)
                    right = groups is not None and bool(
                        ((counts < groups.limit) == (np.arange(N_IMAGES) < n_blank)).all()
                    )
                    found += right
                    elsewhere += groups is not None and not right
                asked = scatter == 0.1 and n_blank > 1
                rows.append(
                    f"| 150, {scatter:.0%} | {false} | {n_blank} | {found / n_runs:.1%} | "
                    f"{'> 97 %' if asked else '-'} | {elsewhere / n_runs:.1%} | "
                    f"{_verdict(not asked or found > 0.97 * n_runs)} |"
                )
    return "\n".join(rows)


def _jitter(n_scans: int) -> str:
    rows = [
        "| set-points | images each | jitter / meV | found | wanted | wrong | wanted | |",
        "|---" * 8 + "|",
    ]
    for n_steps, each in ((10, 4), (15, 6), (10, 50)):
        truth = np.repeat(np.arange(n_steps), each)
        for jitter in (5, 10, 15, 20, 25):
            found = wrong = 0
            for rng in np.random.default_rng([25, n_steps, each]).spawn(n_scans):
                values = 528 + STEP * truth + rng.normal(0, 1e-3 * jitter, len(truth))
                tolerance = clear_tolerance(values)
                if tolerance is not None:
                    right = np.array_equal(by_gaps(values, tolerance), truth)
                    found, wrong = found + right, wrong + (not right)
            asked = jitter <= 15
            good = wrong < 0.01 * n_scans and (not asked or found > 0.97 * n_scans)
            rows.append(
                f"| {n_steps} | {each} | {jitter} | {found / n_scans:.1%} | "
                f"{'> 97 %' if asked else '-'} | {wrong / n_scans:.1%} | < 1 % | {_verdict(good)} |"
            )
    return "\n".join(rows)


def _anywhere(n_scans: int) -> str:
    rows = ["| values | images | grouped | wanted | |", "|---" * 5 + "|"]
    for name in ("uniform", "normal"):
        for n in (12, 25, 50, 200):
            rngs = np.random.default_rng([26, n]).spawn(n_scans)
            split = sum(clear_tolerance(getattr(rng, name)(size=n)) is not None for rng in rngs)
            good = split < 0.01 * n_scans
            rows.append(f"| {name} | {n} | {split} of {n_scans} | < 1 % | {_verdict(good)} |")
    return "\n".join(rows)


def _energies(rng: np.random.Generator, scatter: float, n: int) -> Floats:
    """Pulse energies with a mean of 1."""
    return np.asarray(rng.gamma(1 / scatter**2, scatter**2, n))


def _light(rng: np.random.Generator, photons: float, scatter: float, n: int) -> Floats:
    return np.asarray(rng.poisson(photons * _energies(rng, scatter, n)), dtype=np.float64)


def _relative(values: Floats) -> float:
    return float(values.std() / values.mean())


def _verdict(good: bool) -> str:
    return "" if good else "missed"
