"""Options of deconvolved spectra, and values learned from the first images."""

from __future__ import annotations

from dataclasses import dataclass

from hrixs.deconvolution.defaults import OVERSAMPLE, SMOOTHING
from hrixs.utils.checks import whole_number, yes_or_no


@dataclass(frozen=True)
class Deconvolution:
    """Plain settings, so that they can be sent to other processes.

    Attributes
    ----------
    oversample : int
        Bins per row.
    smoothing : float
        Strength of the smoothing, in pixels to the fourth power.
    pixel_noise, electrons : float, optional
        Noise of a pixel in photons, and electrons of a photon, from the first images.
    """

    oversample: int = OVERSAMPLE
    smoothing: float = SMOOTHING
    pixel_noise: float | None = None
    electrons: float | None = None

    @classmethod
    def asked(
        cls, *, deconvolve: bool = False, oversample: int | None = None
    ) -> Deconvolution | None:
        """Check the options of a call; None if nothing is to be deconvolved.

        Raises
        ------
        ValueError
            If options contradict each other.
        """
        if not yes_or_no("deconvolve", deconvolve):
            if oversample is not None:
                raise ValueError(
                    f"oversample = {oversample!r} needs deconvolve=True here. Only "
                    "hrixs.integrate_frames takes it alone."
                )
            return None
        return cls(OVERSAMPLE if oversample is None else whole_number("oversample", oversample))
