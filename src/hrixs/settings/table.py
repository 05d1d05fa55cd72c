"""The table of the settings of the spectrometer, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hrixs.level.words import DARK_FITS
from hrixs.photons import defaults
from hrixs.photons.defaults import POSITION, POSITIONS
from hrixs.runs.mnemonic_table import DATA, TRUST, entry_of_pair, field_name, is_pair, mnemonics


@dataclass(frozen=True)
class Setting:
    """One setting of the spectrometer.

    Attributes
    ----------
    name
        Name of the attribute; in lower case of the keyword; with ``-`` of the option.
    default
        Value if nothing was set.
    kind
        ``'number'``, ``'whole number'``, ``'yes or no'``, ``'range'``, ``'image'``,
        ``'threshold'`` (a number, or text as ``'6 sigma'``), ``'pedestal'`` (``'image'``, or a
        range of rows), ``'text'``, or a tuple of the allowed words.
    unit
        Unit of the value; empty if it has none.
    help
        What it is, in a few words.
    if_none
        What None means, if it can be None.
    documented
        Whether the class that hrixs replaces documents it.
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
        """Whether the command line has an option of this name; images are given as files there."""
        return self.kind != "image" and self.name != "USE_DARK"


# fmt: off
#: All settings, in the order shown. Add a line here for a new one.
SETTINGS: tuple[Setting, ...] = (
    Setting("X_RANGE", slice(None), "range", "px", "pixels along the line to use", documented=True),
    Setting("Y_RANGE", slice(None), "range", "px", "rows to use, along the energy", documented=True),
    Setting("THRESHOLD", None, "threshold", "ADU", "sum of a 2x2 square of pixels above which a spot is a hit; or, as `'6 sigma'`, in standard deviations of the frame's noise", "from STD_THRESHOLD", documented=True),
    Setting("STD_THRESHOLD", defaults.STD_THRESHOLD, "number", "", "threshold in standard deviations of the frame's 2x2 squares, used if THRESHOLD is None", documented=True),
    Setting("DBL_THRESHOLD", None, "number", "ADU", "charge above which a hit counts as two photons", "no hit does", documented=True),
    Setting("POSITION", POSITION, POSITIONS, "", "how the position of a photon is found: by the centre of mass of its spot, or by a fit of its charge cloud"),
    Setting("CLOUD_SIGMA", None, "number", "px", "width of a photon's charge cloud, one standard deviation", "from the first images"),
    Setting("READ_NOISE", None, "number", "ADU", "noise of a pixel; in Python also an image of it", "from each image"),
    Setting("LOCAL_BACKGROUND", False, "yes or no", "", "whether the pedestal is fitted under each photon"),
    Setting("SPLIT_DOUBLES", False, "yes or no", "", "whether the positions of two photons in one spot are found separately"),
    Setting("PHOTON_CHARGE", None, "number", "ADU", "charge of one photon, for `method='resolve'`", "from the photon energy and the gain, or else from the first images"),
    Setting("MAX_PIXEL", None, "number", "ADU", "largest pixel value of a photon; a brighter spot is a cosmic ray", "no limit"),
    Setting("MAX_CHARGE", None, "number", "ADU", "largest charge of a photon; a spot with more is a cosmic ray", "no limit"),
    Setting("BINS", 500, "whole number", "", "bins of a counted spectrum, over all rows used", documented=True),
    Setting("CURVE_A", 0.0, "number", "", "tilt of the lines at column 0 of the chip, in rows per pixel", documented=True),
    Setting("CURVE_B", 0.0, "number", "1/px", "bend of the lines, in rows per pixel squared", documented=True),
    Setting("USE_DARK", False, "yes or no", "", "whether the dark is subtracted", documented=True),
    Setting("ENERGY_INTERCEPT", 0.0, "number", "eV", "energy of row 0 of the chip", documented=True),
    Setting("ENERGY_SLOPE", 1.0, "number", "eV/px", "energy step from one row to the next", documented=True),
    Setting("PEDESTAL", None, "pedestal", "", "level subtracted from each image: that of its pixels without light (`'image'`), or that of given rows without light", "nothing is subtracted"),
    Setting("DARK_FIT", None, DARK_FITS, "", "what is fitted to each image before the dark is subtracted as `factor * dark + offset`", "the dark is subtracted as it is"),
    Setting("REMOVE_COSMICS", False, "yes or no", "", "whether tracks of cosmic rays are removed, by comparing the images of a run"),
    Setting("EV_PER_PAIR", defaults.EV_PER_PAIR, "number", "eV", "photon energy per electron in the camera"),
    Setting("ELECTRONS_PER_ADU", defaults.ELECTRONS_PER_ADU, "number", "1/ADU", "gain of the camera"),
    Setting("CANDIDATE_LOW", defaults.CANDIDATE_LOW, "number", "", "least part of a photon's charge in its brightest pixel"),
    Setting("CANDIDATE_HIGH", defaults.CANDIDATE_HIGH, "number", "", "largest part of a photon's charge in its brightest pixel"),
    Setting("SINGLE_LOW", defaults.SINGLE_LOW, "number", "", "least charge of a single hit, in photons"),
    Setting("DOUBLE_LOW", defaults.DOUBLE_LOW, "number", "", "least charge of a double hit, in photons"),
    Setting("MASK", None, "image", "", "bad pixels: an image of the chip that is True at bad pixels", "no bad pixels"),
    Setting("DATA", None, DATA, "", "which data of a run are read: raw, processed, or both (a source that is in both is read from the processed data)", "raw data for a run number; all data found for a path"),
    Setting("TRUST", None, TRUST, "", "which train ids are used if those stored next to the images contradict the index of the run", "neither; these images are skipped"),
    Setting("I0", None, "text", "", "incident intensity: a mnemonic or an expression of mnemonics, as `'SCS_SA3 * transmission / 100'`, summed over the pulses and the exposure of each image", "no `I0` is made"),
    Setting("I0_TRAINS", None, "whole number", "", "number of trains in an exposure", "from the exposure time, or else from the distance of the images"),
    Setting("I0_SHIFT", 0, "whole number", "", "shift of the exposures, in trains: 0 ends with the train of the image, -1 with the train before; `I0_TRAINS - 1` begins with the train of the image"),
    Setting("MAX_PHOTONS", defaults.MAX_PHOTONS, "whole number", "", "most hits in a frame; more are an error"),
    Setting("THREADS", None, "whole number", "", "number of threads", "all processors that this process may use"),
)
# fmt: on

