"""The settings of the spectrometer: one table, and the attributes that are made from it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hrixs.doubt_rules.doubt import Doubt
from hrixs.level.dark_fit import DARK_FITS
from hrixs.photons import defaults
from hrixs.photons.placement import POSITION, POSITIONS
from hrixs.runs.mnemonic_table import Field, entry_of_pair, field_name, is_pair, mnemonics
from hrixs.runs.own_ids import TRUST
from hrixs.runs.run import DATA
from hrixs.spectra.aggregate import Aggregator, default_aggregators
from hrixs.spectrometer import representation
from hrixs.spectrometer.curve_settings import CurveSettings
from hrixs.utils.errors import unknown_name, warn


@dataclass(frozen=True)
class Setting:
    """One setting of the spectrometer.

    Attributes
    ----------
    name
        Of the attribute; in lower case that of the keyword and, with ``-``, of the option.
    default
        Where nothing was set.
    kind
        ``'number'``, ``'whole number'``, ``'yes or no'``, ``'range'``, ``'image'``,
        ``'threshold'`` (a number, or text as ``'6 sigma'``), ``'pedestal'`` (``'image'``, or a
        range of rows), ``'text'``, or the words that are allowed.
    unit
        Of the value; empty where it has none.
    help
        What it is, in a few words.
    if_none
        What None means, where it may be None.
    documented
        Whether the replaced class documents it.
    """

    name: str
    default: Any
    kind: str | tuple[str, ...]
    unit: str
    help: str
    if_none: str = ""
    documented: bool = False

    @property
    def is_option(self) -> bool:
        """Whether the command line has an option of this name; images are files there."""
        return self.kind != "image" and self.name != "USE_DARK"


# fmt: off
#: All settings, in the order in which they are shown. A new one is a line here.
SETTINGS: tuple[Setting, ...] = (
    Setting("X_RANGE", slice(None), "range", "px", "pixels along the line to use", documented=True),
    Setting("Y_RANGE", slice(None), "range", "px", "rows to use, along the energy", documented=True),
    Setting("THRESHOLD", None, "threshold", "ADU", "sum of a 2x2 square above which a hit begins; or `'6 sigma'`, in standard deviations of the frame's own noise", "from STD_THRESHOLD", documented=True),
    Setting("STD_THRESHOLD", defaults.STD_THRESHOLD, "number", "", "the same, in standard deviations of the frame's squares", documented=True),
    Setting("DBL_THRESHOLD", None, "number", "ADU", "charge above which a hit counts as two photons", "none does", documented=True),
    Setting("POSITION", POSITION, POSITIONS, "", "how photons are placed: by the centre of mass of their spots, or by a fit of their clouds"),
    Setting("CLOUD_SIGMA", None, "number", "px", "width of a photon's charge cloud, one standard deviation", "from the first images"),
    Setting("READ_NOISE", None, "number", "ADU", "noise of a pixel; in Python also an image of it", "from each image"),
    Setting("LOCAL_BACKGROUND", False, "yes or no", "", "whether the pedestal under each photon is fitted"),
    Setting("SPLIT_DOUBLES", False, "yes or no", "", "whether two photons in one spot are placed one by one"),
    Setting("PHOTON_CHARGE", None, "number", "ADU", "charge of one photon, where photons are resolved", "by its energy and the gain, else from the first images"),
    Setting("MAX_PIXEL", None, "number", "ADU", "a pixel above this is no photon's", "no limit"),
    Setting("MAX_CHARGE", None, "number", "ADU", "a spot above this is no photon", "no limit"),
    Setting("BINS", 500, "whole number", "", "bins of a counted spectrum, over all rows used", documented=True),
    Setting("CURVE_A", 0.0, "number", "", "tilt of the lines at column 0 of the chip, in rows a pixel", documented=True),
    Setting("CURVE_B", 0.0, "number", "1/px", "bend of the lines, in rows a pixel squared", documented=True),
    Setting("USE_DARK", False, "yes or no", "", "whether the dark is subtracted", documented=True),
    Setting("ENERGY_INTERCEPT", 0.0, "number", "eV", "energy of row 0 of the chip", documented=True),
    Setting("ENERGY_SLOPE", 1.0, "number", "eV/px", "energy from row to row", documented=True),
    Setting("PEDESTAL", None, "pedestal", "", "level that is taken off each image: of its pixels without light (`'image'`), or of rows of the chip without light", "none is taken off"),
    Setting("DARK_FIT", None, DARK_FITS, "", "what of the dark is fitted to each image: `factor * dark + offset`", "it is subtracted as it is"),
    Setting("REMOVE_COSMICS", False, "yes or no", "", "whether tracks of cosmic rays are removed, by comparing the images of a run"),
    Setting("EV_PER_PAIR", defaults.EV_PER_PAIR, "number", "eV", "energy that frees an electron"),
    Setting("ELECTRONS_PER_ADU", defaults.ELECTRONS_PER_ADU, "number", "1/ADU", "gain of the camera"),
    Setting("CANDIDATE_LOW", defaults.CANDIDATE_LOW, "number", "", "least of a photon's charge in its brightest pixel"),
    Setting("CANDIDATE_HIGH", defaults.CANDIDATE_HIGH, "number", "", "most of a photon's charge in its brightest pixel"),
    Setting("SINGLE_LOW", defaults.SINGLE_LOW, "number", "", "least charge of a single hit, in photons"),
    Setting("DOUBLE_LOW", defaults.DOUBLE_LOW, "number", "", "least charge of a double hit, in photons"),
    Setting("MASK", None, "image", "", "bad pixels, an image of the chip that is True there", "no bad pixel"),
    Setting("DATA", None, DATA, "", "which data of a run are read: as written, processed, or both, a source in both from the processed", "raw of a run's number, of a path what is there"),
    Setting("TRUST", None, TRUST, "", "what is believed where the train ids beside a run's images contradict its index", "neither, such images are skipped"),
    Setting("I0", None, "text", "", "what came in, a name or an expression of names as `'SCS_SA3 * transmission / 100'`, summed over the pulses and the exposure of each image", "no `I0` is made"),
    Setting("I0_TRAINS", None, "whole number", "", "trains of an exposure", "by the exposure time, else by the distance of images"),
    Setting("I0_SHIFT", 0, "whole number", "", "trains by which exposures are later than those that end with the image's train; -1: with the one before; `I0_TRAINS - 1`: they begin with it"),
    Setting("MAX_PHOTONS", defaults.MAX_PHOTONS, "whole number", "", "more hits in a frame are an error"),
    Setting("THREADS", None, "whole number", "", "threads over frames", "all that this process may use"),
)
# fmt: on

#: Fields that are loaded with each detector's images; the first is the detector itself.
_SLOW = ["hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure", "nrj"]
DETECTOR_FIELDS: dict[str, list[str]] = {
    "hRIXS_det": ["hRIXS_det", *_SLOW],
    "MaranaX": ["MaranaX", *_SLOW],
    "hRIXS_JUNGF": ["hRIXS_JUNGF", *_SLOW],
    "MTE3": ["MTE3", *_SLOW],
}
#: Settings and their defaults; PROPOSAL, DETECTOR and FIELDS are set by the constructor.
DEFAULTS: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
#: All names, in the order in which they are shown.
NAMES = ("PROPOSAL", "DETECTOR", "FIELDS", *DEFAULTS)


def camera_name(camera: str | tuple[str, str]) -> str:
    """Name of a camera; a source with its key is put into the tables under the name it gets."""
    if not is_pair(camera):
        return str(camera)
    name = str(field_name(camera))
    mnemonics.setdefault(name, entry_of_pair(camera))
    DETECTOR_FIELDS.setdefault(name, [name, *_SLOW])
    return name


def described() -> str:
    """Text of all settings, a line each, for docstrings."""
    lines = []
    for one in SETTINGS:
        unit = f", in {one.unit}" if one.unit else ""
        none = f"; None: {one.if_none}" if one.if_none else ""
        lines.append(f"    {one.name} = {_short(one.default)} : {one.help}{unit}{none}")
    return "\n".join(lines)


def _short(default: Any) -> str:
    return "all" if default == slice(None) else repr(default)


class Settings(CurveSettings):
    """The settings as attributes, to be read, set and shown."""

    DETECTOR_FIELDS = DETECTOR_FIELDS
    DEFAULTS = DEFAULTS
    NAMES = NAMES
    aggregators: dict[str, Aggregator] = default_aggregators()

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
