"""Short names (mnemonics) of the data of a run, with source and key.

The camera entries `hRIXS_det` and `MaranaX` are placeholders: the real ones are not public. The
others are from public documents and analyses. Check all of them on site, with ``run.all_sources``
and ``run.keys_for_source(...)``, and change them in place, for example::

    hrixs.mnemonics["MaranaX"] = {"source": "...:daqOutput", "key": "data.image.pixels",
                                  "dim": ["x", "y"]}
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeGuard

from hrixs.utils.errors import MissingDataError, unknown_name

if TYPE_CHECKING:
    from hrixs.runs.run_files import Run

#: Data of a run: raw, processed, or both (a source in both is read from the processed data).
DATA = ("raw", "proc", "all")
#: Which train ids to use if those next to the records contradict the index.
TRUST = ("index", "records")


class Mnemonic(TypedDict):
    """Source, key and dimensions of one entry (without the train)."""

    source: str
    key: str
    dim: list[str]


#: A name in the table; a source with its key, ``("SOURCE", "KEY")`` or ``"SOURCE,KEY"``; or new
#: entries like those of the table, by name.
Field: TypeAlias = "str | tuple[str, str] | Mapping[str, Mnemonic]"


def _entry(source: str, key: str, *dim: str) -> Mnemonic:
    return {"source": source, "key": key, "dim": list(dim)}


_SCAN = "SCS_HRIXS_ACQ/MDL/SCAN"
_XGM_BEAMLINE = "SA3_XTD10_XGM/XGM/DOOCS"
_XGM_HUTCH = "SCS_BLU_XGM/XGM/DOOCS"

#: The table: a plain dict that users may change.
mnemonics: dict[str, Mnemonic] = {
    # Placeholders: check on site.
    "hRIXS_det": _entry("SCS_HRIXS_CAM/CAM/HRIXS:daqOutput", "data.image.pixels", "x", "y"),
    "MaranaX": _entry("SCS_HRIXS_CAM/CAM/MARANAX:daqOutput", "data.image.pixels", "x", "y"),
    # The source and the key in slsDetectorCalibration's reader of XFEL files, which has the cells
    # of a train as the second of four axes; which of 512 x 1024 is the energy: check on site.
    "hRIXS_JUNGF": _entry("SCS_HRIXS_JUNGF/DET/JNGFR01:daqOutput", "data.adc", "cell", "x", "y"),
    # As a public SCS analysis registers its camera in the toolbox: check on site.
    "MTE3": _entry("SCS_CDIDET_MTE3/CAM/CAMERA:daqOutput", "data.image.pixels", "x", "y"),
    # Placeholders: check on site.
    "hRIXS_index": _entry(_SCAN, "index.value"),
    "hRIXS_delay": _entry(_SCAN, "delay.value"),
    "hRIXS_norm": _entry(_SCAN, "norm.value"),
    "hRIXS_exposure": _entry(_SCAN, "exposure.value"),
    # EXtra-foam and public SCS analyses (XAS) name the monochromator so: check on site.
    "nrj": _entry("SA3_XTD10_MONO/MDL/PHOTON_ENERGY", "actualEnergy.value"),
    # Energies of the pulses of SASE3, 1000 values per train, in public SCS analyses and EXtra-foam:
    # before the beamline, and in the hutch. Check on site.
    "XTD10_SA3": _entry(f"{_XGM_BEAMLINE}:output", "data.intensitySa3TD", "XGMbunchId"),
    "SCS_SA3": _entry(f"{_XGM_HUTCH}:output", "data.intensitySa3TD", "XGMbunchId"),
    # Slow mean of the pulse energy, in EXtra-foam's list of properties of XGMs: check on site.
    "SCS_photonFlux": _entry(_XGM_HUTCH, "pulseEnergy.photonFlux.value"),
    # Gas attenuator, in public analyses at SASE3, one of which divides it by 100: check on site.
    "transmission": _entry("SA3_XTD10_VAC/MDL/GATT_TRANSMISSION_MONITOR", "Estimated_Tr.value"),
    # Pump delay, in a configuration among the tests of the package sed (OpenCOMPES): check on site.
    "PP800_delay": _entry("SCS_ILH_LAS/MDL/OPTICALDELAY_PP800", "actualPosition.value"),
}

# More names of others are not listed.
_MOST = 12

#: Units of the slow data above. A public analysis multiplies hRIXS_exposure by 1e-3 for seconds.
UNITS = {
    "hRIXS_delay": "ps",
    "hRIXS_exposure": "ms",
    "nrj": "eV",
    "XTD10_SA3": "uJ",
    "SCS_SA3": "uJ",
    "SCS_photonFlux": "uJ",
    "transmission": "%",
    "PP800_delay": "ps",
}
#: The value in places without a pulse.
NO_PULSE = {"XTD10_SA3": 1.0, "SCS_SA3": 1.0}
# The same by key, for any source: pulse energies of XGMs, of all pulses or of one SASE.
_KEYS_OF_PULSES = re.compile(r"data\.intensity(Sa\d)?TD")


def no_pulse_of(name: str, entry: Mnemonic) -> float | None:
    """The value of a field where there is no pulse; None if it is not known."""
    known = _KEYS_OF_PULSES.fullmatch(entry["key"].removesuffix(".value"))
    return NO_PULSE.get(name, None if known is None else 1.0)


def is_pair(field: object) -> TypeGuard[tuple[str, str] | str]:
    """Whether a field is a source with its key: sources contain a slash, mnemonics do not."""
    if isinstance(field, str):
        field = tuple(field.split(","))
    return (
        isinstance(field, tuple)
        and len(field) == 2
        and all(isinstance(part, str) for part in field)
        and "/" in field[0]
    )


def field_name(field: Any) -> Any:
    """Name of the variable that a field becomes.

    For a source with its key, all but letters and digits become ``_``, so that it is a name in
    Python and in files. A mnemonic is returned as it is.

    Examples
    --------
    >>> field_name(("SCS_ILH_LAS/MDL/OPTICALDELAY_PP800", "actualPosition.value"))
    'SCS_ILH_LAS_MDL_OPTICALDELAY_PP800_actualPosition_value'
    >>> field_name("nrj")
    'nrj'
    """
    if not is_pair(field):
        return field
    return re.sub(r"\W+", "_", ".".join(_parts(field)))


def entry_of_pair(pair: tuple[str, str] | str) -> Mnemonic:
    """The entry of a source with its key, without names of dimensions."""
    return _entry(*_parts(pair))


def _parts(pair: tuple[str, str] | str) -> tuple[str, str]:
    source, key = pair.split(",") if isinstance(pair, str) else pair
    return source.strip(), key.strip()


def checked_entry(name: str, entry: Any) -> Mnemonic:
    """Check an entry of the table; missing names of dimensions become an empty list.

    Raises
    ------
    TypeError
        For an entry without source or key, or if its dimensions are not a list of names.
    """
    told = entry if isinstance(entry, Mapping) else {}
    source, key, dim = (told.get(part) for part in ("source", "key", "dim"))
    dim = [] if dim is None else dim
    names = dim if isinstance(dim, list | tuple) else [None]
    if not all(isinstance(part, str) for part in (source, key, *names)):
        raise TypeError(
            f"hrixs.mnemonics[{name!r}] is {entry!r:.200}, expected an entry such as "
            "{'source': 'SOURCE', 'key': 'KEY', 'dim': ['x', 'y']}; 'dim' is [] for one number "
            "per train."
        )
    return _entry(str(source), str(key), *names)


def field_entries(fields: Iterable[Field], others: str = "") -> dict[str, Mnemonic]:
    """Source and key of fields, by name.

    Parameters
    ----------
    fields : iterable of Field
        The fields.
    others : str
        Text on names that other packages know, for the error.

    Raises
    ------
    MissingDataError
        For a name that is not in `hrixs.mnemonics`.
    TypeError
        For an invalid entry.
    """
    entries: dict[str, Mnemonic] = {}
    for one in fields:
        if is_pair(one):
            entries[field_name(one)] = entry_of_pair(one)
        elif isinstance(one, Mapping):
            entries.update({name: checked_entry(name, entry) for name, entry in one.items()})
        elif isinstance(one, str) and one in mnemonics:
            entries[one] = checked_entry(one, mnemonics[one])
        else:
            raise MissingDataError(
                f"{unknown_name('mnemonic', one, mnemonics)} A source with its key can be given "
                f"as well: ('SOURCE', 'KEY'), on the command line SOURCE,KEY.{others}"
            )
    return entries


def known_elsewhere(run: Run, fields: Iterable[Any]) -> str:
    """Text on the names that an alias file, `toolbox_scs` and EXtra know, if they are installed.

    Names similar to those in `fields` come first. It is slow, and only used for errors.
    """
    from hrixs.runs import extra_data_access

    wanted = [one for one in fields if isinstance(one, str)]
    aliases = run.aliases or extra_data_access.aliases_beside([file.path for file in run.files])
    texts = [
        _pairs_text("The alias file", aliases, wanted),
        _pairs_text("toolbox_scs", _toolbox(), wanted),
    ]
    components = _public_names("extra.components")
    if components:
        texts.append(f" EXtra has the components {', '.join(components)}.")
    return "".join(texts)


def _pairs_text(where: str, pairs: Mapping[str, tuple[str, str]], wanted: list[str]) -> str:
    if not pairs:
        return ""
    names = sorted(pairs)
    close = [n for one in wanted for n in difflib.get_close_matches(one.replace("_", "-"), names)]
    close += [n for one in wanted for n in difflib.get_close_matches(one, names)]
    shown = list(dict.fromkeys(close + names))[:_MOST]
    text = "; ".join(f"{name!r} is {pairs[name]!r}" for name in shown)
    more = f"; and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f" {where} knows: {text}{more}."


def _toolbox() -> dict[str, tuple[str, str]]:
    entries = getattr(_module("toolbox_scs"), "mnemonics", None)
    if not isinstance(entries, Mapping):
        return {}
    # Newer versions of the toolbox have several versions of an entry.
    first = {
        name: one[0] if isinstance(one, list | tuple) else one for name, one in entries.items()
    }
    return {
        str(name): (str(one["source"]), str(one["key"]))
        for name, one in first.items()
        if isinstance(one, Mapping) and {"source", "key"} <= one.keys()
    }


def _public_names(module: str) -> list[str]:
    return [name for name in dir(_module(module)) if name[:1].isupper()][:_MOST]


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception:  # whatever another package stumbles over: an error is being written
        return None
