"""What is asked of deconvolved spectra of many images, and what their first ones have told."""

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

    @classmethod
    def asked(
        cls, *, deconvolve: bool = False, oversample: int | None = None
    ) -> Deconvolution | None:
        """What a call asks for; None where nothing is to be deconvolved.

        Raises
        ------
        ValueError
            If options contradict each other.
        """
        if not yes_or_no("deconvolve", deconvolve):
            if oversample is not None:
                raise ValueError(
                    f"oversample = {oversample!r} is of deconvolved spectra, expected "
                    "deconvolve=True with it; hrixs.integrate_frames takes it alone."
                )
            return None
        return cls(OVERSAMPLE if oversample is None else whole_number("oversample", oversample))
