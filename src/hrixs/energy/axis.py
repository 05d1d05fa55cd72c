"""The polynomial from rows of the chip to energies, with uncertainties and outliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hrixs.doubt_rules.axis import calibration
from hrixs.doubt_rules.doubt import Doubt
from hrixs.energy.line import LineFit
from hrixs.utils.statistics import with_error
from hrixs.utils.typing import Floats

# Below this probability of the residuals, the lines scatter by more than their uncertainties.
_LEAST_PROBABILITY = 0.001
# Standard deviations from what the other lines say, above which a line is an outlier.
_OUTLIER = 5.0
# Lines that are off by so many uncertainties, and by more than their width, lie on no axis.
_NO_AXIS = 100.0


@dataclass(frozen=True, eq=False, repr=False)
class EnergyCalibration:
    """Energy of a row of the full chip: ``intercept + slope * row + quadratic * row**2``, in eV.

    Attributes
    ----------
    intercept, slope, quadratic : float
        In eV, eV per pixel, and eV per pixel squared; `quadratic` is 0 for degree 1.
    intercept_err, slope_err, quadratic_err : float
        Standard deviations.
    covariance : numpy.ndarray, shape (degree + 1, degree + 1)
        Covariance of intercept, slope (and quadratic).
    rows, row_errs : numpy.ndarray, shape (n,)
        Positions of the lines in rows of the full chip, and their standard deviations.
    energies : numpy.ndarray, shape (n,)
        Known energies of the lines, in eV.
    residuals : numpy.ndarray, shape (n,)
        Known minus fitted energy, in eV.
    chi2 : float
        Chi-square of the residuals per degree of freedom; NaN if there is none.
    scale : float
        Factor by which all uncertainties were enlarged; above 1 if the lines scatter more than
        they allow.
    outliers : tuple of int
        Numbers of the lines that deviate from the others. They are part of the fit.
    axis : (float, float)
        Intercept and slope of the straight line nearest to all lines: the fit itself for degree 1,
        a linear approximation for degree 2.
    lines : tuple of LineFit
        The fits of the lines, in rows.
    doubts : tuple of Doubt
        Doubts about the calibration, as from `hrixs.doubts`.
    source : str
        Proposal and runs of the lines, if known.
    """

    intercept: float
    slope: float
    quadratic: float
    intercept_err: float
    slope_err: float
    quadratic_err: float
    covariance: Floats
    rows: Floats
    row_errs: Floats
    energies: Floats
    residuals: Floats
    chi2: float
    scale: float
    outliers: tuple[int, ...]
    axis: tuple[float, float]
    lines: tuple[LineFit, ...]
    doubts: tuple[Doubt, ...] = ()
    source: str = ""

    @property
    def degree(self) -> int:
        """1 or 2."""
        return len(self.covariance) - 1

    def energy(self, row: ArrayLike) -> Floats:
        """Energy of rows of the full chip, in eV."""
        rows = np.asarray(row, dtype=np.float64)
        return np.asarray(self.intercept + (self.slope + self.quadratic * rows) * rows)

    def energy_err(self, row: ArrayLike) -> Floats:
        """Standard deviation of `energy`, in eV."""
        powers = np.vander(np.ravel(np.asarray(row, float)), self.degree + 1, increasing=True)
        variance = np.einsum("ij,jk,ik->i", powers, self.covariance, powers)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)).reshape(np.shape(row)))

    def __repr__(self) -> str:
        slope = with_error(1e3 * self.slope, 1e3 * self.slope_err)
        intercept = with_error(self.intercept, self.intercept_err)
        bend = f", quadratic {self.quadratic:.3g} ± {self.quadratic_err:.1g} eV/px^2"
        rms = 1e3 * float(np.sqrt(np.mean(self.residuals**2)))
        return (
            f"<EnergyCalibration: slope {slope} meV/px, intercept {intercept} eV"
            f"{bend if self.degree == 2 else ''}, {len(self.rows)} lines, rms {rms:.2g} meV>"
        )


def fit_axis(
    lines: tuple[LineFit, ...], energies: Floats, degree: int, remarks: Sequence[str] = ()
) -> EnergyCalibration:
    """Weighted least squares of the lines' energies over their rows of the full chip.

    Raises
    ------
    ValueError
        If the lines are off by more than their widths and 100 times their uncertainties.
    """
    from scipy.stats import chi2 as chi2_distribution

    rows = np.array([line.centre for line in lines])
    errors = np.array([line.centre_err for line in lines])
    middle = float(rows.mean())
    fit, covariance, chi2 = _polynomial(rows - middle, energies, errors, degree)
    free = len(rows) - degree - 1
    scale = 1.0
    remarks = list(remarks)
    residuals = energies - np.vander(rows - middle, degree + 1, increasing=True) @ fit
    outliers = _outliers(rows - middle, energies, errors, degree)
    rms = float(np.sqrt(np.mean(residuals**2)))
    width = abs(float(fit[1])) * float(np.median([line.fwhm for line in lines]))
    if free and np.sqrt(chi2 / free) > _NO_AXIS and rms > width:
        named = "; ".join(f"line {k}, of {energies[k]:g} eV" for k in outliers)
        raise ValueError(
            f"no energy axis fits the {len(rows)} lines: they are off by {1e3 * rms:.3g} meV, "
            f"{np.sqrt(chi2 / free):.0f} times their uncertainties"
            f"{f' (against the others: {named})' if named else ''}. Check the order of runs and "
            "energies, whether each run's tallest line is the elastic one (else give its region), "
            "and the curvature."
        )
    if free and chi2_distribution.sf(chi2, free) < _LEAST_PROBABILITY:
        scale = float(np.sqrt(chi2 / free))
        remarks.append(
            f"the {len(rows)} lines scatter by {scale:.1f} times their uncertainties; those of the "
            "calibration are enlarged by that. Check the energies, and whether each run's tallest "
            "line is the elastic one."
        )
    for k in outliers:
        remarks.append(
            f"line {k}, of {energies[k]:g} eV at row {rows[k]:.2f}, deviates from the other lines "
            "by more than 5 standard deviations; it is part of the fit."
        )
    # From powers of row - middle to powers of row.
    to_rows = np.array([[1.0, -middle, middle**2], [0, 1, -2 * middle], [0, 0, 1]])
    to_rows = to_rows[: degree + 1, : degree + 1]
    coefficients = np.zeros(3)
    coefficients[: degree + 1] = to_rows @ fit
    covariance = scale**2 * to_rows @ covariance @ to_rows.T
    stds = np.zeros(3)
    stds[: degree + 1] = np.sqrt(np.diag(covariance))
    straight = _polynomial(rows - middle, energies, errors, 1)[0]
    return EnergyCalibration(
        intercept=float(coefficients[0]),
        slope=float(coefficients[1]),
        quadratic=float(coefficients[2]),
        intercept_err=float(stds[0]),
        slope_err=float(stds[1]),
        quadratic_err=float(stds[2]),
        covariance=covariance,
        rows=rows,
        row_errs=errors,
        energies=energies,
        residuals=residuals,
        chi2=chi2 / free if free else float("nan"),
        scale=scale,
        outliers=outliers,
        axis=(float(straight[0] - straight[1] * middle), float(straight[1])),
        lines=lines,
        doubts=tuple(calibration(remarks)),
    )


def _polynomial(
    rows: Floats, energies: Floats, errors: Floats, degree: int
) -> tuple[Floats, Floats, float]:
    """Coefficients, lowest power first, their covariance, and chi-square.

    The energies are exact and the rows are not: an error of the row is one of the energy by the
    slope there.
    """
    powers = np.vander(rows, degree + 1, increasing=True)
    fit = np.linalg.lstsq(powers, energies, rcond=None)[0]
    for _ in range(3):
        slope = fit[1] + (2 * fit[2] * rows if degree == 2 else 0.0)
        sigma = np.abs(slope) * errors
        sigma = np.maximum(sigma, 1e-12 * np.abs(energies).max())
        # Columns of one size: the powers of rows differ by many orders.
        size = np.sqrt((powers**2).sum(axis=0)) + (powers == 0).all(axis=0)
        normed = powers / size / sigma[:, None]
        fit = np.linalg.lstsq(normed, energies / sigma, rcond=None)[0] / size
    covariance = np.linalg.pinv(normed.T @ normed) / np.outer(size, size)
    return np.asarray(fit), covariance, float((((energies - powers @ fit) / sigma) ** 2).sum())


def _outliers(
    rows: Floats, energies: Floats, errors: Floats, degree: int
) -> tuple[int, ...]:  # fmt: skip
    """Lines that deviate from the fit of all others, by their scatter or their uncertainties."""
    free = len(rows) - 1 - (degree + 1)
    if free < 1:
        return ()
    found = []
    for k in range(len(rows)):
        rest = np.arange(len(rows)) != k
        if len(np.unique(rows[rest])) < degree + 1:
            continue
        fit, covariance, chi2 = _polynomial(rows[rest], energies[rest], errors[rest], degree)
        at = rows[k] ** np.arange(degree + 1)
        slope = fit[1] + (2 * fit[2] * rows[k] if degree == 2 else 0.0)
        variance = (slope * errors[k]) ** 2 + at @ covariance @ at
        variance *= max(1.0, chi2 / free)
        if abs(energies[k] - at @ fit) > _OUTLIER * np.sqrt(variance):
            found.append(k)
    return tuple(found)
