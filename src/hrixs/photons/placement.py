"""Options of the core: how positions are found, and what is too bright for a photon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from hrixs import _core
from hrixs.camera.frames import Frames, as_noise
from hrixs.photons.cloud_width import CloudEstimate, cloud_of_first, mean_cloud
from hrixs.photons.defaults import POSITIONS
from hrixs.utils.checks import number, yes_or_no
from hrixs.utils.errors import unknown_name


def fits_clouds(position: object) -> bool:
    """Whether positions come from a fit of the charge clouds."""
    return isinstance(position, str) and position == "gaussian"


@dataclass(frozen=True)
class Placement:
    """Options of `find_photons` and `classify_photons` for the positions of photons.

    Attributes
    ----------
    position
        One of `POSITIONS`; the next five are for ``'gaussian'``.
    cloud_sigma
        Standard deviation of the charge cloud, in pixels; None: it is estimated.
    read_noise
        Noise of a pixel in ADU: a number, or an array of the shape of a frame; None: from each
        frame.
    electrons_per_adu
        Gain; None: the noise of electrons is not included.
    local_background
        Whether the level under each photon is fitted, too.
    split_doubles
        Whether the positions of two photons in one spot are found separately.
    max_pixel, max_charge
        Largest values of a photon above the mean of the frame, in ADU.
    """

    position: str
    cloud_sigma: float | None
    read_noise: float | xr.DataArray | ArrayLike | None
    electrons_per_adu: float | None
    local_background: bool
    split_doubles: bool
    max_pixel: float | None
    max_charge: float | None

    def __post_init__(self) -> None:
        if not isinstance(self.position, str) or self.position not in POSITIONS:
            raise ValueError(unknown_name("position", self.position, POSITIONS))
        yes_or_no("local_background", self.local_background)
        if yes_or_no("split_doubles", self.split_doubles) and not self.fits:
            raise ValueError(
                f"split_doubles was given with position={self.position!r}, but it needs a fit. "
                "Give position='gaussian', or leave split_doubles out."
            )
        for name in ("max_pixel", "max_charge"):
            limit = getattr(self, name)
            if limit is not None and not number(name, limit) > 0:
                raise ValueError(f"{name} = {limit!r}, expected a positive number of ADU, or None.")

    @property
    def fits(self) -> bool:
        """Whether positions come from a fit."""
        return fits_clouds(self.position)

    def core_options(
        self, frames: Frames, estimate: Callable[[Callable[[float], _core.FitOptions]], float]
    ) -> tuple[_core.FitOptions, dict[str, Any]]:
        """Return the options for the core, and attributes that describe them.

        Parameters
        ----------
        frames : Frames
            Frames; a map of the noise must have their shape.
        estimate
            Called if `cloud_sigma` is None; returns it, given options as a function of
            `cloud_sigma`.
        """
        max_pixel = None if self.max_pixel is None else number("max_pixel", self.max_pixel)
        max_charge = None if self.max_charge is None else number("max_charge", self.max_charge)
        attrs: dict[str, Any] = {"position": self.position}
        if max_pixel is not None or max_charge is not None:
            attrs |= {"max_pixel": max_pixel, "max_charge": max_charge}
        if not self.fits:
            return _core.FitOptions(max_pixel=max_pixel, max_charge=max_charge), attrs
        noise, noise_map = self._noise(frames)
        gain = self.electrons_per_adu
        gain = None if gain is None else number("electrons_per_adu", gain)

        def options(cloud_sigma: float) -> _core.FitOptions:
            return _core.FitOptions(
                cloud_sigma=cloud_sigma,
                read_noise=noise,
                noise_map=noise_map,
                electrons_per_adu=gain,
                local_background=bool(self.local_background),
                split_doubles=bool(self.split_doubles),
                max_pixel=max_pixel,
                max_charge=max_charge,
            )

        given = self.cloud_sigma is not None
        cloud_sigma = number("cloud_sigma", self.cloud_sigma) if given else estimate(options)
        return options(cloud_sigma), attrs | {
            "cloud_sigma": cloud_sigma,
            "cloud_sigma_estimated": not given,
            "read_noise": noise if noise_map is None else "map",
            "electrons_per_adu": gain,
            "local_background": bool(self.local_background),
            "split_doubles": bool(self.split_doubles),
        }

    def _noise(self, frames: Frames) -> tuple[float | None, NDArray[np.float64] | None]:
        """The noise as one number, or as a map."""
        if self.read_noise is None:
            return None, None
        if np.ndim(self.read_noise) == 0:
            return number("read_noise", self.read_noise), None
        return None, as_noise(self.read_noise, frames)


def estimated_cloud(
    frames: Frames,
    find: Callable[[Frames, _core.FitOptions], _core.Found],
    electrons: bool,
    options: Callable[[float], _core.FitOptions],
) -> float:
    """Estimate the width of the charge cloud from as many of the first frames as needed."""
    pixels = frames.pixels.reshape(-1, *frames.frame_shape)

    def fit_first(n_frames: int, cloud_sigma: float) -> CloudEstimate:
        found = find(replace(frames, pixels=pixels[:n_frames]), options(cloud_sigma))
        return mean_cloud(cast("dict[str, Any]", found), cloud_sigma, electrons=electrons)

    return cloud_of_first(len(pixels), fit_first).cloud_sigma
