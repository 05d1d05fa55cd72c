"""The plot of an energy calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrixs.energy.axis import EnergyCalibration
from hrixs.utils.figures import (
    BAND,
    BLUE,
    GREY,
    VERMILION,
    add_legend,
    add_legend_above,
    new_figure_of_pyplot,
    set_title,
)
from hrixs.utils.statistics import with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_calibration(calibration: EnergyCalibration) -> Figure:
    """Draw the energies of the lines over their rows, the fit, and the residuals.

    Parameters
    ----------
    calibration : EnergyCalibration
        From `hrixs.calibrate_energy`.

    Returns
    -------
    matplotlib.figure.Figure
        Outliers have another colour; the band is one standard deviation of the axis.
    """
    figure, (above, below) = new_figure_of_pyplot(2, 1, (8, 6.5), sharex=True, height_ratios=(3, 2))
    rows, energies = calibration.rows, calibration.energies
    margin = 0.05 * float(np.ptp(rows))
    along = np.linspace(rows.min() - margin, rows.max() + margin, 200)
    above.plot(along, calibration.energy(along), color=GREY, lw=1.5, label="fitted axis")
    band = 1e3 * calibration.energy_err(along)
    below.fill_between(along, -band, band, color=GREY, alpha=0.3, lw=0, label=f"axis, {BAND}")
    slope = calibration.slope + 2 * calibration.quadratic * rows
    errors = 1e3 * np.abs(slope) * calibration.row_errs
    outlier = np.isin(np.arange(len(rows)), calibration.outliers)
    for kind, colour, name in ((~outlier, BLUE, "elastic lines"), (outlier, VERMILION, "outliers")):
        if kind.any():
            above.plot(rows[kind], energies[kind], "o", ms=5, color=colour, label=name)
            residuals = 1e3 * calibration.residuals[kind]
            below.errorbar(
                rows[kind],
                residuals,
                errors[kind],
                fmt="o",
                ms=5,
                color=colour,
                label=f"{name}, {BAND}",
            )
    below.axhline(0.0, color=GREY, lw=1)
    above.set(ylabel="photon energy (eV)")
    set_title(above, "energy calibration", *_texts(calibration), calibration.source)
    below.set(xlabel="row of the full chip (px)", ylabel="known - fitted (meV)")
    add_legend(above)
    top = np.concatenate([band, np.abs(1e3 * calibration.residuals) + errors])
    add_legend_above(below, np.concatenate([along, rows]), top)
    return figure


def _texts(calibration: EnergyCalibration) -> list[str]:
    slope = with_error(1e3 * calibration.slope, 1e3 * calibration.slope_err)
    intercept = with_error(calibration.intercept, calibration.intercept_err)
    texts = [f"intercept {intercept} eV", f"slope {slope} meV/px"]
    if calibration.degree == 2:
        bend = f"{calibration.quadratic:.3g} ± {calibration.quadratic_err:.1g}"
        texts.append(f"quadratic {bend} eV/px²")
    return texts
