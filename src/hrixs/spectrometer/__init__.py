"""The class `hRIXS`, its settings, and the recipe that they make."""

from hrixs.settings.table import DETECTOR_FIELDS, SETTINGS, Setting
from hrixs.spectrometer.recipe import add_spectra, needs_cloud
from hrixs.spectrometer.spectrometer import hRIXS

__all__ = ["DETECTOR_FIELDS", "SETTINGS", "Setting", "add_spectra", "hRIXS", "needs_cloud"]
