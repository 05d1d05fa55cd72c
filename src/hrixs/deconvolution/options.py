"""What is asked of deconvolved spectra of many images, and what their first ones have told."""

from __future__ import annotations

from dataclasses import dataclass

from hrixs.deconvolution.defaults import OVERSAMPLE, SMOOTHING


@dataclass(frozen=True)
class Deconvolution:
    """Plain settings, so that they can be sent to other processes.

    Attributes
    ----------
    oversample : int
        Bins a row.
    smoothing : float
        How strongly the spectrum is smoothed, in pixels to the fourth.
    pixel_noise, electrons : float, optional
        Noise of a pixel in photons, and electrons of a photon, as the first images tell them.
    """

    oversample: int = OVERSAMPLE
    smoothing: float = SMOOTHING
    pixel_noise: float | None = None
    electrons: float | None = None
