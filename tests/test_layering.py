"""The layers of the package, as ARCHITECTURE.md describes them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "hrixs"
# A module imports only from lines above its own: each line is a layer.
LAYERS = [
    {"_core"},
    {"errors", "mnemonics", "provenance", "geometry", "checks", "memory"} | {"sharpness"},
    {"sharpest_curve"}
    | {"threads", "frames", "curvature_search", "run_files", "trains", "train_counts", "terminal"}
    | {"faults", "progress", "photon_columns", "output_files"}
    | {"noise_words", "noise_plots", "charge_peaks", "threshold_choice"}
    | {"phase_statistics", "phase_plots", "line_fit"}
    | {"cloud_estimate"},
    {"placement"},
    {
        "file_index",
        "frame_storage",
        "phases",
        "photon_curvature",
        "photons",
        "noise",
        "false_hits",
        "histogram",
        "integration",
        "curvature",
        "aggregation",
        "difference",
        "runs",
        "image_files",
        "simulation",
        "bridge",
    },
    {"plotting"},
    {"hot_pixels", "frame_hits", "line_width", "cloud"}
    | {"analysis", "chip", "phase_correction", "representation", "run_index"},
    {"noise_report", "energy_axis", "energy_loss"} | {"frame_parts", "slow_data"},
    {"lazy_images", "run_images", "spectra"} | {"calibration", "calibration_plot", "shifts"},
    {"lazy", "part_result"} | {"alignment"},
    {"checkpoint", "reduction"},
    {"cluster"},
    {"long_run", "settings"},
    {"run_methods", "aggregation_methods"},
    {"spectrum_methods"},
    {"curvature_methods", "detector_methods", "energy_methods"},
    {"spectrometer"},
    {"live"},
    {"live_page"},
    {"processing", "demo"},
    {"batch", "watching"},
    {"cli"},
    {"__init__", "__main__"},
]
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer}


def imports_of(path: Path) -> set[str]:
    """Full names of all that a module imports, also inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_modules(path: Path) -> set[str]:
    used = {name.split(".")[1] for name in imports_of(path) if name.startswith("hrixs.")}
    return used & set(LAYER)


def test_the_core_does_not_know_python():
    core = [*ROOT.glob("cpp/include/**/*.hpp"), *ROOT.glob("cpp/src/**/*.[ch]pp")]
    assert len(core) > 10
    assert {path.parent.name for path in core} == {"hrixs", "src", "levels"}
    for path in core:
        assert "pybind11" not in path.read_text(), path
        assert "Python.h" not in path.read_text(), path


def test_every_module_has_a_layer():
    assert {path.stem for path in PACKAGE.glob("*.py")} | {"_core"} == set(LAYER)


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_imports_point_one_way(path):
    above = {name for name in LAYER if LAYER[name] < LAYER[path.stem]}
    assert own_modules(path) <= above


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("extra_data", {"runs", "run_files"}),
        ("matplotlib", {"calibration_plot", "noise_plots", "phase_plots", "plotting"}),
        ("dask", {"lazy", "cluster"}),
        ("distributed", {"cluster", "long_run", "spectrum_methods"}),
        ("karabo_bridge", {"bridge"}),
        ("zmq", {"bridge"}),
        (
            "hrixs._core",
            {"errors", "photons", "placement", "photon_columns", "integration", "__init__"},
        ),
    ],
)
def test_who_imports_what(library, allowed):
    users = {
        path.stem
        for path in PACKAGE.glob("*.py")
        if any(f"{name}.".startswith(f"{library}.") for name in imports_of(path))
    }
    assert users == allowed


def test_the_simulation_shares_no_code_with_the_finder():
    assert own_modules(PACKAGE / "simulation.py") == {"run_files"}


def test_import_is_light():
    code = (
        "import sys, hrixs; heavy = {'matplotlib', 'scipy', 'extra_data', 'h5py', 'tqdm', 'dask'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_modules_stay_small():
    for path in PACKAGE.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path


def test_one_version_number():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    import hrixs

    assert version is not None
    assert hrixs.__version__ == version[1]
    # The newest section is that of the version, if there was a release at all.
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf8")
    released = re.findall(r"^## \[(\d.*?)\]", changelog, re.MULTILINE)
    assert released[:1] in ([], [version[1]])
