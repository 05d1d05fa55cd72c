"""The first trains of a watch, kept until they have told what one photon is like, and the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hrixs.reduction.analysis import Analysis, resolves
from hrixs.spectrometer.recipe import learned
from hrixs.spectrometer.spectrometer import hRIXS

#: As many tell it as of a run.
_TRAINS_TO_LEARN_FROM = 8
# Where they have too few photons, more are waited for, and then the oldest are passed over.
_MOST_TRAINS = 32


@dataclass(frozen=True)
class Train:
    """One train with an image.

    Attributes
    ----------
    train_id : int
    images : xarray.DataArray
    energy : float
        Photon energy in eV; NaN where it is not known, or not asked for.
    time : float
        `time.monotonic` when it came.
    """

    train_id: int
    images: xr.DataArray
    energy: float
    time: float

    def dataset(self, camera: str) -> xr.Dataset:
        """Return it as a run's dataset is."""
        data = xr.Dataset({camera: self.images})
        return data.assign(nrj=self.energy) if np.isfinite(self.energy) else data


class FirstTrains:
    """Trains that wait until there are enough to learn from.

    Parameters
    ----------
    h : hRIXS
        The settings.
    method : str
        Where it resolves photons, or chooses the way, their charge and cloud are learned.

    Attributes
    ----------
    analysis : Analysis or None
        What they have told; None before, and for methods that need none.
    trains : list of Train
        Those that wait.
    """

    def __init__(self, h: hRIXS, method: str) -> None:
        self.h, self.method = h, method
        self.analysis: Analysis | None = None
        self.trains: list[Train] = []
        self._next = _TRAINS_TO_LEARN_FROM

    @property
    def is_waiting(self) -> bool:
        """Whether trains have to wait."""
        return resolves(self.method) and self.analysis is None

    def add(self, train: Train) -> bool:
        """Let a train wait; tell whether there are enough."""
        self.trains.append(train)
        return len(self.trains) >= (1 if self._all_is_known(train) else self._next)

    def learn(self) -> list[Train]:
        """Learn from those that wait, which do so no more.

        Raises
        ------
        MissingDataError
            If they have too few photons that stand alone: then they wait on.
        """
        trains = [train.dataset(self.h.DETECTOR) for train in self.trains]
        self.analysis = learned(self.h, self.method, trains)
        return self.leave(len(self.trains))

    def pass_over(self) -> list[Train]:
        """Wait for more trains to learn from; those that can't be kept any longer leave."""
        if len(self.trains) < _MOST_TRAINS:
            self._next = 2 * len(self.trains)
            return []
        return self.leave(_MOST_TRAINS // 2)

    def leave(self, n: int) -> list[Train]:
        """The first `n` wait no more."""
        left, self.trains = self.trains[:n], self.trains[n:]
        return left

    def _all_is_known(self, train: Train) -> bool:
        has_charge = self.h.PHOTON_CHARGE is not None or np.isfinite(train.energy)
        return self.method == "resolve" and self.h.CLOUD_SIGMA is not None and bool(has_charge)
