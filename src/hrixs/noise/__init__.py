"""Noise of the camera: its level, bad pixels, false hits, thresholds, and the report on all.

Found from dark frames, or from frames with light.
"""

from typing import TYPE_CHECKING

from hrixs.utils.on_demand import names_on_demand

if TYPE_CHECKING:
    from hrixs.noise.report import NoiseReport, noise_report
else:
    __getattr__ = names_on_demand(__name__)

__all__ = ["NoiseReport", "noise_report"]
