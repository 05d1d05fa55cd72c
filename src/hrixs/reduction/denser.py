"""Images that are denser than the first ones, which decided for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.photons.resolve import ENTRIES_FOR_A_CHARGE
from hrixs.reduction.first_images import DENSEST
from hrixs.reduction.losses import LARGEST_LOSS
from hrixs.spectra.density import lost_where_denser

# Later images with so many times the photons of the first ones, beyond their scatter, are told.
_CLEARLY_DENSER = 1.5
_SCATTER = 4.0


#: Doubts of first images without light, which are no measure of later ones.
WITHOUT_LIGHT = frozenset({"blank_images", "no_light", "no_photons"})


def denser(
    attrs: Mapping[Any, Any], spectra: NDArray[np.float64], *, are_all: bool = True
) -> list[Doubt]:
    """Doubt later images that lose photons where the first ones do not, by the photons of each.

    Parameters
    ----------
    attrs
        Of the spectra.
    spectra : numpy.ndarray, shape (..., bins)
        Of all images, or else of some: what is said does not depend on which ones then.
    """
    if not attrs.get("photons_of_first", 0) > 0:
        return []
    counts = spectra.sum(axis=-1)
    if attrs.get("algorithm") != "resolve":
        return _of_losses(attrs, counts, are_all=are_all)
    # Faint light is not all seen above the noise, and photons are.
    of_first = attrs["photons_of_first"]
    if are_all:
        of_first = max(of_first, float(counts.reshape(-1)[:ENTRIES_FOR_A_CHARGE].mean()))
    density = attrs["photon_density"] * counts / of_first
    dense = density > DENSEST
    if attrs["photon_density"] > DENSEST or not dense.any():
        return []  # the first ones were told already
    which, up_to = "some of the images", ""
    if are_all:
        which = f"{int(dense.sum())} of {dense.size} images"
        up_to = f", with up to {density.max():.2f} photons a pixel"
    return [
        Doubt(
            "denser",
            f"{which} are denser than the first ones{up_to}, where more than {DENSEST} cannot be "
            "separated: photons are lost in these. Take method='integrate' for them.",
            {"photons_a_pixel": float(density.max())},
        )
    ]


def _of_losses(
    attrs: Mapping[Any, Any], counts: NDArray[np.float64], *, are_all: bool = True
) -> list[Doubt]:
    """Doubt images that have more photons than the first ones, and lose more of them.

    Parameters
    ----------
    attrs
        With what `losses_of` gave.
    counts : numpy.ndarray
        Photons of each image; `are_all` tells whether of all.
    """
    first = attrs["photons_of_first"]
    usual = _CLEARLY_DENSER * first
    more = counts > usual + _SCATTER * np.sqrt(usual)
    if not more.any():
        return []
    tells_doubles = attrs.get("dbl_threshold") != "none"  # by the energy they are told always
    times = counts[more].max() / first
    share = lost_where_denser(attrs["lost_share"], times, tells_doubles=tells_doubles)
    if share <= LARGEST_LOSS:
        return []
    which, up_to = "some of the images", ""
    if are_all:
        which, up_to = f"{int(more.sum())} of {counts.size} images", f", up to {share:.0%}"
    return [
        Doubt(
            "denser",
            f"{which} have more than {_CLEARLY_DENSER:g} times the photons of the first ones, and "
            f"more are lost there{up_to}, where spots run into each other. Take method='resolve', "
            "which separates them, or method='best'.",
            {"lost_share": share},
        )
    ]
