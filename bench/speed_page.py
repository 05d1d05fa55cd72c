"""Write docs/speed.md, and the README's table, from what the benchmarks have measured.

``speed_page.py speed.json against.json growth.json`` takes the reports of bench_speed.py,
bench_against.py and bench_growth.py; the charts of the first and the last go to docs/images by
their own ``--chart``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from bench_against import wanted_ratio

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "speed.md"
README = ROOT / "README.md"
#: The README's table, from its head to the line before the next paragraph.
TABLE = re.compile(r"\| kernel \| hrixs, 1 thread .*?(?=\n\n)", re.DOTALL)
KERNELS = {
    "centroid_one, std": "centroid_one, threshold from std",
    "centroid_one, fixed": "centroid_one, fixed threshold",
    "centroid_two": "centroid_two",
    "integrate": "integrate",
}

HEAD = """# Speed

All figures were measured on one machine ({cpu}, {threads} cores that others use too, level
`{level}`). They are medians of runs in turn, for frames of 2048 x 2048 uint16 pixels with
1000 photons unless stated otherwise. "x reading" is the time divided by the time to sum the
bytes of a frame: nothing that reads every pixel is faster.

![Times of one frame: hrixs, other photon finders, NumPy](images/speed.png)

"""
PEERS = """## Beside other programs

All programs process the same frames, with {threads} threads if they have threads. Each finds
photons by its own rule with its usual settings; {true} were simulated.

"""
KERNEL_TABLE = """## Kernels

One thread, a stack of {stack} frames. "NumPy" is the same algorithm in plain NumPy
(`tests/oracles/frames.py`), with the same results.

"""
AGAINST = """## Beside the first version

This build and version 0.1 (commit 18b0b3e) ran in turn, in {rounds} rounds. "Faster by" is
the median of the ratios of all pairs, and the next column has the range of the middle 90 % of
the pairs. The kernels' results have the same bytes. "Wanted" was the goal; a figure below it
falls short.

"""
GROWTH = """## How cost grows

![Cost over frames, photons, pixels, threads](images/growth.png)

The slope is that of the logarithms over the upper half of a range: 1 is linear. Over frames,
each has 512 x 1024 pixels with 125 photons. Over photons and threads, frames have 2048 x 2048
pixels. Over pixels, all chips have the same photons per pixel.

"""
TAIL = """
## Measure it yourself

```bash
pip install '.[test]'
python bench/bench_speed.py --json speed.json --chart docs/images/speed.png
python bench/bench_against.py OTHER --json against.json  # OTHER: another build's python
python bench/bench_growth.py --json growth.json --chart docs/images/growth.png
python bench/speed_page.py speed.json against.json growth.json
```

`bench_against.py --check` is run before a release. It fails if a path is slower than 0.9 times the
other build, or gives other results. [How it is built](how-it-is-built.md) says how to build the
other programs.
"""


def table(head: str, rows: list[list[str]]) -> str:
    """A table in Markdown."""
    titles = head.split("|")
    lines = [f"| {' | '.join(title.strip() for title in titles)} |", "|---" * len(titles) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def kernel_rows(speed: dict[str, Any]) -> list[list[str]]:
    """Each kernel on each kind of frames."""
    return [
        [row["data"], row["kernel"], f"{row['one_ms']:.2f}", f"{row['many_ms']:.2f}",
         f"{row['over_reading']:.1f}", f"{row['numpy_ms']:.0f}", f"{row['ratio']:.0f}x"]
        for row in speed["kernels"]
    ]  # fmt: skip


def against_rows(against: dict[str, Any]) -> list[list[str]]:
    """Each path, with what was wanted."""
    rows = []
    for row in against["rows"]:
        wanted = wanted_ratio(row["path"], against["level"])
        faster = ["", ""]  # the other build has it not
        if "faster" in row:
            faster = [f"{row['faster']:.2f}", f"{row['from']:.2f} to {row['to']:.2f}"]
        rows.append([
            row["path"], f"{row['ms']:.2f}", *faster,
            "" if wanted is None else f"{wanted:g}",
            f"{row['peak_mb']:.0f}",
            f"{row['other_peak_mb']:.0f}" if "other_peak_mb" in row else "",
        ])  # fmt: skip
    return rows


def growth_rows(growth: list[dict[str, Any]]) -> list[list[str]]:
    """Each line's ends and slope."""
    return [
        [line["over"], line["kernel"], str(line["numbers"][0]), str(line["numbers"][-1]),
         f"{line['ms'][0]:.3g}", f"{line['ms'][-1]:.3g}", f"{line['slope']:.2f}"]
        for line in growth
    ]  # fmt: skip


def readme_table(speed: dict[str, Any]) -> str:
    """The uint16 frames alone."""
    of_uint16 = [row for row in speed["kernels"] if row["data"] == "uint16"]
    reading = sorted(row["reading_ms"] for row in of_uint16)[len(of_uint16) // 2]
    rows = [["reading the bytes", f"{reading:.2f}", "", "", ""]]
    rows += [
        [KERNELS[row["kernel"]], f"{row['one_ms']:.2f}", f"{row['many_ms']:.2f}",
         f"{row['numpy_ms']:.0f}", f"{row['ratio']:.0f}x"]
        for row in of_uint16
    ]  # fmt: skip
    head = f"kernel | hrixs, 1 thread | hrixs, {speed['threads']} threads | plain NumPy | ratio"
    return table(head, rows).rstrip("\n")


def page(speed: dict[str, Any], against: dict[str, Any], growth: list[dict[str, Any]]) -> str:
    """The whole page."""
    peers = [[row["finder"], f"{row['ms']:.2f}", f"{row['photons']:.0f}"] for row in speed["peers"]]
    return "".join((
        HEAD.format(cpu=speed["cpu"], threads=speed["threads"], level=speed["simd"]),
        PEERS.format(threads=speed["threads"], true=1000),
        table("photon finder | ms a frame | photons found in a frame", peers),
        "\n", KERNEL_TABLE.format(stack=speed["stack"]),
        table("frames | kernel | ms | ms, all threads | x reading | NumPy | ratio",
              kernel_rows(speed)),
        "\n", AGAINST.format(rounds=against["rounds"]),
        table("path | ms | faster by | 5 to 95 % | wanted | peak MB | peak MB of 0.1",
              against_rows(against)),
        "\n", GROWTH,
        table("over | kernel | from | to | ms | ms | slope", growth_rows(growth)),
        TAIL,
    ))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("speed", "against", "growth"):
        parser.add_argument(name, type=Path, help=f"the report of bench_{name}.py")
    arguments = parser.parse_args()
    speed, against, growth = (
        json.loads(path.read_text())
        for path in (arguments.speed, arguments.against, arguments.growth)
    )
    PAGE.write_text(page(speed, against, growth))
    text, n_tables = TABLE.subn(readme_table(speed), README.read_text())
    if n_tables != 1:
        raise SystemExit(f"{README} has {n_tables} tables of kernels, expected 1")
    README.write_text(text)


if __name__ == "__main__":
    main()