#: Fields loaded with the images of each detector; the first is the detector itself.
_SLOW = ["hRIXS_index", "hRIXS_delay", "hRIXS_norm", "hRIXS_exposure", "nrj"]
DETECTOR_FIELDS: dict[str, list[str]] = {
    "hRIXS_det": ["hRIXS_det", *_SLOW],
    "MaranaX": ["MaranaX", *_SLOW],
    "hRIXS_JUNGF": ["hRIXS_JUNGF", *_SLOW],
    "MTE3": ["MTE3", *_SLOW],
}
#: Settings and their defaults; PROPOSAL, DETECTOR and FIELDS are set by the constructor.
DEFAULTS: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
#: All names, in the order shown.
NAMES = ("PROPOSAL", "DETECTOR", "FIELDS", *DEFAULTS)
#: What else decides the results: names of attributes, in capitals.
BESIDE = ("CURVATURE", "DARK", "CALIBRATED")


def camera_name(camera: str | tuple[str, str]) -> str:
    """Name of a camera; a source with its key is added to the tables under a new name."""
    if not is_pair(camera):
        return str(camera)
    name = str(field_name(camera))
    mnemonics.setdefault(name, entry_of_pair(camera))
    DETECTOR_FIELDS.setdefault(name, [name, *_SLOW])
    return name


def described() -> str:
    """Text of all settings, one line each, for docstrings."""
    lines = []
    for one in SETTINGS:
        unit = f", in {one.unit}" if one.unit else ""
        none = f"; None: {one.if_none}" if one.if_none else ""
        lines.append(f"    {one.name} = {_short(one.default)} : {one.help}{unit}{none}")
    return "\n".join(lines)


def _short(default: Any) -> str:
    return "all" if default == slice(None) else repr(default)
