"""The context file of docs/damnit.md, taken from there and evaluated on runs written here.

Most tests run twice. Under the id ``damnit`` DAMNIT's own runner evaluates the file, in a process
of its own as DAMNIT starts it, and what it writes is read; that is skipped where the packages
damnit and EXtra-proposal are not installed. Under the id ``stand-in`` the variables are called as
the runner does, with a stand-in for its module `damnit_ctx`; that needs nothing and always runs.
"""

import importlib.util
import os
import re
import subprocess
import sys
import types
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import xarray as xr

from conftest import DARK, ENERGY, PROPOSAL, RUN
from hrixs import HrixsWarning, LostPhotonsWarning, hRIXS
from hrixs.runs.mock import FIRST_TRAIN
from hrixs.simulation import Sensor, SpectralLine, simulate_frames, write_run

PAGE = (Path(__file__).parents[1] / "docs" / "damnit.md").read_text(encoding="utf8")
(CONTEXT,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(TRY_IT,) = re.findall(r"<<'END'\n(.*?)^END", PAGE, re.MULTILINE | re.DOTALL)

#: What a threshold says of these images.
CROWDED = "of the photons are lost"
COLUMNS = {
    "hrixs_images",
    "hrixs_photons",
    "hrixs_spectrum",
    "hrixs_line",
    "hrixs_spectra_by_delay",
    "hrixs_skipped",
    "hrixs_faults",
}
# What the page's settings say of row 800, where the strong line is.
LINE_ENERGY = 498.27 + 0.018387 * 800
DELAYS = np.repeat([-1.0, 0.0, 2.0], [4, 3, 3])
WITHOUT_IMAGE = [2, 7]

needs_damnit = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("damnit", "extra_proposal")),
    reason="DAMNIT's own runner needs: pip install 'damnit>=0.4' EXtra-proposal",
)


@dataclass
class Column:
    """What there is of a column when a run has been evaluated."""

    data: Any = None
    units: str | None = None
    summary: Any = None
    preview: bool = False
    coloured: bool = False
    error: str = ""
    text: str = ""


# ---- runs


def simulate(n_images: int, photons: int, seed: int) -> tuple[np.ndarray, xr.Dataset]:
    frames, truth = simulate_frames(
        n_images,
        photons_per_frame=photons,
        seed=seed,
        sensor=Sensor(shape=(256, 1024)),
        curvature=(0.0240845, -3.6953e-7),
        lines=(SpectralLine(800.0, 1.3, 0.6), SpectralLine(750.0, 4.0, 0.4)),
        energy=ENERGY,
    )
    return frames.values, truth


@pytest.fixture(scope="module")
def simulation() -> tuple[np.ndarray, xr.Dataset]:
    return simulate(8, photons=40, seed=3)  # so few that they hardly overlap


@pytest.fixture(scope="module")
def frames(simulation) -> np.ndarray:
    return simulation[0]


@pytest.fixture(scope="module")
def dark_frames() -> np.ndarray:
    return simulate(4, photons=0, seed=5)[0]


@pytest.fixture
def root(tmp_path, dark_frames, monkeypatch) -> Path:
    """Where extra-data looks runs up; the dark is there."""
    monkeypatch.setenv("EXTRA_DATA_DATA_ROOT", str(tmp_path / "root"))
    write_run(tmp_path / "root", dark_frames, proposal=PROPOSAL, run=DARK)
    return tmp_path / "root"


def write_data_run(
    root: Path, frames: np.ndarray, *, delays: np.ndarray = DELAYS, without_image=WITHOUT_IMAGE
) -> Path:
    slow = {"hRIXS_delay": delays, "nrj": np.full(10, ENERGY), "hRIXS_norm": np.ones(10)}
    slow |= {"hRIXS_index": np.arange(10), "hRIXS_exposure": np.full(10, 0.1)}
    options = {"slow": slow, "trains_without_image": without_image}
    return write_run(root, frames, proposal=PROPOSAL, run=RUN, **options)


