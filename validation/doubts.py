"""Doubts: how seldom a clean run is doubted, and how large a fault must be to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain

import numpy as np

from validation.clean_kinds import kinds
from validation.clean_runs import WIDTHS_OF_NOISE, Run, clean_run
from validation.faults import Fault, faults

TITLE = "Doubts"

_SEED_OF_CLEAN, _SEED_OF_FAULTS = 20261128, 6
_METHODS = ("auto", "manual", "resolve", "integrate")
_MOST_SEEN, _MOST_LIKELY = 0.01, 0.02
# Codes that look for light where none may be: what tempts them is tried by itself.
_OF_LIGHT, _SEED_OF_KINDS = ("energy_gain", "no_light"), 77
_GROUPS: dict[str, Callable[[Run], bool]] = {
    **{f"`{name}`": lambda run, name=name: run.method == name for name in _METHODS},
    "with a dark": lambda run: bool(run.h.USE_DARK),
    "without": lambda run: not run.h.USE_DARK,
    "lines along the rows": lambda run: run.h.CURVE_A == 0,
    "tilted lines": lambda run: run.h.CURVE_A != 0,
    "whole chip": lambda run: run.is_whole,
    "crops": lambda run: not run.is_whole,
    "1 or 2 images": lambda run: len(run.frames) <= 2,
    "4 to 32 images": lambda run: len(run.frames) > 2,
    "all": lambda run: True,
}


def section(*, quick: bool) -> str:
    """Count false alarms and find the least faults that are told, as Markdown."""
    n_runs, n_of_fault, n_of_kind = (12, 1, 2) if quick else (1000, 12, 40)
    return "\n\n".join(
        [
            "False alarms: the share of simulated runs with nothing wrong that have any doubt or "
            f"other warning. {n_runs} runs: chips of 128 to 2048 columns and 128 to 512 rows, half "
            "of them cropped; 1 to 32 images; lines along the rows or tilted by up to 4 %, some "
            "bent; the elastic one 0.8 to 3 rows wide (standard deviation); 400 to 930 eV; with or "
            "without a dark; from 10 photons a frame up to the density at which the method loses "
            "1 % (0.0015 photons a pixel of the line for 'auto', 0.01 for 'manual', 0.2 for "
            f"'resolve'); thresholds of 'auto' at {WIDTHS_OF_NOISE} standard deviations of the "
            "squares' noise. 'At most': the upper end of the 95 % interval of Clopper and Pearson.",
            _false_alarms(n_runs),
            f"False alarms of `energy_gain` and `no_light` by kinds of runs with nothing wrong in "
            f"that which they look for, {n_of_kind} each: chips of 256 x 300 "
            "pixels, mostly 6 images, an elastic line at the photon energy and a broad one up to "
            "110 rows below it, every second run with a dark; by 'manual', 'resolve' and "
            "'integrate' in turn where nothing else is said. Limits are on both together.",
            _by_kinds(n_of_kind),
            "Power: the size of a fault at which half, and nine tenths, of runs are told by the "
            f"code that names it; {n_of_fault} runs a row, drawn as above, and 16 sizes between "
            "those named. `no_photons`, `saturated_images`, `dark_exposure`, `dark_images`, "
            "`exposure`, `energy_axis`, `calibrated_range` and `calibration` compare numbers "
            "without chance, or are told of a dark and a calibration alone, at the figures of "
            "[the table](doubts.md).",
            _power(n_of_fault),
        ]
    )


def _false_alarms(n_runs: int) -> str:
    return _table([_clean(number) for number in range(n_runs)])


def _clean(number: int) -> tuple[list[str], list[str]]:
    """What is told of a clean run, and the groups that it belongs to."""
    run = clean_run(np.random.default_rng([_SEED_OF_CLEAN, number]), _METHODS[number % 4])
    return run.told(), [group for group, holds in _GROUPS.items() if holds(run)]


def _table(runs: list[tuple[list[str], list[str]]]) -> str:
    from scipy.stats import beta

    rows = [
        "| runs | number | doubted | share | at most | wanted | told | |",
        "|---" * 8 + "|",
    ]
    for group in _GROUPS:
        told = [codes for codes, groups in runs if group in groups]
        if not told:
            continue
        n, k = len(told), sum(map(bool, told))
        most = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
        wanted, verdict = "", ""
        if group == "all":
            wanted = f"{_MOST_SEEN:.0%}, at most {_MOST_LIKELY:.0%}"
            holds_all = k <= _MOST_SEEN * n and most < _MOST_LIKELY
            verdict = "" if holds_all else "short"
        counts = Counter(chain.from_iterable(told))
        names = ", ".join(f"`{name}` {number}" for name, number in counts.most_common())
        rows.append(
            f"| {group} | {n} | {k} | {k / n:.1%} | {most:.1%} | {wanted} | {names} | {verdict} |"
        )
    return "\n".join(rows)


def _by_kinds(n_runs: int) -> str:
    names = " | ".join(f"`{one}`" for one in _OF_LIGHT)
    rows = [f"| kind | number | {names} | wanted | |", "|---" * (len(_OF_LIGHT) + 4) + "|"]
    for place, kind in enumerate(kinds()):
        told: Counter[str] = Counter()
        for number in range(n_runs):
            rng = np.random.default_rng([_SEED_OF_KINDS, place, number])
            told.update(kind.run(rng, number).told())
        counts = [told[one] for one in _OF_LIGHT]
        verdict = "" if sum(counts) <= _MOST_LIKELY * n_runs else "short"
        said = " | ".join(map(str, counts))
        rows.append(f"| {kind.what} | {n_runs} | {said} | {_MOST_LIKELY:.0%} | {verdict} |")
    return "\n".join(rows)


def _power(n_runs: int) -> str:
    rows = ["| code | size of the fault | sizes | half | nine tenths |", "|---" * 5 + "|"]
    for place, fault in enumerate(faults()):
        rows.append(_row_of(fault, place, n_runs))
    return "\n".join(rows)


def _row_of(fault: Fault, place: int, n_runs: int) -> str:
    seeds = [np.random.default_rng([_SEED_OF_FAULTS, place, n]) for n in range(n_runs)]
    numbers = sorted(fault.told_from(rng) for rng in seeds)
    sizes = [*map(fault.text, fault.sizes), "not told"]
    half, most = (sizes[numbers[int(np.ceil(q * n_runs)) - 1]] for q in (0.5, 0.9))
    return f"| `{fault.code}` | {fault.what} | {sizes[0]} to {sizes[-2]} | {half} | {most} |"
