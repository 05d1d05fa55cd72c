"""The settings of the spectrometer: their table, and the attributes made from it."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.settings.attributes import Settings
    from hrixs.settings.table import DETECTOR_FIELDS, SETTINGS, Setting
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["DETECTOR_FIELDS", "SETTINGS", "Setting", "Settings"]
