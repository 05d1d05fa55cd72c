"""The exposure against the time from one image to the next."""

from __future__ import annotations

from hrixs.doubt_rules.doubt import Doubt

# An exposure may fill the time between images, whose trains do not come to the microsecond.
_LONGER = 1.05


def exposure_too_long(exposure: float, distance: float) -> list[Doubt]:
    """Doubt an exposure that is longer than the time between images.

    Parameters
    ----------
    exposure : float
        Of an image, in s, as its unit says.
    distance : float
        From one image to the next, in s.
    """
    if exposure <= _LONGER * distance:
        return []
    in_ms = f": {exposure:g} ms would fit" if 1e-3 * exposure <= _LONGER * distance else ""
    return [
        Doubt(
            "exposure",
            f"the exposure is {exposure:g} s, and the images are {distance:g} s apart (expected "
            f"no longer than that). Its unit may be another one{in_ms}. Check hRIXS_exposure and "
            "its attribute units, 's' or 'ms'.",
            {"exposure": exposure, "distance": distance},
        )
    ]
