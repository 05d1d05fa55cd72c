"""Photons found and placed in frames, their table, and the bias inside the pixel."""

from hrixs.photons.bias_correction import PhaseCorrection, phase_correction
from hrixs.photons.classify import classify_photons
from hrixs.photons.cloud import estimate_cloud
from hrixs.photons.cloud_width import COLUMNS, CloudEstimate, cloud_of_first, mean_cloud
from hrixs.photons.defaults import (
    CANDIDATE_HIGH,
    CANDIDATE_LOW,
    DOUBLE_LOW,
    ELECTRONS_PER_ADU,
    EV_PER_PAIR,
    MAX_PHOTONS,
    SINGLE_LOW,
    STD_THRESHOLD,
)
from hrixs.photons.find import find_photons
from hrixs.photons.lazy import photon_parts
from hrixs.photons.phases import PhaseUniformity, phase_uniformity
from hrixs.photons.placement import POSITION
from hrixs.photons.table import PLACE_COLUMNS, concat_photons, photon_table, with_attributes

__all__ = [
    "CANDIDATE_HIGH",
    "CANDIDATE_LOW",
    "COLUMNS",
    "DOUBLE_LOW",
    "ELECTRONS_PER_ADU",
    "EV_PER_PAIR",
    "MAX_PHOTONS",
    "PLACE_COLUMNS",
    "POSITION",
    "SINGLE_LOW",
    "STD_THRESHOLD",
    "CloudEstimate",
    "PhaseCorrection",
    "PhaseUniformity",
    "classify_photons",
    "cloud_of_first",
    "concat_photons",
    "estimate_cloud",
    "find_photons",
    "mean_cloud",
    "phase_correction",
    "phase_uniformity",
    "photon_parts",
    "photon_table",
    "with_attributes",
]