# ---- the two ways to evaluate


def stand_in() -> types.ModuleType:
    """As much of DAMNIT's `damnit_ctx` as the page uses."""

    class Skip(Exception):
        pass

    class Cell:
        def __init__(self, data, *, preview=None, background=None):
            self.data, self.preview, self.background = data, preview, background

    class Variable:
        def __init__(self, *, title, tags, summary=None, cluster=False, transient=False):
            self.summary, self.transient = summary, transient

        def __call__(self, func):
            self.func = func
            return self

    module = types.ModuleType("damnit_ctx")
    module.Skip, module.Cell, module.Variable = Skip, Cell, Variable
    return module


def evaluate_with_stand_in(code: str, folder: Path, monkeypatch) -> dict[str, Column]:
    from extra_data import RunDirectory

    ctx = stand_in()
    monkeypatch.setitem(sys.modules, "damnit_ctx", ctx)
    names: dict[str, Any] = {}
    exec(compile(code, "context.py", "exec"), names)
    run = RunDirectory(folder)
    results: dict[str, Any] = {}
    columns: dict[str, Column] = {}
    for name, variable in list(names.items()):
        if not isinstance(variable, ctx.Variable):
            continue
        needs = variable.func.__annotations__
        lacking = [
            what for what in needs.values() if what[:4] == "var#" and what[4:] not in results
        ]
        if lacking:
            cause = columns[lacking[0][4:]]
            error = "Skip" if cause.error == "Skip" else "DependencyError"
            columns[name] = Column(error=error, text=cause.text)
            continue
        known = {f"var#{key}": value for key, value in results.items()} | {
            "meta#proposal": PROPOSAL
        }
        try:
            cell = variable.func(run, **{key: known[what] for key, what in needs.items()})
        except Exception as error:
            columns[name] = Column(error=type(error).__name__, text=str(error))
            continue
        if not isinstance(cell, ctx.Cell):
            cell = ctx.Cell(cell)
        results[name] = cell.data
        columns[name] = Column(
            cell.data,
            units=getattr(cell.data, "attrs", {}).get("units"),
            summary=getattr(np, variable.summary)(cell.data) if variable.summary else cell.data,
            preview=cell.preview is not None,
            coloured=cell.background is not None,
        )
    return {name: one for name, one in columns.items() if not names[name].transient}


def run_in(folder: Path, *arguments: str, path: str = "") -> str:
    """Run Python there; return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def evaluate_with_damnit(code: str, folder: Path, monkeypatch, *options) -> dict[str, Column]:
    """Evaluate in the process that DAMNIT starts for a run, and read the file it writes."""
    here = Path(mkdtemp(dir=folder.parents[4].parent, prefix="amore"))
    (here / "context.py").write_text(code)
    support = Path(importlib.util.find_spec("damnit").origin).parent / "ctxsupport"
    run = ("exec", str(PROPOSAL), str(RUN), "all")
    run_in(here, "-m", "ctxrunner", *run, *options, path=str(support))
    (file,) = (here / "extracted_data").glob("*.ready.h5")
    return read_columns(file)


def read_columns(path: Path) -> dict[str, Column]:
    import h5py

    columns: dict[str, Column] = {}
    with h5py.File(path) as file:
        for name, dataset in file[".errors"].items():
            columns[name] = Column(error=dataset.attrs["type"], text=dataset.asstr()[()])
        for name, summary in file[".reduced"].items():
            is_text = h5py.check_string_dtype(summary.dtype) is not None
            columns[name] = Column(
                units=summary.attrs.get("units"),
                summary=summary.asstr()[()] if is_text else summary[()],
                preview=name in file[".preview"],
                coloured="background" in summary.attrs,
            )
        stored_as = {
            name: file[name].attrs.get("_damnit_objtype") for name in columns if name in file
        }
        for name, kind in stored_as.items():
            if kind is None:
                value = file[name]["data"]
                is_text = h5py.check_string_dtype(value.dtype) is not None
                columns[name].data = value.asstr()[()] if is_text else value[()]
    for name, kind in stored_as.items():
        if kind == "dataarray":
            columns[name].data = xr.load_dataarray(path, group=name, engine="h5netcdf")
    columns.pop("start_time")
    return columns


@pytest.fixture(
    params=[
        pytest.param(evaluate_with_stand_in, id="stand-in"),
        pytest.param(evaluate_with_damnit, id="damnit", marks=needs_damnit),
    ]
)
def evaluate(request, monkeypatch):
    def evaluate(
        folder: Path, code: str = CONTEXT, warns: tuple[str, ...] = ()
    ) -> dict[str, Column]:
        in_this_process = request.param is evaluate_with_stand_in
        with ExitStack() as told:
            for text in warns if in_this_process else ():
                told.enter_context(pytest.warns(HrixsWarning, match=text))
            return request.param(code, folder, monkeypatch)

    return evaluate


# ---- what the page promises


def changed(setting: str, value: str) -> str:
    """The page's context file with another value of one of the settings at its top."""
    code, n = re.subn(rf"^{setting} = [^ ]+", f"{setting} = {value}", CONTEXT, flags=re.MULTILINE)
    assert n == 1
    return code


