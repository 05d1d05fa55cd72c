"""The settings of the spectrometer: their names and their defaults."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrixs.photons.defaults import (
    CANDIDATE_HIGH,
    CANDIDATE_LOW,
    DOUBLE_LOW,
    ELECTRONS_PER_ADU,
    EV_PER_PAIR,
    MAX_PHOTONS,
    SINGLE_LOW,
    STD_THRESHOLD,
)
from hrixs.photons.placement import POSITION
from hrixs.runs.run import Field
from hrixs.spectra.aggregate import default_aggregators
from hrixs.spectrometer import representation
from hrixs.utils.checks import yes_or_no
from hrixs.utils.errors import unknown_name, warn

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
    "STD_THRESHOLD": STD_THRESHOLD,
    "DBL_THRESHOLD": None,
    "POSITION": POSITION,
    "CLOUD_SIGMA": None,
    "READ_NOISE": None,
    "LOCAL_BACKGROUND": False,
    "SPLIT_DOUBLES": False,
    "PIXEL_LIMIT": None,
    "CHARGE_LIMIT": None,
    "BINS": 500,
    "CURVE_A": 0.0,
    "CURVE_B": 0.0,
    "USE_DARK": False,
    "ENERGY_INTERCEPT": 0.0,
    "ENERGY_SLOPE": 1.0,
    "EV_PER_PAIR": EV_PER_PAIR,
    "ELECTRONS_PER_ADU": ELECTRONS_PER_ADU,
    "CANDIDATE_LOW": CANDIDATE_LOW,
    "CANDIDATE_HIGH": CANDIDATE_HIGH,
    "SINGLE_LOW": SINGLE_LOW,
    "DOUBLE_LOW": DOUBLE_LOW,
    "MASK": None,
    "MAX_PHOTONS": MAX_PHOTONS,
    "THREADS": None,
}

#: What each setting is, in a few words.
HELP = {
    "X_RANGE": "pixels along the line to use",
    "Y_RANGE": "rows to use, along the energy",
    "THRESHOLD": "sum of a 2x2 square above which a hit begins, in ADU",
    "STD_THRESHOLD": "the same, in standard deviations of the frame's squares",
    "DBL_THRESHOLD": "charge above which a hit counts as two photons, in ADU",
    "POSITION": "how photons are placed: 'com' or 'gaussian'",
    "CLOUD_SIGMA": "width of a photon's charge cloud, in pixels",
    "READ_NOISE": "noise of a pixel, in ADU",
    "LOCAL_BACKGROUND": "whether the level under each photon is fitted",
    "SPLIT_DOUBLES": "whether two photons in one spot are placed one by one",
    "PIXEL_LIMIT": "a pixel above this is no photon's, in ADU",
    "CHARGE_LIMIT": "a spot above this is no photon, in ADU",
    "BINS": "bins of a counted spectrum, over all rows used",
    "CURVE_A": "tilt of the lines, in rows a pixel",
    "CURVE_B": "bend of the lines, in rows a pixel squared",
    "USE_DARK": "whether the dark is subtracted",
    "ENERGY_INTERCEPT": "energy of row 0 of the chip, in eV",
    "ENERGY_SLOPE": "energy from row to row, in eV",
    "EV_PER_PAIR": "energy that frees an electron, in eV",
    "ELECTRONS_PER_ADU": "gain of the camera",
    "CANDIDATE_LOW": "least of a photon's charge in its brightest pixel",
    "CANDIDATE_HIGH": "most of a photon's charge in its brightest pixel",
    "SINGLE_LOW": "least charge of a single hit, in photons",
    "DOUBLE_LOW": "least charge of a double hit, in photons",
    "MASK": "bad pixels",
    "MAX_PHOTONS": "more hits in a frame are an error",
    "THREADS": "threads over frames",
}

#: All names, in the order in which they are shown.
NAMES = ("PROPOSAL", "DETECTOR", "FIELDS", *DEFAULTS)


class Settings:
    """The settings as attributes, to be read, set and shown; `hrixs.hRIXS` documents them."""

    DETECTOR_FIELDS = DETECTOR_FIELDS
    DEFAULTS = DEFAULTS
    NAMES = NAMES
    aggregators = default_aggregators()

    PROPOSAL: int | str | None
    FIELDS: list[Field]
    X_RANGE: slice
    Y_RANGE: slice
    THRESHOLD: float | None
    STD_THRESHOLD: float
    DBL_THRESHOLD: float | None
    POSITION: str
    CLOUD_SIGMA: float | None
    READ_NOISE: float | ArrayLike | None
    LOCAL_BACKGROUND: bool
    SPLIT_DOUBLES: bool
    PIXEL_LIMIT: float | None
    CHARGE_LIMIT: float | None
    BINS: int
    CURVE_A: float
    CURVE_B: float
    USE_DARK: bool
    ENERGY_INTERCEPT: float
    ENERGY_SLOPE: float
    EV_PER_PAIR: float
    ELECTRONS_PER_ADU: float
    CANDIDATE_LOW: float
    CANDIDATE_HIGH: float
    SINGLE_LOW: float
    DOUBLE_LOW: float
    MASK: ArrayLike | None
    MAX_PHOTONS: int
    THREADS: int | None

    def __init__(self, proposal: int | str | None, detector: str) -> None:
        self.PROPOSAL = proposal
        self.FIELDS = []
        self.DETECTOR = detector
        for name, value in DEFAULTS.items():
            setattr(self, name, copy.copy(value))
        self.aggregators = dict(type(self).aggregators)
        self.dark_image: NDArray[np.float64] | None = None
        self.dark_run: str | None = None
        self.dark_detector: str | None = None
        # A CurvatureFit or a PhotonCurvatureFit, which share their names.
        self.curvature_fit: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        # A misspelt setting would be taken in silence, and have no effect.
        looks_like_one = name.isupper() or name.upper() in NAMES
        if looks_like_one and name not in NAMES and not hasattr(type(self), name):
            warn(unknown_name("setting", name, NAMES) + " It is kept, but has no effect.")
        super().__setattr__(name, value)

    @property
    def DETECTOR(self) -> str:
        """Name of the detector, one of `DETECTOR_FIELDS`."""
        return self._detector

    @DETECTOR.setter
    def DETECTOR(self, detector: str) -> None:
        if detector not in self.DETECTOR_FIELDS:
            raise ValueError(unknown_name("detector", detector, self.DETECTOR_FIELDS))
        before = self.DETECTOR_FIELDS.get(getattr(self, "_detector", ""), [])
        added = [field for field in self.FIELDS if field not in before]
        self.FIELDS = [*self.DETECTOR_FIELDS[detector], *added]
        self._detector = detector

    def set_params(self, **params: Any) -> None:
        """Set several settings at once; the names may be given in lower case.

        Raises
        ------
        AttributeError
            For an unknown name. Then nothing is set.
        """
        for name in params:
            self._require_setting(name)
        # The detector first: it may be refused, and it exchanges the fields.
        for name, value in sorted(params.items(), key=lambda item: item[0].upper() != "DETECTOR"):
            setattr(self, name.upper(), copy.copy(value))

    def get_params(self, *params: str) -> dict[str, Any]:
        """Settings as a dict under the names as given; without names all, in lower case.

        Raises
        ------
        AttributeError
            For an unknown name.
        """
        names = params or tuple(name.lower() for name in NAMES)
        for name in names:
            self._require_setting(name)
        return {name: copy.copy(getattr(self, name.upper())) for name in names}

    def __repr__(self) -> str:
        return representation.text(self)

    def _repr_html_(self) -> str:
        return representation.html(self)

    def _require_setting(self, name: str) -> None:
        if name.upper() not in NAMES:
            raise AttributeError(unknown_name("setting", name, [known.lower() for known in NAMES]))

    def _uses_dark(self) -> bool:
        return yes_or_no("USE_DARK", self.USE_DARK)

    def _find_options(self, position: str | None = None) -> dict[str, Any]:
        """Options of `find_photons`; `position` in place of `POSITION`."""
        fits = (position or self.POSITION) == "gaussian"
        return {
            "threshold": self.THRESHOLD,
            "std_threshold": self.STD_THRESHOLD,
            "double_threshold": self.DBL_THRESHOLD,
            "electrons_per_adu": self.ELECTRONS_PER_ADU if fits else None,
            "max_photons": self.MAX_PHOTONS,
        } | self._place_options(position or self.POSITION)

    def _classify_options(self, position: str | None = None) -> dict[str, Any]:
        return {
            "ev_per_pair": self.EV_PER_PAIR,
            "electrons_per_adu": self.ELECTRONS_PER_ADU,
            "candidate_low": self.CANDIDATE_LOW,
            "candidate_high": self.CANDIDATE_HIGH,
            "single_low": self.SINGLE_LOW,
            "double_low": self.DOUBLE_LOW,
            "max_photons": self.MAX_PHOTONS,
        } | self._place_options(position or self.POSITION)

    def _place_options(self, position: str) -> dict[str, Any]:
        options = {
            "position": position,
            "split_doubles": self.SPLIT_DOUBLES,
            "pixel_limit": self.PIXEL_LIMIT,
            "charge_limit": self.CHARGE_LIMIT,
        }
        # The width and the noise may be known, and the fit not wanted.
        if position != "gaussian":
            return options
        return options | {
            "cloud_sigma": self.CLOUD_SIGMA,
            "read_noise": self.READ_NOISE,
            "local_background": self.LOCAL_BACKGROUND,
        }
