from __future__ import annotations

import importlib
import io
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hypothesis
import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pytest
import xarray as xr

from hrixs import hRIXS
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

mpl.use("Agg")
# The same examples in every run; a profile of one's own: --hypothesis-profile.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same")
# Newer versions of hypothesis also draw the numbers that stand in the modules of a project that
# are loaded. Without them, a test has the same examples whether it runs alone or with all others.
with suppress(ImportError):
    importlib.import_module("hypothesis.internal.conjecture.providers").is_local_module_file = (
        lambda _: False
    )

SHARED = Path(__file__).parents[2] / "shared"
PROPOSAL, DARK, RUN, OTHER_RUN = 3145, 166, 145, 155
CURVATURE = (0.04, -2e-5)
ELASTIC_ROW = 800.0
ENERGY = 530.0
#: h5py before 3.15 writes the clock's second into a file, so that equal files may differ by it.
HAS_SAME_BYTES = h5py.version.version_tuple >= (3, 15)
#: The last line of a replay of an unchanged result.
REPRODUCED = "reproduced: the same" + (
    ", to the last byte" if HAS_SAME_BYTES else "(, to the last byte| values)"
)
#: What a threshold says of the crowded images of the simulated run.
LOST_OF_FIRST = r"crowded. about \d+% of the photons are lost, \d+ of \d+ in each of the first"


@dataclass(frozen=True)
class SimulatedRun:
    """A data run of 8 images in 10 trains, a second one, and a dark run."""

    root: Path
    folder: Path
    frames: np.ndarray
    truth: xr.Dataset
    delay: np.ndarray


def pytest_configure(config: pytest.Config) -> None:
    # Small frames made to show one thing are doubtful in others: too few bins, hot pixels, an axis
    # beside the photons. What is told is tested in tests/doubt_rules and tests/reduction.
    config.addinivalue_line("filterwarnings", "ignore::hrixs.DoubtWarning")
    # That it is told is tested in tests/settings/test_attributes.py, its doubts elsewhere.
    config.addinivalue_line("filterwarnings", "ignore:ENERGY_SLOPE = 0:hrixs.HrixsWarning")
    # Of the variables that are made to group by, most are of no use afterwards. That those without
    # an aggregator are told is tested in tests/groups/test_own_variables.py.
    for text in ("nothing says whether", "its values differ", "their values differ"):
        line = f"ignore:.* left out. {text}:hrixs.HrixsWarning"
        config.addinivalue_line("filterwarnings", line)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run all tests, also those marked slow")


def leave_out_slow_ones(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what is not marked slow, and one in so many parameters where a test is marked so."""
    kept, slow, seen = [], [], Counter[str]()
    for item in items:
        name = item.nodeid.partition("[")[0]
        one_in = item.get_closest_marker("one_in")
        is_slow = item.get_closest_marker("slow") or (one_in and seen[name] % one_in.args[0])
        seen[name] += 1
        (slow if is_slow else kept).append(item)
    config.hook.pytest_deselected(items=slow)
    items[:] = kept


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        leave_out_slow_ones(config, items)
    # The simulated run has many photons on few columns. That 'auto' tells what it loses of the
    # first images is expected in test_lazy, and not in the hundreds of tests that count photons
    # on the way to something else; other warnings of losses are errors.
    expected = pytest.mark.filterwarnings(f"ignore:{LOST_OF_FIRST}:hrixs.LostPhotonsWarning")
    for item in items:
        if "simulated" in getattr(item, "fixturenames", ()):
            item.add_marker(expected)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> SimulatedRun:
    root = tmp_path_factory.mktemp("runs")
    sensor = Sensor(shape=(256, 1024), hot_fraction=1e-4)
    lines = (SpectralLine(ELASTIC_ROW, 1.3, 0.6), SpectralLine(ELASTIC_ROW - 50, 4.0, 0.4))
    options = {"sensor": sensor, "curvature": CURVATURE, "lines": lines, "energy": ENERGY}
    frames, truth = simulate_frames(8, photons_per_frame=120, seed=3, **options)
    delay = np.repeat([-1.0, 0.0, 2.0], [4, 3, 3])
    slow = {
        "hRIXS_delay": delay,
        "hRIXS_norm": np.linspace(900, 1100, 10),
        "hRIXS_index": np.arange(10),
        "hRIXS_exposure": np.full(10, 0.1),
        "nrj": np.full(10, ENERGY),
    }
    runs = {"slow": slow, "trains_without_image": [2, 7]}
    folder = write_run(root, frames, proposal=PROPOSAL, run=RUN, **runs)
    more, _ = simulate_frames(8, photons_per_frame=120, seed=4, **options)
    write_run(root, more, proposal=PROPOSAL, run=OTHER_RUN, first_train=1_600_001_000, **runs)
    dark, _ = simulate_frames(6, photons_per_frame=0, seed=5, **options)
    write_run(root, dark, proposal=PROPOSAL, run=DARK)
    return SimulatedRun(root, folder, frames.values, truth, np.delete(delay, [2, 7]))


@pytest.fixture
def data_root(simulated: SimulatedRun, monkeypatch: pytest.MonkeyPatch) -> SimulatedRun:
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(simulated.root))
    return simulated


@pytest.fixture
def h(data_root: SimulatedRun) -> hRIXS:
    h = hRIXS(PROPOSAL)
    h.Y_RANGE = slice(700, 900)
    h.CURVE_A, h.CURVE_B = CURVATURE
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = 0.018387, 498.27
    return h


@pytest.fixture
def data(h: hRIXS) -> xr.Dataset:
    return h.from_run(RUN)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def empty_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save empty pictures: for tests of the words of a page, of which the pictures take most."""

    def save_empty(self: mpl.figure.Figure, file: Any, **options: Any) -> None:
        if isinstance(file, io.StringIO):
            file.write("<svg></svg>")
        else:
            Path(file).touch()

    monkeypatch.setattr(mpl.figure.Figure, "savefig", save_empty)
