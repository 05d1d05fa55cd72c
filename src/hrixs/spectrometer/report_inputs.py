"""Additional contents of a page: mean image, mask, time of the measurement."""

from __future__ import annotations

import copy
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.reports.facts import run_labels, times_text
from hrixs.reports.writing import opened, write_report
from hrixs.runs.run import run_name
from hrixs.settings.attributes import Settings
from hrixs.spectrometer import inputs
from hrixs.spectrometer.inputs import RunOrData
from hrixs.spectrometer.recipe import uses_dark
from hrixs.utils.errors import HrixsWarning
from hrixs.utils.provenance import PATH, run_label

# Errors that may occur for a run that was not asked for by name.
_NOT_THERE = (LookupError, ValueError, TypeError, OSError, ImportError)


def report(
    h: Settings,
    data: xr.Dataset | str | os.PathLike[str],
    path: str | os.PathLike[str],
    of: RunOrData | None,
    **options: Any,
) -> Path:
    """Write a result as a page, with the image and times that can be found."""
    result = opened(data)
    found: dict[str, Any] = {}
    if "image" not in options:
        found = _of_run(h, result, of)
    found |= {} if h.MASK is None else {"mask": h.MASK}
    if of is not None and not isinstance(of, xr.Dataset):
        found["run"] = run_label(run_name(of))
    return write_report(result, path, **found | options)


def _of_run(h: Settings, result: xr.Dataset, run: RunOrData | None) -> dict[str, Any]:
    """The image of a run, or the reason why there is none; a run given by name must exist."""
    if run is not None:
        return {"image": _mean_image(h, run)} | _times(h, run)
    if h.DETECTOR in result:
        return {"image": _mean_image(h, result)}
    named = _runs_of(result)
    if not named:
        return {}
    proposal = str(result.attrs.get("proposal", "")) or None
    beside = copy.copy(h)
    if proposal is not None:
        beside.PROPOSAL = proposal
    (label, run), *others = named.items()
    if others:
        return _of_the_first(beside, label, run, len(named))
    try:
        return {"image": _mean_image(beside, run)} | _times(beside, run)
    except _NOT_THERE as error:
        why = f"The mean image is missing: the run's files were not found or not read ({error})."
        return {"why_no_image": f"{why} Give the run: `h.report(result, path, run)`."}


def _of_the_first(h: Settings, label: str, run: str, n_runs: int) -> dict[str, Any]:
    """The image of the first of several runs; it does not show the others."""
    another = "`h.report(result, path, run)` draws that of another one."
    try:
        image = _mean_image(h, run)
    except _NOT_THERE as error:
        why = f"The mean image of {label}, the first of {n_runs} runs, is missing ({error})."
        return {"why_no_image": f"{why} {another}"}
    of = str(image.attrs["long_name"]).replace(
        "of the run", f"of {label}, the first of {n_runs} runs"
    )
    return {"image": image.assign_attrs(long_name=of, comment=another)}


def _runs_of(result: xr.Dataset) -> dict[str, str]:
    """Path or number of each run of a result, by label; empty if one is unknown."""
    paths = {str(name): str(value) for name, value in result.attrs.items()}
    paths = {name: value for name, value in paths.items() if name.startswith(PATH)}
    labels = run_labels(result) or [name.removeprefix(PATH) for name in paths]
    numbers = {one: one[1:] for one in labels if one[:1] == "r" and one[1:].isdecimal()}
    found = {one: paths.get(f"{PATH}{one}", numbers.get(one, "")) for one in labels}
    return found if all(found.values()) else {}


def _mean_image(h: Settings, run: RunOrData) -> xr.DataArray:
    """Mean image of the whole chip, so that the crop is visible; otherwise of the crop."""
    whole = copy.copy(h)
    whole.X_RANGE = whole.Y_RANGE = slice(None)
    whole.MASK = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)  # said with the result
        try:
            image = inputs.mean_image(whole, run, None)
        except ValueError:  # a dark of the crop alone
            image = inputs.mean_image(h, run, None)
    dark = "less the dark" if uses_dark(h) else "no dark subtracted"
    return image.assign_attrs(long_name=f"mean of all images of the run, {dark}")


def _times(h: Settings, run: RunOrData) -> dict[str, str]:
    """Time at which the trains of a run were taken, if its files state it."""
    if isinstance(run, xr.Dataset):
        return {}
    import h5py  # most of the time of an import

    times = []
    try:
        for file in inputs.opened_run(h, run, None).files:
            with h5py.File(file.path) as opened:
                if "INDEX/timestamp" in opened:
                    times.append(np.asarray(opened["INDEX/timestamp"], dtype=np.uint64))
    except _NOT_THERE:
        return {}
    stamps = np.concatenate([*times, np.zeros(0, np.uint64)])
    stamps = stamps[stamps > 0].astype("datetime64[ns]")
    return {"measured": times_text(stamps.min(), stamps.max())} if stamps.size else {}
