"""A threshold as it may be given: in ADU, or in standard deviations of each frame's own noise."""

from __future__ import annotations

import re

from hrixs.utils.checks import number

_BY_NOISE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*sigma\s*", re.IGNORECASE)


def threshold_options(threshold: float | str | None) -> dict[str, float | None]:
    """The threshold as options of the core, which takes one of two.

    Raises
    ------
    ValueError, TypeError
        If it is neither a number nor a text such as ``'6 sigma'``.

    Examples
    --------
    >>> from hrixs.photons.threshold import threshold_options
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
                "the frame's own noise as '6 sigma'."
            )
        return {"threshold": None, "noise_threshold": float(match[1])}
    given = None if threshold is None else number("threshold", threshold)
    return {"threshold": given, "noise_threshold": None}
