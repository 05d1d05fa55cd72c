"""Trains as they come: from a Karabo bridge to spectra, a page and the terminal."""

from hrixs.live.spectra import LiveSpectra
from hrixs.live.train_spectrum import TrainSpectrum

__all__ = ["LiveSpectra", "TrainSpectrum"]
