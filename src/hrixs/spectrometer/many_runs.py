"""Spectra of several runs as one dataset."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from hrixs.doubt_rules.doubt import DOUBTS, from_text, tell
from hrixs.runs.run import RunLike, run_name
from hrixs.scans.elastic import align_elastic
from hrixs.scans.joining import concat
from hrixs.spectrometer.finished_runs import load_finished, save_finished, task_of
from hrixs.utils.checks import require_word
from hrixs.utils.errors import (
    ChargeBalanceWarning,
    DoubtWarning,
    FaultyRunError,
    HrixsWarning,
    LostPhotonsWarning,
    warn,
)
from hrixs.utils.folder_lock import working_in
from hrixs.utils.progress import Progress
from hrixs.utils.provenance import digest, run_label

if TYPE_CHECKING:
    from hrixs.spectrometer.spectrometer import hRIXS

# Doubts of single runs, which are reported once for all runs.
_DOUBTS = (DoubtWarning, LostPhotonsWarning, ChargeBalanceWarning)


def process_runs(
    h: hRIXS,
    runs: Sequence[RunLike],
    *,
    align: str | None = None,
    elastic: float | xr.DataArray | None = None,
    within: float | None = None,
    region: tuple[float, float] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    strict: bool = False,
    progress: bool = True,
    **options: Any,
) -> xr.Dataset:
    """Process runs one after the other; see `hrixs.hRIXS.process_runs`."""
    require_word("align", align, ("elastic",))
    if options.get("deconvolve") and align is not None:
        raise ValueError(
            f"align={align!r} and deconvolve=True are given, expected only one: align moves "
            "the spectra of images, deconvolve makes one spectrum of all images."
        )
    of_lines = {"elastic": elastic, "within": within, "region": region}
    given = [name for name, value in of_lines.items() if value is not None]
    if align is None and given:
        raise ValueError(f"{given[0]} is given without align='elastic'.")
    names = names_of(runs)
    results: dict[str, xr.Dataset] = {}
    failed: dict[str, Exception] = {}
    told = _Told()
    with Progress(len(names), wanted=progress, unit=" runs") as bar:
        for name, run in zip(names, runs, strict=True):
            folder = None if checkpoint is None else Path(checkpoint) / name
            own = {"strict": strict, "progress": False, **options}
            try:
                results[name] = _one(h, run, name, folder, told, own)
            except Exception as error:
                if strict:
                    error.add_note(f"In run {name}.")
                    raise
                failed[name] = error
            bar.add(1)
    texts = [f"{name}: {str(error) or type(error).__name__}" for name, error in failed.items()]
    if not results:
        first = next(iter(failed.values()))
        raise FaultyRunError(f"none of {len(names)} runs could be processed. {texts[0]}") from first
    told.tell()
    for text in texts:
        warn(f"run {text} It is left out.")
    result = concat(results)
    if DOUBTS in result["spectrum"].attrs:
        tell(from_text(result["spectrum"].attrs[DOUBTS]))
    if align is not None:
        result = align_elastic(result, elastic=elastic, within=within, region=region)
    return result.assign_attrs(failed_runs="\n".join(texts), n_failed_runs=len(failed))


def names_of(runs: Sequence[RunLike]) -> list[str]:
    """A name for each run, such as ``r0145``; longer if names would be equal.

    Raises
    ------
    ValueError
        If there is no run, or one is given twice.
    TypeError
        If it is a run and not a list of runs.
    """
    if isinstance(runs, str | os.PathLike | int | np.integer) or not hasattr(runs, "__iter__"):
        raise TypeError(f"runs is {runs!r}, expected a list of runs: [145, 146], range(145, 161).")
    try:
        whole = [run_name(run) for run in runs]
    except AttributeError:
        raise TypeError(
            f"{type(runs).__name__} of something else given, expected a list of runs: numbers, "
            "folders, or open ones."
        ) from None
    if not whole:
        raise ValueError("there is no run to process, expected a list of them.")
    twice = sorted({name for name in whole if whole.count(name) > 1})
    if twice:
        raise ValueError(f"run {twice[0]} is given twice, expected each once.")
    short = [run_label(name) for name in whole]
    return [
        name if short.count(name) == 1 else f"{name}-{digest(full)[:6]}"
        for name, full in zip(short, whole, strict=True)
    ]


class _Told:
    """Warnings of runs; the same warning of several runs is given once, with their names."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, type[HrixsWarning]], list[str]] = {}

    def add(self, run: str, text: str, kind: type[HrixsWarning] = HrixsWarning) -> None:
        self._runs.setdefault((text, kind), []).append(run)

    def tell(self) -> None:
        for (text, kind), runs in self._runs.items():
            warn(f"run{'s' * (len(runs) > 1)} {', '.join(runs)}: {text}", kind)


def _one(
    h: hRIXS, run: RunLike, name: str, folder: Path | None, told: _Told, options: dict[str, Any]
) -> xr.Dataset:
    """Spectra of one run, or those finished before, in a folder."""
    if folder is None:
        return _processed(h, run, name, told, options)
    with working_in(folder):
        task = task_of(h, run, options)
        finished = load_finished(folder, task)
        if finished is not None:
            for fault in str(finished.attrs.get("faults", "")).splitlines():
                told.add(name, fault)
            return finished
        result = _processed(h, run, name, told, {"checkpoint": folder, **options})
        save_finished(folder, task, result)
    return result


def _processed(
    h: hRIXS, run: RunLike, name: str, told: _Told, options: dict[str, Any]
) -> xr.Dataset:
    """Spectra of a run; doubts are in its attributes, other warnings are collected."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = h.process_run(run, **options)
    for one in seen:
        if not issubclass(one.category, HrixsWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        elif not issubclass(one.category, _DOUBTS):
            told.add(name, str(one.message), one.category)
    return result
