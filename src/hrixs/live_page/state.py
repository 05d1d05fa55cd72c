"""The results of a watch at one moment, as pages show them. A state is never changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.crop import Crop
from hrixs.doubt_rules.doubt import Doubt
from hrixs.live.last_images import LastImages
from hrixs.live.page import Link, status, troubles
from hrixs.live.spectra import LiveSpectra
from hrixs.spectrometer.recipe import camera_options
from hrixs.spectrometer.spectrometer import hRIXS


@dataclass(frozen=True)
class State:
    """The results of a watch at one moment.

    Attributes
    ----------
    number : int
        Number of the state, by which pages recognise a new one.
    h : hRIXS
        The settings.
    found : xarray.Dataset or None
        Return value of `LiveSpectra.dataset`; None before the first image.
    last : LastImages or None
    rates : str
        Images and photons per second, as text.
    received, used, dropped, failed : int
        Trains with an image, and what was done with them.
    missed : int
        Trains that the bridge did not send.
    seconds : numpy.ndarray
        Age of the last trains at the time of this state.
    photons : numpy.ndarray
        Photons per image in each of them.
    doubts : list of Doubt
    notes, troubles : list of str
        Warnings, and problems of connection and data.
    error : str
        Error message; '' without an error.
    has_ended : bool
        Whether the watch has ended.
    """

    number: int
    h: hRIXS
    found: xr.Dataset | None = None
    last: LastImages | None = None
    rates: str = ""
    received: int = 0
    used: int = 0
    dropped: int = 0
    failed: int = 0
    missed: int = 0
    seconds: NDArray[np.float64] | None = None
    photons: NDArray[np.float64] | None = None
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    error: str = ""
    has_ended: bool = False

    @classmethod
    def of(cls, live: LiveSpectra, link: Link, *, number: int, now: float, **more: Any) -> State:
        """Make a state of the present results."""
        counts, doubts = live.counts, tuple(live.doubts)
        said = {str(doubt) for doubt in doubts}
        return cls(
            number=number,
            h=live.h,
            last=live.last_images,
            rates=" | ".join(status(live, link).split(" | ")[1:]),
            received=counts.with_image,
            used=counts.analysed,
            dropped=counts.skipped,
            failed=counts.failed,
            missed=counts.missed,
            seconds=np.array([one.time - now for one in live.window]),
            photons=np.array([one.photons / one.n_images for one in live.window]),
            doubts=doubts,
            notes=tuple(note for note in live.notes if note not in said),
            troubles=tuple(troubles(live, link)),
            **more,
        )

    @cached_property
    def image(self) -> NDArray[Any] | None:
        """The last image less the dark, NaN at masked pixels; made once for all pages."""
        if self.last is None:
            return None
        image = self.last.image
        nx, ny = image.shape
        options = camera_options(self.h, Crop(slice(0, nx), slice(0, ny), (nx, ny), (0, 0)))
        made = image.astype(np.float32)
        if options["dark"] is not None:
            made = made - np.asarray(options["dark"], np.float32)
        return made if options["mask"] is None else np.where(options["mask"], np.nan, made)

    def spectrum(self, *, last: bool) -> xr.DataArray | None:
        """The sum of the whole watch, or of the last trains; None before the first image."""
        if self.found is None:
            return None
        if last:
            return self.found["spectrum"].sum("trainId", keep_attrs=True)
        return self.found["total"]
