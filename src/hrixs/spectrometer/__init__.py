"""The class `hRIXS`, and the analysis that its settings define."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.settings.table import DETECTOR_FIELDS, SETTINGS, Setting
    from hrixs.spectrometer.recipe import add_spectra, needs_cloud
    from hrixs.spectrometer.spectrometer import hRIXS
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["DETECTOR_FIELDS", "SETTINGS", "Setting", "add_spectra", "hRIXS", "needs_cloud"]
