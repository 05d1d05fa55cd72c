"""The settings of the spectrometer: one table, a line each."""

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
#: What besides decides the results, under the names of its attributes, in capitals.
BESIDE = ("CURVATURE", "DARK", "CALIBRATED")


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
