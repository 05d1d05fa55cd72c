"""Doubts about a watch, from its last images."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.images import Names
from hrixs.reduction.analysis import Analysis
from hrixs.reduction.judge import Seen, judged
from hrixs.spectra.dataset import COUNTS

# Number of images judged together, and most images before they are judged again.
_MOST_IMAGES, _MOST_BETWEEN = 100, 20
# Reported for the whole watch.
_TOLD_OTHERWISE = ("lost_share", "lost_photons")


class DoubtsOfWatch:
    """Collect what images show, and judge them from time to time.

    Attributes
    ----------
    found : dict of str to Doubt
        Doubts by code, as first found.
    """

    def __init__(self) -> None:
        self.found: dict[str, Doubt] = {}
        self._images: deque[tuple[Seen, xr.DataArray, int]] = deque(maxlen=_MOST_IMAGES)
        self._first: Analysis | None = None  # the only analysis that was checked
        self._n = 0
        self._next = 1

    def add(self, seen: Seen, spectrum: xr.DataArray, train_id: int) -> list[Doubt]:
        """Add what the images of a train show; return new doubts."""
        self._first = self._first or seen.analysis
        self._images.append((seen, spectrum, train_id))
        self._n += 1
        if self._n < self._next:
            return []
        self._next = self._n + min(max(1, self._n // 2), _MOST_BETWEEN)
        new = [doubt for doubt in self._judged() if doubt.code not in self.found]
        self.found |= {doubt.code: doubt for doubt in new}
        return new

    def _judged(self) -> list[Doubt]:
        seen = [one for one, _, _ in self._images]
        spectra = [one.values.reshape(-1, one.shape[-1]) for _, one, _ in self._images]
        last = self._images[-1][1].attrs
        attrs: dict[Any, Any] = {k: v for k, v in last.items() if k not in _TOLD_OTHERWISE}
        if "lost_share" in last:
            attrs.pop("photons_of_first", None)
        for count in COUNTS:
            if count in attrs:
                attrs[count] = sum(one.attrs[count] for _, one, _ in self._images)
        names = [
            train_id
            for (_, _, train_id), own in zip(self._images, spectra, strict=True)
            for _ in range(len(own))
        ]
        assert self._first is not None
        joined = replace(Seen.joined(seen), analysis=self._first)
        return judged(joined, attrs, np.concatenate(spectra), names=Names("train", names))
