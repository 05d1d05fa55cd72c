"""What is done with a stack of cropped frames, with the settings at the beginning of the work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs.camera.curve import Curvature
from hrixs.camera.frames import Frames, as_frames, camera_of_core
from hrixs.deconvolution.options import Deconvolution
from hrixs.deconvolution.photons import sampled_photons
from hrixs.doubt_rules.doubt import Doubt
from hrixs.level.mend import Mending
from hrixs.photons.classify import classify_photons
from hrixs.photons.find import find_photons
from hrixs.photons.noise_threshold import with_uneven
from hrixs.photons.placement import fits_clouds
from hrixs.photons.resolve import charges_given, resolved, spots_in
from hrixs.photons.table import placed_on_chip
from hrixs.spectra.converted import photons_by_intensity
from hrixs.spectra.counted import histogram
from hrixs.spectra.integrated import integrate_frames
from hrixs.spectra.methods import METHODS
from hrixs.utils.checks import number, whole_number
from hrixs.utils.errors import NonFinitePixelsError, TooManyPhotonsError, unknown_name
from hrixs.utils.threads import resolve_threads


def counts_photons(method: str) -> bool:
    """Whether a method makes a photon table."""
    return method != "integrate"


def takes_thresholds(method: str) -> bool:
    """Whether a method finds photons by a threshold, which loses photons if spots overlap."""
    return method in ("auto", "manual")


def resolves(method: str) -> bool:
    """Whether a method needs the charge and the cloud of one photon."""
    return method in ("resolve", "best")


def needs_cloud(method: str, position: str | None, cloud_sigma: float | None) -> bool:
    """Whether the width of the charge cloud must be estimated before the work begins."""
    fits = resolves(method) or (counts_photons(method) and fits_clouds(position))
    return fits and cloud_sigma is None


@dataclass(frozen=True)
class Analysis:
    """Settings as plain values, so that they can be sent to other processes.

    Attributes
    ----------
    method
        One of `METHODS`; ``'best'`` until the first images have been analysed.
    options
        Options of `find_photons`, `classify_photons` or `resolve_photons`.
    camera
        Dark and mask, cropped like the frames, and threads.
    curvature
        The curve of the lines on the whole chip.
    bins
        Bins of a counted spectrum, over all rows of the crop.
    origin
        Position (x, y) of the first pixel of the frames on the full chip.
    attrs
        Values from the first images, for the ``attrs`` of results.
    noise
        Noise of a pixel, in ADU, if integrated spectra are made in photons.
    doubts
        Doubts about the first images.
    uneven
        Level of row and column of each pixel relative to the others in the first images, in ADU.
        Needed for a threshold by the noise if levels differ.
    dark_noise
        Noise of a pixel in the dark's images from frame to frame, in ADU, if known.
    mending
        Corrections of frames that are made first; None: none.
    deconvolution
        For integrated intensity: make sums by height, and one spectrum from all of them.
    """

    method: str
    options: dict[str, Any]
    camera: dict[str, Any]
    curvature: Curvature
    bins: int
    origin: tuple[int, int] = (0, 0)
    attrs: dict[str, Any] = field(default_factory=dict)
    noise: float | None = None
    doubts: tuple[Doubt, ...] = ()
    uneven: NDArray[np.float64] | None = None
    dark_noise: float | None = None
    mending: Mending | None = None
    deconvolution: Deconvolution | None = None

    @property
    def counts_photons(self) -> bool:
        """Whether a photon table is made."""
        return counts_photons(self.method)

    @property
    def gives_photons(self) -> bool:
        """Whether spectra are in photons."""
        known = self.noise is not None or self.deconvolution is not None
        return self.counts_photons or known

    @property
    def takes_thresholds(self) -> bool:
        """Whether photons are found by a threshold, which loses photons if spots overlap."""
        return takes_thresholds(self.method)

    @property
    def resolves(self) -> bool:
        """Whether the charge and the cloud of one photon are needed."""
        return resolves(self.method)

    @property
    def fits_spots(self) -> bool:
        """Whether charge or cloud of a photon are learned from isolated spots."""
        return self.resolves or self.deconvolution is not None

    @property
    def needs_energy(self) -> bool:
        """Whether the photon energy of each frame is needed."""
        return self.method == "manual"

    @property
    def takes_energy(self) -> bool:
        """Whether the photon energy of each frame is used if known."""
        by_energy = "photon_charge" in self.options and self.options["photon_charge"] is None
        return self.needs_energy or by_energy

    @property
    def needs_cloud(self) -> bool:
        """Whether the width of the charge cloud must be estimated before the work begins."""
        options = self.options
        if self.deconvolution is not None:
            return options.get("cloud_sigma") is None
        return needs_cloud(self.method, options.get("position"), options.get("cloud_sigma"))

    def with_options(self, **options: Any) -> Analysis:
        """Return a copy with other options."""
        return replace(self, options=self.options | options)

    def with_attrs(self, **attrs: Any) -> Analysis:
        """Return a copy with more attributes for results."""
        return replace(self, attrs=self.attrs | attrs)

    def with_doubts(self, doubts: Iterable[Doubt]) -> Analysis:
        """Return a copy with more doubts."""
        return replace(self, doubts=(*self.doubts, *doubts))

    def with_threads(self, threads: int) -> Analysis:
        """Return a copy with a different number of threads."""
        return replace(self, camera=self.camera | {"threads": threads})

    @property
    def flattens(self) -> bool:
        """Whether different levels of parts of the chip must be known."""
        return self.method == "auto" and isinstance(self.options["threshold"], str)

    @property
    def decided(self) -> bool:
        """Whether the first images decide nothing about the reduction of frames."""
        open_still = self.resolves or self.needs_cloud or self.flattens
        return self.mending is None and self.deconvolution is None and not open_still

    @property
    def flat_camera(self) -> dict[str, Any]:
        """`camera`, with a dark that also removes steps of the level."""
        return self.camera | {"dark": with_uneven(self.camera["dark"], self.uneven)}

    @property
    def has_dark(self) -> bool:
        """Whether a dark is subtracted, here or in the corrections."""
        mended = self.mending is not None and self.mending.dark is not None
        return mended or self.camera["dark"] is not None

    def mended(self, frames: Any) -> tuple[Frames, dict[str, NDArray[Any]]]:
        """Return corrected frames, and columns of the corrections of each."""
        stack = as_frames(frames)
        if self.mending is None:
            return stack, {}
        return self.mending.of(stack, resolve_threads(self.camera["threads"]))

    def can_use(self, frames: Any, energy: ArrayLike | None = None) -> bool:
        """Whether photons are found in `frames` without an error about their pixels."""
        frames = self.mended(frames)[0]
        try:
            if not self.counts_photons:  # the charge of a photon may be unknown yet
                replace(self, deconvolution=None, noise=None).integrated(frames)
            elif self.resolves:
                self.spots(frames, 1.0)
            else:
                plain = self.with_options(position="com", split_doubles=False)
                plain.photons(frames, energy)
        except (NonFinitePixelsError, TooManyPhotonsError):
            return False
        return True

    def of_core(self, frames: Frames) -> dict[str, Any]:
        """Dark, mask and threads in the form of the core, for these frames."""
        frames = replace(frames, first_pixel=None)
        return camera_of_core(frames, **self.camera)

    def spots(
        self, frames: xr.DataArray | ArrayLike | Frames, cloud_sigma: float
    ) -> dict[str, NDArray[Any]]:
        """Columns of spots fitted with a cloud, to learn charge and cloud of a photon."""
        frames = replace(as_frames(frames), first_pixel=None)
        return spots_in(frames, **self.options | {"cloud_sigma": cloud_sigma}, camera=self.camera)

    def charges(self, frames: Frames, energy: ArrayLike | None) -> NDArray[np.float64] | None:
        """Charge of one photon in each frame, in ADU; None if charge and energy are unknown."""
        charge = self.options.get("photon_charge")
        ev_per_adu = number("ev_per_pair", self.options["ev_per_pair"]) * number(
            "electrons_per_adu", self.options["electrons_per_adu"]
        )
        return charges_given(energy if charge is None else None, charge, frames, ev_per_adu)

    def photons(
        self, frames: xr.DataArray | ArrayLike | Frames, energy: ArrayLike | None = None
    ) -> xr.Dataset:
        """Photon table of frames, in pixels of the crop; `energy` in eV if needed."""
        frames = replace(as_frames(frames), first_pixel=None)
        if self.method == "auto":
            table = find_photons(frames, **self.options, **self.flat_camera)
        elif self.method == "manual":
            energy = np.asarray(energy, dtype=np.float64)
            table = classify_photons(frames, energy, **self.options, **self.camera)
        else:
            known = self.options["photon_charge"] is not None
            table = resolved(frames, None if known else energy, **self.options, **self.camera)
        table.attrs |= self.attrs
        return table

    def on_chip(self, photons: xr.Dataset) -> xr.Dataset:
        """Convert the table from `photons` to pixels of the full chip."""
        return placed_on_chip(photons, self.origin)

    def counted(self, photons: xr.Dataset, n_rows: int) -> xr.DataArray:
        """Spectra from the table of `photons` over all `n_rows` rows of the crop.

        They are counted in the crop; its position on the chip is added to the rows afterwards.
        """
        first_column, first_row = self.origin
        return histogram(
            photons,
            np.linspace(0.0, n_rows, whole_number("bins", self.bins) + 1),
            self.curvature.counted_from(first_column),
            moved=first_row,
            attrs=self.curvature.attrs()
            | {
                "range": np.array([first_row, first_row + n_rows], dtype=np.float64),
                "first_pixel": np.array(self.origin),
            },
        )

    def integrated(self, frames: Frames, energy: ArrayLike | None = None) -> xr.DataArray:
        """Integrated spectra of frames; in photons if the noise is known; or sums by height."""
        labelled = replace(frames, labelled=True, first_pixel=self.origin)
        if self.deconvolution is not None:
            charges = self.charges(labelled, energy)
            assert charges is not None
            sums = sampled_photons(labelled, charges, curvature=self.curvature, **self.camera)
            return sums.assign_attrs(self.attrs)
        if self.noise is None:
            spectrum = integrate_frames(labelled, curvature=self.curvature, **self.camera)
            return cast(xr.DataArray, spectrum).assign_attrs(self.attrs)
        charges = self.charges(labelled, energy)
        assert charges is not None
        spectrum = photons_by_intensity(
            labelled,
            charges,
            curvature=self.curvature,
            bins=self.bins,
            noise=self.noise,
            **self.camera,
        )
        return spectrum.assign_attrs(self.attrs)

    def spectra(self, frames: Frames, energy: ArrayLike | None = None) -> xr.DataArray:
        """Spectra of corrected frames over rows ``y`` of the full chip, by the method."""
        if not self.counts_photons:
            return self.integrated(frames, energy)
        return self.counted(self.photons(frames, energy), frames.frame_shape[1])


def require_method(method: str, known: tuple[str, ...] = METHODS) -> None:
    """Raise ValueError for an unknown method."""
    if method not in known:
        raise ValueError(unknown_name("method", method, known))
