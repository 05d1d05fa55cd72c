"""Noise of the camera: its level, bad pixels, false hits, thresholds, and the report on all.

Found from dark frames, or from frames with light.
"""

from hrixs.noise.report import NoiseReport, noise_report

__all__ = ["NoiseReport", "noise_report"]
