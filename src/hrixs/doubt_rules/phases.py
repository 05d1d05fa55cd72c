"""Lines that meet rows of pixels at few heights only."""

from __future__ import annotations

from hrixs.doubt_rules.doubt import Doubt

# A line that moves by less over the columns, in rows, does not come at all phases alike.
_WHOLE_ROW = 1.0


def few_phases(moved: float, bins_a_row: int) -> list[Doubt]:
    """Doubt what is finer than a pixel in a deconvolved spectrum of lines without tilt.

    Parameters
    ----------
    moved : float
        How far the curve moves over the columns, in rows.
    bins_a_row : int
        Of the spectrum.
    """
    if moved >= _WHOLE_ROW or bins_a_row == 1:
        return []
    return [
        Doubt(
            "few_phases",
            f"the lines move by {moved:.2f} px over the columns, and come at few phases of a "
            "pixel. Cloud and pixel are taken out as far as one sampling a row tells: of lines of "
            "1 px and more. What is finer is smoothed; a tilt of the camera by a row would tell "
            "it.",
            {"moved": moved},
        )
    ]
