"""What is done with a stack of cropped frames: the settings as they were when the work began."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.errors import NonFinitePixelsError, TooManyPhotonsError, unknown_name
from hrixs.frames import Frames
from hrixs.histogram import photon_spectrum
from hrixs.integration import integrate_frames
from hrixs.photons import classify_photons, find_photons

#: So many of the first entries tell how wide the charge cloud is, where nobody does.
ENTRIES_FOR_A_CLOUD = 8

#: Ways to make a spectrum: photons by a threshold from the image, or by their energy; or intensity.
METHODS = ("auto", "manual", "integrate")


@dataclass(frozen=True)
class Analysis:
    """Plain settings, so that they can be sent to other processes.

    Attributes
    ----------
    method
        One of `METHODS`.
    options
        Of `find_photons` or `classify_photons`.
    chip
        Dark and mask, cropped as the frames are, and threads.
    curvature
        ``(CURVE_A, CURVE_B)``.
    bins
        Of a counted spectrum, over all rows of the crop.
    """

    method: str
    options: dict[str, Any]
    chip: dict[str, Any]
    curvature: tuple[float, float]
    bins: int

    @property
    def counts_photons(self) -> bool:
        """Whether there is a photon table on the way."""
        return self.method != "integrate"

    @property
    def needs_energy(self) -> bool:
        """Whether the photon energy of each frame is asked for."""
        return self.method == "manual"

    @property
    def needs_cloud(self) -> bool:
        """Whether the width of the charge cloud has to be estimated before the work begins."""
        fits = self.counts_photons and self.options.get("position") == "gaussian"
        return fits and self.options.get("cloud_sigma") is None

    def with_cloud_of(
        self, frames: xr.DataArray | ArrayLike | Frames, energy: ArrayLike | None = None
    ) -> Analysis:
        """Return the same with the width of the charge cloud in `frames`, the first of the run."""
        cloud_sigma = self.photons(frames, energy).attrs["cloud_sigma"]
        return replace(self, options=self.options | {"cloud_sigma": cloud_sigma})

    def can_use(self, frames: ArrayLike, energy: ArrayLike | None = None) -> bool:
        """Whether photons are found in `frames` without an error about their pixels."""
        plain = replace(self, options=self.options | {"position": "com", "split_doubles": False})
        try:
            plain.photons(frames, energy)
        except (NonFinitePixelsError, TooManyPhotonsError):
            return False
        return True

    def with_threads(self, threads: int) -> Analysis:
        """Return the same with another number of threads."""
        return replace(self, chip=self.chip | {"threads": threads})

    def photons(
        self, frames: xr.DataArray | ArrayLike | Frames, energy: ArrayLike | None = None
    ) -> xr.Dataset:
        """Photon table of frames; `energy` in eV where it is needed."""
        if self.method == "auto":
            return find_photons(frames, **self.options, **self.chip)
        return classify_photons(
            frames, np.asarray(energy, dtype=np.float64), **self.options, **self.chip
        )

    def counted(self, photons: xr.Dataset, n_rows: int) -> xr.DataArray:
        """Spectra of a photon table over all `n_rows` rows of the crop."""
        return photon_spectrum(photons, bins=self.bins, range=(0, n_rows), curvature=self.curvature)

    def integrated(self, frames: Frames) -> xr.DataArray:
        """Integrated spectra of frames."""
        labelled = replace(frames, labelled=True)
        return cast(xr.DataArray, integrate_frames(labelled, curvature=self.curvature, **self.chip))

    def spectra(self, frames: Frames, energy: ArrayLike | None = None) -> xr.DataArray:
        """Spectra of frames, in the way of the method."""
        if not self.counts_photons:
            return self.integrated(frames)
        return self.counted(self.photons(frames, energy), frames.frame_shape[1])


def require_method(method: str, known: tuple[str, ...] = METHODS) -> None:
    """Raise ValueError for an unknown method."""
    if method not in known:
        raise ValueError(unknown_name("method", method, known))
