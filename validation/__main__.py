"""Run all sections, or some, and write them as one page."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import hrixs
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

#: Of each section its name on the command line, and what it shows.
SECTIONS = {
    "oracles": (oracles, "that each kernel computes what its specification says"),
    "positions": (positions, "how near places come to the best that any fit can do"),
    "doubles": (doubles, "how near to each other two photons are still told apart"),
    "crowd": (crowd, "how many photons of a bright line are counted, and where they are put"),
    "phases": (phases, "how places prefer parts of a pixel, and what a correction gains"),
    "detection": (detection, "photons found, photons missed, and false hits"),
    "curvature": (curvature, "how far a curve from photons is from the true one"),
    "curvature-faults": (curvature_faults, "that faults of the camera are taken for no line"),
    "energy": (energy, "widths of lines, energy axis, energy loss and drift"),
    "spectra": (spectra, "whole spectra, from frames to bins, against those put in"),
    "deconvolution": (deconvolution, "lines of integrated spectra without cloud and pixel"),
    "errors": (errors, "whether errors of spectra and differences hold"),
    "experiment": (experiment, "what came in, blanks, set-points, levels, cosmic rays, zeros"),
    "doubts": (doubts, "how seldom a clean run is doubted, and which faults are told"),
    "cost": (cost, "what the fit costs in time"),
}
#: What a row of a table says where a limit is missed.
SHORT = "short"
INTRODUCTION = """# Validation

Every algorithm against plain NumPy and against simulated truth. `python -m validation`, from the
repository's root, makes this page and its figures in some minutes; a part of it comes by its name,
as `python -m validation positions`, and `--quick` tries all with few photons. Frames are simulated
with seeds, so that the numbers come out the same again, but for those of time. Limits stand under
"wanted", and a row that misses one is marked "short".
"""


def main() -> None:
    """Run the sections that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="few photons: does everything run?")
    parser.add_argument("--output", type=Path, help="by default docs/validation.md, if all is run")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}, expected of {', '.join(SECTIONS)}")
    chosen = arguments.sections or list(SECTIONS)
    output = arguments.output
    if output is None and not arguments.sections and not arguments.quick:
        output = Path(__file__).parents[1] / "docs" / "validation.md"
    images = None if output is None or arguments.quick else output.parent / "images"
    if images is not None:
        images.mkdir(exist_ok=True)
    failed: list[str] = []
    overview = ["| section | by name | what it shows | rows that are short |", "|---|---|---|---|"]
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
        n_short = sum(line.startswith("|") and SHORT in line for line in text.splitlines())
        overview.append(f"| {section.TITLE} | `{name}` | {shows} | {n_short} |")
        if n_short and getattr(section, "MUST_HOLD", False):
            failed.append(name)
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
    first = [INTRODUCTION.strip(), f"hrixs {hrixs.__version__}", "\n".join(overview)]
    page = "\n\n".join([*first, *pages]) + "\n"
    if output is None:
        print(page)
    else:
        output.write_text(page)
    if failed:
        raise SystemExit(f"short, where nothing may be: {', '.join(failed)}")


if __name__ == "__main__":
    main()
