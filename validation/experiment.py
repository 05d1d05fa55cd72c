"""At the experiment: incident intensity, blanks, set-points that jitter, levels, zeros of scans."""

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
    """Simulate what a beamtime's images and scans are like, and report as Markdown."""
    n = 20 if quick else 1000
    few = 1 if quick else 16
    return "\n\n".join(
        [
            f"**Incident intensity** (`I0`): {10 * n} images, one in so many trains, whose light "
            "is in proportion to what came in over all of them. Pulse energies of trains scatter "
            f"as a gamma distribution; the monitor has {N_PULSES} pulses in {N_SLOTS} slots, 1.0 "
            "in the others. 'Over truth': least, 5 %, 95 % and largest of the images, of `I0`, "
            "and of the monitor's sum in the image's own train, scaled to a mean of 1.",
            _exposures(10 * n),
            f"**Which trains** (`I0_SHIFT`): {n} runs of {N_IMAGES} images, one in ten trains, "
            "whose pulse energies scatter by 30 %. The shift with the least scatter of `n_photons "
            "/ I0`, of -1, 0 and 9, is the true one in so many of the runs.",
            _shifts(n),
            f"**Blanks** (`select` without a number): {n} runs of one group, which are split. "
            "'Photons': Poisson distributed, at pulse energies that scatter as a gamma "
            "distribution.",
            _split(n),
            f"{n} runs of {N_IMAGES} images, some of them blanks with false photons alone; the "
            "others have light beside these. 'Found': all blanks, and nothing else. Nothing is "
            "wanted of light that scatters by 30 %, and of single blanks: name a number there.",
            _blanks(n),
            f"**Set-points that jitter** (`tolerance='auto'`): {n} scans with a step of "
            f"{STEP} eV, about which values jitter (Gaussian, standard deviation). 'Found': all "
            "set-points, with their images; 'wrong': other groups; else it is refused.",
            _jitter(n),
            f"{n} scans whose values lie anywhere, of which groups are made all the same.",
            _anywhere(n),
            f"**Level under light** (`PEDESTAL = 'image'`): {few} images of 512 x 512 pixels a "
            f"row, with photons of {levels.CHARGE:.0f} ADU anywhere on the chip.",
            levels.pedestals(few),
            f"**Cosmic rays** (`REMOVE_COSMICS`): {few} images of 512 x 512 pixels a row, photons "
            f"of {levels.CHARGE:.0f} ADU, noise of {levels.NOISE:.0f} ADU, with {levels.N_TRACKS} "
            "tracks each (straight ones, worms, spots) of 300 to 20000 ADU a pixel, or of 300 to "
            "600. Learned from eight other images, with a track each. 'Photons a pixel': at the "
            "top of a line of 1.5 px beside a broad one, or in every pixel ('even'). 'Light lost': "
            "of images without a track, all that is changed. More than 100 %: light is taken with "
            "the tracks.",
            levels.cosmics(few),
            "What mending an image of 2048 x 2048 pixels takes, on one core.",
            levels.costs(1 if quick else 5, 512 if quick else 2048),
            f"**Zero of the energy loss** (`align_elastic`): {max(n // 20, 2)} scans of "
            f"{zeros.N_RUNS} runs, each at its photon energy and with {zeros.ELASTIC} elastic "
            f"photons; the line drifts by {zeros.DRIFT_OF_A_RUN} px ("
            f"{1e3 * zeros.DRIFT_OF_A_RUN * ENERGY_SLOPE:.1f} meV) from run to run. A magnon at "
            "0.25 eV lies in the part that is fitted, and is not in the model.",
            zeros.zeros(max(n // 20, 2)),
        ]
    )


def _exposures(n_images: int) -> str:
    rows = [
        "| trains of an image | scatter of trains | `I0` over truth | wanted | own train over "
        "truth | |",
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
        "| photons an image | shift | true one found | scatter with it | with the others | "
        "scatter with the image's own train | |",
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
    """What is read of a run with these pulse energies, and images in some of its trains."""
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
    row("box", 32, lambda rng: rng.uniform(size=32), 0.02)
    return "\n".join(rows)


def _blanks(n_runs: int) -> str:
    rows = [
        "| photons of light, scatter | false photons | blanks | found | wanted | split elsewhere "
        "| |",
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
    return "" if good else "short"
