"""Make spectra from photons or from frames; add up, compare and rebin them."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.spectra.aggregate import Aggregator, default_aggregators
    from hrixs.spectra.counted import photon_spectrum
    from hrixs.spectra.dataset import COUNTS, as_counted, store_spectrum, with_energy
    from hrixs.spectra.errors import error_of, known_error, with_variance
    from hrixs.spectra.integrated import integrate_frames
    from hrixs.spectra.plots import plot_spectra
    from hrixs.spectra.pump_probe import difference
    from hrixs.spectra.rebin import axis_and_values, equal_step, moved_variable, rebin_shifted
    from hrixs.spectra.train_plot import plot_per_train
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "COUNTS",
    "Aggregator",
    "as_counted",
    "axis_and_values",
    "default_aggregators",
    "difference",
    "equal_step",
    "error_of",
    "integrate_frames",
    "known_error",
    "moved_variable",
    "photon_spectrum",
    "plot_per_train",
    "plot_spectra",
    "rebin_shifted",
    "store_spectrum",
    "with_energy",
    "with_variance",
]
