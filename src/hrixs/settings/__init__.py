"""The settings of the spectrometer: their table, and the attributes that are made from it."""

from hrixs.settings.attributes import Settings
from hrixs.settings.table import DETECTOR_FIELDS, SETTINGS, Setting

__all__ = ["DETECTOR_FIELDS", "SETTINGS", "Setting", "Settings"]
