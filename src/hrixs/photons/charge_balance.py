"""Whether the photons that were found make the charge that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hrixs import _core
from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.provenance import CHARGES, RATIO

# A count that misses the charge by more than this part, and by so many errors, is told.
_LARGEST_GAP = 0.03
_GRAVE_GAP = 0.3
_LARGEST_GAP_ERRORS = 4.0


def charges_of(found: _core.Resolved) -> dict[str, float]:
    """Charge of the photons, and above the level of the frame's parts with light, by `CHARGES`.

    The level is that of pixels near the light which have none; its error is part of the variance.
    """
    light, noise = found["light"], found["noise"]
    pixels, dark_pixels = light["pixels"], np.maximum(light["dark_pixels"], 1.0)
    level_var = pixels**2 * noise**2 / dark_pixels
    sums = (
        light["light"].sum(),
        (light["charge"] - pixels * light["dark_level"]).sum(),
        (light["variance"] + level_var).sum(),
    )
    return dict(zip(CHARGES, map(float, sums), strict=True))


def ratio_of(charges: Mapping[Any, Any]) -> dict[str, float]:
    """``charge_ratio``, photons over charge, and its error; NaN where there is no light."""
    of_photons, above, variance = (float(charges[name]) for name in CHARGES)
    ratio = of_photons / above if above > 0 else np.nan
    error = ratio * np.sqrt(variance) / above if above > 0 else np.nan
    return dict(zip(RATIO, (ratio, float(error)), strict=True))


def with_ratio(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    """`attrs`, where they have the sums `CHARGES` with the ratio of these."""
    return {**attrs, **(ratio_of(attrs) if CHARGES[0] in attrs else {})}


def charge_gap(charges: Mapping[Any, Any]) -> list[Doubt]:
    """Doubt photons and charge that differ by more than 3 %, and by more than 4 errors."""
    if CHARGES[0] not in charges:
        return []
    ratio, error = ratio_of(charges).values()
    if not abs(ratio - 1) > max(_LARGEST_GAP, _LARGEST_GAP_ERRORS * error):
        return []
    of_photons, above = float(charges["charge_of_photons"]), float(charges["charge_above"])
    return [
        Doubt(
            "charge_balance",
            f"the photons found make {of_photons:.6g} ADU, {ratio:.3f} ± {error:.3f} of the "
            f"{above:.6g} ADU above the level. Check the photon's charge (photon_charge, or energy "
            "and electrons_per_adu), cloud_sigma, and the level (a dark, or "
            "local_background=True).",
            {"ratio": ratio, "error": error},
            grave=abs(ratio - 1) > _GRAVE_GAP,
        )
    ]
