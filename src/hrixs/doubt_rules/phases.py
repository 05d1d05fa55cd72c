"""Lines without tilt: pixels sample them at few phases only."""

from __future__ import annotations

from hrixs.doubt_rules.doubt import Doubt

# A line that moves by less than this over the columns, in rows, is not sampled at all phases.
_WHOLE_ROW = 1.0


def few_phases(moved: float, bins_a_row: int) -> list[Doubt]:
    """Return a doubt about structure finer than a pixel if the lines have no tilt.

    Parameters
    ----------
    moved : float
        By how many rows the curve moves over the columns.
    bins_a_row : int
        Bins of the spectrum in a row.
    """
    if moved >= _WHOLE_ROW or bins_a_row == 1:
        return []
    return [
        Doubt(
            "few_phases",
            f"the lines move by only {moved:.2f} px over the columns, so that pixels sample them "
            "at few phases. Cloud and pixel are taken out of structure of 1 px and more; finer "
            "structure is smoothed. Tilt the camera by a row or more to resolve it.",
            {"moved": moved},
        )
    ]
