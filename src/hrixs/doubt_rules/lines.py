"""Lines of the spectrum, by where the photons lie: the curve, the orientation, a cut, the bins."""

from __future__ import annotations

import numpy as np

from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.profile import Peak, even_pairs, pairs, peaks_of, sharpest
from hrixs.utils.typing import Floats

# Photons from which on a line can be told, and that are looked at.
_LEAST, _MOST = 150, 4000
# A curve is doubted if another one makes so many times the pairs of photons in a row, above those
# of photons that lie evenly, by so many standard deviations of counts that had nothing in common;
# they have, and the best of many curves stays below 1.5 where the curve is right.
_SHARPER, _SHARPER_ERRORS = 1.3, 3.0
_GRAVELY_SHARPER = 3.0
# Tilts that are tried at least, in rows over half the columns.
_REACH = 40.0
# Photons that have so many times the pairs of even ones along x, and under so many along y, are
# those of frames that lie on their side.
_ACROSS, _ALONG, _ERRORS = 2.0, 1.3, 7.0
# Columns in which a line may leave the crop; so many rows at its ends have no photons.
_CUT, _BORDER = 0.02, 1.5
# A bin in parts of a line's full width at half maximum.
_BIN = 0.7


def lines_of(
    x: Floats,
    y: Floats,
    moved: Floats,
    *,
    shape: tuple[int, int],
    curve_ends: Floats,
    rows_per_bin: float | None,
) -> list[Doubt]:
    """Doubt what the photons' places show of the curve, the orientation, the crop and the bins.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (photons,)
        Places in the crop, counted from its corner.
    moved : numpy.ndarray, shape (photons,)
        How far the curve in use has moved there, in rows.
    shape : (int, int)
        Pixels of the crop.
    curve_ends : numpy.ndarray
        The curve over the columns of the crop, in rows.
    rows_per_bin : float, optional
        Of a counted spectrum.
    """
    x, y, moved = (_some(column) for column in (x, y, moved))
    if len(x) < _LEAST:
        return []
    straight = y - moved
    u = 2 * x / max(shape[0] - 1, 1) - 1
    tilt, bend, best = sharpest(straight, u, max(_REACH, 1.2 * float(np.ptp(curve_ends))))
    now, variance = pairs(straight, 1.0)
    even = even_pairs(straight, 1.0)
    on_side = _orientation(x, y, best / even, shape)
    if on_side:
        return on_side
    gain = (best - even) / max(now - even, 1e-3 * best)
    errors = (best - now) / np.sqrt(variance + 2 * even)
    if gain > _SHARPER and errors > _SHARPER_ERRORS:
        return [_curve(gain, errors, tilt, bend)]
    peaks = peaks_of(straight, shape[1])
    return [*_cut(peaks, curve_ends, shape), *_bins(peaks, rows_per_bin)]


def _some(column: Floats) -> Floats:
    step = -(-len(column) // _MOST)
    return column[::step] if step > 1 else column


def _curve(gain: float, errors: float, tilt: float, bend: float) -> Doubt:
    return Doubt(
        "curve",
        f"the photons' rows are {gain:.1f} times as sharp ({errors:.0f} standard deviations) along "
        f"another curve than CURVE_A and CURVE_B give, one that ends {tilt:+.1f} and {-tilt:+.1f} "
        "rows beside it: lines are wider than they need be. Call find_curvature(run), and look at "
        "the sign.",
        {"sharper": gain, "errors": errors, "tilt": tilt, "bend": bend},
        grave=gain > _GRAVELY_SHARPER,
    )


def _orientation(x: Floats, y: Floats, along: float, shape: tuple[int, int]) -> list[Doubt]:
    if along > _ALONG:
        return []
    v = 2 * y / max(shape[1] - 1, 1) - 1
    *_, n_pairs = sharpest(x, v, _REACH)
    across = n_pairs / even_pairs(x, 1.0)
    _, variance = pairs(x, 1.0)
    if across < _ACROSS * along or (across - 1) * even_pairs(x, 1.0) < _ERRORS * np.sqrt(variance):
        return []
    return [
        Doubt(
            "orientation",
            f"the photons lie evenly over y ({along:.2f} times the pairs of even ones) and in "
            f"lines along y ({across:.2f} times over x): the frames seem to lie on their side. The "
            "energy must run along y: transpose the frames (--transpose).",
            {"along_y": along, "along_x": across},
            grave=True,
        )
    ]


def _cut(peaks: list[Peak], curve: Floats, shape: tuple[int, int]) -> list[Doubt]:
    for peak in peaks:
        rows, reach = peak.row + curve, 0.5 * peak.fwhm + _BORDER
        outside = (rows < reach) | (rows > shape[1] - 1 - reach)
        beside_axis = not 0.5 * peak.fwhm <= peak.row <= shape[1] - 0.5 * peak.fwhm
        share = float(outside.mean())
        if share > _CUT or beside_axis:
            where = (
                f"leaves the crop in {share:.0%} of the columns"
                if share > _CUT
                else "lies at the end of the axis"
            )
            return [
                Doubt(
                    "cut",
                    f"a line at row {peak.row:.0f} of the crop {where}: its intensity and width "
                    "are off. Widen Y_RANGE.",
                    {"row": peak.row, "share": share},
                )
            ]
    return []


def _bins(peaks: list[Peak], rows_per_bin: float | None) -> list[Doubt]:
    if rows_per_bin is None or not peaks:
        return []
    narrowest = min(peak.fwhm for peak in peaks)
    if rows_per_bin <= _BIN * narrowest:
        return []
    return [
        Doubt(
            "bins",
            f"a bin has {rows_per_bin:.2f} rows, and a line is {narrowest:.2f} rows wide (FWHM): "
            f"the bins make it wider (expected under {_BIN} of the width). Raise BINS to "
            "3 times the rows of Y_RANGE, or so.",
            {"rows_per_bin": rows_per_bin, "fwhm": narrowest},
        )
    ]
