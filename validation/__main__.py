"""Run all sections, or some, and write them as one page."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import hrixs
from validation import cost, curvature, detection, doubles, energy, errors, phases, positions

SECTIONS = {
    "positions": positions,
    "doubles": doubles,
    "phases": phases,
    "detection": detection,
    "curvature": curvature,
    "energy": energy,
    "errors": errors,
    "cost": cost,
}
INTRODUCTION = """# Validation

Made by `python -m validation`, from the repository's root; a part of it by its name, as
`python -m validation positions`. Everything is simulated, with seeds, so that the numbers come out
the same again, but for those of time. "short" marks what misses the limit that is set beside it.
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
    pages = [INTRODUCTION.strip(), f"hrixs {hrixs.__version__}"]
    for name in chosen:
        begin = time.perf_counter()
        section = SECTIONS[name]
        pages.append(f"## {section.TITLE}")
        if images is not None and hasattr(section, "draw"):
            picture = images / f"validation-{name}.png"
            pages.append(f"![{section.draw(picture)}](images/{picture.name})")
        pages.append(section.section(quick=arguments.quick).strip())
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
    page = "\n\n".join(pages) + "\n"
    if output is None:
        print(page)
    else:
        output.write_text(page)


if __name__ == "__main__":
    main()
