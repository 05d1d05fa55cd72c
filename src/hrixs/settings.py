"""The settings of the spectrometer: their names and their defaults."""

from __future__ import annotations

from typing import Any

from hrixs import photons

#: Fields that are loaded with each detector's images; the first is the detector itself.
DETECTOR_FIELDS: dict[str, list[str]] = {
    "hRIXS_det": [
        "hRIXS_det", "hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure", "nrj",
    ],
    "MaranaX": [
        "MaranaX", "hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure", "nrj",
    ],
}  # fmt: skip

#: Settings and their defaults; PROPOSAL, DETECTOR and FIELDS are set by the constructor.
DEFAULTS: dict[str, Any] = {
    "X_RANGE": slice(None),
    "Y_RANGE": slice(None),
    "THRESHOLD": None,
    "STD_THRESHOLD": photons.STD_THRESHOLD,
    "DBL_THRESHOLD": None,
    "BINS": 500,
    "CURVE_A": 0.0,
    "CURVE_B": 0.0,
    "USE_DARK": False,
    "ENERGY_INTERCEPT": 0.0,
    "ENERGY_SLOPE": 1.0,
    "EV_PER_PAIR": photons.EV_PER_PAIR,
    "ELECTRONS_PER_ADU": photons.ELECTRONS_PER_ADU,
    "CANDIDATE_LOW": photons.CANDIDATE_LOW,
    "CANDIDATE_HIGH": photons.CANDIDATE_HIGH,
    "SINGLE_LOW": photons.SINGLE_LOW,
    "DOUBLE_LOW": photons.DOUBLE_LOW,
    "MASK": None,
    "MAX_PHOTONS": photons.MAX_PHOTONS,
    "THREADS": None,
}

#: All names, in the order in which they are shown.
NAMES = ("PROPOSAL", "DETECTOR", "FIELDS", *DEFAULTS)
