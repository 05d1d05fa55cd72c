"""Find photons and their positions in frames; the photon table; the bias inside the pixel."""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.photons.bias_correction import PhaseCorrection, phase_correction
    from hrixs.photons.classify import classify_photons
    from hrixs.photons.cloud import estimate_cloud
    from hrixs.photons.cloud_width import CloudEstimate, cloud_of_first, mean_cloud
    from hrixs.photons.defaults import EV_PER_PAIR, POSITION, POSITIONS
    from hrixs.photons.find import find_photons
    from hrixs.photons.lazy import photon_parts
    from hrixs.photons.phases import PhaseUniformity, phase_uniformity
    from hrixs.photons.placement import fits_clouds
    from hrixs.photons.resolve import resolve_photons
    from hrixs.photons.table import (
        concat_photons,
        photon_table,
        placed_on_chip,
        table_columns,
        table_of_columns,
        with_attributes,
    )
else:
    __getattr__ = names_on_demand(__name__)

__all__ = [
    "EV_PER_PAIR",
    "POSITION",
    "POSITIONS",
    "CloudEstimate",
    "PhaseCorrection",
    "PhaseUniformity",
    "classify_photons",
    "cloud_of_first",
    "concat_photons",
    "estimate_cloud",
    "find_photons",
    "fits_clouds",
    "mean_cloud",
    "phase_correction",
    "phase_uniformity",
    "photon_parts",
    "photon_table",
    "placed_on_chip",
    "resolve_photons",
    "table_columns",
    "table_of_columns",
    "with_attributes",
]
