"""Write how a result was made, as Python code that makes it again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hrixs.replays.opened import Result, opened, steps_told
from hrixs.settings.plain import of_plain
from hrixs.settings.table import DEFAULTS, DETECTOR_FIELDS
from hrixs.steps.values import KIND

_INDENT = "    "


def how_made(result: Result) -> str:
    """Return Python code that makes a result again.

    Parameters
    ----------
    result : xarray.Dataset or path
        A result of the class `hRIXS` or of the command ``hrixs process``, or its file.

    Returns
    -------
    str
        The settings that differ from the defaults, and the calls. Empty if nothing was recorded.
        Things that could not be recorded, such as your own functions, are written as ``...``.
        `hrixs.replay` runs the same steps.

    Examples
    --------
    >>> print(hrixs.how_made("spectrum.nc"))  # doctest: +SKIP
    from hrixs import hRIXS
    h = hRIXS(3145)
    h.set_params(curve_a=0.0240845, std_threshold=4.0)
    data = h.process_run(145, method='best')
    """
    steps = steps_told(result, opened(result))
    if not steps:
        return ""
    lines: list[str] = []
    text = _Text(lines)
    text.result(steps, "data")
    imports = ["import hrixs"] if any("hrixs." in line for line in lines) else []
    imports += ["import xarray as xr"] if any("xr." in line for line in lines) else []
    imports += ["import numpy as np"] if any("np." in line for line in lines) else []
    imports += ["from hrixs import hRIXS"] if any("hRIXS(" in line for line in lines) else []
    return "\n".join([*imports, "", *lines])


class _Text:
    """Lines of Python code for steps, with a name for each result."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._n_others = 0

    def result(self, steps: list[dict[str, Any]], name: str) -> None:
        """Add the lines that make a result and give it a name."""
        is_first = True
        state: dict[str, Any] = {}
        for step in steps:
            new: dict[str, Any] = {key: step[key] for key in ("settings", "beside") if key in step}
            if new and "of" in step:
                state |= new
                self._settings(state.get("settings", {}), state.get("beside", {}))
            self._step(step, name, is_first=is_first)
            is_first = False

    def _step(self, step: Mapping[str, Any], name: str, *, is_first: bool) -> None:
        call, plain = str(step["call"]), step.get("args", {})
        if call == "given":
            self._lines.append(f"{name} = ...  # a dataset in memory, which is not recorded")
            return
        if call == "drop_vars":
            self._lines.append(f"{name} = {name}.drop_vars({plain['names']!r})")
            return
        if call == "assign":
            for one, value in plain["variables"]["of"]:
                said = self._value(one, value, as_variable=True)
                if one in plain["coords"]:
                    self._lines.append(f"{name} = {name}.assign_coords({{{one!r}: {said}}})")
                else:
                    self._lines.append(f"{name}[{one!r}] = {said}")
            return
        if call == "assign_attrs":
            self._lines.append(f"{name} = {name}.assign_attrs({self._value('', plain['attrs'])})")
            return
        shown = [f"{key}={self._value(key, value)}" for key, value in plain.items()]
        first = next(iter(plain), "")
        if is_first and first in ("run", "runNB", "runs", "path", "results"):
            shown[0] = shown[0].removeprefix(f"{first}=")
        given = [] if is_first else [name]
        if step.get("of") == "h":
            given = ["h", *given]
        if call == "sel":
            self._lines.append(f"{name} = {name}.sel({', '.join(shown)})")
            return
        of = "h" if step.get("of") == "hRIXS" else "hrixs"
        self._lines.append(f"{name} = {of}.{call}({', '.join([*given, *shown])})")

    def _settings(self, settings: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
        """Add the lines that make an `hRIXS` and set it."""
        given = [] if settings.get("proposal") is None else [repr(settings["proposal"])]
        detector = settings.get("detector", "MaranaX")
        given += [] if detector == "MaranaX" else [f"detector={detector!r}"]
        self._lines.append(f"h = hRIXS({', '.join(given)})")
        for name, entry in beside.get("mnemonics", {}).items():
            self._lines.append(f"hrixs.mnemonics[{name!r}] = {entry!r}")
        own = []
        for name, value in settings.items():
            upper = name.upper()
            if name == "fields" and value != [*DETECTOR_FIELDS.get(detector, [])]:
                own.append(f"fields={value!r}")
            elif name in ("mask", "read_noise") and isinstance(value, Mapping):
                self._lines.append(f"h.{upper} = ...  # an image of {value.get('shape')}")
            elif upper in DEFAULTS and upper != "USE_DARK":
                value = of_plain(upper, value)
                if value != DEFAULTS[upper]:
                    own.append(f"{name}={_shown(value)}")
        if own:
            self._lines.append(f"h.set_params({', '.join(own)})")
        curve = settings.get("curvature")
        if curve is not None and (curve.get("reference") or len(curve["coefficients"]) > 2):
            numbers = tuple(curve["coefficients"])
            self._lines.append(
                f"h.curvature = hrixs.Curvature({numbers!r}, reference={curve['reference']!r})"
            )
        if settings.get("use_dark"):
            self._dark(beside.get("dark", {}))

    def _dark(self, known: Mapping[str, Any]) -> None:
        made_by = known.get("made_by")
        if made_by is None:
            self._lines.append(f"h.load_dark(...)  # run {known.get('run')}")
            return
        *before, load = made_by["steps"]
        given = []
        if before:
            self.result(before, "darks")
            given = ["darks"]
        plain = load["args"]
        shown = [
            self._value(k, v) if k == "runNB" else f"{k}={self._value(k, v)}"
            for k, v in plain.items()
        ]
        self._lines.append(f"h.load_dark({', '.join([*given, *shown])})")

    def _value(self, name: str, plain: Any, *, as_variable: bool = False) -> str:
        """A value as Python code; a variable of a dataset may be a pair."""
        if isinstance(plain, list):
            return f"[{', '.join(self._value('', one) for one in plain)}]"
        if not isinstance(plain, dict):
            return _number_or_text(plain)
        kind, of = plain.get(KIND), plain.get("of")
        if kind == "result":
            self._n_others += 1
            other = f"data_{self._n_others}"
            self.result(plain["steps"], other)
            return other
        if kind == "slice" and isinstance(of, list):
            return _shown(slice(*of))
        if kind == "tuple" and isinstance(of, list):
            inner = ", ".join(self._value("", one) for one in of)
            return f"({inner}{',' if len(of) == 1 else ''})"
        if kind == "dict" and isinstance(of, list):
            pairs = (f"{self._value('', k)}: {self._value('', v)}" for k, v in of)
            return f"{{{', '.join(pairs)}}}"
        if kind == "run":
            return repr(plain["path"])
        if kind in ("by_index", "by_id"):
            return f"extra_data.{kind}[{self._value('', of)}]"
        if kind == "function":
            return f"hrixs.spectra.aggregate.{of}"
        if kind == "array":
            return f"np.array({_values(of, plain['dtype'], plain['shape'])}"
        if kind == "DataArray" and isinstance(of, dict):
            dims, shape = tuple(of["dims"]), np.shape(of["data"])
            values = f"np.array({_values(of['data'], of['dtype'], shape)}"
            if as_variable:
                return f"({dims!r}, {values})"
            coords = {name: (tuple(one["dims"]), one["data"]) for name, one in of["coords"].items()}
            shown = ", ".join(
                f"{name!r}: ({own!r}, {_listed(data)})" for name, (own, data) in coords.items()
            )
            return f"xr.DataArray({values}, {{{shown}}}, {dims!r})"
        return "..."


def _values(values: Any, dtype: str, shape: Sequence[int]) -> str:
    """The text after ``np.array(``, with the closing bracket; a dtype of text is left out."""
    of = "" if dtype[1] in "Ub" or dtype in ("<f8", "<i8") else f", dtype={dtype!r}"
    shaped = f".reshape({tuple(shape)!r})" if len(shape) > 1 and not isinstance(values[0], list) \
        else ""  # fmt: skip
    return f"{_listed(values)}{of}){shaped}"


def _listed(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_listed, values))}]"
    return _number_or_text(values)


def _number_or_text(value: Any) -> str:
    """As Python code; infinite numbers and NaN need names of NumPy."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{'-' * (value < 0)}np.{'nan' if math.isnan(value) else 'inf'}"
    return repr(value)


def _shown(value: Any) -> str:
    if isinstance(value, slice) and value.step is None:
        return f"slice({value.start!r}, {value.stop!r})"
    return repr(value)
