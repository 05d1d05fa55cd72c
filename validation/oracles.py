"""Compare each algorithm with a plain NumPy version, written from the specification alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from validation import oracle_of_fits, oracle_of_numbers, oracle_of_photons
from validation.figures import save

TITLE = "Comparison with plain NumPy"
#: A missed limit here is an error of the code: the command then fails.
MUST_HOLD = True


def section(*, quick: bool) -> str:
    """Run every kernel and its oracle on the same frames, and report as Markdown."""
    parts = [
        "Each algorithm is written a second time in plain NumPy (the oracles in "
        "`tests/oracles/frames.py` and `tests/oracles/gaussian_fit.py`), from the specification "
        "and without the code that is tested. Both process the same frames. In this section every "
        "limit must hold: a missed one is an error of the code, and the command fails.",
        "Frames of two kinds are compared. 'camera': simulated frames of 512 x 512 pixels with "
        "photons on a bent line, hot pixels and cosmic rays; floating-point frames are in "
        "electrons, so that their values have fractions. 'few values': frames of 4096 pixels with "
        "only seven different values, so that many pixels are equal, and many are exactly at a "
        "threshold. Each kind is processed without dark and mask, with a dark that has fractions, "
        "with a mask (masked floating-point pixels are NaN), and with both.",
        "'Same bytes': the result is bit for bit the same on one thread and on two. Without a "
        "dark it is also the same when the pixel values are given as float64.",
    ]
    for one in (oracle_of_photons, oracle_of_numbers, oracle_of_fits):
        parts += [one.TEXT, one.table(quick)]
    return "\n\n".join(parts)


def draw(path: Path) -> str:
    """Draw each difference divided by its limit into a file; return the caption."""
    groups: dict[str, list[float]] = {}
    for row in oracle_of_photons.rows(False):
        groups.setdefault(f"{row.algorithm}: position", []).append(
            row.place / oracle_of_photons.PLACE_LIMIT
        )
        groups.setdefault(f"{row.algorithm}: charge", []).append(
            row.charge / oracle_of_photons.CHARGE_LIMIT
        )
    for number in oracle_of_numbers.rows(False):
        groups.setdefault(number.algorithm, []).append(
            number.difference / oracle_of_numbers.NUMBER_LIMIT
        )
    for fit in oracle_of_fits.rows(False):
        name = "fit of neighbours" if fit.together else "fit of one photon"
        groups.setdefault(f"{name}: position", []).append(fit.place / fit.place_limit)
        groups.setdefault(f"{name}: charge", []).append(fit.charge / fit.charge_limit)
    figure = Figure(figsize=(8, 0.26 * len(groups) + 1), layout="constrained")
    axes = figure.subplots()
    least = 1e-6
    for place, ratios in enumerate(groups.values()):
        seen = np.maximum(ratios, least)
        shift = np.linspace(-0.2, 0.2, len(seen)) if len(seen) > 1 else 0.0
        axes.plot(seen, place + shift, "o", ms=4, color="C0", alpha=0.7)
    axes.axvline(1, color="C1")
    axes.text(1.3, -0.45, "limit", color="C1", va="center", fontsize="small")
    axes.set_yticks(range(len(groups)), [name.replace("`", "") for name in groups])
    axes.set(xscale="log", xlim=(least / 2, 10), xlabel="largest difference / limit")
    ticks = 10.0 ** np.arange(-6, 2)
    axes.set_xticks(ticks, ["none", *(f"$10^{{{k}}}$" for k in range(-5, 2))])
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    save(figure, path)
    return (
        "Largest difference from plain NumPy divided by its limit; a dot for each row of the tables"
    )
