"""The class `hRIXS`, its settings, and the recipe that they make."""

from hrixs.spectrometer.spectrometer import hRIXS

__all__ = ["hRIXS"]
