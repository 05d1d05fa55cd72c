"""The first trains of a watch, kept until the charge and cloud of a photon are known from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hrixs.reduction.analysis import Analysis, resolves
from hrixs.spectrometer.recipe import learned
from hrixs.spectrometer.spectrometer import hRIXS

#: Number of trains to learn from, as for a run.
_TRAINS_TO_LEARN_FROM = 8
# If they have too few photons, wait for more, up to this number; then leave out the oldest.
_MOST_TRAINS = 32


@dataclass(frozen=True)
class Train:
    """One train with an image.

    Attributes
    ----------
    train_id : int
    images : xarray.DataArray
    energy : float
        Photon energy in eV; NaN if it is not known or not needed.
    time : float
        `time.monotonic` when it came.
    """

    train_id: int
    images: xr.DataArray
    energy: float
    time: float

    def dataset(self, camera: str) -> xr.Dataset:
        """Return the train as a dataset, like that of a run."""
        data = xr.Dataset({camera: self.images})
        return data.assign(nrj=self.energy) if np.isfinite(self.energy) else data


class FirstTrains:
    """Trains that wait until there are enough to learn from.

    Parameters
    ----------
    h : hRIXS
        The settings.
    method : str
        For ``'resolve'`` and ``'best'`` the charge and cloud of a photon are learned.

    Attributes
    ----------
    analysis : Analysis or None
        The analysis that was learned; None before, and for methods that need none.
    trains : list of Train
        Waiting trains.
    """

    def __init__(self, h: hRIXS, method: str) -> None:
        self.h, self.method = h, method
        self.analysis: Analysis | None = None
        self.trains: list[Train] = []
        self._next = _TRAINS_TO_LEARN_FROM

    @property
    def is_waiting(self) -> bool:
        """Whether trains must wait."""
        return resolves(self.method) and self.analysis is None

    def add(self, train: Train) -> bool:
        """Add a waiting train; return whether there are enough."""
        self.trains.append(train)
        return len(self.trains) >= (1 if self._all_is_known(train) else self._next)

    def learn(self) -> list[Train]:
        """Learn from the waiting trains, and return them.

        Raises
        ------
        MissingDataError
            If they have too few isolated photons; then they keep waiting.
        """
        trains = [train.dataset(self.h.DETECTOR) for train in self.trains]
        self.analysis = learned(self.h, self.method, trains)
        return self.leave(len(self.trains))

    def pass_over(self) -> list[Train]:
        """Wait for more trains; return the oldest ones that are not kept any longer."""
        if len(self.trains) < _MOST_TRAINS:
            self._next = 2 * len(self.trains)
            return []
        return self.leave(_MOST_TRAINS // 2)

    def leave(self, n: int) -> list[Train]:
        """Remove and return the first `n` trains."""
        left, self.trains = self.trains[:n], self.trains[n:]
        return left

    def _all_is_known(self, train: Train) -> bool:
        has_charge = self.h.PHOTON_CHARGE is not None or np.isfinite(train.energy)
        return self.method == "resolve" and self.h.CLOUD_SIGMA is not None and bool(has_charge)
