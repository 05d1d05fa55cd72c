"""The spectrum of one train of a watch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainSpectrum:
    """One train's spectrum.

    Attributes
    ----------
    train_id : int
        The train.
    spectrum : numpy.ndarray, shape (energy,)
        The sum over the train's images.
    n_images : int
        How many these are.
    photons : float
        Photons in the spectrum; NaN where none are counted.
    energy : float
        Photon energy in eV; NaN where it was not asked for.
    time : float
        `time.monotonic` when the train came.
    """

    train_id: int
    spectrum: NDArray[np.float64]
    n_images: int
    photons: float
    energy: float
    time: float
