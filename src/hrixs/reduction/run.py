"""From the files of a run to a dataset of spectra with slow data: index, plan, reduction."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.level.told import VARIABLES
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.checkpoint import Checkpoint
from hrixs.reduction.cluster import bytes_for_all, reduce_on
from hrixs.reduction.first_images import settled
from hrixs.reduction.plan import Plan
from hrixs.reduction.reduce import FirstFrames, reduce_run
from hrixs.runs.budget import share_out
from hrixs.runs.faults import Faults, named_trains
from hrixs.runs.index import Entries
from hrixs.runs.indexed_run import IndexedRun
from hrixs.runs.slow_data import SlowData
from hrixs.utils.checks import positive_energies
from hrixs.utils.errors import MissingDataError
from hrixs.utils.folder_lock import working_in
from hrixs.utils.provenance import __version__, digest

if TYPE_CHECKING:
    from distributed import Client

#: The photon energy of a train.
_ENERGY = "nrj"
#: Names of variables in the result.
_TAKEN = (
    *("trainId", "entry", "run", "energy", "y", "n_photons", "counts"),
    *("spectrum", "spectrum_err", "spectrum_var", "n_added", "normalized", "normalized_err"),
    *("sampled", "sampled_height", "sampled_pixels", "spectrum_cov", "cov_lag", "resolution"),
)


def process_run(
    indexed: IndexedRun,
    analysis: Analysis,
    crop: Crop,
    *,
    energy: float | None = None,
    memory: int | str | None = None,
    threads: int = 1,
    progress: bool = True,
    photons: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    client: Client | None = None,
) -> tuple[xr.Dataset, Analysis]:
    """Reduce a run to spectra over the rows of the crop, in limited memory.

    Parameters
    ----------
    indexed : IndexedRun
        As from `hrixs.runs.indexed_run.index_run`, with the slow data to add to the spectra.
    analysis : Analysis
        What is done with the images.
    crop : Crop
        The part of the chip to use.
    energy : float, optional
        Photon energy in eV, instead of that of the run.
    memory, threads, progress, photons, checkpoint, client
        As in `hrixs.hRIXS.process_run`.

    Returns
    -------
    xarray.Dataset
        ``spectrum (trainId, ..., y)``, the fields, ``n_photons``, ``photon_*``.
    Analysis
        The analysis, with what was learned from the first images.
    """
    require_free_names(indexed.fields, () if analysis.mending is None else VARIABLES)
    if energy is not None:
        positive_energies(np.array([energy], dtype=np.float64))
    counts = indexed.count_trains()
    slow = indexed.slow_data()
    plan = _plan(indexed, analysis, crop, slow, energy=energy, photons=photons)
    with nullcontext() if checkpoint is None else working_in(Path(checkpoint)):
        saved = None if checkpoint is None else Checkpoint(checkpoint, _task(plan))
        reduced = _reduced(
            plan,
            indexed.faults,
            memory=memory,
            threads=threads,
            progress=progress,
            client=client,
            look=analysis.decided,
            done=() if saved is None else saved.load(),
            save=None if saved is None else saved.save,
        )
    used = indexed.entries.select(reduced["entry"].values)
    result = _over_trains(reduced, used, indexed.dims[:-2])
    result = result.assign(_columns(slow, used, indexed.faults))
    result.attrs = indexed.source_attrs() | counts | indexed.faults.attrs()
    lacking = [name for name in indexed.fields if name not in {indexed.camera, *slow}]
    result.attrs |= {"n_images": len(used), "missing_fields": ", ".join(lacking)}
    return result, plan.analysis


def photons_of_run(
    indexed: IndexedRun, analysis: Analysis, crop: Crop, *, threads: int = 1
) -> xr.Dataset:
    """Find the photons of a run in limited memory, without spectra.

    Parameters
    ----------
    indexed, analysis, crop, threads
        As for `process_run`, with a method that counts photons.

    Returns
    -------
    xarray.Dataset
        The photon table.
    """
    plan = _plan(indexed, analysis, crop, {}, photons=True, look=False)
    return _reduced(replace(plan, spectra=False), indexed.faults, threads=threads)


def _plan(
    indexed: IndexedRun,
    analysis: Analysis,
    crop: Crop,
    slow: dict[str, SlowData],
    *,
    energy: float | None = None,
    photons: bool,
    look: bool = True,
) -> Plan:
    energies = None
    if analysis.needs_energy or (analysis.takes_energy and (energy is not None or _ENERGY in slow)):
        energies = _energies(indexed.entries, slow, energy, indexed.faults, analysis.method)
    plan = Plan(indexed.entries, (crop.x, crop.y), indexed.swapped, analysis, energies, photons)
    if look and plan.analysis.decided:
        return plan
    return replace(plan, analysis=_settled(plan, look=look))


def _reduced(
    plan: Plan,
    faults: Faults,
    *,
    memory: int | str | None = None,
    threads: int,
    client: Client | None = None,
    **options: Any,
) -> xr.Dataset:
    mending = plan.analysis.mending
    copied = 0.0 if mending is None else mending.bytes_beside(plan.entries.dtype)
    budget = share_out(memory, plan.entries, threads, copied=copied)
    if client is None:
        return reduce_run(plan, faults, budget=budget, **options)
    budget = replace(budget, part_bytes=bytes_for_all(client, plan.entries, budget.part_bytes))
    reduce_parts = reduce_on(client, plan, threads)
    return reduce_run(plan, faults, budget=budget, reduce_parts=reduce_parts, **options)


def require_free_names(fields: Iterable[str], more: tuple[str, ...] = ()) -> None:
    """Raise ValueError if a field has the name of a variable that is made from the images."""
    names = {*_TAKEN, *more}
    taken = [name for name in fields if name in names or name.startswith("photon_")]
    if taken:
        raise ValueError(
            f"the field {taken[0]!r} would replace a variable that is made from the images. Give "
            "it a different name, as "
            f"extra_fields={{'my_{taken[0]}': hrixs.mnemonics[{taken[0]!r}]}}."
        )


def _task(plan: Plan) -> dict[str, Any]:
    """Everything that decides the spectra of the entries."""
    entries, analysis = plan.entries, plan.analysis
    stats = [os.stat(path) for path in entries.paths]
    files = [
        (Path(path).name, stat.st_size, stat.st_mtime_ns)
        for path, stat in zip(entries.paths, stats, strict=True)
    ]
    chip = [np.asarray(analysis.camera[name]) for name in ("dark", "mask")]
    return {
        "version": __version__,
        "run": sorted({str(Path(path).parent) for path in entries.paths}),
        "images": digest(files, entries.dataset, entries.file, entries.row, entries.train_id),
        "method": analysis.method,
        "options": {
            name: digest(np.asarray(value)) if np.ndim(value) else repr(value)
            for name, value in analysis.options.items()
        },
        "curvature": repr(analysis.curvature),
        "bins": int(analysis.bins),
        "crop": repr(plan.crop),
        "dark": digest(chip[0]) if chip[0].ndim else "none",
        "mask": digest(chip[1]) if chip[1].ndim else "none",
        "energies": digest(plan.energies),
        "noise": repr(analysis.noise),
        "deconvolution": repr(analysis.deconvolution),
        "uneven": "none" if analysis.uneven is None else digest(analysis.uneven),
        "photons": plan.photons,
    } | _mending_task(analysis)


def _mending_task(analysis: Analysis) -> dict[str, Any]:
    """Corrections that decide the spectra; empty without corrections."""
    mending = analysis.mending
    if mending is None:
        return {}
    dark = "none" if mending.dark is None else digest(np.asarray(mending.dark))
    learned = "none" if mending.limits is None else digest(mending.limits.usual)
    return {"mending": repr(mending.attrs()), "mended_dark": dark, "usual": learned}


def _settled(plan: Plan, *, look: bool) -> Analysis:
    """The analysis, with what the first usable images decide."""
    first = FirstFrames(plan)
    try:
        return settled(plan.analysis, len(first.entries), first.parts, losses=look, look=look)
    except MissingDataError:
        if any(True for _ in first.parts(len(first.entries))):
            raise
        return plan.analysis  # the reason why no image can be used is reported later


def _energies(
    entries: Entries,
    slow: dict[str, SlowData],
    energy: float | None,
    faults: Faults,
    method: str,
) -> NDArray[np.float64]:
    """Photon energy of each image; images without one are reported."""
    if energy is not None:
        return np.full(len(entries), float(energy))
    if _ENERGY not in slow:
        raise MissingDataError(
            f"the run has no photon energy {_ENERGY!r}, which method {method!r} needs. Correct "
            f"hrixs.mnemonics[{_ENERGY!r}], or use method 'auto'."
        )
    energies = np.asarray(slow[_ENERGY].of_trains(entries.train_id).values, dtype=np.float64)
    useless = ~(np.isfinite(energies) & (energies > 0))
    if useless.any():
        faults.add(
            f"{int(useless.sum())} images are skipped: method {method!r} needs a photon energy "
            f"{_ENERGY!r} above 0, which they do not have: "
            f"{named_trains(entries.train_id[useless])}.",
            n_skipped=int(useless.sum()),
            train_ids=entries.train_id[useless],
        )
    if useless.all():
        raise MissingDataError(f"no image of the run has a photon energy {_ENERGY!r}.")
    return energies


def _over_trains(reduced: xr.Dataset, used: Entries, cells: tuple[str, ...]) -> xr.Dataset:
    within = {f"within_{number}": name for number, name in enumerate(cells)}
    renamed = reduced.drop_vars("entry").rename({"entry": "trainId"} | within)
    result = renamed.assign_coords(trainId=used.train_id)
    if "photon_frame" in result:
        frames_per_entry = int(np.prod(result["spectrum"].shape[1:-1], dtype=np.int64))
        ids = used.train_id[result["photon_frame"].values // frames_per_entry]
        result["photon_trainId"] = ("photon", ids)
    return result


def _columns(slow: dict[str, SlowData], used: Entries, faults: Faults) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, data in slow.items():
        lacking = int((~data.has_value(used.train_id)).sum())
        if lacking:
            faults.uncounted(f"values of {name}").add(
                f"{lacking} of {len(used)} images have no value of {name}; it is NaN there."
            )
        columns[name] = data.of_trains(used.train_id)
    return columns
