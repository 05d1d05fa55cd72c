"""The plot of an energy calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrixs.energy.axis import EnergyCalibration
from hrixs.utils.statistics import with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_calibration(calibration: EnergyCalibration) -> Figure:
    """Draw the lines' energies over their rows, with the fit, and what is left of them.

    Parameters
    ----------
    calibration : EnergyCalibration
        As from `hrixs.calibrate_energy`.

    Returns
    -------
    matplotlib.figure.Figure
        Outliers are red; the band is one standard deviation of the axis.
    """
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, sharex=True, figsize=(8, 6), layout="constrained", height_ratios=(3, 2)
    )
    rows, energies = calibration.rows, calibration.energies
    margin = 0.05 * float(np.ptp(rows))
    along = np.linspace(rows.min() - margin, rows.max() + margin, 200)
    above.plot(along, calibration.energy(along), color="grey", lw=1, label=_label(calibration))
    band = 1e3 * calibration.energy_err(along)
    below.fill_between(along, -band, band, color="grey", alpha=0.3, lw=0, label="axis, ± 1 std")
    slope = calibration.slope + 2 * calibration.quadratic * rows
    errors = 1e3 * np.abs(slope) * calibration.row_errs
    outlier = np.isin(np.arange(len(rows)), calibration.outliers)
    for kind, colour, name in ((~outlier, "C0", "elastic lines"), (outlier, "red", "outliers")):
        if kind.any():
            above.plot(rows[kind], energies[kind], "o", ms=5, color=colour, label=name)
            residuals = 1e3 * calibration.residuals[kind]
            below.errorbar(rows[kind], residuals, errors[kind], fmt="o", ms=5, color=colour)
    below.axhline(0.0, color="grey", lw=1)
    above.set(ylabel="photon energy (eV)", title="energy calibration")
    below.set(xlabel="row of the full chip (px)", ylabel="known - fitted (meV)")
    for axes in (above, below):
        axes.legend(fontsize="small")
    return figure


def _label(calibration: EnergyCalibration) -> str:
    slope = with_error(1e3 * calibration.slope, 1e3 * calibration.slope_err)
    intercept = with_error(calibration.intercept, calibration.intercept_err)
    text = f"intercept {intercept} eV\nslope {slope} meV/px"
    if calibration.degree == 2:
        text += f"\nquadratic {calibration.quadratic:.3g} ± {calibration.quadratic_err:.1g} eV/px²"
    return text
