"""The work of ``hrixs process`` on one run or image stack: from its files to a file of spectra."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.reduction.checkpoint import remove_checkpoint
from hrixs.runs import image_stacks as image_files
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.runs.run import open_run
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.atomic_files import replaced_at_once, write_netcdf
from hrixs.utils.errors import HrixsWarning, MissingDataError
from hrixs.utils.folder_lock import working_in
from hrixs.utils.provenance import __version__, digest, settings_text


@dataclass(frozen=True)
class Job:
    """The options of ``hrixs process`` that are the same for all runs; `params` are settings."""

    method: str = "auto"
    params: dict[str, Any] = field(default_factory=dict)
    proposal: str | None = None
    detector: str = "MaranaX"
    dark: str | None = None
    mask: str | None = None
    find_curvature: str | None = None
    energy: float | None = None
    fields: Sequence[str] = ()
    aggregate: str | None = None
    normalize: str | None = None
    transpose: bool = False
    dataset: str | None = None
    photons: bool = False
    strict: bool = False
    memory: str | None = None
    progress: bool = True
    resume: bool = False

    def source(self, name: str) -> Any:
        """What `name` stands for: images as a dataset, else a run's number or path."""
        if image_files.is_image_file(name):
            return image_files.read_images(
                name, self.detector, dataset=self.dataset, transpose=self.transpose
            )
        return int(name) if name.isdigit() and not Path(name).exists() else name

    def spectrometer(self) -> hRIXS:
        """Settings with dark and mask, as they are for all runs."""
        h = hRIXS(self.proposal, self.detector)
        h.set_params(**self.params)
        if self.mask is not None:
            mask = np.load(self.mask, allow_pickle=False) != 0
            h.MASK = mask.T if self.transpose else mask
        if self.dark is not None:
            h.load_dark(self.source(self.dark))
        return h

    def task(self, h: hRIXS, source: Any) -> str:
        """Text that is another one where the result would be."""
        how = asdict(self)
        for name in ("memory", "progress", "resume"):
            del how[name]
        if isinstance(source, xr.Dataset):
            paths = [source.attrs["run"]]
        else:
            paths = [file.path for file in open_run(source, self.proposal).files]
        stats = [os.stat(path) for path in paths]
        files = [
            (path, stat.st_size, stat.st_mtime_ns) for path, stat in zip(paths, stats, strict=True)
        ]
        where = {
            name: mnemonics.get(name) for name in (*h.FIELDS, *self.fields) if isinstance(name, str)
        }
        chip = [np.asarray(one, dtype=np.float64) for one in (h.dark_image, h.MASK)]
        return digest(__version__, how, files, where, repr(h), *chip)


def process(run: str, output: Path, h: hRIXS, job: Job, *, plot: Path | None = None) -> xr.Dataset:
    """Make the spectra of one run, write them to `output`, and say what was done.

    Parameters
    ----------
    run : str
        As it was typed.
    output, plot : path
        Files to write. Unfinished work is kept beside `output` meanwhile.
    h : hRIXS
        As from `Job.spectrometer`; it is left as it is.
    job : Job
        All else.

    Returns
    -------
    xarray.Dataset
        What was written: the spectra and the slow data, without the images.
    """
    for path in (output, plot or output):
        if not path.parent.is_dir():
            raise MissingDataError(f"there is no folder {path.parent} to write {path.name} to.")
    if job.photons and job.aggregate is not None:
        raise ValueError(
            "photons of single trains can't be kept in an output that is aggregated: leave "
            "--photons or --aggregate out."
        )
    h = copy.copy(h)
    source = job.source(run)
    task = job.task(h, source)
    folder = unfinished_folder(output)
    if job.resume and not folder.exists() and (plot is None or plot.is_file()):
        finished = _finished(output, task)
        if finished is not None:
            print(f"{output} is finished already")
            return finished
    with working_in(folder):
        if not job.resume:
            if any(folder.glob("part-*.npz")):
                print(f"what was left unfinished in {folder} is thrown away; --resume would go on")
            remove_checkpoint(folder, but_lock=True)
        if job.find_curvature is not None:
            _find_curvature(h, job.source(job.find_curvature) if job.find_curvature else source)
        spectra = _spectra(h, source, job, folder)
        result = spectra if job.aggregate is None else h.aggregate(spectra, job.aggregate)
        if job.normalize is not None:
            h.normalize(result, job.normalize)
        result.attrs["settings"] = settings_text(h.get_params())
        result.attrs["task"] = task
        write_netcdf(result, output, folder)
    remove_checkpoint(folder)
    _report(spectra, result, output)
    if plot is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HrixsWarning)  # said already
            _plot(h, source, spectra, job.method, plot)
        print(f"wrote {plot}")
    return result


