"""Names of the methods to make a spectrum."""

from __future__ import annotations

#: Photons above a threshold from the image ('auto') or from the photon energy ('manual'); photons
#: that may overlap ('resolve'); intensity ('integrate'); 'best' chooses one of the last two.
METHODS = ("auto", "manual", "resolve", "integrate", "best")
