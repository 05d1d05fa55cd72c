"""Everything that must be quiet before a change is done: ``nox`` runs it all."""

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "core", "tests", "damnit"]
nox.needs_version = ">=2024.4.15"


@nox.session
def tests(session: nox.Session) -> None:
    """Run the Python tests against an installed package, and the validation with few photons."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)
    if not session.posargs:
        page = Path(session.create_tmp()) / "validation.md"
        session.run("python", "-m", "validation", "--quick", "--output", str(page))


@nox.session
def damnit(session: nox.Session) -> None:
    """Evaluate the documented DAMNIT context with DAMNIT's own runner, which brings a lot along."""
    session.install(".[test]", "damnit>=0.4", "EXtra-proposal")
    session.run("pytest", "tests/test_damnit.py", *session.posargs)


@nox.session
def core(session: nox.Session) -> None:
    """Run the C++ tests of the core, without Python."""
    if not _has_doctest() and not os.environ.get("CI"):
        session.skip("doctest is not installed: apt install doctest-dev, brew install doctest")
    session.install("cmake", "ninja")
    build = Path(session.create_tmp()) / "core"
    session.run(
        "cmake", "-S", ".", "-B", str(build), "-G", "Ninja",
        "-DHRIXS_BUILD_PYTHON=OFF", "-DHRIXS_BUILD_TESTS=ON", "-DHRIXS_WARNINGS_AS_ERRORS=ON",
    )  # fmt: skip
    session.run("cmake", "--build", str(build))
    session.run("ctest", "--test-dir", str(build), "--output-on-failure")


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style of Python and C++."""
    session.install("ruff", "clang-format==23.1.5")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    sources = [str(path) for path in sorted(Path("cpp").rglob("*.?pp"))]
    session.run("clang-format", "--dry-run", "--Werror", *sources)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package, strictly."""
    session.install("mypy", *nox.project.load_toml("pyproject.toml")["project"]["dependencies"])
    session.run("mypy", "src/hrixs")


def _has_doctest() -> bool:
    prefixes = ("/usr", "/usr/local", "/opt/homebrew")
    return any(Path(prefix, "include/doctest").exists() for prefix in prefixes)
