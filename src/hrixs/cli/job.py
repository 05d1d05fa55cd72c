"""What a command does with each run."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from hrixs.cli.selection_options import Choice
from hrixs.output.suffixes import SUFFIXES
from hrixs.runs.mnemonic_table import mnemonics

if TYPE_CHECKING:
    from hrixs.spectrometer.spectrometer import hRIXS


@dataclass(frozen=True)
class Job:
    """Options of ``hrixs process`` that are the same for all runs; `params` are the settings."""

    method: str = "auto"
    deconvolve: bool = False
    oversample: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    proposal: str | None = None
    detector: str | None = None
    settings: str | None = None
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
        """The data that `name` means: images or photons as a dataset, or a run's number or path."""
        if is_number(name):
            return int(name)
        from hrixs.files.event_list import is_event_list, read_events
        from hrixs.files.images import is_image_source, open_images

        if isinstance(name, str) and is_event_list(name, self.dataset):
            photons = read_events(name)
            photons.encoding["files"] = [name]
            return photons
        if not is_image_source(name):
            return name
        data = open_images(name, detector=self.camera, **self._reading())
        print(data.attrs["images"])
        return data

    def run_options(self) -> dict[str, Any]:
        """Options of `process_run` for all runs, without the checkpoint."""
        names = ("method", "energy", "memory", "progress", "photons", "strict")
        how = {name: getattr(self, name) for name in names} | {"extra_fields": self.fields}
        return how | self.deconvolution | self.choice.of_run

    @property
    def deconvolution(self) -> dict[str, Any]:
        """Options for deconvolved spectra; empty if they are not asked for."""
        given = {"deconvolve": self.deconvolve or None, "oversample": self.oversample}
        return {name: value for name, value in given.items() if value is not None}

    def spectrometer(self) -> hRIXS:
        """The class with settings, dark and mask that are used for all runs."""
        h = copy.copy(self._loaded)
        given = {"proposal": self.proposal, "detector": self.detector}
        h.set_params(**{name: value for name, value in given.items() if value is not None})
        h.set_params(**self.params)
        if self.mask is not None:
            from hrixs.files.images import open_mask

            h.MASK = open_mask(self.mask, **self._reading(stack_axis=None, dataset=None)) != 0
        if self.dark is not None:
            h.load_dark(self.source(self.dark))
        return h

    @property
    def camera(self) -> str:
        """Name of the camera."""
        return self.detector or self._loaded.DETECTOR

    @cached_property
    def _loaded(self) -> hRIXS:
        """The class with settings of a file or of a result; with the defaults if none is given."""
        from hrixs.spectrometer.spectrometer import hRIXS

        if self.settings is None:
            return hRIXS()
        if is_result(self.settings):
            return hRIXS.from_result(self.settings)
        return hRIXS.load(self.settings)

    def _reading(self, **others: Any) -> dict[str, Any]:
        """Options of `open_images` for image files."""
        names = ("dataset", "stack_axis", "transpose")
        return {name: getattr(self, name) for name in names} | others

    def task(self, h: hRIXS, source: Any) -> str:
        """A text that differs if the result would differ."""
        import xarray as xr

        from hrixs.runs.run import open_run
        from hrixs.settings.state import plain_beside, plain_settings
        from hrixs.utils.provenance import __version__, digest

        how = asdict(self)
        for name in ("memory", "progress", "resume"):
            del how[name]
        if isinstance(source, xr.Dataset):
            paths = source.encoding["files"]
        else:
            paths = [file.path for file in open_run(source, h.PROPOSAL, data=h.DATA).files]
        stats = [os.stat(path) for path in paths]
        files = [
            (path, stat.st_size, stat.st_mtime_ns) for path, stat in zip(paths, stats, strict=True)
        ]
        where = {
            name: mnemonics.get(name) for name in (*h.FIELDS, *self.fields) if isinstance(name, str)
        }
        return digest(__version__, how, files, where, plain_settings(h), plain_beside(h))


def is_number(name: str | Sequence[str]) -> TypeGuard[str]:
    """Whether a run's number is meant, and no file."""
    return isinstance(name, str) and name.isdigit() and not Path(name).exists()


def is_result(settings: str) -> bool:
    """Whether the settings file is a result of hrixs, by its name."""
    return Path(settings).suffix.lower() in SUFFIXES
