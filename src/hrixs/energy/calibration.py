"""Energy axis of the spectrometer from elastic lines at known photon energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.curve import Curvature, CurveLike
from hrixs.doubt_rules.doubt import tell
from hrixs.energy.axis import EnergyCalibration, fit_axis
from hrixs.energy.line import LineFit, line_width
from hrixs.energy.rows import full_rows, photon_rows
from hrixs.spectra.errors import known_variance
from hrixs.utils.errors import NoLineError
from hrixs.utils.provenance import first_pixel_of, joined_sources
from hrixs.utils.typing import Floats

# A line that is this much wider than the narrowest, or fits as badly, is reported.
_MUCH_WIDER = 3.0
_LARGEST_CHI2 = 3.0


def calibrate_energy(
    lines: Sequence[xr.Dataset | xr.DataArray | LineFit],
    energies: ArrayLike,
    *,
    degree: int = 1,
    curvature: CurveLike = (0.0, 0.0),
    first_row: int = 0,
    shape: str = "gaussian",
    region: tuple[float, float] | None = None,
    noise: str = "poisson",
) -> EnergyCalibration:
    """Fit the energy axis to elastic lines at known photon energies.

    Parameters
    ----------
    lines : sequence of xarray.Dataset, xarray.DataArray or LineFit
        One for each energy: a photon table, a spectrum over ``y``, or a line fitted to one; or a
        spectrum over ``energy`` of the class, whose attributes give its rows; or a dataset with
        spectra of either kind and, optionally, their errors, which are summed. The tallest line of
        each is taken as the elastic line.
    energies : array_like, shape (n,)
        Photon energies in eV.
    degree : {1, 2}
        Degree of the polynomial over the row.
    curvature : Curvature or (float, float)
        The curve, or ``(CURVE_A, CURVE_B)``, for photon tables.
    first_row : int
        Row of the full chip at which the crop begins, ``Y_RANGE.start``, for lines that are counted
        from there: of arrays, and of DataArrays without coordinates. Not used for photon tables and
        spectra with the attribute ``first_pixel``, and for those of the class, whose rows are those
        of the full chip.
    shape, region, noise
        As in `line_width`, with the region in rows of the full chip.

    Returns
    -------
    EnergyCalibration

    Raises
    ------
    NoLineError
        If one of the spectra has no line: it is named.
    ValueError
        If the numbers of lines and energies differ, there are fewer than ``degree + 1`` different
        energies, a spectrum has no rows, or none in the region; if no axis fits: the lines are off
        by more than 100 times their uncertainties, and by more than their width.

    Warns
    -----
    DoubtWarning
        For a line more than 3 times as wide as the narrowest, or with a different shape (chi2
        above 3), for example due to a wrong curvature; for a line that deviates from the others;
        and if all scatter by more than their uncertainties, for example because the energy of the
        beam is known less well than the positions of the lines. All uncertainties are then
        enlarged accordingly.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import calibrate_energy
    >>> rng = np.random.default_rng(1)
    >>> spectra = []
    >>> for row in (40, 95, 150):
    ...     counts = np.histogram(rng.normal(row, 1.3, 2000), 800, (0, 200))[0]
    ...     spectra.append(xr.DataArray(counts, {"y": np.arange(0.125, 200, 0.25)}, ["y"]))
    >>> fit = calibrate_energy(spectra, [529, 530, 531], first_row=700)
    >>> round(fit.slope, 4), round(float(fit.energy(795)), 2)
    (0.0182, 530.0)
    """
    if degree not in (1, 2):
        raise ValueError(f"degree = {degree!r}, expected 1 or 2.")
    known = np.asarray(energies, dtype=np.float64)
    if known.shape != (len(lines),) or not np.isfinite(known).all():
        raise ValueError(
            f"{len(lines)} lines and energies of shape {known.shape} given, expected one finite "
            "energy in eV for each line."
        )
    n_different = len(np.unique(known))
    if n_different < degree + 1:
        raise ValueError(
            f"{n_different} different energies given, expected {degree + 1} or more for degree "
            f"{degree}."
        )
    curve = Curvature.of(curvature)
    fits = []
    for number, line in enumerate(lines):
        try:
            fits.append(_fitted(line, curve, float(first_row), shape, region, noise))
        except NoLineError as error:
            raise NoLineError(f"line {number}, of {known[number]:g} eV: {error}") from error
        except ValueError as error:
            raise ValueError(f"line {number}, of {known[number]:g} eV: {error}") from error
    result = fit_axis(tuple(fits), known, degree, _odd_lines(fits, known))
    tell(result.doubts)
    known_lines = [line for line in lines if not isinstance(line, LineFit)]
    return replace(result, source=joined_sources(known_lines))


def _odd_lines(fits: Sequence[LineFit], energies: Floats) -> list[str]:
    """A sentence on each line that does not look like an elastic line."""
    narrowest = min(fit.fwhm for fit in fits)
    found = []
    check = "Check the curvature, and that this is the elastic line, or give its region."
    for number, fit in enumerate(fits):
        line = f"line {number}, of {energies[number]:g} eV,"
        if fit.fwhm > _MUCH_WIDER * narrowest:
            found.append(
                f"{line} is {fit.fwhm:.1f} px wide, but the narrowest line {narrowest:.1f} px. "
                f"{check}"
            )
        elif fit.chi2 > _LARGEST_CHI2:
            found.append(
                f"{line} has a chi2 of {fit.chi2:.1f}: its shape is not {fit.shape}. {check}"
            )
    return found


def _fitted(
    line: xr.Dataset | xr.DataArray | LineFit, curve: Curvature, first_row: float,
    shape: str, region: tuple[float, float] | None, noise: str,
) -> LineFit:  # fmt: skip
    error: Floats | None = None
    if isinstance(line, LineFit):
        ends = (line.window[0] + first_row, line.window[1] + first_row)
        return replace(line, centre=line.centre + first_row, window=ends)
    if isinstance(line, xr.Dataset) and "spectrum" in line:
        line, error = _summed(line)
    elif isinstance(line, xr.Dataset):
        first_row = first_row if first_pixel_of(line.attrs) is None else 0.0
        line, error = photon_rows(line, curve)
    elif not isinstance(line, xr.DataArray):
        raise TypeError(
            f"{type(line).__name__} given as a line, expected a photon table or a spectrum."
        )
    rows = full_rows(line, first_row)
    if region is not None:
        low, high = sorted(float(end) for end in region)
        y = rows["y"].values
        if not ((y >= low) & (y <= high)).any():
            raise ValueError(
                f"region = {region!r} holds none of the spectrum's rows, {y.min():.7g} to "
                f"{y.max():.7g}; give rows of the full chip."
            )
    return line_width(rows, shape=shape, region=region, noise=noise, error=error)


def _summed(data: xr.Dataset) -> tuple[xr.DataArray, Floats | None]:
    """Sum of all spectra of a dataset, and its standard deviations where they are known."""
    spectrum = data["spectrum"]
    others = [dim for dim in spectrum.dims if dim not in ("energy", "y")]
    total = spectrum.sum(others, skipna=False, keep_attrs=True)
    variances = known_variance(data)
    if variances is None:
        return total, None
    variance = variances.sum(others, skipna=False)
    return total, np.sqrt(np.asarray(variance.values, dtype=np.float64))
