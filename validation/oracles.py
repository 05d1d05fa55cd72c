"""Each algorithm against plain NumPy that is written from its specification alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from validation import oracle_of_fits, oracle_of_numbers, oracle_of_photons
from validation.figures import save

TITLE = "Against plain NumPy"
#: A row that misses its limit here is a fault of the code, and ends the command as one.
MUST_HOLD = True


def section(*, quick: bool) -> str:
    """Run every kernel and its oracle on the same frames, and report as Markdown."""
    parts = [
        "The oracles are plain NumPy (`tests/oracles/frames.py`, "
        "`tests/oracles/gaussian_fit.py`), made from the specification, without the code that is "
        "tested. 'camera': simulated frames of 512 x 512 pixels with photons on a bent line, hot "
        "pixels and cosmic rays; those of "
        "floating-point pixels are in electrons, and no whole numbers. 'few values': frames of "
        "4096 pixels with seven values, so that plateaus are everywhere and squares, pixels and "
        "spots tie with the thresholds. Both come raw, with a dark that has fractions, with a "
        "mask, under which floating-point pixels are NaN, and with dark and mask. 'Same bytes': "
        "all is the same to the last bit on two threads and, without a dark, from the same values "
        "in float64. Here 'short' is a fault, and the command fails."
    ]
    for one in (oracle_of_photons, oracle_of_numbers, oracle_of_fits):
        parts += [one.TEXT, one.table(quick)]
    return "\n\n".join(parts)


def draw(path: Path) -> str:
    """Draw every difference over its limit into a file; gives the picture's text."""
    groups: dict[str, list[float]] = {}
    for row in oracle_of_photons.rows(False):
        groups.setdefault(f"{row.algorithm}: place", []).append(
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
        groups.setdefault(f"{name}: place", []).append(fit.place / fit.place_limit)
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
    return "Largest difference from the oracle over its limit, a dot for each row of the tables"
