"""What places of photons show of the lines, with the curve and the bins of an analysis."""

from __future__ import annotations

import numpy as np

from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.lines import lines_of
from hrixs.reduction.analysis import Analysis
from hrixs.utils.typing import Floats


def lines_in(analysis: Analysis, x: Floats, y: Floats, shape: tuple[int, int]) -> list[Doubt]:
    """Doubt what places of photons in the crop show of its lines."""
    curve = analysis.curvature.counted_from(analysis.origin[0])
    return lines_of(
        x,
        y,
        np.asarray(curve(x), dtype=np.float64),
        shape=shape,
        curve_ends=np.asarray(curve(np.linspace(0, shape[0] - 1, 65)), dtype=np.float64),
        rows_per_bin=shape[1] / analysis.bins if analysis.gives_photons else None,
    )
