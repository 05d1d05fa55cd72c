"""The work of ``hrixs process`` on one run or image stack: from its files to a file of spectra."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.cli.events import is_photons, require_use, set_own_curve, spectra_of_photons
from hrixs.cli.job import Job
from hrixs.cli.level_options import with_background
from hrixs.cli.plots import draw_map, draw_run, draw_together
from hrixs.cli.report_option import Page, write_page
from hrixs.doubt_rules.listing import doubts
from hrixs.output.suffixes import SUFFIXES, checked_suffix
from hrixs.output.writing import export, recorded
from hrixs.reduction.checkpoint import remove_checkpoint
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import HrixsWarning, MissingDataError
from hrixs.utils.folder_lock import working_in


def process(
    run: str | Sequence[str],
    output: Path,
    h: hRIXS,
    job: Job,
    *,
    plot: Path | None = None,
    page: Page | None = None,
) -> None:
    """Make the spectra of one run, write them to `output`, and print what was done.

    Parameters
    ----------
    run : str, or sequence of str
        The run as it was typed; several files are one stack.
    output, plot : path
        Files to write; the suffix of `output` is its format. Unfinished work is kept next to it.
    h : hRIXS
        From `Job.spectrometer`; it is not changed.
    job : Job
        All other options.
    page : Page, optional
        The report to write.
    """
    if "text" in SUFFIXES[checked_suffix(output)] and job.photons:
        raise ValueError(
            f"{output} can't hold the photon table: write .nc or .nxs, or leave it out."
        )
    for path in (output, plot or output):
        if not path.parent.is_dir():
            raise MissingDataError(f"there is no folder {path.parent} to write {path.name} to.")
    if job.photons and (job.aggregate or job.map):
        raise ValueError(
            "photons of single trains can't be kept in an output that is aggregated: leave "
            "--photons out, or --aggregate and --map."
        )
    h = copy.copy(h)
    source = job.source(run)
    if is_photons(source):
        require_use(job)
        set_own_curve(h, source, job)
    task = job.task(h, source)
    folder = unfinished_folder(output)
    if job.resume and not folder.exists() and recorded(output, "task") == task:
        plot, page = left_to_draw(output, plot, page)
        made = written(output, job)
        if made is not None or (plot is None and page is None):
            print(f"{output} is finished already")
            if plot is not None and job.find_curvature is not None:
                fit_curvature(h, job.source(job.find_curvature) if job.find_curvature else source)
            draw(h, source, made, made, job, plot, page)
            return
    with working_in(folder):
        if not job.resume:
            if any(folder.glob("part-*.npz")):
                print(f"the unfinished work in {folder} is deleted; --resume would continue it")
            remove_checkpoint(folder)
        if job.find_curvature is not None:
            fit_curvature(h, job.source(job.find_curvature) if job.find_curvature else source)
        spectra = job.choice.of_spectra(_spectra(h, source, job, folder))
        result = write_result(h, spectra, job, output, task, folder)
    report(spectra, result, output)
    draw(h, source, spectra, result, job, plot, page)


def draw(
    h: hRIXS, source: Any, spectra: Any, result: Any, job: Job,
    plot: Path | None, page: Page | None,
) -> None:  # fmt: skip
    """Write picture and page of what was written, where they are asked for.

    `source` is None of several runs, `spectra` those of each image.
    """
    if plot is not None and job.map is not None:
        draw_map(result, job.method, plot)
    elif plot is not None and source is None:
        draw_together(spectra, result, job.method, plot)
    elif plot is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrixsWarning)  # said already
            draw_run(h, source, spectra, result, job.method, plot)
    if page is not None:
        write_page(page, h, source, spectra, result)


def left_to_draw(
    output: Path, plot: Path | None, page: Page | None
) -> tuple[Path | None, Page | None]:
    """Picture and page of a finished output that are missing or older than it."""
    since = output.stat().st_mtime_ns

    def is_drawn(path: Path) -> bool:
        return path.is_file() and path.stat().st_mtime_ns >= since

    left = None if plot is None or is_drawn(plot) else plot
    return left, None if page is None or is_drawn(page.path) else page


def written(output: Path, job: Job) -> xr.Dataset | None:
    """Read a finished output, if it holds what is drawn: spectra of single images, as netCDF."""
    of_images = not (job.aggregate or job.map or job.background)
    if not of_images or SUFFIXES[checked_suffix(output)] != "netCDF":
        return None
    with xr.open_dataset(output, engine="h5netcdf") as data:
        return data.load()


def write_result(
    h: hRIXS, spectra: xr.Dataset, job: Job, output: Path, task: str, folder: Path
) -> xr.Dataset:
    """Group, normalise and write spectra, delete the unfinished work; return the result."""
    result = spectra
    if job.map is not None:
        options = {"incident": job.map, "axis": job.map_axis, **job.grouping}
        result = h.rixs_map(spectra, **options)
    elif job.aggregate:
        dim = str((spectra.sampled if job.deconvolve else spectra.spectrum).dims[0])
        by = job.aggregate[0] if len(job.aggregate) == 1 else list(job.aggregate)
        result = h.aggregate(spectra, by, dim, **job.grouping)
    result = with_background(result, job.background)
    divisor = job.normalize if job.map is None else job.normalize or "counts"
    if divisor is not None:
        result = h.normalize(result, divisor)
    result.attrs["task"] = task
    export(result, output, scratch=folder)
    remove_checkpoint(folder)  # as long as it is held: afterwards it may be another's
    return result


def unfinished_folder(output: Path) -> Path:
    """Folder of the unfinished work for an output file."""
    return output.with_name(f"{output.name}.unfinished")


def fit_curvature(h: hRIXS, source: Any) -> None:
    """Fit the curvature to a run or images, and print it."""
    h.find_curvature(source, plot=False, method="photons" if is_photons(source) else "image")
    fit = h.curvature_fit
    assert fit is not None
    print(
        f"curvature: A = {fit.curve_a:.7f} +- {fit.curve_a_err:.1g}, "
        f"B = {fit.curve_b:.2e} +- {fit.curve_b_err:.1g}, line {fit.fwhm:.2f} px FWHM"
    )


def _spectra(h: hRIXS, source: Any, job: Job, unfinished: Path) -> xr.Dataset:
    if is_photons(source):
        return job.choice.of_images(spectra_of_photons(h, source, job))
    if not isinstance(source, xr.Dataset):
        return h.process_run(
            source,
            checkpoint=unfinished,
            **job.run_options(),
        )
    data = job.choice.of_images(source).copy(deep=False)
    if job.energy is not None:
        energies = np.full(data.sizes["trainId"], job.energy)
        data["nrj"] = ("trainId", energies, {"units": "eV"})
    if job.method == "integrate":
        made = h.integrate(data, strict=job.strict, **job.deconvolution)
    else:
        made = h.centroid(data, method=job.method, strict=job.strict)
    return made.drop_vars(h.DETECTOR)


def report(spectra: xr.Dataset, result: xr.Dataset, output: Path) -> None:
    """Print what was done, what is doubtful, and what was written."""
    counts = {
        "n_images": "images",
        "n_trains": "trains",
        "n_trains_without_image": "trains without an image",
        "n_skipped": "images skipped",
    }
    said = [
        f"{spectra.attrs[key]} {text}"
        for key, text in counts.items()
        if key in spectra.attrs and (key != "n_skipped" or spectra.attrs[key])
    ]
    print(", ".join(said))
    attrs = spectra.spectrum.attrs
    if "n_photons" in attrs:
        n_images = attrs.get("n_images", spectra.spectrum.shape[0])
        print(
            f"{attrs['n_photons']:.0f} photons in the spectra, "
            f"{attrs['n_photons'] / n_images:.1f} an image; "
            f"{attrs['n_outside']:.0f} outside of the range, {attrs.get('n_dropped', 0)} spots "
            "left out"
        )
    for doubt in doubts(spectra):
        print(f"! {doubt}")
    if spectra["energy"].attrs["units"] == "px":
        print("energy axis in rows: give --energy-slope and --energy-intercept for eV")
    print(f"wrote {output}: {', '.join(map(str, result.data_vars))}")