def errors(columns: dict[str, Column]) -> dict[str, str]:
    assert set(columns) == COLUMNS
    return {name: one.error for name, one in columns.items() if one.error}


def test_all_columns_of_a_delay_scan(root, simulation, evaluate):
    frames, truth = simulation
    folder = write_data_run(root, frames)
    columns = evaluate(folder, warns=(CROWDED,))
    assert errors(columns) == {}
    assert columns["hrixs_images"].summary == 8
    # One bool would lose all columns: findings/damnit_bool_attribute_loses_the_run.sh.
    for name, column in columns.items():
        for key, value in getattr(column.data, "attrs", {}).items():
            is_storable = isinstance(value, str) or np.asarray(value).dtype.kind in "iufU"
            assert is_storable, f"{name}: {key} = {value!r}"

    photons = columns["hrixs_photons"]
    assert photons.units == "photons"
    assert photons.summary == pytest.approx(truth.sizes["photon"] / 8, rel=0.1)
    assert photons.summary == pytest.approx(float(photons.data.mean()))
    trains = FIRST_TRAIN + np.delete(np.arange(10), WITHOUT_IMAGE)
    np.testing.assert_array_equal(photons.data["trainId"], trains)

    spectrum = columns["hrixs_spectrum"]
    assert (spectrum.units, spectrum.preview) == ("photons", True)
    assert spectrum.data["energy"].attrs["units"] == "eV"
    assert spectrum.data.attrs["dark_run"] == str(DARK)
    assert spectrum.data.attrs["std_threshold"] == 5
    np.testing.assert_array_equal(spectrum.data, in_a_notebook(folder))

    line = columns["hrixs_line"]
    assert line.units == "eV"
    assert line.summary == pytest.approx(LINE_ENERGY, abs=0.02)

    by_delay = columns["hrixs_spectra_by_delay"]
    assert (by_delay.units, by_delay.preview) == ("photons per image", True)
    assert by_delay.data.dims == ("hRIXS_delay", "energy")
    np.testing.assert_array_equal(by_delay.data["hRIXS_delay"], [-1, 0, 2])
    images = xr.DataArray([3, 3, 2], dims="hRIXS_delay")
    np.testing.assert_allclose((by_delay.data * images).sum("hRIXS_delay"), spectrum.data)

    assert (columns["hrixs_skipped"].summary, columns["hrixs_skipped"].coloured) == (0, False)
    assert columns["hrixs_faults"].data == columns["hrixs_faults"].summary == "none"


