"""Write docs/speed.md and the table of README.md from the reports of the benchmarks.

``speed_page.py speed.json against.json growth.json`` reads the reports of bench_speed.py,
bench_against.py and bench_growth.py. The charts are made by bench_speed.py and bench_growth.py
(``--chart docs/images/...``).
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
#: The table of README.md, from its head to the next empty line.
TABLE = re.compile(r"\| kernel \| hrixs, 1 thread .*?(?=\n\n)", re.DOTALL)
KERNELS = {
    "centroid_one, std": "centroid_one, threshold from std",
    "centroid_one, fixed": "centroid_one, fixed threshold",
    "centroid_two": "centroid_two",
    "integrate": "integrate",
}

HEAD = """# Speed

All times are those of one machine ({cpu}, {threads} cores, shared with other users, instructions
`{level}`), for frames of 2048 x 2048 uint16 pixels with 1000 photons, unless stated otherwise. The
programs take turns, round after round, and the tables give medians. Times are compared with that of
summing the bytes of a frame ("reading"): no program that reads every pixel can be faster.

![Times of one frame: hrixs, other photon finders, NumPy](images/speed.png)

"""
PEERS = """## Compared with other programs

All programs process the same frames, with {threads} threads if they can use threads. Each frame has
{true} simulated photons. Each program uses its own definition of a photon and its usual settings.

"""
KERNEL_TABLE = """## Kernels

A stack of {stack} frames; "ms" on one thread. "NumPy" is the same algorithm in plain NumPy
(`tests/oracles/frames.py`), with the same results. "ratio": time of NumPy / time of hrixs. "x
reading": time of hrixs / time of summing the bytes.

"""
AGAINST = """## Compared with the first version

This version and commit 18b0b3e (version 0.1) take turns for {rounds} rounds. "faster by" is the old
time divided by the new one: the median over all pairs of times. "5 to 95 %" is the range of the
middle 90 % of these ratios. Both versions give bit-for-bit the same results in the kernels.
"wanted" is the target; where "faster by" is lower, the target is missed.

"""
GROWTH = """## How time grows

![Time against the number of frames, photons, pixels and threads](images/growth.png)

"slope" is the slope of log(time) against log(number) in the upper half of the range; 1 means that
the time is proportional. For "frames", each frame has 512 x 1024 pixels and 125 photons. For
"photons per frame", it has 2048 x 2048 pixels. For "pixels", the number of photons per pixel is
constant.

"""
TAIL = """
## Measure it yourself

```bash
pip install '.[test]'
python bench/bench_speed.py --json speed.json --chart docs/images/speed.png
python bench/bench_against.py OTHER --json against.json  # OTHER: the Python of another build
python bench/bench_growth.py --json growth.json --chart docs/images/growth.png
python bench/speed_page.py speed.json against.json growth.json
```

`bench_against.py --check` fails if a path runs at less than 0.9 times the speed of the other build,
or gives a different result. It is run before each release. [How it is built](how-it-is-built.md)
describes how the other programs are built.
"""


def table(head: str, rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    titles = head.split("|")
    lines = [f"| {' | '.join(title.strip() for title in titles)} |", "|---" * len(titles) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def kernel_rows(speed: dict[str, Any]) -> list[list[str]]:
    """Rows of each kernel on each kind of frames."""
    return [
        [row["data"], row["kernel"], f"{row['one_ms']:.2f}", f"{row['many_ms']:.2f}",
         f"{row['over_reading']:.1f}", f"{row['numpy_ms']:.0f}", f"{row['ratio']:.0f}x"]
        for row in speed["kernels"]
    ]  # fmt: skip


def against_rows(against: dict[str, Any]) -> list[list[str]]:
    """Rows of each path, with the wanted ratio."""
    rows = []
    for row in against["rows"]:
        wanted = wanted_ratio(row["path"], against["level"])
        faster = ["", ""]  # the other build does not have this path
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
    """Rows of each line: both ends and the slope."""
    return [
        [line["over"], line["kernel"], str(line["numbers"][0]), str(line["numbers"][-1]),
         f"{line['ms'][0]:.3g}", f"{line['ms'][-1]:.3g}", f"{line['slope']:.2f}"]
        for line in growth
    ]  # fmt: skip


def readme_table(speed: dict[str, Any]) -> str:
    """The table of README.md, with uint16 frames only."""
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
    """Return the whole page."""
    peers = [[row["finder"], f"{row['ms']:.2f}", f"{row['photons']:.0f}"] for row in speed["peers"]]
    return "".join((
        HEAD.format(cpu=speed["cpu"], threads=speed["threads"], level=speed["simd"]),
        PEERS.format(threads=speed["threads"], true=1000),
        table("photon finder | ms per frame | photons found in a frame", peers),
        "\n", KERNEL_TABLE.format(stack=speed["stack"]),
        table("frames | kernel | ms | ms, all threads | x reading | NumPy | ratio",
              kernel_rows(speed)),
        "\n", AGAINST.format(rounds=against["rounds"]),
        table("path | ms | faster by | 5 to 95 % | wanted | peak MB | peak MB of version 0.1",
              against_rows(against)),
        "\n", GROWTH,
        table("what grows | kernel | from | to | ms at the start | ms at the end | slope",
              growth_rows(growth)),
        TAIL,
    ))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("speed", "against", "growth"):
        parser.add_argument(name, type=Path, help=f"JSON report of bench_{name}.py")
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
