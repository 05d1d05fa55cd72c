"""Check early that typed files exist, before the libraries that read them are imported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hrixs.cli.job import Job, is_number, is_result
from hrixs.files.names import (
    OF_RESULT,
    OF_SETTINGS,
    files_named,
    is_pattern,
    is_plain_name,
    no_file,
)
from hrixs.settings.paths import settings_path
from hrixs.utils.errors import MissingDataError, no_run_at, run_without_proposal


def require_there(job: Job, run: str | Sequence[str] | None = None) -> None:
    """Check that the files of a job, and its run, exist; in the order in which they are read.

    Raises
    ------
    MissingDataError, ValueError
        The errors of reading, for a file that does not exist.
    """
    if job.settings is not None:
        file = Path(job.settings) if is_result(job.settings) else settings_path(job.settings)
        if not file.is_file():
            raise no_file(file, OF_RESULT if is_result(job.settings) else OF_SETTINGS)
    if job.mask is not None:
        files_named(job.mask)
    for name in (job.dark, run, job.find_curvature or None):
        if name is not None:
            _require_source(job, name)


def require_folder(output: Path) -> None:
    """Raise MissingDataError if a file cannot be written."""
    if not (output.parent.is_dir() and os.access(output.parent, os.W_OK)):
        raise MissingDataError(
            f"there is no folder {output.parent} that can be written to, for {output.name}."
        )


def _require_source(job: Job, name: str | Sequence[str]) -> None:
    if is_number(name):
        if job.proposal is None and job.settings is None:
            raise run_without_proposal(int(name))
    elif not isinstance(name, str) or is_pattern(name):
        files_named(name)
    elif not Path(name).exists():
        if is_plain_name(name):
            files_named(name)
        # A settings file may choose other data of the run.
        elif job.settings is None and "DATA" not in job.params:
            raise no_run_at(Path(name))
