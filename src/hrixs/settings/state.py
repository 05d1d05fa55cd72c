"""Convert the whole state of a spectrometer to a dict of plain values, and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hrixs.camera.curve import Curvature
from hrixs.doubt_rules.doubt import Doubt
from hrixs.runs.mnemonic_table import checked_entry, mnemonics
from hrixs.settings.attributes import Settings
from hrixs.settings.dark import Dark
from hrixs.settings.plain import IMAGES, plain
from hrixs.settings.table import DETECTOR_FIELDS
from hrixs.spectra.aggregate import add, add_in_quadrature, average, default_aggregators
from hrixs.steps.values import is_recorded, plain_argument, unknown
from hrixs.utils.errors import warn

#: In addition to the settings: a curve of more than two numbers, the range in which the axis was
#: calibrated, the dark, own mnemonics, and own aggregators.
CURVATURE, CALIBRATED, DARK = "curvature", "calibrated", "dark"
MNEMONICS, AGGREGATORS = "mnemonics", "aggregators"
#: Aggregators that are stored by name.
AGGREGATING = {one.__name__: one for one in (add, average, add_in_quadrature)}
# Spectra do not depend on it, and it differs between machines.
_OF_THE_MACHINE = ("THREADS",)

# The mnemonics before a user changes them.
_BUILT_IN = copy.deepcopy(mnemonics)


class LostFunctionError(ValueError):
    """A function was needed of which only the text is stored."""


def plain_settings(h: Settings) -> dict[str, Any]:
    """Return the settings as plain values for `hRIXS.set_params`, without `THREADS`."""
    values = {
        name.lower(): _kept(name, getattr(h, name))
        for name in h.NAMES
        if name not in _OF_THE_MACHINE
    }
    curve = plain_curve(h)
    return values if curve is None else values | {CURVATURE: curve}


def _kept(name: str, value: Any) -> Any:
    """As `plain`; a value that the setting cannot have is recorded as unknown."""
    try:
        return plain(name, value)
    except (TypeError, ValueError, OverflowError):
        return unknown(value)


def plain_curve(h: Settings) -> dict[str, Any] | None:
    """The curve with reference column and covariance; None if CURVE_A and CURVE_B are enough."""
    if not isinstance(h._curve, Curvature):
        return None
    return {name: value for name, value in asdict(h._curve).items() if value is not None}


def plain_beside(h: Settings) -> dict[str, Any]:
    """What results depend on in addition to the settings; the dark without its image."""
    beside: dict[str, Any] = {}
    if h.calibrated is not None:
        axis, energies = h.calibrated
        beside[CALIBRATED] = {"axis": list(axis), "energies": list(energies)}
    if h.dark.image is not None:
        beside[DARK] = plain_dark(h.dark)
    own = {name: mnemonics[name] for name in _names(h) if _is_own(name)}
    if own:
        beside[MNEMONICS] = {name: dict(entry) for name, entry in own.items()}
    if others := own_aggregators(h):
        beside[AGGREGATORS] = {str(name): plain_argument("", one) for name, one in others.items()}
    return beside


def own_aggregators(h: Settings) -> dict[Any, Any]:
    """Aggregators that differ from the default; None for a default that was removed."""
    usual = default_aggregators()
    ways: Any = h.aggregators if isinstance(h.aggregators, Mapping) else usual
    others = {name: one for name, one in ways.items() if name not in usual or usual[name] != one}
    return others | {name: None for name, one in usual.items() if one and name not in ways}


def aggregator_of_plain(name: str, plain: Any) -> Any:
    """Return a recorded aggregator; for an unknown function one that raises an error when used."""
    if plain is None:
        return None
    known = plain.get("of") if isinstance(plain, Mapping) else plain
    if known in AGGREGATING:
        return AGGREGATING[known]
    text = plain.get("text", known) if isinstance(plain, Mapping) else plain

    def lost(da: Any, dim: str) -> Any:
        raise LostFunctionError(
            f"aggregators[{name!r}]: {text} was given, which could not be recorded. Set "
            f"h.aggregators[{name!r}] to it again"
        )

    return lost


def plain_dark(dark: Dark) -> dict[str, Any]:
    """Return all of a dark except its image, as plain values."""
    known = {
        "detector": dark.detector,
        "run": dark.run,
        "first_pixel": dark.first_pixel,
        "counts": dict(dark.counts),
        "exposure": dark.exposure,
        "noise": None if dark.noise is None else float(dark.noise),
        "doubts": [asdict(doubt) for doubt in dark.doubts],
        "digest": dark.digest,
        "made_by": None if dark.made_by is None else dict(dark.made_by),
    }
    return {name: value for name, value in known.items() if value not in (None, {}, [])}


def dark_of_plain(known: Mapping[str, Any], image: Any) -> Dark:
    """Make a dark from its image and the values of `plain_dark`."""
    first = known.get("first_pixel")
    return Dark(
        image,
        detector=known.get("detector"),
        run=known.get("run"),
        counts={str(name): int(n) for name, n in known.get("counts", {}).items()},
        exposure=known.get("exposure"),
        noise=known.get("noise"),
        doubts=tuple(Doubt(**one) for one in known.get("doubts", [])),
        made_by=known.get("made_by"),
    ).placed_at(first)


def set_plain(h: Settings, settings: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
    """Set the settings and the additional state, except the dark.

    Raises
    ------
    AttributeError
        For an unknown name. Then nothing is set.
    """
    _add_mnemonics(beside.get(MNEMONICS, {}))
    detector = settings.get("detector")
    if isinstance(detector, str) and detector in mnemonics:
        DETECTOR_FIELDS.setdefault(detector, list(settings.get("fields", [detector])))
    lost = [name for name in IMAGES if "digest" in _as_mapping(settings.get(name.lower()))]
    wrong = [name.upper() for name, value in settings.items() if not is_recorded(value)]
    left = {*lost, *wrong}
    h.set_params(**{name: value for name, value in settings.items() if name.upper() not in left})
    for name in wrong:
        warn(
            f"{name} was {settings[name.lower()]['text']}, which cannot be stored, so it is not "
            f"set. It had no effect on the result. Set it again if you need it: h.{name} = ..."
        )
    for name in lost:
        warn(
            f"{name} was an image. Results do not store images, so it is not set. Set it "
            f"(h.{name} = image), or load a settings file, which stores it (hRIXS.load)."
        )
    calibrated = beside.get(CALIBRATED)
    if calibrated is not None:
        axis, energies = (tuple(map(float, calibrated[one])) for one in ("axis", "energies"))
        h.calibrated = (axis[0], axis[1]), (energies[0], energies[1])


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(h: Settings) -> list[str]:
    """The mnemonics that the settings use."""
    fields = h.FIELDS if isinstance(h.FIELDS, list | tuple) else ()
    names = [one for one in (h.DETECTOR, *fields) if isinstance(one, str)]
    return [name for name in dict.fromkeys(names) if name in mnemonics]


def _is_own(name: str) -> bool:
    return name not in _BUILT_IN or mnemonics[name] != _BUILT_IN[name]


def _without_none(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without values that are None, as in files."""
    return {key: value for key, value in entry.items() if value is not None}


def _add_mnemonics(entries: Mapping[str, Any]) -> None:
    """Add own mnemonics; those that the user set in this session stay."""
    for name, entry in entries.items():
        if name not in mnemonics or mnemonics[name] == _BUILT_IN.get(name):
            mnemonics[name] = checked_entry(name, entry)
        elif _without_none(mnemonics[name]) != _without_none(entry):
            warn(
                f"hrixs.mnemonics[{name!r}] is {dict(mnemonics[name])}, but the saved settings "
                f"have {dict(entry)}. The present one is used. If the saved one is right, set "
                f"hrixs.mnemonics[{name!r}] to it."
            )
