"""Correct the bias of positions inside the pixel, learned from the photons of a whole run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.photons.phases import (
    MOST_LEFT_BY_TILT,
    N_BLOCKS,
    SIGNIFICANCE,
    column_blocks,
    compare_blocks,
    cumulative,
    finder_of,
    left_by_tilt,
    phase_of,
    single_photons,
)
from hrixs.utils.checks import require_dataset, whole_number
from hrixs.utils.errors import NoPhaseCorrectionError, warn
from hrixs.utils.provenance import provenance

#: Phases at which the correction is tabulated.
N_KNOTS = 201
#: Least number of single photons: N of them leave an error of 1/sqrt(6 N) px, here 0.004 px.
MIN_SINGLES = 10_000
#: Largest false bias that a narrow line may cause, peak to peak, in pixels.
MOST_FALSE_BIAS = 0.01
#: Largest difference (modulation) of the phases of y between blocks of columns.
MOST_DIFFERENCE = 0.1


@dataclass(frozen=True, eq=False, repr=False)
class PhaseCorrection:
    """Correction of positions inside the pixel, from measured to unbiased. Print it for a summary.

    Attributes
    ----------
    table : xarray.Dataset
        ``unbiased (axis, phase)``: unbiased by measured phase, pixels, monotone, from -0.5 to
        0.5. In `attrs`: ``n_singles`` and those left out, as from `phase_uniformity`;
        ``table_err`` (pixels, rms error of the table), ``left_by_tilt`` and ``false_bias``
        (pixels, peak to peak: what the line's own phases may have put into the table).
        Write it with ``table.to_netcdf``, and read it with ``PhaseCorrection(dataset)``.

    Raises
    ------
    TypeError, ValueError
        If `table` is not such a dataset.
    """

    table: xr.Dataset

    def __post_init__(self) -> None:
        require_dataset(self.table, "the table of a PhaseCorrection")
        if "unbiased" not in self.table or set(self.table["unbiased"].dims) != {"axis", "phase"}:
            raise ValueError(
                f"the dataset has {', '.join(map(str, self.table.variables)) or 'no variables'}, "
                "expected the table of a PhaseCorrection, unbiased (axis, phase)."
            )

    def __repr__(self) -> str:
        attrs = self.table.attrs
        moved = self.table["unbiased"] - self.table["phase"]
        source = " (the table of x)" if attrs["y_from_x"] else ""
        most = {name: float(np.abs(moved.sel(axis=name)).max()) for name in ("x", "y")}
        return (
            f"correction of positions inside the pixel, from {attrs['n_singles']} single photons\n"
            f"  x: moves up to {most['x']:.3f} px\n"
            f"  y: moves up to {most['y']:.3f} px{source}\n"
            f"  error of the table: {attrs['table_err']:.4f} px rms"
        )

    def apply(self, photons: xr.Dataset, *, doubles: bool = False) -> xr.Dataset:
        """Correct the positions of photons inside their pixel.

        Parameters
        ----------
        photons : xarray.Dataset
            A photon table, as from the finder that the correction was learned from.
        doubles : bool
            Whether to correct doubles, too. Their position is between two photons, so the table of
            the single photons does not apply to them.

        Returns
        -------
        xarray.Dataset
            The table with corrected ``x`` and ``y``, each in the same pixel as before. Photons
            with a ``flag`` are not changed. `attrs` has ``phase_corrected``, and the number
            ``n_phase_corrected``.

        Raises
        ------
        TypeError, ValueError
            If `photons` is not a photon table, was already corrected, or is from a different
            finder.

        Examples
        --------
        >>> curve = h.CURVE_A, h.CURVE_B  # doctest: +SKIP
        >>> correction = hrixs.phase_correction(photons, curvature=curve)  # doctest: +SKIP
        >>> moved = correction.apply(photons)  # doctest: +SKIP
        """
        single, _ = single_photons(photons)
        _require_same_finder(self.table.attrs["of_algorithm"], photons)
        moves = single | photons["double"].values.astype(bool) if doubles else single
        new: dict[str, Any] = {}
        for name in ("x", "y"):
            position = photons[name].values.astype(np.float64)
            position[moves] = self._move(name, position[moves])
            new[name] = (photons[name].dims, position, photons[name].attrs)
        attrs = dict(photons.attrs) | provenance(
            photons.attrs.get("algorithm", "phase_correction"),
            phase_corrected=True,
            phase_corrected_doubles=bool(doubles),
            n_phase_corrected=int(moves.sum()),
        )
        return photons.assign(new).assign_attrs(attrs)

    def _move(self, axis: str, position: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = phase_of(position)
        pixel = np.floor(position + 0.5)
        unbiased = self.table["unbiased"].sel(axis=axis).values
        moved = pixel + np.interp(phase, self.table["phase"].values, unbiased)
        # Phases outside the learned range map to the edge, which belongs to the next pixel.
        inside: NDArray[np.float64] = np.minimum(moved, np.nextafter(pixel + 0.5, -np.inf))
        return inside


def phase_correction(
    photons: xr.Dataset,
    *,
    curvature: CurveLike = (0.0, 0.0),
    y_from_x: bool = False,
    min_singles: int = MIN_SINGLES,
    n_knots: int = N_KNOTS,
) -> PhaseCorrection:
    """Learn how positions are biased inside the pixel, from the single photons of a run.

    Photons hit all parts of a pixel with equal probability. So the cumulative distribution F of
    the measured phases f gives the unbiased ones, ``F(f) - 1/2``. One table is learned for x and
    one for y. They are valid for one finder, camera and photon energy. Use all photons of a run,
    or of several similar runs. Do not use only the photons of one peak: it would be flattened.

    Parameters
    ----------
    photons : xarray.Dataset
        A photon table, as from `find_photons`, with uncorrected positions. Doubles and photons
        with a ``flag`` are left out and counted.
    curvature : Curvature or (float, float)
        The curve of the lines, or ``(CURVE_A, CURVE_B)``. Phases of y are uniform only if lines
        cross rows.
    y_from_x : bool
        Use the table of x for y, too. This needs no tilt, but square pixels, and the same charge
        cloud and read-out along both axes.
    min_singles : int
        Least number of single photons; fewer are an error.
    n_knots : int
        Number of phases at which the correction is tabulated.

    Returns
    -------
    PhaseCorrection

    Raises
    ------
    NoPhaseCorrectionError
        If there are too few single photons, or the tilt of the lines is too small for uniform
        phases of y.
    TypeError, ValueError
        If `photons` is not a photon table, or a setting is not a number.

    Notes
    -----
    The one-dimensional case of the eta function's inversion for strip and pixel detectors: E.
    Belau et al., Nucl. Instrum. Methods 214, 253 (1983). A narrow line can have phases of its own.
    Two factors limit their effect: the tilt (`left_by_tilt`), and the Fourier coefficient of the
    curvature-corrected spectrum at a period of one pixel. ``false_bias`` comes from their product.
    A threshold that loses photons at some phases violates the assumption, and this is not
    detected.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from hrixs import phase_correction
    >>> x, y = np.random.default_rng(1).uniform(0, 100, (2, 20_000))
    >>> y += 0.05 * np.sin(2 * np.pi * y)
    >>> table = xr.Dataset({"x": ("photon", x), "y": ("photon", y)})
    >>> table["double"] = "photon", np.zeros(20_000, bool)
    >>> correction = phase_correction(table, curvature=(0.2, 0.0))
    >>> float(correction.table.unbiased.sel(axis="y").interp(phase=0.3).round(2))
    0.25
    """
    curve = Curvature.of(curvature)
    n_knots, min_singles = (
        whole_number("n_knots", n_knots),
        whole_number("min_singles", min_singles),
    )
    if n_knots < 3:
        raise ValueError(f"n_knots = {n_knots}, expected at least 3.")
    single, counted = single_photons(photons)
    _require_enough(counted["n_singles"], min_singles)
    position = {name: photons[name].values[single] for name in ("x", "y")}
    left = left_by_tilt(position["x"], curve)
    sharpness = float(np.abs(np.exp(2j * np.pi * (position["y"] - curve(position["x"]))).mean()))
    # A wave of amplitude 2 a in the density of the phases moves positions by 2 a / pi, both ways.
    false_bias = 2 * left * sharpness / np.pi
    if not y_from_x:
        blocks = column_blocks(position["x"], N_BLOCKS)
        p_value, difference = compare_blocks([phase_of(position["y"][block]) for block in blocks])
        _require_tilt(curve, left, false_bias, difference if p_value < SIGNIFICANCE else 0.0)
    knots = np.linspace(-0.5, 0.5, n_knots)
    shares = [cumulative(phase_of(position["x" if y_from_x else name]), knots) for name in position]
    _warn_if_unlike(*(float(np.abs(share - 0.5 - knots).max()) for share in shares))
    pixels = {"units": "px"}
    table = xr.Dataset(
        {"unbiased": (("axis", "phase"), np.array(shares) - 0.5, pixels)},
        coords={"axis": ["x", "y"], "phase": ("phase", knots, pixels)},
        attrs=provenance(
            "phase_correction",
            of_algorithm=finder_of(photons),
            **curve.attrs(),
            y_from_x=bool(y_from_x),
            **counted,
            table_err=_table_error(counted["n_singles"]),
            left_by_tilt=left,
            false_bias=0.0 if y_from_x else false_bias,
        ),
    )
    return PhaseCorrection(table)


def _table_error(n: int) -> float:
    """Rms error of the cumulative distribution of `n` uniform phases, in pixels."""
    return float(1 / np.sqrt(6 * n))


def _require_enough(n: int, least: int) -> None:
    if n < least:
        error = f"{_table_error(n):.3g} px rms" if n else "no bound"
        raise NoPhaseCorrectionError(
            f"the table has {n} single photons, expected at least {least}. The error of the "
            f"correction is 1/sqrt(6 N) px, here {error}; it must be small compared with the "
            "bias. Join the tables of more frames with concat_photons, or set min_singles."
        )


def _require_tilt(curve: Curvature, left: float, false_bias: float, difference: float) -> None:
    what = f"at curvature = ({curve.a:g}, {curve.b:g}) "
    if left > MOST_LEFT_BY_TILT:
        why = (
            f"the lines cross too few rows for uniform phases: {left:.0%} of the phases of a "
            f"narrow line remain, expected at most {MOST_LEFT_BY_TILT:.0%}"
        )
    elif false_bias > MOST_FALSE_BIAS:
        why = (
            f"the lines are too sharp for their tilt: they look like a bias of {false_bias:.3f} "
            f"px peak to peak, expected at most {MOST_FALSE_BIAS:g} px"
        )
    elif difference > MOST_DIFFERENCE:
        why = (
            f"a narrow line crosses rows too slowly: the phases of {N_BLOCKS} blocks of columns "
            f"differ by {difference:.0%}, expected at most {MOST_DIFFERENCE:.0%}. Their sum is "
            "uniform only if the line is equally bright everywhere"
        )
    else:
        return
    raise NoPhaseCorrectionError(
        f"the bias along y cannot be separated from the line: {what}{why}. Give "
        "curvature=(CURVE_A, CURVE_B) of this run, photons of more columns, or y_from_x=True, "
        "which uses the table of x (for square pixels)."
    )


def _warn_if_unlike(x_moves: float, y_moves: float) -> None:
    """Warn if only y has a bias: this happens if the line has no tilt, but the curve has one."""
    if y_moves > 3 * x_moves + 0.05:
        warn(
            f"positions move by up to {y_moves:.2f} px along y, but by {x_moves:.2f} px along x. "
            "Check that the curvature is that of this run: a narrow line without tilt is "
            "flattened by the correction."
        )


def _require_same_finder(learned_from: str, photons: xr.Dataset) -> None:
    if photons.attrs.get("phase_corrected"):
        raise ValueError(
            "the positions of the table were already corrected; expected uncorrected positions."
        )
    finder = finder_of(photons)
    if finder != learned_from:
        raise ValueError(
            f"the photons are from {finder}, but the correction was learned from {learned_from}, "
            "whose bias is different. Learn it from photons of the same finder."
        )
