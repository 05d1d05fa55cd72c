"""What is done with a stack of cropped frames: the settings as they were when the work began."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.curve import Curvature
from hrixs.camera.frames import Frames, as_frames
from hrixs.photons.classify import classify_photons
from hrixs.photons.cloud_width import CloudEstimate, cloud_of_first, mean_cloud
from hrixs.photons.find import find_photons
from hrixs.photons.placement import fits_clouds
from hrixs.photons.table import placed_on_chip, table_columns
from hrixs.spectra.counted import photon_spectrum
from hrixs.spectra.integrated import integrate_frames
from hrixs.utils.errors import (
    MissingDataError,
    NonFinitePixelsError,
    TooManyPhotonsError,
    unknown_name,
)

#: Frames of so many first entries, and the photon energies of these.
FirstParts = Callable[[int], Iterable[tuple[Any, Any]]]

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
    camera
        Dark and mask, cropped as the frames are, and threads.
    curvature
        The curve of the lines on the whole chip.
    bins
        Of a counted spectrum, over all rows of the crop.
    origin
        Place (x, y) of the frames' first pixel on the full chip, whatever their coordinates say.
    estimated_cloud
        Whether the width of the charge cloud comes from the frames.
    """

    method: str
    options: dict[str, Any]
    camera: dict[str, Any]
    curvature: Curvature
    bins: int
    origin: tuple[int, int] = (0, 0)
    estimated_cloud: bool = False

    @property
    def counts_photons(self) -> bool:
        """Whether there is a photon table on the way."""
        return self.counts(self.method)

    @staticmethod
    def counts(method: str) -> bool:
        """Whether a method counts photons."""
        return method != "integrate"

    @property
    def needs_energy(self) -> bool:
        """Whether the photon energy of each frame is asked for."""
        return self.method == "manual"

    @property
    def needs_cloud(self) -> bool:
        """Whether the width of the charge cloud has to be estimated before the work begins."""
        fits = self.counts_photons and fits_clouds(self.options.get("position"))
        return fits and self.options.get("cloud_sigma") is None

    def with_cloud_of(self, n_entries: int, parts: FirstParts) -> Analysis:
        """Return the same with the width of the charge cloud in the first of `n_entries` entries.

        Parameters
        ----------
        n_entries : int
            Trains that there are.
        parts : callable
            Gives the frames of so many first entries, part by part, and their photon energies.
        """
        electrons = self.options.get("electrons_per_adu") is not None

        def fit_first(n: int, cloud_sigma: float) -> CloudEstimate:
            fitting = self._with_cloud(cloud_sigma)
            tables = [fitting.photons(frames, energy) for frames, energy in parts(n)]
            if not tables:
                raise MissingDataError(f"none of the first {n} images can be used.")
            known = [table_columns(table) for table in tables]
            columns = {name: np.concatenate([one[name] for one in known]) for name in known[0]}
            begins = np.cumsum([0, *(table.sizes["frames"] for table in tables)])
            columns["frame"] = columns["frame"] + np.repeat(
                begins[:-1], [table.sizes["photon"] for table in tables]
            )
            return mean_cloud(columns, cloud_sigma, electrons=electrons)

        estimate = cloud_of_first(n_entries, fit_first)
        return replace(self._with_cloud(estimate.cloud_sigma), estimated_cloud=True)

    def _with_cloud(self, cloud_sigma: float) -> Analysis:
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
        return replace(self, camera=self.camera | {"threads": threads})

    def photons(
        self, frames: xr.DataArray | ArrayLike | Frames, energy: ArrayLike | None = None
    ) -> xr.Dataset:
        """Photon table of frames, in the crop; `energy` in eV where it is needed."""
        frames = replace(as_frames(frames), first_pixel=None)
        if self.method == "auto":
            table = find_photons(frames, **self.options, **self.camera)
        else:
            energy = np.asarray(energy, dtype=np.float64)
            table = classify_photons(frames, energy, **self.options, **self.camera)
        if self.estimated_cloud:
            table.attrs["cloud_sigma_estimated"] = 1
        return table

    def on_chip(self, photons: xr.Dataset) -> xr.Dataset:
        """Photon table of `photons`, counted on the full chip."""
        return placed_on_chip(photons, self.origin)

    def counted(self, photons: xr.Dataset, n_rows: int) -> xr.DataArray:
        """Spectra of a photon table of `photons` over all `n_rows` rows of the crop.

        They are counted in the crop; its place on the chip is added to their rows afterwards.
        """
        first_column, first_row = self.origin
        curve = self.curvature.counted_from(first_column)
        spectrum = photon_spectrum(photons, bins=self.bins, range=(0, n_rows), curvature=curve)
        spectrum = spectrum.assign_coords(y=spectrum["y"] + first_row)
        for name in curve.attrs():
            del spectrum.attrs[name]
        return spectrum.assign_attrs(
            **self.curvature.attrs(),
            range=np.array([first_row, first_row + n_rows], dtype=np.float64),
            first_pixel=np.array(self.origin),
        )

    def integrated(self, frames: Frames) -> xr.DataArray:
        """Integrated spectra of frames."""
        labelled = replace(frames, labelled=True, first_pixel=self.origin)
        return cast(
            xr.DataArray, integrate_frames(labelled, curvature=self.curvature, **self.camera)
        )

    def spectra(self, frames: Frames, energy: ArrayLike | None = None) -> xr.DataArray:
        """Spectra of frames over rows ``y`` of the full chip, in the way of the method."""
        if not self.counts_photons:
            return self.integrated(frames)
        return self.counted(self.photons(frames, energy), frames.frame_shape[1])


def require_method(method: str, known: tuple[str, ...] = METHODS) -> None:
    """Raise ValueError for an unknown method."""
    if method not in known:
        raise ValueError(unknown_name("method", method, known))
