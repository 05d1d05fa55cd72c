"""A look at a run's first images beside the work: what it tells is what it told before the work."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from hrixs import hRIXS
from hrixs.reduction.analysis import Analysis
from hrixs.simulation import Sensor, simulate_frames, write_run

SHAPE = (96, 128)


def frames(n: int, photons: float = 40.0) -> np.ndarray:
    sensor = Sensor(shape=SHAPE)
    made, _ = simulate_frames(n, sensor=sensor, photons_per_frame=photons, seed=3)
    return np.array(made.values)


def flooded(n: int, *which: int) -> np.ndarray:
    """Some have more photons than `MAX_PHOTONS`."""
    made, more = frames(n), frames(n, 2000.0)
    made[list(which)] = more[list(which)]
    return made


def not_finite(n: int, *which: int) -> np.ndarray:
    made = frames(n).astype(np.float32)
    made[list(which), 50, 60] = np.nan
    return made


RUNS = {
    "many": lambda: frames(40),
    "fewer than are looked at": lambda: frames(3),
    "few": lambda: frames(2),
    "sparse, so that more tell what is lost": lambda: frames(40, 3.0),
    "rows that are off": lambda: frames(40) + 12 * (np.arange(SHAPE[1]) == 40).astype(np.uint16),
    "the first ones are flooded": lambda: flooded(24, 0, 1),
    "one of the first is flooded": lambda: flooded(24, 2),
    "the first ones are not finite": lambda: not_finite(24, 0, 1),
    "one of the first is not finite": lambda: not_finite(24, 3),
}


def result(folder, method):
    h = hRIXS()
    h.MAX_PHOTONS, h.BINS, h.THREADS = 500, 128, 2
    h.ELECTRONS_PER_ADU = 1.06
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = h.process_run(folder, method=method, progress=False)
    return made, sorted(str(one.message) for one in told)


@pytest.mark.parametrize("method", ["auto", "manual", "integrate"])
@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.one_in(5)
def test_it_tells_the_same_as_before_the_work(tmp_path, monkeypatch, name, mapped, method):
    made = RUNS[name]()
    folder = write_run(tmp_path, made, slow={"nrj": np.full(len(made), 530.0)})
    if not mapped:
        monkeypatch.setenv("HRIXS_MAP_FILES", "0")
        monkeypatch.setattr("hrixs.runs.budget._MOST_BYTES_PER_PART", made[0].nbytes * 3)
    beside, told_beside = result(folder, method)
    monkeypatch.setattr(Analysis, "decided", False)
    before, told_before = result(folder, method)
    assert told_beside == told_before
    assert beside.identical(before)


def test_it_ends_with_an_error_of_the_work(tmp_path, monkeypatch):
    folder = write_run(tmp_path, frames(12))

    def fail(*_):
        raise RuntimeError("no room left")

    monkeypatch.setattr("hrixs.reduction.collect.Collected.add", fail)
    with pytest.raises(RuntimeError, match="no room left"):
        result(folder, "auto")


def test_it_tells_its_own_error(tmp_path, monkeypatch):
    folder = write_run(tmp_path, frames(12))

    def fail(*_):
        raise RuntimeError("can't look")

    monkeypatch.setattr("hrixs.reduction.first_images.looked_at", fail)
    with pytest.raises(RuntimeError, match="can't look"):
        result(folder, "auto")
