"""Run all sections of the validation, or some, and write them as one Markdown page."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import hrixs
from hrixs.utils.threads import available_threads
from validation import (
    cost,
    crowd,
    curvature,
    curvature_faults,
    deconvolution,
    detection,
    doubles,
    doubts,
    energy,
    errors,
    experiment,
    oracles,
    phases,
    positions,
    spectra,
)

#: Sections by their name on the command line, and what they show.
SECTIONS = {
    "oracles": (oracles, "whether each algorithm computes what its specification says"),
    "positions": (positions, "errors of positions, compared with the smallest possible ones"),
    "doubles": (doubles, "at which distance two photons in one spot can be separated"),
    "crowd": (crowd, "numbers, positions and errors of photons in bright lines"),
    "phases": (phases, "positions that prefer parts of a pixel, and the gain by a correction"),
    "detection": (detection, "photons found, photons missed, and false hits"),
    "curvature": (curvature, "deviation of fitted curves from the true ones"),
    "curvature-faults": (curvature_faults, "curves on frames with faults of the camera"),
    "energy": (energy, "widths of lines, energy axis, energy loss and drift"),
    "spectra": (spectra, "whole spectra, from frames to bins, compared with the true ones"),
    "deconvolution": (deconvolution, "integrated spectra from which cloud and pixel are removed"),
    "errors": (errors, "whether stated errors of spectra and differences are right"),
    "experiment": (
        experiment,
        "incident intensity, blanks, set-points, levels, cosmic rays, zeros of the loss",
    ),
    "doubts": (doubts, "false alarms in good runs, and sizes of faults that are found"),
    "cost": (cost, "time of the fit, compared with the centre of mass"),
}
#: The mark of a row that misses a limit.
MISSED = "missed"
INTRODUCTION = """# Validation

How well hrixs works on data whose truth is known. Each algorithm is compared with a second version
in plain NumPy, and with the truth of simulated photons, frames and runs.

Limits are in the columns "wanted", or in the text above a table. A row that misses a limit is
marked "missed". Most of these rows show what a method cannot do; only in the section "Comparison
with plain NumPy" is a missed limit an error of the code.

Commands, in the root of the repository:

| command | what it does |
|---|---|
| `python -m validation` | makes this whole page and its figures; no other command is needed |
| `python -m validation positions` | prints one section; several names may be given |
| `python -m validation --quick` | tries all sections with few photons, and prints the page |

The table below has the time of each section, and the sum. Random numbers have fixed seeds: the same
version gives the same numbers again, except for times.
"""


def main() -> None:
    """Run the sections that are given, or all, and write or print the page."""
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        metavar="SECTION",
        help=f"one of {', '.join(SECTIONS)}; all if none is given",
    )
    parser.add_argument(
        "--quick", action="store_true", help="use few photons, to try whether all runs"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="file to write; docs/validation.md for a run of all sections, otherwise none",
    )
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(
            f"unknown section {', '.join(sorted(unknown))}. Type one of {', '.join(SECTIONS)}."
        )
    chosen = arguments.sections or list(SECTIONS)
    output = arguments.output
    if output is None and not arguments.sections and not arguments.quick:
        output = Path(__file__).parents[1] / "docs" / "validation.md"
    images = None if output is None or arguments.quick else output.parent / "images"
    if images is not None:
        images.mkdir(exist_ok=True)
    failed: list[str] = []
    overview = [
        "| section | name | what it shows | rows that miss a limit | time / s |",
        "|---|---|---|---|---|",
    ]
    total = 0.0
    pages: list[str] = []
    for name in chosen:
        begin = time.perf_counter()
        section, shows = SECTIONS[name]
        pages.append(f"## {section.TITLE}")
        if images is not None and hasattr(section, "draw"):
            picture = images / f"validation-{name}.png"
            pages.append(f"![{section.draw(picture)}](images/{picture.name})")
        text = section.section(quick=arguments.quick).strip()
        pages.append(text)
        n_missed = sum(line.startswith("|") and MISSED in line for line in text.splitlines())
        taken = time.perf_counter() - begin
        total += taken
        overview.append(f"| {section.TITLE} | `{name}` | {shows} | {n_missed} | {taken:.0f} |")
        if n_missed and getattr(section, "MUST_HOLD", False):
            failed.append(name)
        print(f"{name}: {taken:.0f} s", flush=True)
    took = f"All of this took {total / 60:.0f} minutes on {available_threads()} cores."
    first = [INTRODUCTION.strip(), f"hrixs {hrixs.__version__}", "\n".join(overview), took]
    page = "\n\n".join([*first, *pages]) + "\n"
    if output is None:
        print(page)
    else:
        output.write_text(page)
    if failed:
        raise SystemExit(f"limits are missed in a section where all must hold: {', '.join(failed)}")


if __name__ == "__main__":
    main()
