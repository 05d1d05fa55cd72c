"""The dark as a setting: the whole dark, and attributes for its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.frames import FRAME_DIMS, along_x_y, first_pixel
from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.provenance import digest


@dataclass(frozen=True, eq=False)
class Dark:
    """The dark of a camera, and how it was made.

    Attributes
    ----------
    image : numpy.ndarray, shape (x, y), or None
        Mean of the dark run's frames, in ADU.
    detector : str or None
        Name of the camera.
    run : str or None
        Number or path of the dark run.
    pixels : dict or None
        Coordinates x and y of the image on the chip, if known.
    counts : dict
        Number of images and values that were used, and that were left out.
    exposure, noise : float or None
        Exposure in s; noise of a usual pixel from image to image, in ADU.
    doubts : tuple of Doubt
        Doubts about the dark.
    made_by : dict or None
        The recorded call that made it.
    """

    image: Any = None
    detector: str | None = None
    run: str | None = None
    pixels: dict[str, Any] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    exposure: float | None = None
    noise: float | None = None
    doubts: tuple[Doubt, ...] = ()
    made_by: Mapping[str, Any] | None = None

    def with_image(self, image: Any) -> Dark:
        """Return a dark of the same camera with another image; nothing else is known of it."""
        return Dark(image, self.detector, self.run)

    @cached_property
    def digest(self) -> str | None:
        """Text that identifies the image; None without an image."""
        if self.image is None:
            return None
        return digest(np.asarray(along_x_y(self.image), dtype=np.float64))

    @property
    def placed(self) -> Any:
        """The image, with its position on the chip if known."""
        if self.image is None or self.pixels is None or isinstance(self.image, xr.DataArray):
            return self.image
        return xr.DataArray(self.image, self.pixels, FRAME_DIMS)

    @property
    def first_pixel(self) -> list[int] | None:
        """Position (x, y) of its first pixel on the chip, if known."""
        first = first_pixel(self.placed)
        return None if first is None else list(first)

    def placed_at(self, first: Sequence[int] | None) -> Dark:
        """Return the same dark with its first pixel at this position of the chip."""
        if first is None:
            return self
        shape = np.shape(self.image)
        at = {d: xr.Variable(d, f + np.arange(n))
              for d, f, n in zip(FRAME_DIMS, first, shape, strict=True)}  # fmt: skip
        return replace(self, pixels=at)


class _Part:
    """An attribute that reads and sets a part of the dark."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removeprefix("dark_")

    def __get__(self, h: Any, owner: type | None = None) -> Any:
        return self if h is None else getattr(h.dark, self.name)

    def __set__(self, h: Any, value: Any) -> None:
        if self.name == "image":
            h.dark = h.dark.with_image(value)
        else:
            h.dark = replace(h.dark, **{self.name: value})


class DarkSettings:
    """The setting `dark`, and attributes for its parts."""

    dark: Dark = Dark()
    dark_image = _Part()
    dark_pixels = _Part()
    dark_run = _Part()
    dark_counts = _Part()
    dark_detector = _Part()
    dark_exposure = _Part()
    dark_noise = _Part()
    dark_doubts = _Part()
