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
        Id of the train.
    spectrum : numpy.ndarray, shape (energy,)
        Sum over the images of the train.
    n_images : int
        Number of images.
    photons : float
        Photons in the spectrum; NaN if none are counted.
    energy : float
        Photon energy in eV; NaN if it is not needed.
    time : float
        `time.monotonic` when the train came.
    """

    train_id: int
    spectrum: NDArray[np.float64]
    n_images: int
    photons: float
    energy: float
    time: float
