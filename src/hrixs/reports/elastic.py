"""The elastic line of a sum of spectra: its width, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hrixs.energy.line import LineFit, line_width
from hrixs.reports.spectra_of import units_of
from hrixs.scans.elastic import ROWS_BESIDE
from hrixs.spectra.errors import BIN_NOISE
from hrixs.utils.statistics import with_error

# A line needs at least this many standard deviations, and this distance from the ends.
_LEAST_SIGNIFICANCE, _NEAR_END = 5.0, 0.9


@dataclass(frozen=True)
class Elastic:
    """A fitted line, whether it is the elastic one, and a sentence about it."""

    fit: LineFit | None
    is_elastic: bool
    text: str


def elastic_line(total: xr.DataArray, error: xr.DataArray | None, slope: float | None) -> Elastic:
    """Fit the elastic line near zero loss; without energy loss the tallest line, elastic or not.

    Parameters
    ----------
    total : xarray.DataArray, one dimension
        Sum over ``energy_loss``, ``energy`` or ``y``.
    error : xarray.DataArray or None
        Standard deviation of the sum.
    slope : float or None
        Slope of the energy axis, in eV per row, if known.
    """
    (axis,) = (str(dim) for dim in total.dims)
    within = None
    if axis == "energy_loss":
        within = ROWS_BESIDE * abs(slope) if slope else 0.05 * float(np.ptp(total[axis].values))
    where = "" if within is None else f" within {within:.2g} eV of zero loss"
    name = "elastic line" if within is not None else "tallest line"
    try:
        fit = fitted(total, error, None if within is None else (-within, within))
    except ValueError as why:
        what = name if within is not None else "line"
        why_not = str(why).rstrip(".")
        return Elastic(None, False, f"No width is given: no {what} was found{where} ({why_not}).")
    counted = units_of(total) == "photons"
    known = error is not None or not counted
    width = _shown(fit.fwhm, fit.fwhm_err * known, fit.units)
    at = _shown(fit.centre, fit.centre_err * known, fit.units, fine=within is not None)
    text = f"The {name}{where} has a FWHM of {width}, at {at}"
    if counted:
        text += f", with {with_error(fit.area, fit.area_err * known)} photons"
    text += f" ({fit.shape.capitalize()} fit, corrected for the width of the bins"
    text += f", chi2 {fit.chi2:.2f})." if known and counted and np.isfinite(fit.chi2) else ")."
    if not known:
        text += " The errors of these numbers cannot be known."
    shared = BIN_NOISE in total.attrs
    if not counted:
        text += " Errors are from the scatter of the bins: too small if bins share intensity."
    elif shared:
        text += " Bins share the intensity of a row, so these errors are too small."
    if within is None:
        text += " It is not known whether this line is the elastic one."
    if known and counted and not shared and fit.chi2 > 2:
        text += " The shape of the line differs from the fit: do not rely on the width."
    return Elastic(fit, within is not None, text)


def fitted(
    total: xr.DataArray, error: xr.DataArray | None, ends: tuple[float, float] | None
) -> LineFit:
    """Fit the tallest line, optionally between two ends.

    Raises
    ------
    ValueError
        If no line stands out clearly.
    """
    dim = total.dims[0]
    if ends is not None:
        here = (total[dim].values >= ends[0]) & (total[dim].values <= ends[1])
        total = total.isel({dim: np.flatnonzero(here)})
        error = None if error is None else error.isel({dim: np.flatnonzero(here)})
        if total.sizes[dim] < 6:
            raise ValueError(f"there are only {total.sizes[dim]} bins.")
    values = total.values
    counted = units_of(total) == "photons" and float(np.nanmin(values)) >= 0
    if counted:
        whole = bool(np.all(values == np.rint(values)))
        fit = line_width(total, error=None if whole else error)
    else:
        known = error is not None and bool((error.values > 0).all())
        fit = line_width(total, noise="gaussian", error=error if known else None)
    significance = fit.area / fit.area_err if fit.area_err > 0 else np.inf
    if not (significance >= _LEAST_SIGNIFICANCE and np.isfinite(fit.centre_err)):
        raise ValueError(f"the tallest one has only {significance:.1f} standard deviations.")
    if ends is not None:
        middle, half = sum(ends) / 2, _NEAR_END * (ends[1] - ends[0]) / 2
        if abs(fit.centre - middle) > half:
            raise ValueError(f"the tallest one is at the end of the range, at {fit.centre:.4g}.")
    return fit


def _shown(value: float, error: float, units: str, *, fine: bool = True) -> str:
    if units == "eV" and fine:
        value, error, units = 1e3 * value, 1e3 * error, "meV"
    return f"{with_error(value, error) if error else f'{value:.4g}'} {units}"
