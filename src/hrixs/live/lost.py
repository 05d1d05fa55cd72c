"""Number of photons that a threshold loses in a whole watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrixs.reduction.losses import LARGEST_LOSS


@dataclass
class LostOfWatch:
    """Sums of found and lost photons over trains.

    Attributes
    ----------
    found, lost : float
        Numbers of photons.

    Examples
    --------
    >>> from hrixs.live.lost import LostOfWatch
    >>> lost = LostOfWatch()
    >>> lost.add({"lost_share": 0.2, "lost_photons": 25.0, "n_photons": 100.0}, n_images=1)
    >>> lost.share, lost.is_told
    (0.2, True)
    """

    found: float = 0.0
    lost: float = 0.0

    def add(self, attrs: Mapping[Any, Any], n_images: int) -> None:
        """Add the numbers in the attributes of a train's spectrum, if there are any."""
        if "lost_share" in attrs:
            self.found += float(attrs["n_photons"])
            self.lost += float(attrs["lost_photons"]) * n_images

    @property
    def share(self) -> float:
        """Share of the photons that is lost; NaN if it is not known."""
        there = self.found + self.lost
        return self.lost / there if there > 0 else np.nan

    @property
    def is_told(self) -> bool:
        """Whether the loss is large enough for a warning."""
        return self.share > LARGEST_LOSS

    @property
    def text(self) -> str:
        """The warning."""
        return (
            f"about {self.share:.0%} of the photons are lost because their spots overlap. Use "
            "method 'resolve', which separates them, or 'best'"
        )

    def attrs(self) -> dict[str, float]:
        """Return the numbers by their names in files."""
        if np.isnan(self.share):
            return {}
        return {"lost_share": self.share, "lost_photons": self.lost}
