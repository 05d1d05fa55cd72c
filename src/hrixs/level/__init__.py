"""The level under the light: pedestals, fitted darks, backgrounds, cosmic rays."""

from hrixs.level.background import subtract_background
from hrixs.level.dark_fit import DARK_FITS, DarkFit, fit_dark
from hrixs.level.mend import Mending
from hrixs.level.unlit import Sample, UnlitLevel, unlit_level

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
