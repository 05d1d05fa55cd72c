"""Defaults of the photon finders, and the allowed forms of a threshold."""

from __future__ import annotations

import re

#: Threshold of a hit, in standard deviations above the mean of the 2x2 squares.
STD_THRESHOLD = 3.5

#: Energy that frees one electron-hole pair in silicon, in eV.
EV_PER_PAIR = 3.6

#: Gain of the camera, in electrons per ADU.
ELECTRONS_PER_ADU = 1.06

#: Fractions of one photon's charge: brightest pixel of a candidate, and spot of single and double.
CANDIDATE_LOW = 0.2
CANDIDATE_HIGH = 1.0
SINGLE_LOW = 0.2
DOUBLE_LOW = 1.5

#: Most hits in one frame; more mean that the threshold is wrong.
MAX_PHOTONS = 100_000

#: Ways to find a photon's position: centre of mass of its spot, or fit of its charge cloud.
POSITIONS = ("com", "gaussian")
POSITION = "com"

_BY_NOISE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*sigma\s*", re.IGNORECASE)


def threshold_options(threshold: float | str | None) -> dict[str, float | None]:
    """Convert the threshold to the two options of the core.

    Raises
    ------
    ValueError, TypeError
        If it is neither a number nor text such as ``'6 sigma'``.

    Examples
    --------
    >>> from hrixs.photons.defaults import threshold_options
    >>> threshold_options("6 sigma")
    {'threshold': None, 'noise_threshold': 6.0}
    >>> threshold_options(450)
    {'threshold': 450.0, 'noise_threshold': None}
    """
    if isinstance(threshold, str):
        match = _BY_NOISE.fullmatch(threshold)
        if match is None or float(match[1]) == 0:
            raise ValueError(
                f"threshold = {threshold!r}, expected a number in ADU, or standard deviations of "
                "the frame's noise, such as '6 sigma'."
            )
        return {"threshold": None, "noise_threshold": float(match[1])}
    from hrixs.utils.checks import number  # text is refused before NumPy is imported

    given = None if threshold is None else number("threshold", threshold)
    return {"threshold": given, "noise_threshold": None}
