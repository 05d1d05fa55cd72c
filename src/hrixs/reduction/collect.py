"""Collect the results of parts in the order of the images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt, new_ones, tell, with_doubts
from hrixs.doubt_rules.images import Names
from hrixs.level.told import told, variables
from hrixs.photons.charge_balance import with_ratio
from hrixs.photons.table import table_of_columns
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.evidence import Evidence
from hrixs.reduction.judge import Seen, judged
from hrixs.reduction.part_result import PartResult, add_counts
from hrixs.reduction.plan import Plan
from hrixs.utils.provenance import frames_attrs, frames_of_attrs


class Collected:
    """Results of parts, sorted in the order of the entries."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.good = np.zeros(len(plan.entries), dtype=bool)
        self.seen = np.zeros(len(plan.entries), dtype=bool)
        self.failed: list[tuple[int, str]] = []
        self.attrs: dict[str, Any] = {}
        self._spectra: NDArray[Any] | None = None
        self._y: NDArray[np.float64] | None = None
        self._tables: dict[int, dict[str, NDArray[Any]]] = {}
        self._evidence: list[tuple[NDArray[np.int64], dict[str, NDArray[Any]]]] = []
        self._mended: list[tuple[NDArray[np.int64], dict[str, NDArray[Any]]]] = []

    def settle(self, analysis: Analysis) -> None:
        """Take the analysis with what the first images have shown."""
        self._plan = replace(self._plan, analysis=analysis)
        self.attrs |= analysis.attrs

    def add(self, result: PartResult) -> None:
        """Add the result of a part, in any order."""
        self.failed += result.failed
        self.seen[[entry for entry, _ in result.failed]] = True
        if not len(result.entries):
            return
        if self._spectra is None:
            shape = (len(self.good), *result.spectra.shape[1:])
            self._spectra = np.empty(shape, result.spectra.dtype)
            self._y = result.y
            self.attrs = dict(result.attrs)
        else:
            self.attrs = add_counts(self.attrs, result.attrs)
        self._spectra[result.entries] = result.spectra
        self.good[result.entries] = True
        self.seen[result.entries] = True
        if result.photons:
            self._split(result)
        if result.evidence:
            self._evidence.append((result.entries, result.evidence))
        if result.mended:
            self._mended.append((result.entries, result.mended))

    def _split(self, result: PartResult) -> None:
        """Store the photons by entry; ``frame`` counts within the entry."""
        frames_per_entry = int(np.prod(result.spectra.shape[1:-1], dtype=np.int64))
        entry, within = np.divmod(result.photons["frame"], frames_per_entry)
        borders = np.searchsorted(entry, np.arange(len(result.entries) + 1))
        columns = result.photons | {"frame": within}
        for number, begin, end in zip(result.entries, borders[:-1], borders[1:], strict=True):
            self._tables[int(number)] = {name: v[begin:end] for name, v in columns.items()}

    def dataset(self) -> xr.Dataset:
        """All results in the order of the entries."""
        assert self._spectra is not None
        numbers = np.flatnonzero(self.good)
        for place, number in enumerate(numbers):  # in place, since a copy may be large
            if place != number:
                self._spectra[place] = self._spectra[number]
        spectra = self._spectra[: len(numbers)]
        attrs = with_ratio(self.attrs)
        doubts = self.doubts(spectra, numbers, attrs)
        tell(new_ones(doubts, self._plan.analysis.doubts))
        columns, of_mending = self._columns_of_mending(spectra.shape[1:-1])
        attrs = with_doubts(attrs | of_mending, doubts)
        dims = ("entry", *(f"within_{d}" for d in range(spectra.ndim - 2)), "y")
        data: dict[str, Any] = {"spectrum": (dims, spectra, attrs)}
        if self._plan.analysis.gives_photons:
            data["n_photons"] = (dims[:-1], spectra.sum(axis=-1))
        for name, (values, own_attrs) in columns.items():
            data[name] = (dims[:-1], values.reshape(spectra.shape[:-1]), own_attrs)
        for name, values in self._columns().items():
            data[f"photon_{name}"] = ("photon", values)
        return xr.Dataset(data, coords={"entry": numbers, "y": ("y", self._y)})

    def _columns_of_mending(
        self, within: tuple[int, ...]
    ) -> tuple[dict[str, tuple[NDArray[Any], dict[str, str]]], dict[str, Any]]:
        """Columns of the corrections of each image, and their counts, with a warning."""
        mending = self._plan.analysis.mending
        if mending is None:
            return {}, {}
        parts = sorted(self._mended, key=lambda part: int(part[0][0]))
        columns = {
            name: np.concatenate([own[name] for _, own in parts]) for name in mending.columns
        }
        entries = np.concatenate([own for own, _ in parts])
        names = np.repeat(self._plan.entries.train_id[entries], int(np.prod(within, dtype=int)))
        return variables(columns), mending.attrs() | told(columns, Names("train", names.tolist()))

    def doubts(
        self, spectra: NDArray[np.float64], numbers: NDArray[np.int64], attrs: dict[str, Any]
    ) -> list[Doubt]:
        """Doubts about all images, from their spectra and the numbers of their entries."""
        analysis = self._plan.analysis
        if not self._evidence:
            return list(analysis.doubts)
        parts = sorted(self._evidence, key=lambda part: int(part[0][0]))
        entries = np.concatenate([own for own, _ in parts])
        per_entry = int(np.prod(spectra.shape[1:-1], dtype=np.int64))
        of_frames = spectra[np.searchsorted(numbers, entries)].reshape(-1, spectra.shape[-1])
        evidence = Evidence.joined([own for _, own in parts])
        names = np.repeat(self._plan.entries.train_id[entries], per_entry).tolist()
        seen = Seen(analysis, evidence, self._plan.frame_shape)
        return judged(seen, attrs, of_frames, names=Names("train", names))

    def table(self) -> xr.Dataset:
        """All photons in the order of the entries; ``frame`` counts those that could be used."""
        dims, shape = frames_of_attrs(self.attrs) or ([], ())  # from the first part
        of_all = frames_attrs(dims, (int(self.good.sum()), *shape[1:])) if shape else {}
        return table_of_columns(self._columns(), self.attrs | of_all)

    def _columns(self) -> dict[str, NDArray[Any]]:
        if not self._tables:
            return {}
        assert self._spectra is not None
        numbers = np.flatnonzero(self.good)
        frames_per_entry = int(np.prod(self._spectra.shape[1:-1], dtype=np.int64))
        tables = [self._tables[int(number)] for number in numbers]
        columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
        counts = [len(table["frame"]) for table in tables]
        columns["frame"] = columns["frame"] + frames_per_entry * np.repeat(
            np.arange(len(numbers)), counts
        )
        return columns
