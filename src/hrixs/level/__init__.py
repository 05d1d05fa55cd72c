"""The level under the light: pedestals, fitted darks, backgrounds, cosmic rays."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.level.background import subtract_background
    from hrixs.level.dark_fit import DarkFit, fit_dark
    from hrixs.level.mend import Mending
    from hrixs.level.unlit import Sample, UnlitLevel, unlit_level
    from hrixs.level.words import DARK_FITS
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "DARK_FITS",
    "DarkFit",
    "Mending",
    "Sample",
    "UnlitLevel",
    "fit_dark",
    "subtract_background",
    "unlit_level",
]
