"""Runs one path of `paths` with the interpreter that it is started by, each time it is told to.

Reads a line a run; writes what the first result tells, then the milliseconds of each run, then the
peak memory above that of the inputs.
"""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from paths import prepare


def peak_mb() -> float:
    """Peak memory of this process; not ru_maxrss, which begins with that of its parent."""
    said = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return float("nan") if said is None else int(said[1]) / 1e3


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    prepared = prepare(name, folder)
    if prepared is None:
        say(absent=True)
        return
    before = peak_mb()
    told = prepared.told(prepared.work())
    say(told=told, n_frames=prepared.n_frames, peak_mb=peak_mb() - before)
    for _ in sys.stdin:
        start = time.perf_counter()
        prepared.work()
        say(ms=1e3 * (time.perf_counter() - start))


if __name__ == "__main__":
    main()
