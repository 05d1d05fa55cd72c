"""The calls that make what is shown: as Python, and as a command."""

from __future__ import annotations

import json
import shlex
from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.curve import Curvature
from hrixs.replays.python_text import how_made
from hrixs.settings.state import plain_beside, plain_settings
from hrixs.settings.table import DEFAULTS, SETTINGS
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.steps.record import STEPS, steps_now
from hrixs.view.session import Session

#: Name of the settings' file where a command needs one.
SETTINGS_FILE = "settings.toml"


def as_python(session: Session) -> str:
    """Python that makes the spectra that are shown."""
    h, images = session.h, session.images
    state = {"settings": plain_settings(h), "beside": plain_beside(h), "of": "hRIXS"}
    method = {} if session.method == "auto" else {"method": session.method}
    if images.is_run:
        args: dict[str, Any] = {"run": _run_of(images.path)} | method
        args |= {} if images.energy is None else {"energy": images.energy}
        steps = [{"call": "process_run", "args": args, **state}]
    else:
        call = "integrate" if session.method == "integrate" else "centroid"
        args = dict(method) if call == "centroid" else {}
        steps = [*steps_now(images.source), {"call": call, "args": args, **state}]
    if session.loss:
        steps.append({"call": "energy_loss", "args": {}})
    return how_made(xr.Dataset(attrs={STEPS: json.dumps(steps)}))


def as_command(session: Session, output: str = "spectrum.nc") -> str:
    """The command that writes the spectra that are shown.

    Where an option can't say what is set, it names a file of the settings, to be saved first.
    """
    path = session.images.path
    if path is None:
        return "# images in memory have no command: copy the Python"
    words = ["hrixs", "process", path, "-o", output]
    if session.method != "auto":
        words += ["--method", session.method]
    if session.images.energy is not None:
        words += ["--energy", repr(session.images.energy)]
    options = _options(session.h)
    if options is None:
        text = shlex.join([*words, "--settings", SETTINGS_FILE])
        return f"# save the settings as {SETTINGS_FILE} first\n{text}"
    return shlex.join(words + options)


def make(session: Session) -> xr.Dataset:
    """The spectra that are shown, made by those calls: as they are saved."""
    h, source = session.h, session.images.source
    if session.images.is_run:
        energy = session.images.energy
        made = h.process_run(source, method=session.method, energy=energy, progress=False)
        return h.energy_loss(made) if session.loss else made
    data = source.copy(deep=False)
    if session.method == "integrate":
        made = h.integrate(data)
    else:
        made = h.centroid(data, method=session.method)
    made = made.drop_vars(h.DETECTOR)
    return h.energy_loss(made) if session.loss else made


def _run_of(path: str | None) -> int | str | None:
    return int(path) if path is not None and path.isdecimal() else path


def _options(h: hRIXS) -> list[str] | None:
    """Options of the command for all that is set; None where options can't tell it."""
    if h.MASK is not None or {"mnemonics", "aggregators"} & set(plain_beside(h)):
        return None
    curve = h._curve
    if isinstance(curve, Curvature) and (curve.degree > 2 or curve.reference):
        return None
    options = [] if h.PROPOSAL is None else ["--proposal", str(h.PROPOSAL)]
    if h.DETECTOR != hRIXS().DETECTOR:
        options += ["--detector", h.DETECTOR]
    if h.USE_DARK:
        if h.dark_run is None or not _is_whole_run(h.dark.made_by):
            return None
        options += ["--dark", str(h.dark_run)]
    for setting in SETTINGS:
        value = getattr(h, setting.name)
        if setting.name == "THREADS" or not setting.is_option or _same(value, setting.name):
            continue
        text = _text(value)
        if text is None:
            return None
        options.append(f"--{setting.name.lower().replace('_', '-')}={text}")
    return options


def _is_whole_run(made_by: Any) -> bool:
    """Whether a dark is of all images of a run, which is what the option makes."""
    steps = [] if made_by is None else list(made_by["steps"])
    return len(steps) == 1 and set(steps[0]["args"]) == {"runNB"}


def _same(value: Any, name: str) -> bool:
    return not np.ndim(value) and bool(value == DEFAULTS[name])


def _text(value: Any) -> str | None:
    """A value as it is typed; None where it can't be."""
    if value is None or np.ndim(value):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, slice):
        return ":".join("" if end is None else str(end) for end in (value.start, value.stop))
    return f"{value!s}"
