"""Time of short commands, such as `hrixs --help` or a typing error, and of the import.

All run in turn, each in its own process; the median is given. Python that does nothing is measured
for comparison.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

_COMMAND = "from hrixs.cli.main import main; raise SystemExit(main())"
#: What is started: its name, and the arguments of ``python``.
CASES = {
    "python -c pass": ("-c", "pass"),
    "hrixs --help": ("-c", _COMMAND, "--help"),
    "hrixs process --help": ("-c", _COMMAND, "process", "--help"),
    "hrixs --version": ("-c", _COMMAND, "--version"),
    "hrixs prcess (no command)": ("-c", _COMMAND, "prcess"),
    "hrixs process --bisn 3 (misspelt)": ("-c", _COMMAND, "process", "--bisn", "3"),
    "hrixs process ... --bins x (no number)":
        ("-c", _COMMAND, "process", "r1", "-o", "a.nc", "--bins", "x"),
    "hrixs process a.tif ... (no such file)": ("-c", _COMMAND, "process", "a.tif", "-o", "a.nc"),
    "hrixs replay a.nc (no such file)": ("-c", _COMMAND, "replay", "a.nc"),
    "import hrixs": ("-c", "import hrixs"),
    "import xarray": ("-c", "import xarray"),
    "from hrixs import hRIXS": ("-c", "from hrixs import hRIXS"),
}  # fmt: skip


def started(words: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of a start: by the clock, and of processor time."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, check=False)
    taken, after = time.perf_counter() - start, os.times()
    busy = sum(after[2:4]) - sum(before[2:4])
    return taken, busy


def times(rounds: int) -> dict[str, tuple[float, float]]:
    """Medians of each; the first start fills the disk cache and does not count."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for _ in range(rounds + 1):
        for name, words in CASES.items():
            found[name].append(started(words))
    of_each = {name: zip(*each[1:], strict=True) for name, each in found.items()}
    return {name: tuple(map(statistics.median, each)) for name, each in of_each.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="starts of each (default: 9)")
    found = times(parser.parse_args().rounds)
    print(f"python {sys.version.split()[0]}, medians in seconds")
    print(f"{'':40s} {'clock':>7s} {'processor':>10s}")
    for name, (taken, busy) in found.items():
        print(f"{name:40s} {taken:7.3f} {busy:10.3f}")


if __name__ == "__main__":
    main()
