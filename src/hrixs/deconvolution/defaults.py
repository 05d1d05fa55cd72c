"""Defaults of deconvolved spectra, in one place; it imports nothing."""

from __future__ import annotations

#: Bins a row, and the strength of the smoothing, in pixels to the fourth.
OVERSAMPLE, SMOOTHING = 3, 1e-5
#: Parts of a row by which pixels are told apart.
N_PHASES = 4
#: Spectra are sums of Gaussians of this width, in pixels: no line comes out narrower.
BASIS_SIGMA = 0.2
