"""Ways to make a spectrum, by name."""

from __future__ import annotations

#: Photons by a threshold from the image, by their energy, or by their charge also in a crowd;
#: intensity; and, of the last two, the one that holds.
METHODS = ("auto", "manual", "resolve", "integrate", "best")
