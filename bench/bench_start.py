"""How long the command takes to tell what was typed, and what an import costs.

Each is started in turn with the others, in processes of their own; the median counts. Beside them
stands Python itself, that does nothing.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

_COMMAND = "from hrixs.cli.main import main; raise SystemExit(main())"
#: What is started: its name, and the words behind ``python``.
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


def seconds(words: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], capture_output=True, check=False)
    return time.perf_counter() - start


def times(rounds: int) -> dict[str, float]:
    """Median of the starts of each, the first of which only warms the disk's cache."""
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds + 1):
        for name, words in CASES.items():
            taken[name].append(seconds(words))
    return {name: statistics.median(each[1:]) for name, each in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="starts of each (default: 9)")
    found = times(parser.parse_args().rounds)
    bare = found["python -c pass"]
    print(f"python {sys.version.split()[0]}, {Path(sys.executable).name}; median, seconds")
    print(f"{'':40s} {'whole':>7s} {'above python':>13s}")
    for name, one in found.items():
        print(f"{name:40s} {one:7.3f} {one - bare:13.3f}")


if __name__ == "__main__":
    main()
