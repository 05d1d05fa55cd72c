"""The work of ``hrixs process --together``: several runs into one output."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from hrixs.cli.job import Job
from hrixs.cli.process import (
    draw,
    fit_curvature,
    left_to_draw,
    report,
    unfinished_folder,
    write_result,
    written,
)
from hrixs.cli.report_option import Page
from hrixs.output.suffixes import checked_suffix
from hrixs.output.writing import recorded
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import MissingDataError
from hrixs.utils.folder_lock import working_in
from hrixs.utils.provenance import digest


def process_together(
    names: Sequence[str],
    output: Path,
    job: Job,
    *,
    plot: Path | None = None,
    page: Page | None = None,
) -> int:
    """Process runs to one dataset, write it, and print what was done.

    Parameters
    ----------
    names : sequence of str
        Runs as they were typed, without ranges.
    output : path
        File to write. Finished runs are kept next to it until all are done.
    job : Job
        All other options.
    plot : path, optional
        Picture to write, of the map or of the spectra of all runs.
    page : Page, optional
        The report to write.

    Returns
    -------
    int
        Number of runs that failed; they are left out.
    """
    if output.is_dir() or not output.suffix:
        raise ValueError(f"{output} is a folder, expected one file for all runs: scan.nc.")
    checked_suffix(output)
    if not output.parent.is_dir():
        raise MissingDataError(f"there is no folder {output.parent} to write {output.name} to.")
    if job.photons and (job.aggregate or job.map):
        raise ValueError("photons can't be kept in an output that is aggregated: leave one out.")
    h = job.spectrometer()
    sources = [job.source(name) for name in names]
    for name, source in zip(names, sources, strict=True):
        if isinstance(source, xr.Dataset):
            raise ValueError(
                f"{name} is not a run; --together is for runs. Leave it out for images."
            )
    task = digest(*(_task(h, job, source) for source in sources))
    folder = unfinished_folder(output)
    if job.resume and not folder.exists() and recorded(output, "task") == task:
        plot, page = left_to_draw(output, plot, page)
        made = written(output, job)
        if made is not None or (plot is None and page is None):
            print(f"{output} is finished already")
            draw(h, None, made, made, job, plot, page)
            return _told_failures(recorded(output, "failed_runs") or "")
    runs = folder / "runs"
    with working_in(folder):
        if not job.resume and runs.exists():
            print(f"the unfinished work in {runs} is deleted; --resume would continue it")
            shutil.rmtree(runs)
        if job.find_curvature is not None:
            fit_curvature(h, job.source(job.find_curvature or names[0]))
        spectra = h.process_runs(
            sources, align=job.align, within=job.within, checkpoint=runs, **job.run_options()
        )
        spectra = job.choice.of_spectra(spectra)
        result = write_result(h, spectra, job, output, task, folder)
        shutil.rmtree(runs, ignore_errors=True)
    report(spectra, result, output)
    draw(h, None, spectra, result, job, plot, page)
    n_failed = int(spectra.attrs["n_failed_runs"])
    print(f"{len(names) - n_failed} of {len(names)} runs done: {spectra.attrs['runs']}")
    return _told_failures(str(spectra.attrs["failed_runs"]))


def _told_failures(failed: str) -> int:
    """Print a line for each run that failed; return their number."""
    for text in failed.splitlines():
        print(f"failed: run {text}")
    return len(failed.splitlines())


def _task(h: hRIXS, job: Job, source: Any) -> str:
    try:
        return job.task(h, source)
    except (LookupError, ValueError, OSError) as error:  # told when it is this run's turn
        return str(error)
