"""What is told of what was typed is told at once: without the libraries that read data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "numpy", "xarray", "pandas", "h5py", "h5netcdf", "extra_data", "matplotlib", "scipy", "dask",
    "distributed", "tqdm", "jinja2", "tomlkit", "zmq", "karabo_bridge",
}  # fmt: skip
SCRIPT = """
import json, sys
sys.argv[0] = "hrixs"
from hrixs.cli.main import main
try:
    status = main()
except SystemExit as end:
    status = end.code
print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)
"""
OUT = ("-o", "out.nc")
ERRORS = [
    ((), 2, "the following arguments are required: COMMAND"),
    (("prcess",), 2, "unknown command 'prcess'. Did you mean 'process'?"),
    (("--bins", "3", "process"), 2, "option --bins belongs behind the command"),
    (("process",), 2, "the following arguments are required: RUN, -o/--output"),
    (("process", "r1", "--outptu", "out.nc"), 2, "did you mean --output?"),
    (("process", "r1", *OUT, "--curve_a", "1"), 2, "did you mean --curve-a?"),
    (("process", "r1", *OUT, "--xyzzy"), 2, "unknown option --xyzzy."),
    (("process", "r1", *OUT, "--bins"), 2, "expected one argument"),
    (("process", "r1", *OUT, "--bins", "many"), 2, "invalid int value: 'many'"),
    (("process", "r1", *OUT, "--curve-a", "x"), 2, "invalid float value: 'x'"),
    (("process", "r1", *OUT, "--threshold", "6 sgma"), 2, "--threshold"),
    (("process", "r1", *OUT, "--y-range", "700-900"), 2, "is not a range of pixels"),
    (("process", "r1", *OUT, "--position", "gausian"), 2, "Did you mean 'gaussian'?"),
    (("process", "r1", *OUT, "--local-background", "1"), 2, "expected yes or no"),
    (("process", "r1", *OUT, "--data", "prc"), 2, "Did you mean 'proc'?"),
    (("process", "r1", *OUT, "--trust", "x"), 2, "Known: index, records"),
    (("process", "r1", *OUT, "--dark-fit", "x"), 2, "Known: both, factor, offset"),
    (("process", "r1", *OUT, "--method", "best1"), 2, "Did you mean 'best'?"),
    (("process", "r1", *OUT, "--detector", "Marana"), 2, "Did you mean 'MaranaX'?"),
    (("process", "r1", *OUT, "--trains", "1-x"), 2, "neither a number nor a range"),
    (("process", "r1", *OUT, "--step", "x"), 2, "is not a number"),
    (("process", "r1", *OUT, "--background", "x"), 2, "is neither a range of the energy axis"),
    (("process", "r1", *OUT, "--step", "1"), 1, "without --aggregate VAR or --map"),
    (("process", "r1", *OUT, "--align", "elastic"), 1, "without --together"),
    (("process", "r1", "-o", "out.nx"), 1, "unknown suffix '.nx'"),
    (("process", "r1", "-o", "no/out.nc"), 1, "there is no folder no to write out.nc to."),
    (("process", "r1", *OUT, "--plot", "no/a.png"), 1, "there is no folder no to write a.png to."),
    (("process", "r1", *OUT, "--report", "a.pdf"), 1, "--report a.pdf is not a page"),
    (("process", "r1", "r2", *OUT), 1, "out.nc is one file for 2 runs"),
    (("process", "150-145", *OUT), 1, "the lower number first"),
    (("process", "r1", *OUT), 1, "there is no run at r1; expected"),
    (("process", "a.h5", *OUT), 1, "there is no run at a.h5; expected"),
    (("process", "a.tif", *OUT), 1, "there is no file a.tif."),
    (("process", "scan_*.tif", *OUT), 1, "there is no file in scan_*.tif."),
    (("process", "a.tif", "b.tif", "--stack", *OUT), 1, "there is no file a.tif."),
    (("process", "145", *OUT), 1, "run 145 was given without a proposal"),
    (("process", "{here}", *OUT, "--dark", "no"), 1, "there is no run at no; expected"),
    (("process", "{here}", *OUT, "--dark", "no.tif"), 1, "there is no file no.tif."),
    (("process", "{here}", *OUT, "--mask", "no.npy"), 1, "there is no file no.npy."),
    (("process", "{here}", *OUT, "--settings", "s.json"), 1, "is not a settings file"),
    (("process", "{here}", *OUT, "--settings", "s.toml"), 1,
     "there is no file s.toml to load settings from."),
    (("process", "{here}", *OUT, "--settings", "s.nc"), 1, "there is no file s.nc of a result."),
    (("process", "{here}", *OUT, "--find-curvature", "no"), 1, "there is no run at no; expected"),
    (("process", "r1", *OUT, "--mnemonics", "no.json"), 1, "no.json"),
    (("watch", "bridge"), 1, "expected tcp://HOST:PORT"),
    (("watch", "tcp://a:1", "-o", "no/out.nc"), 1, "there is no folder no that can be written to"),
    (("watch", "tcp://a:1", "--dark", "no"), 1, "there is no run at no; expected"),
    (("watch", "tcp://a:1", "--socket", "PUB"), 2, "unknown value 'PUB'"),
    (("replay", "no.nc"), 1, "there is no file no.nc of a result."),
    (("replay", "{here}", "--moved", "a"), 2, "expected the old folder and the new one"),
    (("demo", "--frames", "3"), 1, "expected 24 or more"),
]  # fmt: skip


def started(words: tuple[str, ...], folder: Path) -> tuple[int, set[str], str]:
    """Status of a command in its own process, packages that it has imported, and what it says."""
    command = [sys.executable, "-c", SCRIPT, *(word.format(here=folder) for word in words)]
    paths = [
        os.path.abspath(one) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one
    ]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths))}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, check=True)
    *said, last = done.stderr.splitlines()
    status, modules = json.loads(last)
    return status, {name.partition(".")[0] for name in modules}, done.stdout + "\n".join(said)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--help",), "make spectra from runs, image files or event lists"),
        (("process", "--help"), "--std-threshold N"),
        (("watch", "--help"), "tcp://HOST:PORT"),
        (("replay", "--help"), "RESULT.nc"),
        (("demo", "--help"), "--frames"),
        (("--version",), "hrixs "),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_help_is_told_at_once(words, text, tmp_path):
    status, modules, said = started(words, tmp_path)
    assert status == 0
    assert text in said
    assert not modules & HEAVY


@pytest.mark.parametrize(("words", "status", "text"), ERRORS, ids=lambda one: str(one)[:60])
@pytest.mark.one_in(3)
def test_an_error_is_told_at_once(words, status, text, tmp_path):
    given, modules, said = started(words, tmp_path)
    assert text in said
    assert "Traceback" not in said
    assert given == status
    assert not modules & HEAVY
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_package(tmp_path):
    import hrixs

    assert started(("--version",), tmp_path)[2].strip() == f"hrixs {hrixs.__version__}"
