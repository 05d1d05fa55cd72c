"""The folders of the C++ core, and which of them may include which."""

import re
from pathlib import Path

import pytest

CPP = Path(__file__).parents[1] / "cpp"
CORE = CPP / "src"
PUBLIC = CPP / "include" / "hrixs"
# Which other folders a folder's files may include; all may include the public headers.
MAY_INCLUDE = {
    "simd": set(),
    "runtime": set(),
    "frame": {"simd"},
    "rows": {"simd", "frame"},
    "counts": {"simd", "frame"},
    "placement": {"simd", "frame"},
    "photons": {"frame", "rows", "placement"},
    "spectrum": {"simd", "frame", "rows"},
    "crowd": {"simd", "frame", "rows", "placement", "photons"},
}


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".hpp", ".cpp"})


def includes_of(path: Path) -> list[str]:
    """What a file includes between quotes, as it stands there."""
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.MULTILINE)


def relative(path: Path) -> str:
    return path.relative_to(CPP).as_posix()


def test_every_source_has_a_folder():
    assert {path.name for path in CORE.iterdir()} == set(MAY_INCLUDE)
    assert {path.parent.parent for path in sources(CORE)} == {CORE}
    assert {path.parent for path in sources(PUBLIC)} == {PUBLIC}


def test_the_arrows_make_no_circle():
    left = dict(MAY_INCLUDE)
    while left:
        ground = {folder for folder, below in left.items() if not below & set(left)}
        assert ground, f"these include each other: {sorted(left)}"
        for folder in ground:
            del left[folder]


@pytest.mark.parametrize("folder", MAY_INCLUDE)
def test_includes_run_one_way(folder):
    used = set()
    for path in sources(CORE / folder):
        for name in includes_of(path):
            where = name.split("/")[0]
            assert (CPP / "include" / name).exists() or (CORE / name).exists(), (path, name)
            assert where in {"hrixs", folder} | MAY_INCLUDE[folder], f"{relative(path)}: {name}"
            used.add(where)
    # The table promises no arrow that nobody needs.
    assert used - {"hrixs", folder} == MAY_INCLUDE[folder]


@pytest.mark.parametrize("path", sources(PUBLIC), ids=lambda path: path.name)
def test_public_headers_include_public_headers(path):
    assert [name for name in includes_of(path) if not (CPP / "include" / name).exists()] == []


@pytest.mark.parametrize("path", sources(CPP / "bindings"), ids=lambda path: path.name)
def test_bindings_include_public_headers(path):
    beside = {other.name for other in path.parent.iterdir()}
    for name in includes_of(path):
        assert name in beside or (CPP / "include" / name).exists(), name


def test_the_core_does_not_know_python():
    core = [*sources(CORE), *sources(PUBLIC)]
    assert len(core) > 50
    for path in core:
        assert not re.search(r"pybind11|Python\.h|\bPy[A-Z]\w*_\w+\(", path.read_text()), path


def test_sources_are_built():
    """A file that CMake does not name would be tested by nobody."""
    listed = (CPP.parent / "CMakeLists.txt").read_text()
    for path in sources(CORE):
        if path.suffix == ".cpp":
            assert f"cpp/{relative(path)}" in listed, path
    tests = (CPP / "tests" / "CMakeLists.txt").read_text()
    for path in sources(CPP / "tests"):
        if path.suffix == ".cpp":
            assert path.relative_to(CPP / "tests").as_posix() in tests, path
