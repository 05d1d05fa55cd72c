"""Make RIXS spectra of camera frames, of photons at sub-pixel positions or of summed pixels.

`hRIXS` is the class for data of the hRIXS spectrometer at European XFEL; the functions work on
frames of any camera.
"""

from typing import TYPE_CHECKING

try:
    from hrixs import _core as _core
except ImportError as error:
    raise ImportError(
        f"the compiled part of hrixs can't be loaded: {error}. Install hrixs with 'pip install .' "
        "from its folder, and import it from outside of that folder's src."
    ) from error

from hrixs.scans.accessor import register_with_xarray
from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.camera.curve import Curvature
    from hrixs.comparisons.compared import Comparison
    from hrixs.comparisons.comparison import compare
    from hrixs.curvature.image_fit import CurvatureFit, fit_curvature_image
    from hrixs.curvature.photon_fit import PhotonCurvatureFit, fit_curvature
    from hrixs.deconvolution.bins import add_bins, sum_between
    from hrixs.deconvolution.result import deconvolve
    from hrixs.doubt_rules.doubt import Doubt
    from hrixs.doubt_rules.listing import doubts
    from hrixs.energy.axis import EnergyCalibration
    from hrixs.energy.calibration import calibrate_energy
    from hrixs.energy.drift import align
    from hrixs.energy.line import LineFit, line_width
    from hrixs.energy.loss import energy_loss
    from hrixs.files.event_list import read_events
    from hrixs.files.images import open_images
    from hrixs.files.table_from import photon_table_from
    from hrixs.groups.grouped import aggregate
    from hrixs.level.background import subtract_background
    from hrixs.noise.bad_pixels import bad_pixels
    from hrixs.noise.report import NoiseReport, noise_report
    from hrixs.output.writing import export
    from hrixs.photons.bias_correction import PhaseCorrection, phase_correction
    from hrixs.photons.classify import classify_photons
    from hrixs.photons.cloud import estimate_cloud
    from hrixs.photons.cloud_width import CloudEstimate
    from hrixs.photons.find import find_photons
    from hrixs.photons.lazy import photon_parts
    from hrixs.photons.phases import PhaseUniformity, phase_uniformity
    from hrixs.photons.resolve import resolve_photons
    from hrixs.photons.table import concat_photons, photon_table
    from hrixs.replays.python_text import how_made
    from hrixs.runs.mnemonic_table import mnemonics
    from hrixs.scans.delays import delay_from_position
    from hrixs.scans.elastic import align_elastic
    from hrixs.scans.joining import concat
    from hrixs.scans.map_plot import plot_map
    from hrixs.scans.maps import cut, rixs_map
    from hrixs.scans.pumped import pumped_by
    from hrixs.selection.choose import select
    from hrixs.spectra.aggregate import add, average
    from hrixs.spectra.counted import photon_spectrum
    from hrixs.spectra.errors import error_of
    from hrixs.spectra.integrated import integrate_frames
    from hrixs.spectra.plots import plot_spectra
    from hrixs.spectra.pump_probe import difference
    from hrixs.spectrometer.auto_range import FoundRange, auto_range
    from hrixs.spectrometer.page import report
    from hrixs.spectrometer.replay import replay
    from hrixs.spectrometer.spectra import count_events
    from hrixs.spectrometer.spectrometer import hRIXS
    from hrixs.utils.errors import (
        ChargeBalanceWarning,
        DoubtError,
        DoubtfulCurvatureError,
        DoubtWarning,
        FaultyRunError,
        HrixsWarning,
        LostPhotonsWarning,
        MissingDataError,
        NoLineError,
        NonFinitePixelsError,
        NoPhaseCorrectionError,
        TooManyPhotonsError,
        UnknownUncertaintyError,
    )
    from hrixs.utils.provenance import __version__
else:
    __getattr__ = names_on_demand(__name__)

register_with_xarray()

__all__ = [
    "ChargeBalanceWarning",
    "CloudEstimate",
    "Comparison",
    "Curvature",
    "CurvatureFit",
    "Doubt",
    "DoubtError",
    "DoubtWarning",
    "DoubtfulCurvatureError",
    "EnergyCalibration",
    "FaultyRunError",
    "FoundRange",
    "HrixsWarning",
    "LineFit",
    "LostPhotonsWarning",
    "MissingDataError",
    "NoLineError",
    "NoPhaseCorrectionError",
    "NoiseReport",
    "NonFinitePixelsError",
    "PhaseCorrection",
    "PhaseUniformity",
    "PhotonCurvatureFit",
    "TooManyPhotonsError",
    "UnknownUncertaintyError",
    "__version__",
    "add",
    "add_bins",
    "aggregate",
    "align",
    "align_elastic",
    "auto_range",
    "average",
    "bad_pixels",
    "calibrate_energy",
    "classify_photons",
    "compare",
    "concat",
    "concat_photons",
    "count_events",
    "cut",
    "deconvolve",
    "delay_from_position",
    "difference",
    "doubts",
    "energy_loss",
    "error_of",
    "estimate_cloud",
    "export",
    "find_photons",
    "fit_curvature",
    "fit_curvature_image",
    "hRIXS",
    "how_made",
    "integrate_frames",
    "line_width",
    "mnemonics",
    "noise_report",
    "open_images",
    "phase_correction",
    "phase_uniformity",
    "photon_parts",
    "photon_spectrum",
    "photon_table",
    "photon_table_from",
    "plot_map",
    "plot_spectra",
    "pumped_by",
    "read_events",
    "replay",
    "report",
    "resolve_photons",
    "rixs_map",
    "select",
    "subtract_background",
    "sum_between",
]


def __dir__() -> list[str]:
    return __all__
