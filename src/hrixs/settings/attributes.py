"""The settings as attributes of the class."""

from __future__ import annotations

import copy
from numbers import Real
from typing import TYPE_CHECKING, Any

from hrixs.camera.curve import Curvature
from hrixs.runs.mnemonic_table import Field
from hrixs.settings import representation
from hrixs.settings.curve_settings import CurveSettings, curve_of_params
from hrixs.settings.dark import Dark, DarkSettings
from hrixs.settings.near_miss import tell_near_miss, unknown_setting
from hrixs.settings.plain import of_plain
from hrixs.settings.table import BESIDE, DEFAULTS, DETECTOR_FIELDS, NAMES, camera_name
from hrixs.spectra.aggregate import Aggregator, default_aggregators
from hrixs.utils.errors import unknown_name, warn


class Settings(CurveSettings, DarkSettings):
    """The settings as attributes: read, set and show them."""

    DETECTOR_FIELDS = DETECTOR_FIELDS
    DEFAULTS = DEFAULTS
    NAMES = NAMES
    aggregators: dict[str, Aggregator | None] = default_aggregators()

    PROPOSAL: int | str | None
    FIELDS: list[Field]
    #: Set by calibrate_energy: intercept and slope, and the lowest and highest energy.
    calibrated: tuple[tuple[float, float], tuple[float, float]] | None = None
    #: A CurvatureFit or a PhotonCurvatureFit; their attributes have the same names.
    curvature_fit: Any = None

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, proposal: int | str | None, detector: str) -> None:
        self.PROPOSAL = proposal
        self.FIELDS = []
        self.DETECTOR = detector
        for name, value in DEFAULTS.items():
            setattr(self, name, copy.copy(value))
        self.aggregators = dict(type(self).aggregators)
        self.dark = Dark()
        self.calibrated = None
        self.curvature_fit = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in NAMES:
            value = of_plain(name, value)
        elif not hasattr(type(self), name) and name not in vars(self):
            tell_near_miss(name)
        if name == "ENERGY_SLOPE" and isinstance(value, Real) and value == 0:
            warn(
                "ENERGY_SLOPE = 0 gives all rows the same energy, so that a spectrum has no axis. "
                "Expected the energy step per row, in eV; 1 keeps the axis in rows."
            )
        super().__setattr__(name, value)

    @property
    def DETECTOR(self) -> str:
        """Name of the camera, one of `DETECTOR_FIELDS`; setting it also replaces the `FIELDS`.

        A source with its key, ``("SOURCE", "KEY")``, becomes a new camera; its last two axes are x
        and y.
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
        """Set several settings at once; names may be in lower case.

        The dict from `get_params` can be given, and so can the plain values in the attribute
        ``settings`` of results: ``h.set_params(**json.loads(text))``.

        Raises
        ------
        AttributeError
            For an unknown name. Then nothing is set.
        ValueError
            If `curvature` contradicts `curve_a` or `curve_b`. Then nothing is set.
        """
        for name in params:
            _require_setting(name)
        values = {name.upper(): value for name, value in params.items()}
        curve = values.pop("CURVATURE", None)
        if curve is not None:
            curve = curve_of_params(curve, values.pop("CURVE_A", None), values.pop("CURVE_B", None))
        # The detector first: it may be refused, and it replaces the fields.
        for name, value in sorted(values.items(), key=lambda item: item[0] != "DETECTOR"):
            setattr(self, name.lower() if name in BESIDE else name, copy.copy(value))
        if curve is not None:
            self.curvature = curve

    def get_params(self, *params: str) -> dict[str, Any]:
        """Return settings as a dict: those named, or all of them with names in lower case.

        Give all of them to `set_params` of another object to make it equal. They include, if set,
        a `curvature` of more than two numbers, the `dark`, and the range in which the energy axis
        was `calibrated`.

        Raises
        ------
        AttributeError
            For an unknown name.
        """
        names = params or tuple(name.lower() for name in (*NAMES, *self._set_beside()))
        for name in names:
            _require_setting(name)
        return {
            name: copy.copy(getattr(self, name.lower() if name.upper() in BESIDE else name.upper()))
            for name in names
        }

    def _set_beside(self) -> list[str]:
        """What is set in addition to the settings."""
        is_set = {
            "CURVATURE": isinstance(self._curve, Curvature),
            "DARK": self.dark.image is not None,
            "CALIBRATED": self.calibrated is not None,
        }
        return [name for name in BESIDE if is_set[name]]

    def __repr__(self) -> str:
        return representation.text(self)

    def _repr_html_(self) -> str:
        return representation.html(self)


def _require_setting(name: str) -> None:
    if name.upper() not in (*NAMES, *BESIDE):
        known = [one.lower() for one in (*NAMES, *BESIDE)]
        raise AttributeError(unknown_setting(name, known))
