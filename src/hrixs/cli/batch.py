"""The work of ``hrixs process`` on several runs: one output for each, also if others fail."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hrixs.cli.job import Job
from hrixs.cli.report_option import Asked, page_files
from hrixs.cli.there import require_there
from hrixs.files.names import is_pattern
from hrixs.output.suffixes import SUFFIXES, checked_suffix
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.utils.errors import MissingDataError

_RANGE = re.compile(r"(\d+)-(\d+)")
_RUN = "{run}"


def process_all(
    runs: Sequence[str],
    output: str,
    job: Job,
    *,
    plot: str | None = None,
    report: Asked | None = None,
    mnemonics_file: str | None = None,
) -> int:
    """Process runs one after the other, and print which are done.

    Parameters
    ----------
    runs : sequence of str
        Run numbers, ranges of them such as ``145-150``, folders, files.
    output, plot : str
        The file to write; for several runs a folder, or a name with ``{run}`` in it.
    job : Job
        What to do.
    report : Asked, optional
        The page to write for each run.
    mnemonics_file : str, optional
        JSON file with entries for `hrixs.mnemonics`.

    Returns
    -------
    int
        Number of runs that failed. The failure of a single run is raised.
    """
    if mnemonics_file is not None:
        mnemonics.update(json.loads(Path(mnemonics_file).read_text(encoding="utf8")))
    if job.together:
        drawn = None if plot is None else Path(plot)
        page = page_files(report, [Path(output)], lambda name: [Path(name)])[0]
        require_there(job)
        from hrixs.cli.together import process_together

        return process_together(expanded(runs), Path(output), job, plot=drawn, page=page)
    names: list[Any] = [tuple(runs)] if job.stack else list(expanded(runs))
    several = len(names) > 1
    outputs = file_names(output, names, ".nc")
    for path in outputs:
        checked_suffix(path)  # before any work is done
    plots = file_names(plot, names, ".png") if plot is not None else [None] * len(names)
    pages = page_files(report, outputs, lambda name: file_names(name, names, ".html"))
    require_there(job, None if several else names[0])
    from hrixs.cli.process import process

    h = job.spectrometer()
    failed: dict[str, str] = {}
    for name, out, png, page in zip(names, outputs, plots, pages, strict=True):
        if several:
            print(f"run {name}")
        try:
            process(name, out, h, job, plot=png, page=page)
        except KeyboardInterrupt:
            print(
                f"hrixs: {out} is unfinished: the same command with --resume continues it.",
                file=sys.stderr,
            )
            raise
        except Exception as error:
            if not several:
                raise
            failed[name] = str(error) or type(error).__name__
            print(f"hrixs: error: run {name}: {failed[name]}", file=sys.stderr)
    if several:
        print(f"{len(names) - len(failed)} of {len(names)} runs done")
    for name, why in failed.items():
        print(f"failed: run {name}: {why}")
    return len(failed)


def expanded(runs: Sequence[str]) -> list[str]:
    """Replace ranges such as ``145-150`` by their runs."""
    names: list[str] = []
    for run in runs:
        match = _RANGE.fullmatch(run)
        if match is None or Path(run).exists():
            names.append(run)
            continue
        first, last = int(match[1]), int(match[2])
        if first > last:
            raise ValueError(f"{run!r} is not a range of runs, expected the lower number first.")
        names += [str(number) for number in range(first, last + 1)]
    return names


def file_names(pattern: str, runs: Sequence[Any], suffix: str) -> list[Path]:
    """The file to write for each run.

    Raises
    ------
    ValueError
        If two runs would write the same file.
    MissingDataError
        If there is no folder to write to.
    """
    whole = Path(pattern)
    if _RUN in pattern:
        paths = [Path(pattern.replace(_RUN, _label(run))) for run in runs]
    elif len(runs) > 1 or whole.is_dir() or pattern.endswith(("/", os.sep)):
        if whole.suffix in (suffix, *SUFFIXES) and not whole.is_dir():
            raise ValueError(
                f"{pattern} is one file for {len(runs)} runs, expected a folder, or a name with "
                f"{_RUN} in it: spectra/{_RUN}{whole.suffix}. If the files are images of one "
                "stack, give --stack. For one dataset of several runs give --together."
            )
        if whole.is_file():
            raise ValueError(f"{pattern} is a file, expected a folder for the runs' outputs.")
        whole.mkdir(parents=True, exist_ok=True)
        paths = [whole / f"{_label(run)}{suffix}" for run in runs]
    else:
        paths = [whole]
    for path in paths:
        if not path.parent.is_dir():
            raise MissingDataError(f"there is no folder {path.parent} to write {path.name} to.")
        if paths.count(path) > 1:
            raise ValueError(
                f"several runs would be written to {path}. Give each once, or process runs of "
                "the same name one by one."
            )
    return paths


def _label(run: Any) -> str:
    if not isinstance(run, str):
        return _label(run[0])
    if run.isdigit() and not Path(run).exists():
        return f"r{int(run):04d}"
    path = Path(run).resolve()
    if path.is_dir():
        return path.name
    # Of a pattern what names may have everywhere.
    return re.sub(r"[*?\[\]]+", "x", path.stem) if is_pattern(str(run)) else path.stem
