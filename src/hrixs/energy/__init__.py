"""The energy axis: lines and their widths, calibration, energy loss, drift."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.energy.axis import EnergyCalibration
    from hrixs.energy.calibration import calibrate_energy
    from hrixs.energy.calibration_plot import plot_calibration
    from hrixs.energy.drift import align
    from hrixs.energy.line import LineFit, line_width
    from hrixs.energy.loss import energy_loss
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "EnergyCalibration",
    "LineFit",
    "align",
    "calibrate_energy",
    "energy_loss",
    "line_width",
    "plot_calibration",
]
