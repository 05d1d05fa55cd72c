"""The arrows between the packages, one table: ARCHITECTURE.md shows the same."""

import ast
import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "hrixs"
# Which packages a package may import; those without a folder yet are room for later.
ARROWS = {
    "utils": "",
    "camera": "utils",
    "steps": "utils",
    "files": "photons camera steps utils",
    "output": "spectra utils",
    "runs": "camera utils",
    "photons": "camera steps utils",
    "deconvolution": "camera steps utils",
    "spectra": "deconvolution camera steps utils",
    "curvature": "camera utils",
    "noise": "photons camera utils",
    "energy": "spectra camera steps utils",
    "level": "spectra camera steps utils",
    "i0": "runs spectra camera utils",
    "groups": "i0 deconvolution spectra camera steps utils",
    "selection": "runs deconvolution spectra camera steps utils",
    "scans": "groups i0 energy deconvolution spectra camera steps utils",
    "reduction": "level runs noise deconvolution spectra photons camera utils",
    "settings": "level spectra photons runs files camera steps utils",
    "replays": "settings scans groups selection energy level deconvolution spectra photons runs "
    "output files camera steps utils",
    "reports": "replays settings scans groups energy noise curvature spectra photons output camera "
    "steps utils",
    "spectrometer": "reports replays settings scans groups selection i0 level reduction energy "
    "noise curvature deconvolution spectra photons runs output files camera steps utils",
    "comparisons": "spectrometer replays settings reduction energy spectra photons camera utils",
    "live": "spectrometer settings reduction spectra runs files steps utils",
    "view": "live comparisons spectrometer reports replays settings scans groups selection i0 "
    "level reduction energy noise curvature spectra photons runs output files camera steps utils",
    "live_page": "view live spectrometer energy spectra camera utils",
    "cli": "live_page view live comparisons spectrometer reports replays settings scans groups "
    "selection i0 level reduction energy noise curvature spectra photons runs output files camera "
    "steps utils simulation",
    "doubt_rules": "utils",
}
# Rules on plain numbers, for everything above the camera.
ALLOWED = {
    name: set(arrows.split())
    | ({"doubt_rules"} if name not in ("utils", "camera", "doubt_rules") else set())
    for name, arrows in ARROWS.items()
}
LATER = "__getattr__ = names_on_demand(__name__)"
AT_THE_ROOT = {"__init__.py", "__main__.py", "simulation.py"}
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def imports_of(path: Path) -> set[str]:
    """Full names of all that a module imports, also inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def package_of(path: Path) -> str:
    """First part of a module's path in the package: a folder's name, or a file's."""
    return path.relative_to(PACKAGE).parts[0]


def packages_used(path: Path) -> set[str]:
    """Packages, and modules at the root, that a module imports."""
    names = {name.split(".")[1] for name in imports_of(path) if name.startswith("hrixs.")}
    return names - {"_core"}


