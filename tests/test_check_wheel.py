"""The check of what would be published: it must find what does not belong there."""

import tarfile
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
METADATA = """\
Metadata-Version: 2.4
Name: hrixs
License-Expression: BSD-3-Clause
Requires-Python: >=3.11

What it is.
"""


def load_script():
    loader = SourceFileLoader("check_wheel", str(ROOT / "scripts" / "check_wheel"))
    module = module_from_spec(spec_from_loader("check_wheel", loader))
    loader.exec_module(module)
    return module


script = load_script()


def files_of_wheel() -> dict[str, bytes]:
    package = ROOT / "src" / "hrixs"
    files = {f"hrixs/{path.relative_to(package).as_posix()}": b"" for path in package.rglob("*.py")}
    info = "hrixs-0.1.0.dist-info"
    return files | {
        "hrixs/py.typed": b"",
        "hrixs/_core.cpython-313-x86_64-linux-gnu.so": b"\x7fELF\0<pybind11/stl.h>\0",
        f"{info}/METADATA": METADATA.encode(),
        f"{info}/entry_points.txt": b"",
        f"{info}/licenses/LICENSE": b"",
    }


def faults_of_wheel(tmp_path: Path, files: dict[str, bytes]) -> int:
    wheel = tmp_path / "hrixs.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    faults = script.Faults()
    script.check_wheel(wheel, tmp_path / "build", faults)
    return faults.n


class TestWheel:
    def test_is_right_as_it_is(self, tmp_path):
        assert faults_of_wheel(tmp_path, files_of_wheel()) == 0

    @pytest.mark.parametrize("name", ["tests/test_a.py", "hrixs/core.cpp", "hrixs/conftest.so"])
    def test_holds_nothing_foreign(self, tmp_path, name):
        assert faults_of_wheel(tmp_path, files_of_wheel() | {name: b""}) == 1

    @pytest.mark.parametrize(
        "name",
        ["hrixs/py.typed", "hrixs/photons/find.py", "hrixs-0.1.0.dist-info/licenses/LICENSE"],
    )
    def test_holds_all_that_belongs_there(self, tmp_path, name):
        files = files_of_wheel()
        del files[name]
        assert faults_of_wheel(tmp_path, files) == 1

    @pytest.mark.parametrize("path", [str(ROOT), "{build}/x.o", "/elsewhere/find.cpp"])
    def test_tells_nothing_about_where_it_was_built(self, tmp_path, path):
        files = files_of_wheel()
        [core] = (name for name in files if "_core" in name)
        files[core] += path.format(build=tmp_path / "build").encode() + b"\0"
        assert faults_of_wheel(tmp_path, files) == 1

    @pytest.mark.parametrize("line", ["BSD-3-Clause", ">=3.11"])
    def test_says_what_it_is(self, tmp_path, line):
        files = files_of_wheel()
        files["hrixs-0.1.0.dist-info/METADATA"] = METADATA.replace(line, "unknown").encode()
        assert faults_of_wheel(tmp_path, files) == 1


@pytest.mark.parametrize(
    ("more", "n_faults"),
    [((), 0), (("build/a.o",), 1), (("src/hrixs/_core.so",), 1), ((".git/HEAD",), 1)],
)
def test_sdist_holds_sources_only(tmp_path, more, n_faults):
    sdist = tmp_path / "hrixs-0.1.0.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in (*script.NEEDED_IN_SDIST, *more):
            archive.addfile(tarfile.TarInfo(f"hrixs-0.1.0/{name}"), BytesIO())
    faults = script.Faults()
    script.check_sdist(sdist, faults)
    assert faults.n == n_faults