def in_a_notebook(folder: Path) -> np.ndarray:
    """The summed spectrum as the class gives it, with the page's settings."""
    h = hRIXS(PROPOSAL)
    h.set_params(y_range=slice(700, 900), curve_a=0.0240845, curve_b=-3.6953e-7)
    h.set_params(energy_slope=0.018387, energy_intercept=498.27, std_threshold=5, bins=800)
    h.load_dark(DARK)
    with pytest.warns(LostPhotonsWarning, match=CROWDED):
        return h.centroid(h.from_run(folder))["spectrum"].sum("trainId").values


def test_what_is_lost_is_told(root, frames, evaluate):
    folder = write_data_run(root, frames)
    (lost,) = folder.glob("*DA02-S00001.h5")
    lost.unlink()
    columns = evaluate(folder, warns=("is missing", CROWDED))
    assert errors(columns) == {}
    assert columns["hrixs_images"].summary == 4
    assert (columns["hrixs_skipped"].summary, columns["hrixs_skipped"].coloured) == (5, True)
    assert "DA02-S00001.h5 is missing" in columns["hrixs_faults"].summary
    assert columns["hrixs_line"].summary == pytest.approx(LINE_ENERGY, abs=0.02)


def test_a_run_without_the_camera_is_skipped(root, frames, evaluate):
    folder = write_data_run(root, frames)
    for camera_file in folder.glob("*DA02*.h5"):
        camera_file.unlink()
    columns = evaluate(folder)
    assert errors(columns) == dict.fromkeys(COLUMNS, "Skip")
    assert "no camera MaranaX" in columns["hrixs_spectrum"].text


def test_a_run_without_an_image_is_skipped(root, frames, evaluate):
    columns = evaluate(write_data_run(root, frames[:0], without_image=range(10)))
    assert errors(columns) == dict.fromkeys(COLUMNS, "Skip")
    assert "no image of MaranaX in its 10 trains" in columns["hrixs_images"].text


def test_intensity_of_a_run_that_is_no_delay_scan(root, frames, evaluate):
    folder = write_data_run(root, frames, delays=np.zeros(10))
    columns = evaluate(folder, changed("METHOD", '"integrate"'))
    assert errors(columns) == {"hrixs_photons": "Skip", "hrixs_spectra_by_delay": "Skip"}
    assert columns["hrixs_spectra_by_delay"].text == "the run is not a delay scan"
    assert columns["hrixs_spectrum"].units == "ADU"
    assert columns["hrixs_line"].summary == pytest.approx(LINE_ENERGY, abs=0.03)


def test_a_wrong_dark_run_is_an_error(root, frames, evaluate):
    columns = evaluate(write_data_run(root, frames), changed("DARK_RUN", "999"))
    assert errors(columns) == dict.fromkeys(COLUMNS, "DependencyError")
    assert "run 999 of proposal 3145 can't be opened" in columns["hrixs_images"].text


def test_the_open_run_is_read(root, frames, tmp_path, monkeypatch):
    """The run lies where no run number leads to: only the open run can have been used."""
    elsewhere = write_data_run(tmp_path / "elsewhere", frames)
    with pytest.warns(LostPhotonsWarning, match=CROWDED):
        columns = evaluate_with_stand_in(CONTEXT, elsewhere, monkeypatch)
    assert errors(columns) == {}
    assert columns["hrixs_images"].data == 8


@needs_damnit
def test_one_setting_sends_all_columns_to_a_node(root, frames, monkeypatch):
    folder = write_data_run(root, frames)
    code = changed("CLUSTER", "True")
    assert evaluate_with_damnit(code, folder, monkeypatch) == {}
    on_the_node = evaluate_with_damnit(code, folder, monkeypatch, "--cluster-job")
    assert errors(on_the_node) == {}


@needs_damnit
def test_the_page_s_way_to_try_it(root, frames, tmp_path):
    write_data_run(root, frames)
    (tmp_path / "context.py").write_text(CONTEXT)
    said = run_in(tmp_path, "-c", TRY_IT)
    assert {line.split()[0] for line in said.splitlines()} >= COLUMNS
    assert "hrixs_images 8" in said
    assert re.search(r"hrixs_line .*512\.9", said, re.DOTALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["context.py", "root"]
