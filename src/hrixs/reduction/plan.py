"""What is to be done with a run's images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.reduction.analysis import Analysis
from hrixs.runs.index import Entries


@dataclass(frozen=True)
class Plan:
    """What is to be done with a run's images.

    Attributes
    ----------
    entries
        The index of the images.
    crop
        Pixels of x and y to use.
    swapped
        Whether the frames in the files are (..., y, x).
    analysis
        What is done with the images.
    energies
        Photon energy of each entry, in eV; NaN if not known.
    photons
        Whether to return the photon table.
    spectra
        Whether to make spectra.
    """

    entries: Entries
    crop: tuple[slice, slice]
    swapped: bool
    analysis: Analysis
    energies: NDArray[np.float64] | None = None
    photons: bool = False
    spectra: bool = True

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Pixels of x and y of the crop."""
        chip = self.entries.shape[-2:][:: -1 if self.swapped else 1]
        nx, ny = (len(range(n)[part]) for n, part in zip(chip, self.crop, strict=True))
        return nx, ny

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """Entries that can be analysed."""
        if self.energies is None:
            return np.ones(len(self.entries), dtype=bool)
        return np.isfinite(self.energies) & (self.energies > 0)

    def energy_of(self, entry: int) -> float | None:
        """Photon energy of an entry; None if it is not used."""
        return None if self.energies is None else float(self.energies[entry])

    def energies_of(
        self, entries: NDArray[np.int64], frames: NDArray[Any]
    ) -> NDArray[np.float64] | None:
        """Photon energy of each frame of some entries; None if it is not used."""
        if self.energies is None:
            return None
        n_within = (1,) * (frames.ndim - 3)
        return np.broadcast_to(self.energies[entries].reshape(-1, *n_within), frames.shape[:-2])
