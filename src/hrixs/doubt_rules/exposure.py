"""Compare the exposure with the time from one image to the next."""

from __future__ import annotations

from hrixs.doubt_rules.doubt import Doubt

# An exposure may be as long as the time between images, which varies slightly.
_LONGER = 1.05


def exposure_too_long(exposure: float, distance: float) -> list[Doubt]:
    """Return a doubt if the exposure is longer than the time between images.

    Parameters
    ----------
    exposure : float
        Exposure of an image, in s, by its stated unit.
    distance : float
        Time from one image to the next, in s.
    """
    if exposure <= _LONGER * distance:
        return []
    in_ms = f" ({exposure:g} ms would fit)" if 1e-3 * exposure <= _LONGER * distance else ""
    return [
        Doubt(
            "exposure",
            f"the exposure is {exposure:g} s, but the images are only {distance:g} s apart. Its "
            f"unit may be wrong{in_ms}. Check hRIXS_exposure and its attribute units, 's' or "
            "'ms'.",
            {"exposure": exposure, "distance": distance},
        )
    ]