def unfinished_folder(output: Path) -> Path:
    """Where the unfinished work for an output file is kept."""
    return output.with_name(f"{output.name}.unfinished")


def _finished(output: Path, task: str) -> xr.Dataset | None:
    """Give the output if it is there, and of this task."""
    if not output.is_file():
        return None
    try:
        with xr.open_dataset(output, engine="h5netcdf") as ds:
            return ds.load() if ds.attrs.get("task") == task else None
    except (OSError, ValueError):
        return None


def _find_curvature(h: hRIXS, source: Any) -> None:
    h.find_curvature(source, plot=False)
    fit = h.curvature_fit
    assert fit is not None
    print(
        f"curvature: A = {fit.curve_a:.7f} +- {fit.curve_a_err:.1g}, "
        f"B = {fit.curve_b:.2e} +- {fit.curve_b_err:.1g}, line {fit.fwhm:.2f} px FWHM"
    )


def _spectra(h: hRIXS, source: Any, job: Job, unfinished: Path) -> xr.Dataset:
    if not isinstance(source, xr.Dataset):
        return h.process_run(
            source,
            extra_fields=job.fields,
            method=job.method,
            energy=job.energy,
            memory=job.memory,
            progress=job.progress,
            photons=job.photons,
            strict=job.strict,
            checkpoint=unfinished,
        )
    data = source.copy(deep=False)
    if job.energy is not None:
        energies = np.full(data.sizes["trainId"], job.energy)
        data["nrj"] = ("trainId", energies, {"units": "eV"})
    if job.method == "integrate":
        h.integrate(data)
    else:
        h.centroid(data, method=job.method)
    return data.drop_vars(job.detector)


def _report(spectra: xr.Dataset, result: xr.Dataset, output: Path) -> None:
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
        print(
            f"{attrs['n_photons']:.0f} photons in the spectra, "
            f"{attrs['n_photons'] / spectra.sizes['trainId']:.1f} an image; "
            f"{attrs['n_outside']:.0f} outside of the range, {attrs['n_dropped']} spots left out"
        )
    if spectra["energy"].attrs["units"] == "px":
        print("energy axis in rows: give --energy-slope and --energy-intercept for eV")
    print(f"wrote {output}: {', '.join(map(str, result.data_vars))}")


def _plot(h: hRIXS, source: Any, spectra: xr.Dataset, method: str, path: Path) -> None:
    from hrixs.camera.plots import plot_image
    from hrixs.curvature.plots import plot_curvature
    from hrixs.spectra.plots import plot_per_train, plot_spectra
    from hrixs.utils.figures import new_figure

    figure, axes = new_figure([["image", "spectrum"], ["image", "trains"]], (12, 6))
    image = h.mean_image(source)
    if h.curvature_fit is None:
        plot_image(image, axes["image"])
    else:
        plot_curvature(image, h.curvature_fit, axes["image"])
    within = [dim for dim in spectra.spectrum.dims if dim not in ("trainId", "energy")]
    spectrum = spectra.spectrum.sum(within)
    plot_spectra({method: spectrum.mean("trainId")}, axes["spectrum"])
    if method == "integrate":
        intensity = spectra.spectrum.mean([*within, "energy"])
        plot_per_train(intensity, axes["trains"], "mean intensity (ADU)")
    else:
        plot_per_train(spectrum.sum("energy"), axes["trains"])
    with replaced_at_once(path) as part:
        figure.savefig(part, dpi=120, format=path.suffix.lstrip(".") or "png")
