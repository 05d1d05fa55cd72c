"""Live analysis: from the trains of a Karabo bridge to spectra, a page and the terminal."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.live.spectra import LiveSpectra
    from hrixs.live.train_spectrum import TrainSpectrum
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["LiveSpectra", "TrainSpectrum"]
