"""How many photons of a whole watch a threshold loses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrixs.reduction.losses import LARGEST_LOSS


@dataclass
class LostOfWatch:
    """Sums over the trains that tell it.

    Attributes
    ----------
    found, lost : float
        Photons.
    is_least : bool
        Whether a train told a lower bound.

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
    is_least: bool = False

    def add(self, attrs: Mapping[Any, Any], n_images: int) -> None:
        """Add what the attributes of a train's spectrum tell, if they do."""
        if "lost_share" in attrs:
            self.found += float(attrs["n_photons"])
            self.lost += float(attrs["lost_photons"]) * n_images
            self.is_least = self.is_least or "lost_at_least" in attrs

    @property
    def share(self) -> float:
        """Of all photons; NaN where no train tells it."""
        there = self.found + self.lost
        return self.lost / there if there > 0 else np.nan

    @property
    def is_told(self) -> bool:
        """Whether it is worth a warning."""
        return self.share > LARGEST_LOSS

    @property
    def text(self) -> str:
        """The warning."""
        about = "at least" if self.is_least else "about"
        return (
            f"{about} {self.share:.0%} of the photons are lost, where spots run into each other or "
            "lie below the threshold: take method 'resolve', which separates them, or 'best'"
        )

    def attrs(self) -> dict[str, float]:
        """Return it under the names that it has in files."""
        if np.isnan(self.share):
            return {}
        told = {"lost_share": self.share, "lost_photons": self.lost}
        return told | {"lost_at_least": 1} if self.is_least else told
