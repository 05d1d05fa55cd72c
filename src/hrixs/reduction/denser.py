"""Images with more photons than the first ones, from which the method was chosen."""

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

# Later images with this many times the photons of the first ones, beyond scatter, are reported.
_CLEARLY_DENSER = 1.5
_SCATTER = 4.0


#: Doubts about first images without light; later ones are then not compared.
WITHOUT_LIGHT = frozenset({"blank_images", "no_light", "no_photons"})


def denser(
    attrs: Mapping[Any, Any], spectra: NDArray[np.float64], *, are_all: bool = True
) -> list[Doubt]:
    """Return doubts if later images lose photons because they have more than the first ones.

    Parameters
    ----------
    attrs
        Attributes of the spectra.
    spectra : numpy.ndarray, shape (..., bins)
        Spectra of all images, or of some; the text then does not depend on which ones.
    """
    if not attrs.get("photons_of_first", 0) > 0:
        return []
    counts = spectra.sum(axis=-1)
    if attrs.get("algorithm") != "resolve":
        return _of_losses(attrs, counts, are_all=are_all)
    # Integrated faint light is partly hidden by noise; photons are not.
    of_first = attrs["photons_of_first"]
    if are_all:
        of_first = max(of_first, float(counts.reshape(-1)[:ENTRIES_FOR_A_CHARGE].mean()))
    density = attrs["photon_density"] * counts / of_first
    dense = density > DENSEST
    if attrs["photon_density"] > DENSEST or not dense.any():
        return []  # the first ones were reported already
    which, up_to = "some of the images", ""
    if are_all:
        which = f"{int(dense.sum())} of {dense.size} images"
        up_to = f", with up to {density.max():.2f} photons per pixel"
    return [
        Doubt(
            "denser",
            f"{which} have more photons than the first ones{up_to}. More than {DENSEST} per "
            "pixel cannot be separated, so photons are lost in these images. Use "
            "method='integrate' for them.",
            {"photons_a_pixel": float(density.max())},
        )
    ]


def _of_losses(
    attrs: Mapping[Any, Any], counts: NDArray[np.float64], *, are_all: bool = True
) -> list[Doubt]:
    """Return a doubt if images have more photons than the first ones, and lose more of them.

    Parameters
    ----------
    attrs
        Attributes with the values of `losses_of`.
    counts : numpy.ndarray
        Photons of each image; `are_all`: of all images.
    """
    first = attrs["photons_of_first"]
    usual = _CLEARLY_DENSER * first
    more = counts > usual + _SCATTER * np.sqrt(usual)
    if not more.any():
        return []
    tells_doubles = (
        attrs.get("dbl_threshold") != "none"
    )  # with the energy they are always recognised
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
            f"{which} have more than {_CLEARLY_DENSER:g} times the photons of the first ones, "
            f"and more photons are lost in them{up_to}, because spots overlap. Use "
            "method='resolve', which separates them, or method='best'.",
            {"lost_share": share},
        )
    ]
