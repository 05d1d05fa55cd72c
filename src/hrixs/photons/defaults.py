"""Defaults of the ways to find photons, each in one place."""

from __future__ import annotations

#: Standard deviations above the mean of the 2x2 squares at which a hit begins.
STD_THRESHOLD = 3.5

#: Energy that frees one electron-hole pair in silicon, in eV.
EV_PER_PAIR = 3.6

#: Gain of the camera, in electrons per ADU.
ELECTRONS_PER_ADU = 1.06

#: Fractions of one photon's charge: brightest pixel of a candidate, and spot of single and double.
CANDIDATE_LOW = 0.2
CANDIDATE_HIGH = 1.0
SINGLE_LOW = 0.2
DOUBLE_LOW = 1.5

#: More hits than this in one frame are taken for a wrong threshold.
MAX_PHOTONS = 100_000
