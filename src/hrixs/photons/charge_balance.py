"""Check whether the photons found account for the charge in the frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hrixs import _core
from hrixs.doubt_rules.doubt import Doubt
from hrixs.utils.provenance import CHARGES, RATIO

# Largest relative difference of the charges, and largest difference in standard errors.
_LARGEST_GAP = 0.03
_GRAVE_GAP = 0.3
_LARGEST_GAP_ERRORS = 4.0


def charges_of(found: _core.Resolved) -> dict[str, float]:
    """Charge of the photons, and charge above the level in parts with light, by `CHARGES`.

    The level comes from dark pixels near the light; the variance includes its error.
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
    """``charge_ratio``, charge of the photons over charge, and its error; NaN without light."""
    of_photons, above, variance = (float(charges[name]) for name in CHARGES)
    ratio = of_photons / above if above > 0 else np.nan
    error = ratio * np.sqrt(variance) / above if above > 0 else np.nan
    return dict(zip(RATIO, (ratio, float(error)), strict=True))


def with_ratio(attrs: Mapping[Any, Any]) -> dict[Any, Any]:
    """Add the ratio to `attrs`, if they have the sums `CHARGES`."""
    return {**attrs, **(ratio_of(attrs) if CHARGES[0] in attrs else {})}


def charge_gap(charges: Mapping[Any, Any]) -> list[Doubt]:
    """Return a doubt if photons and charge differ by more than 3 % and 4 errors."""
    if CHARGES[0] not in charges:
        return []
    ratio, error = ratio_of(charges).values()
    if not abs(ratio - 1) > max(_LARGEST_GAP, _LARGEST_GAP_ERRORS * error):
        return []
    of_photons, above = float(charges["charge_of_photons"]), float(charges["charge_above"])
    return [
        Doubt(
            "charge_balance",
            f"the photons found have a total charge of {of_photons:.6g} ADU, but the charge "
            f"above the level is {above:.6g} ADU: a ratio of {ratio:.3f} ± {error:.3f} (expected "
            "within 3 % of 1). Check the charge of one photon (photon_charge, or energy and "
            "electrons_per_adu), cloud_sigma, and the level (a dark, or local_background=True).",
            {"ratio": ratio, "error": error},
            grave=abs(ratio - 1) > _GRAVE_GAP,
        )
    ]
