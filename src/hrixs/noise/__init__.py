"""Noise of the camera: its level, bad pixels, false hits, thresholds, and the report on all.

Found from dark frames, or from frames with light.
"""

from hrixs.noise.bad_pixels import bad_pixels
from hrixs.noise.report import NoiseReport, noise_report

__all__ = ["NoiseReport", "bad_pixels", "noise_report"]