def module_name(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def test_every_folder_is_in_the_table_and_few_files_are_at_the_root():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders <= set(ARROWS)
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_ROOT
    kept = {path.name for path in PACKAGE.iterdir() if path.suffix in {".py", ".pyi", ".typed"}}
    assert len(kept) <= 7


def test_the_arrows_make_no_circle():
    done: set[str] = set()
    while left := set(ARROWS) - done:
        ready = {name for name in left if ALLOWED[name] - {"simulation"} <= done}
        assert ready, f"a circle among {left}"
        done |= ready


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/**/*.py")), ids=module_name)
def test_imports_follow_the_arrows(path):
    own = package_of(path)
    assert packages_used(path) <= ALLOWED[own] | {own}


def test_no_circle_between_modules_of_a_package():
    modules = {f"hrixs.{module_name(p).replace('/', '.')}": p for p in PACKAGE.glob("*/**/*.py")}
    used = {
        name: {
            other
            for other in modules
            if other != name and any(one.startswith(f"{other}.") for one in imports_of(path))
        }
        for name, path in modules.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()
    while left := set(used) - done:
        ready = {name for name in left if not used[name] & left - {name}}
        assert ready, f"a circle among {sorted(left)}"
        done |= ready


def test_architecture_shows_the_same_table():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf8")
    rows = dict(re.findall(r"^\| `(\w+)`[^|]* \|[^|]*\| ([^|]*) \|", text, re.MULTILINE))
    assert {name: set(re.findall(r"\w+", row.replace("—", ""))) for name, row in rows.items()} == {
        name: set(arrows.split()) for name, arrows in ARROWS.items()
    }


@pytest.mark.parametrize("folder", sorted({path.parent for path in PACKAGE.glob("*/**/*.py")}))
def test_a_folder_reads_like_a_table_of_contents(folder):
    assert len(list(folder.glob("*.py"))) <= 16 + 1
    tree = ast.parse((folder / "__init__.py").read_text())
    docstring = ast.get_docstring(tree)
    assert docstring
    assert len(docstring.splitlines()) <= 4
    # Public names, and nothing else; those of modules are imported when they are asked for.
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    for node in tree.body[1:]:
        assert isinstance(node, ast.ImportFrom | ast.Assign | ast.If), ast.unparse(node)
    assert {ast.unparse(node.test) for node in guarded} <= {"TYPE_CHECKING"}
    assert {ast.unparse(node) for block in guarded for node in block.orelse} <= {LATER}
    assert all(isinstance(node, ast.ImportFrom) for block in guarded for node in block.body)
    public = ast.literal_eval(
        next(ast.unparse(one.value) for one in tree.body if is_public_names(one))
    )
    assert sorted(public) == sorted(exports_of(folder / "__init__.py"))


def is_public_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


def exports_of(path: Path) -> list[str]:
    """Names that a package imports from its modules when they are asked for."""
    return [
        alias.asname or alias.name
        for block in ast.parse(path.read_text()).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=module_name)
def test_every_public_name_is_there(path):
    package = importlib.import_module(".".join(["hrixs", *path.parent.relative_to(PACKAGE).parts]))
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'hrisx'"):
        _ = package.hrisx


def test_no_module_is_hidden_behind_a_name_of_its_package():
    for folder in {path.parent for path in PACKAGE.glob("*/**/*.py")}:
        stems = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
        names = {
            alias.asname or alias.name
            for node in ast.walk(ast.parse((folder / "__init__.py").read_text()))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert not stems & names, folder
    import hrixs

    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert not packages & set(hrixs.__all__)


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("extra_data", {"runs"}),
        ("dask", {"photons", "reduction", "runs", "utils"}),
        ("distributed", {"reduction", "spectrometer"}),
        ("karabo_bridge", {"live"}),
        ("zmq", {"live"}),
        ("panel", {"live_page", "view"}),
        ("bokeh", {"live_page", "view"}),
        ("tornado", {"view"}),
        ("hrixs._core", {"__init__.py", "camera", "deconvolution", "photons", "spectra", "utils"}),
    ],
)
def test_who_imports_what(library, allowed):
    users = {
        package_of(path)
        for path in MODULES
        if any(f"{name}.".startswith(f"{library}.") for name in imports_of(path))
    }
    assert users == allowed


def test_only_plots_import_matplotlib():
    users = {
        path.stem
        for path in MODULES
        if any(f"{name}.".startswith("matplotlib.") for name in imports_of(path))
    }
    assert all("plot" in stem or stem == "figures" for stem in users), users


def test_the_simulation_shares_no_code_with_the_finder():
    own = {name for name in imports_of(PACKAGE / "simulation.py") if name.startswith("hrixs.")}
    assert all(name.startswith("hrixs.runs.mock.") for name in own)


def test_dir_shows_the_public_names():
    import hrixs

    assert {name for name in dir(hrixs) if not name.startswith("__")} == {
        name for name in hrixs.__all__ if not name.startswith("__")
    }


def test_import_is_light():
    code = (
        "import sys, hrixs; heavy = {'matplotlib', 'scipy', 'extra_data', 'h5py', 'tqdm', 'dask'};"
        "print(sorted(({'numpy', 'xarray', 'pandas'} | heavy) & set(sys.modules)));"
        "hrixs.hRIXS; print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["[]", "[]"]


def test_modules_stay_small():
    for path in MODULES:
        # The class is one file of short calls, whose length is its documentation.
        most = 750 if module_name(path) == "spectrometer/spectrometer" else 400
        assert len(path.read_text().splitlines()) <= most, path


def test_one_version_number():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    import hrixs

    assert version is not None
    assert hrixs.__version__ == version[1]
    # The newest section is that of the version, if there was a release at all.
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf8")
    released = re.findall(r"^## \[(\d.*?)\]", changelog, re.MULTILINE)
    assert released[:1] in ([], [version[1]])
