"""Check lines by the photons' positions: the curve, the orientation, the crop, the bins."""

from __future__ import annotations

import numpy as np

from hrixs.doubt_rules.doubt import Doubt
from hrixs.doubt_rules.profile import Peak, even_pairs, pairs, peaks_of, sharpest
from hrixs.utils.typing import Floats

# Least and largest number of photons that are used.
_LEAST, _MOST = 150, 4000
# A curve is doubted if another one makes this many times the pairs of photons in the same row
# (above those of evenly spread photons), by this many standard deviations of independent counts.
# The counts are not independent: with the right curve the best of many stays below 1.5.
_SHARPER, _SHARPER_ERRORS = 1.3, 3.0
_GRAVELY_SHARPER = 3.0
# Least range of tilts to try, in rows over half the columns.
_REACH = 40.0
# Frames are on their side if the pairs, relative to evenly spread photons, are more than this
# factor in x and less than this one in y.
_ACROSS, _ALONG, _ERRORS = 2.0, 1.3, 7.0
# Share of the columns in which a line may leave the crop; rows at its ends without photons.
_CUT, _BORDER = 0.02, 1.5
# Largest width of a bin, in units of a line's full width at half maximum.
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
    """Return doubts about curve, orientation, crop and bins, from the photons' positions.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (photons,)
        Positions in the crop, in pixels from its corner.
    moved : numpy.ndarray, shape (photons,)
        By how many rows the curve in use moves each photon.
    shape : (int, int)
        Pixels of the crop in x and y.
    curve_ends : numpy.ndarray
        The curve at the columns of the crop, in rows.
    rows_per_bin : float, optional
        Rows per bin of a counted spectrum; None for other spectra.
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
        f"a different curve than CURVE_A and CURVE_B makes the lines {gain:.1f} times as sharp "
        f"({errors:.0f} standard deviations). At its ends it differs by {tilt:+.1f} and "
        f"{-tilt:+.1f} rows. The lines are too wide. Call find_curvature(run), and check the "
        "sign of CURVE_A.",
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
            "the photons form no lines along x, but lines along y (pairs relative to evenly "
            f"spread photons: {along:.2f} in rows, {across:.2f} in columns). The frames seem to "
            "be on their side. The energy must run along y: transpose the frames (--transpose).",
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
                else "is at an end of the axis"
            )
            return [
                Doubt(
                    "cut",
                    f"a line at row {peak.row:.0f} of the crop {where}: its intensity and width "
                    "are wrong. Widen Y_RANGE.",
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
            f"a bin is {rows_per_bin:.2f} rows wide and a line {narrowest:.2f} rows (FWHM): the "
            f"bins make the line wider (expected: bins narrower than {_BIN} times the FWHM). "
            "Raise BINS to about 3 times the number of rows in Y_RANGE.",
            {"rows_per_bin": rows_per_bin, "fwhm": narrowest},
        )
    ]
