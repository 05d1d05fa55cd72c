"""Doubts: how often a good run is doubted, and how large a fault must be to be reported."""

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
# Codes that may mistake other things for light: these are tried one by one.
_OF_LIGHT, _SEED_OF_KINDS = ("energy_gain", "no_light"), 77
_GROUPS: dict[str, Callable[[Run], bool]] = {
    **{f"`{name}`": lambda run, name=name: run.method == name for name in _METHODS},
    "with a dark": lambda run: bool(run.h.USE_DARK),
    "without a dark": lambda run: not run.h.USE_DARK,
    "lines along the rows": lambda run: run.h.CURVE_A == 0,
    "tilted lines": lambda run: run.h.CURVE_A != 0,
    "whole chip": lambda run: run.is_whole,
    "crops": lambda run: not run.is_whole,
    "1 or 2 images": lambda run: len(run.frames) <= 2,
    "4 to 32 images": lambda run: len(run.frames) > 2,
    "all": lambda run: True,
}


def section(*, quick: bool) -> str:
    """Count false alarms, find the smallest faults that are reported; Markdown."""
    n_runs, n_of_fault, n_of_kind = (12, 1, 2) if quick else (1000, 12, 40)
    return "\n\n".join(
        [
            f"**False alarms**: {n_runs} simulated runs with nothing wrong. 'doubted': runs with "
            "any doubt or other warning. 'at most': upper end of the 95 % interval of Clopper and "
            "Pearson for the share. Wanted: a share of "
            f"{_MOST_SEEN:.0%} or less, with an upper end below {_MOST_LIKELY:.0%}.",
            "The runs are random: chips of 128 to 2048 columns and 128 to 512 rows, half of them "
            "cropped; 1 to 32 images; lines along the rows or tilted by up to 4 %, some bent; an "
            "elastic line of 0.8 to 3 rows (standard deviation); 400 to 930 eV; with or without a "
            "dark; from 10 photons per frame up to the density at which the method loses 1 % "
            "(0.0015 photons per pixel of the line for 'auto', 0.01 for 'manual', 0.2 for "
            f"'resolve'). The threshold of 'auto' is {WIDTHS_OF_NOISE} standard deviations of the "
            "noise of the 2x2 squares.",
            _false_alarms(n_runs),
            f"**False alarms of `energy_gain` and `no_light`**: {n_of_kind} runs of each kind. The "
            "runs are unusual, but have neither an energy gain nor a lack of light. Chips of 256 x "
            "300 pixels, mostly 6 images, an elastic line at the photon energy and a broad one up "
            "to 110 rows below it, every second run with a dark. The methods are 'manual', "
            "'resolve' and 'integrate' in turn, unless stated otherwise. The limit is for the sum "
            "of both codes.",
            _by_kinds(n_of_kind),
            "**Size of faults that are found**: a fault is put into random runs as above, "
            f"{n_of_fault} runs a row, in 16 sizes within the range given. 'half', 'nine tenths': "
            "the size at which hrixs reports the code in half and in nine tenths of the runs. "
            "These codes are not in the table, because they compare numbers without a random part, "
            "or concern only a dark or a calibration: `no_photons`, `saturated_images`, "
            "`dark_exposure`, `dark_images`, `exposure`, `energy_axis`, `calibrated_range` and "
            "`calibration`. Their limits are in [the table of doubts](doubts.md).",
            _power(n_of_fault),
        ]
    )


def _false_alarms(n_runs: int) -> str:
    return _table([_clean(number) for number in range(n_runs)])


def _clean(number: int) -> tuple[list[str], list[str]]:
    """Codes that are reported for a good run, and the groups that it belongs to."""
    run = clean_run(np.random.default_rng([_SEED_OF_CLEAN, number]), _METHODS[number % 4])
    return run.told(), [group for group, holds in _GROUPS.items() if holds(run)]


def _table(runs: list[tuple[list[str], list[str]]]) -> str:
    from scipy.stats import beta

    rows = [
        "| runs | number | doubted | share | at most | wanted | reported | |",
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
            verdict = "" if holds_all else "missed"
        counts = Counter(chain.from_iterable(told))
        names = ", ".join(f"`{name}` {number}" for name, number in counts.most_common())
        rows.append(
            f"| {group} | {n} | {k} | {k / n:.1%} | {most:.1%} | {wanted} | {names} | {verdict} |"
        )
    return "\n".join(rows)


def _by_kinds(n_runs: int) -> str:
    names = " | ".join(f"`{one}`" for one in _OF_LIGHT)
    rows = [f"| kind of run | number | {names} | wanted | |", "|---" * (len(_OF_LIGHT) + 4) + "|"]
    for place, kind in enumerate(kinds()):
        told: Counter[str] = Counter()
        for number in range(n_runs):
            rng = np.random.default_rng([_SEED_OF_KINDS, place, number])
            told.update(kind.run(rng, number).told())
        counts = [told[one] for one in _OF_LIGHT]
        verdict = "" if sum(counts) <= _MOST_LIKELY * n_runs else "missed"
        said = " | ".join(map(str, counts))
        rows.append(f"| {kind.what} | {n_runs} | {said} | {_MOST_LIKELY:.0%} | {verdict} |")
    return "\n".join(rows)


def _power(n_runs: int) -> str:
    rows = ["| code | fault and unit of its size | sizes | half | nine tenths |", "|---" * 5 + "|"]
    for place, fault in enumerate(faults()):
        rows.append(_row_of(fault, place, n_runs))
    return "\n".join(rows)


def _row_of(fault: Fault, place: int, n_runs: int) -> str:
    seeds = [np.random.default_rng([_SEED_OF_FAULTS, place, n]) for n in range(n_runs)]
    numbers = sorted(fault.told_from(rng) for rng in seeds)
    sizes = [*map(fault.text, fault.sizes), "not found"]
    half, most = (sizes[numbers[int(np.ceil(q * n_runs)) - 1]] for q in (0.5, 0.9))
    return f"| `{fault.code}` | {fault.what} | {sizes[0]} to {sizes[-2]} | {half} | {most} |"
