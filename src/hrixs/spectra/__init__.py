"""Spectra counted from photons or integrated from frames; added up, compared, rebinned."""

from hrixs.spectra.aggregate import (
    add,
    add_in_quadrature,
    aggregate_all,
    aggregate_groups,
    default_aggregators,
    normalized,
    normalized_error,
)
from hrixs.spectra.counted import photon_spectrum
from hrixs.spectra.dataset import COUNTS, store_spectrum, with_counting_error, with_energy
from hrixs.spectra.integrated import integrate_frames
from hrixs.spectra.plots import plot_per_train, plot_spectra
from hrixs.spectra.pump_probe import difference
from hrixs.spectra.rebin import axis_and_values, equal_step, moved_variable, shared

__all__ = [
    "COUNTS",
    "add",
    "add_in_quadrature",
    "aggregate_all",
    "aggregate_groups",
    "axis_and_values",
    "default_aggregators",
    "difference",
    "equal_step",
    "integrate_frames",
    "moved_variable",
    "normalized",
    "normalized_error",
    "photon_spectrum",
    "plot_per_train",
    "plot_spectra",
    "shared",
    "store_spectrum",
    "with_counting_error",
    "with_energy",
]
