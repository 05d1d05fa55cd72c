"""The layers of the package, as ARCHITECTURE.md describes them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src" / "hrixs").glob("*.py"))


def imports_of(path: Path) -> set[str]:
    return set(re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE))


def test_the_core_does_not_know_python():
    core = [*ROOT.glob("cpp/include/**/*.hpp"), *ROOT.glob("cpp/src/*")]
    assert len(core) > 10
    for path in core:
        assert "pybind11" not in path.read_text(), path
        assert "Python.h" not in path.read_text(), path


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("extra_data", {"runs.py", "run_files.py"}),
        ("matplotlib", {"plotting.py"}),
        ("hrixs._core", {"errors.py", "photons.py", "integration.py", "__init__.py"}),
    ],
)
def test_who_imports_what(library, allowed):
    users = {
        path.name
        for path in MODULES
        if any(name == library or name.startswith(f"{library}.") for name in imports_of(path))
    }
    assert users <= allowed


def test_the_simulation_shares_no_code_with_the_finder():
    names = imports_of(ROOT / "src" / "hrixs" / "simulation.py")
    assert {name for name in names if name.startswith("hrixs")} == {"hrixs.run_files"}


def test_import_is_light():
    code = (
        "import sys, hrixs; heavy = {'matplotlib', 'scipy', 'extra_data', 'h5py', 'tqdm', 'dask'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_modules_stay_small():
    for path in MODULES:
        assert len(path.read_text().splitlines()) <= 600, path


def test_one_version_number():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    import hrixs

    assert version is not None
    assert hrixs.__version__ == version[1]
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text()
