"""Small runs for the tests of how runs are opened, and what was done to their files."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import hrixs
from hrixs.simulation import write_run

PROPOSAL, RUN = 900999, 5
FIRST = 1_600_000_000
ENTRY = hrixs.mnemonics["MaranaX"]
SOURCE, KEY = ENTRY["source"], ENTRY["key"]
PIXELS = f"INSTRUMENT/{SOURCE}/{KEY.replace('.', '/')}"
OWN_IDS = f"INSTRUMENT/{SOURCE}/data/trainId"
FRAMES = np.random.default_rng(1).normal(200, 4, (8, 32, 40)).round().astype(np.uint16)
FRAMES[:, 0, 0] = 1000 + np.arange(8)
OFFSET = 150


def raw_run(root: Path, run: int = RUN, frames: np.ndarray = FRAMES, **options) -> Path:
    """A run of eight images in two files of the camera's, without slow data."""
    return write_run(root, frames, proposal=PROPOSAL, run=run, **options)


def camera_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*DA02*.h5"))


def processed(raw: Path, *, first_file: int = 0, more: bool = False) -> Path:
    """The camera's files of a run, offset subtracted, under the same source in the folder proc.

    With `more` they hold another source, too.
    """
    proc = raw.parents[1] / "proc" / raw.name
    proc.mkdir(parents=True)
    for path in camera_files(raw)[first_file:]:
        copy = proc / path.name.replace("RAW", "CORR")
        shutil.copy(path, copy)
        with h5py.File(copy, "r+") as file:
            file[PIXELS][:] = file[PIXELS][:] - OFFSET
            if more:
                add_source(file)
    return proc


def add_source(file: h5py.File) -> None:
    """Another source beside the camera's, of the same shape."""
    device, _, channel = SOURCE.partition(":")
    other = f"{device}_CORR:{channel}"
    for section in ("INDEX", "INSTRUMENT"):
        file.copy(f"{section}/{SOURCE}", f"{section}/{other}")
    sources = file["METADATA/dataSources"]
    known = [one for one in sources["dataSourceId"][:] if one]
    for name, value in (
        ("dataSourceId", f"INSTRUMENT/{other}/data"),
        ("root", "INSTRUMENT"),
        ("deviceId", f"{other}/data"),
    ):
        sources[name].resize(max(len(sources[name]), len(known) + 1), axis=0)
        sources[name][len(known)] = value


def make_overview(run: Path, overview: Path) -> None:
    """The virtual file that `python -m extra_data.voview RUN` makes."""
    import io

    from extra_data.voview import main

    overview.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(io.StringIO()):
        main([str(run), "--overview-file", str(overview)])


def replace_pixels(folder: Path, replace: Callable[[h5py.File, np.ndarray, Path], None]) -> None:
    """Take the pixels out of the camera's files; `replace` puts something in their place."""
    for path in camera_files(folder):
        with h5py.File(path, "r+") as file:
            pixels = file[PIXELS][:]
            del file[PIXELS]
            replace(file, pixels, outside(path))


def outside(path: Path) -> Path:
    """Where what a run's file refers to is put: beside the run's folder, under another name."""
    return path.parent.parent / f"pixels-{path.name}"


def write_outside(path: Path, pixels: np.ndarray, **how) -> None:
    with h5py.File(path, "w") as file:
        file["something"] = np.arange(77)  # so that places in the two files differ
        file.create_dataset("pixels", data=pixels, **how)
