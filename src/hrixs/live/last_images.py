"""The images of the last train of a watch with the photons found in them, for display."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

_COLUMNS = ("frame", "x", "y", "charge", "double")


@dataclass(frozen=True)
class LastImages:
    """The images of a train, and the photons in them.

    Attributes
    ----------
    train_id : int
    images : xarray.DataArray, dims (..., x, y)
        Images as received.
    photons : dict of str to numpy.ndarray, or None
        Columns of the photon table, positions on the full chip; None if none are counted.
    time : float
        `time.monotonic` when they were received.
    """

    train_id: int
    images: xr.DataArray
    photons: dict[str, NDArray[Any]] | None
    time: float

    @classmethod
    def of(
        cls, train_id: int, images: xr.DataArray, tables: list[xr.Dataset], time: float
    ) -> LastImages:
        """Make it from the photon tables of the parts of a train."""
        if not tables:
            return cls(train_id, images, None, time)
        names = [name for name in _COLUMNS if name in tables[0].variables]
        photons = {name: np.concatenate([one[name].values for one in tables]) for name in names}
        return cls(train_id, images, photons, time)

    @property
    def image(self) -> NDArray[Any]:
        """The last image, shape (x, y)."""
        leading = {dim: -1 for dim in self.images.dims if dim not in ("x", "y")}
        return np.asarray(self.images.isel(leading).transpose("x", "y"))

    @property
    def photons_of_image(self) -> dict[str, NDArray[Any]] | None:
        """Photons in the last image."""
        if self.photons is None:
            return None
        n = self.images.size // (self.images.sizes["x"] * self.images.sizes["y"])
        frame = self.photons.get("frame")
        if frame is None:
            return self.photons
        return {name: values[frame == n - 1] for name, values in self.photons.items()}
