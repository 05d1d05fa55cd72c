"""Defaults of deconvolved spectra. This module imports nothing."""

from __future__ import annotations

#: Bins per row, and the strength of the smoothing, in pixels to the fourth power.
OVERSAMPLE, SMOOTHING = 3, 1e-5
#: Number of phases of a row: pixels are sorted by them.
N_PHASES = 4
#: Spectra are sums of Gaussians of this width, in pixels; no line can be narrower.
BASIS_SIGMA = 0.2
