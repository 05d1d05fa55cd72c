"""What is to be done with each run of a command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.files.event_list import is_event_list, read_events
from hrixs.runs.image_stacks import is_image_file, read_images
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
        """What `name` stands for: images or photons as a dataset, else a run's number or path."""
        if is_event_list(name, self.dataset):
            return read_events(name)
        if is_image_file(name):
            return read_images(name, self.detector, dataset=self.dataset, transpose=self.transpose)
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
