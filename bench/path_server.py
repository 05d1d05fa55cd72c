"""Run one path of `paths` whenever a line arrives; `bench_against.py` starts it for each build.

It writes lines of JSON: the result of the first run with the peak memory above that of the inputs,
then the milliseconds of each further run.
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
    """Peak memory of this process; ru_maxrss would begin with the value of its parent."""
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
