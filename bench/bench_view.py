"""Time in which the page of ``hrixs view`` follows a change: a run of 100 images of 2048 x 2048.

Seconds from a change until everything to be drawn is computed, without the browser: the fastest of
five, and its processor time. Needs 0.9 GB in a temporary folder while it runs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hrixs import hRIXS
from hrixs.simulation import Sensor, rixs_lines, simulate_frames, write_run
from hrixs.view import View

N_FRAMES, N_SIMULATED, REPEATS = 100, 10, 5
ENERGY = 530.0


def made_run(folder: Path) -> Path:
    """Write a run of a few simulated images, repeated in different orders."""
    frames, _ = simulate_frames(
        N_SIMULATED, sensor=Sensor(), lines=rixs_lines(1725.7), photons_per_frame=200,
        energy=ENERGY, seed=1,
    )  # fmt: skip
    stack = frames.values[np.arange(N_FRAMES) % N_SIMULATED]
    return write_run(folder, stack, proposal=900999, run=1, slow={"nrj": np.full(N_FRAMES, ENERGY)})


def timed(name: str, change: Callable[[int], None], repeats: int = REPEATS) -> None:
    """Print the time of the fastest of several changes of one kind."""
    walls, processors = [], []
    for number in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        change(number)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    print(f"| {name} | {min(walls):.2f} | {min(processors):.2f} |", flush=True)


def main() -> None:
    """Time each kind of change."""
    with tempfile.TemporaryDirectory() as folder:
        run = made_run(Path(folder))
        h = hRIXS()
        h.set_params(y_range=slice(1400, 1850), energy_slope=0.018387, energy_intercept=498.27)
        View(h, run).new_page()  # the first page imports modules and fills the disk cache
        print("| what changes | seconds | seconds of processor time |\n|---|---|---|")
        view = View(h, run)
        timed("first picture of a run that is opened", lambda _: first_picture(h, run))
        timed("mean image of all", lambda _: view.images.mean(), 1)
        page = view.page
        timed("curve", lambda n: page.change(curve_a=0.024 + 1e-4 * n))
        timed("bins", lambda n: page.change(bins=800 + n))
        timed("energy axis", lambda n: page.change(energy_intercept=498 + 0.1 * n))
        timed("threshold", lambda n: page.change(std_threshold=4 + 0.1 * n))
        timed("another image", lambda n: setattr(page.number, "value", n + 1))
        timed(
            "crop within the one that is held", lambda n: page.change(y_range=slice(1450 + n, 1800))
        )
        timed("method integrate", lambda n: page.change(method="integrate", bins=700 + n))
        timed("method resolve", lambda n: page.change(method="resolve", bins=700 + n), 1)
        page.change(method="auto", y_range=slice(None))
        timed("threshold, the whole chip", lambda n: page.change(std_threshold=4 + 0.1 * n))


def first_picture(h: hRIXS, run: Path) -> None:
    """Open a run and compute what is drawn first."""
    View(h, run).images.image(0)


if __name__ == "__main__":
    main()
