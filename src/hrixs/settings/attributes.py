"""The settings as attributes of the class."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.runs.mnemonic_table import Field
from hrixs.settings import representation
from hrixs.settings.curve_settings import CurveSettings
from hrixs.settings.table import DEFAULTS, DETECTOR_FIELDS, NAMES, camera_name
from hrixs.spectra.aggregate import Aggregator, default_aggregators
from hrixs.utils.errors import unknown_name, warn


class Settings(CurveSettings):
    """The settings as attributes, to be read, set and shown."""

    DETECTOR_FIELDS = DETECTOR_FIELDS
    DEFAULTS = DEFAULTS
    NAMES = NAMES
    aggregators: dict[str, Aggregator | None] = default_aggregators()

    PROPOSAL: int | str | None
    FIELDS: list[Field]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, proposal: int | str | None, detector: str) -> None:
        self.PROPOSAL = proposal
        self.FIELDS = []
        self.DETECTOR = detector
        for name, value in DEFAULTS.items():
            setattr(self, name, copy.copy(value))
        self.aggregators = dict(type(self).aggregators)
        self.dark_image: NDArray[np.float64] | None = None
        # Its coordinates x and y, where they tell its place on the chip.
        self.dark_pixels: dict[str, Any] | None = None
        self.dark_run: str | None = None
        # Images and values that are in the dark, and that were left out.
        self.dark_counts: dict[str, int] = {}
        self.dark_detector: str | None = None
        self.dark_exposure: float | None = None
        self.dark_noise: float | None = None
        self.dark_doubts: tuple[Doubt, ...] = ()
        # As calibrate_energy has set it: intercept and slope, and the lowest and highest energy.
        self.calibrated: tuple[tuple[float, float], tuple[float, float]] | None = None
        # A CurvatureFit or a PhotonCurvatureFit, which share their names.
        self.curvature_fit: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        # A misspelt setting would be taken in silence, and have no effect.
        looks_like_one = name.isupper() or name.upper() in NAMES
        if looks_like_one and name not in NAMES and not hasattr(type(self), name):
            warn(unknown_name("setting", name, NAMES) + " It is kept, but has no effect.")
        super().__setattr__(name, value)
        if name == "dark_image":
            super().__setattr__("dark_counts", {})  # they were those of another one
            super().__setattr__("dark_exposure", None)
            super().__setattr__("dark_noise", None)
            super().__setattr__("dark_doubts", ())
            super().__setattr__("dark_pixels", None)

    @property
    def DETECTOR(self) -> str:
        """Name of the camera, one of `DETECTOR_FIELDS`; setting it exchanges the `FIELDS`.

        A source with its key, ``("SOURCE", "KEY")``, becomes a camera of its own, whose last two
        axes are taken for x and y.
        """
        return str(self._detector)

    @DETECTOR.setter
    def DETECTOR(self, detector: str | tuple[str, str]) -> None:
        detector = camera_name(detector)
        if detector not in self.DETECTOR_FIELDS:
            raise ValueError(unknown_name("detector", detector, self.DETECTOR_FIELDS))
        before = self.DETECTOR_FIELDS.get(self.__dict__.get("_detector", ""), [])
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
            _require_setting(name)
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
            _require_setting(name)
        return {name: copy.copy(getattr(self, name.upper())) for name in names}

    def __repr__(self) -> str:
        return representation.text(self)

    def _repr_html_(self) -> str:
        return representation.html(self)


def _require_setting(name: str) -> None:
    if name.upper() not in NAMES:
        raise AttributeError(unknown_name("setting", name, [known.lower() for known in NAMES]))
