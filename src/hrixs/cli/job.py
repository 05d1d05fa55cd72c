"""What is to be done with each run of a command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.cli.selection_options import Choice
from hrixs.files.event_list import is_event_list, read_events
from hrixs.files.images import is_image_source, open_images, open_mask
from hrixs.runs.mnemonic_table import mnemonics
from hrixs.runs.run import open_run
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.provenance import __version__, digest


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
    aggregate: Sequence[str] = ()
    grouping: dict[str, Any] = field(default_factory=dict)
    normalize: str | None = None
    background: dict[str, Any] | None = None
    transpose: bool = False
    dataset: str | None = None
    stack_axis: int | None = None
    stack: bool = False
    photons: bool = False
    strict: bool = False
    memory: str | None = None
    progress: bool = True
    resume: bool = False
    choice: Choice = field(default_factory=Choice)
    map: str | None = None
    map_axis: str = "energy_loss"
    together: bool = False
    align: str | None = None
    within: float | None = None

    def source(self, name: str | Sequence[str]) -> Any:
        """What `name` stands for: images or photons as a dataset, else a run's number or path."""
        if isinstance(name, str) and name.isdigit() and not Path(name).exists():
            return int(name)
        if isinstance(name, str) and is_event_list(name, self.dataset):
            photons = read_events(name)
            photons.encoding["files"] = [name]
            return photons
        if not is_image_source(name):
            return name
        data = open_images(name, detector=self.detector, **self._reading())
        print(data.attrs["images"])
        return data

    def run_options(self) -> dict[str, Any]:
        """How runs are processed, as options of `process_run`, all but its checkpoint."""
        names = ("method", "energy", "memory", "progress", "photons", "strict")
        how = {name: getattr(self, name) for name in names} | {"extra_fields": self.fields}
        return how | self.choice.of_run

    def spectrometer(self) -> hRIXS:
        """Settings with dark and mask, as they are for all runs."""
        h = hRIXS(self.proposal, self.detector)
        h.set_params(**self.params)
        if self.mask is not None:
            h.MASK = open_mask(self.mask, **self._reading(stack_axis=None, dataset=None)) != 0
        if self.dark is not None:
            h.load_dark(self.source(self.dark))
        return h

    def _reading(self, **others: Any) -> dict[str, Any]:
        """How image files are read, as options of `open_images`."""
        names = ("dataset", "stack_axis", "transpose")
        return {name: getattr(self, name) for name in names} | others

    def task(self, h: hRIXS, source: Any) -> str:
        """Text that is another one where the result would be."""
        how = asdict(self)
        for name in ("memory", "progress", "resume"):
            del how[name]
        if isinstance(source, xr.Dataset):
            paths = source.encoding["files"]
        else:
            paths = [file.path for file in open_run(source, self.proposal, data=h.DATA).files]
        stats = [os.stat(path) for path in paths]
        files = [
            (path, stat.st_size, stat.st_mtime_ns) for path, stat in zip(paths, stats, strict=True)
        ]
        where = {
            name: mnemonics.get(name) for name in (*h.FIELDS, *self.fields) if isinstance(name, str)
        }
        chip = [np.asarray(one, dtype=np.float64) for one in (h.dark_image, h.MASK)]
        return digest(__version__, how, files, where, repr(h), *chip)
