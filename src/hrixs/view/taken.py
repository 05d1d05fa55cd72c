"""Export from a page: the calls that make the shown result, and files."""

from __future__ import annotations

import io
import json
import shlex
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.curve import Curvature
from hrixs.camera.plots import plot_image
from hrixs.output.writing import export
from hrixs.replays.python_text import how_made
from hrixs.settings.state import plain_beside, plain_settings
from hrixs.settings.table import DEFAULTS, SETTINGS
from hrixs.spectra.plots import plot_spectra
from hrixs.spectra.train_plot import plot_per_train
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.steps.record import STEPS, steps_now
from hrixs.utils.figures import add_legend_on_image, draw_curve, new_figure
from hrixs.view.scans.choice import Drawn, applied, command_options, python_lines
from hrixs.view.session import Session
from hrixs.view.worker import RECKONING, silence

#: Name of the settings file, if a command needs one.
SETTINGS_FILE = "settings.toml"


def as_python(session: Session, drawn: Drawn | None = None) -> str:
    """Python code that makes the shown spectra, and the map if one is drawn."""
    h, images = session.h, session.images
    state = {"settings": plain_settings(h), "beside": plain_beside(h), "of": "hRIXS"}
    method = {} if session.method == "auto" else {"method": session.method}
    if images.is_run:
        call, args = "process_run", dict[str, Any](run=_run_of(images.path))
        if images.together:
            runs = [_run_of(one.path) for one in images.runs.values()]
            call, args = "process_runs", {"runs": runs}
        args |= method | ({} if images.energy is None else {"energy": images.energy})
        steps = [{"call": call, "args": args, **state}]
    else:
        call = "integrate" if session.method == "integrate" else "centroid"
        args = dict(method) if call == "centroid" else {}
        steps = [*steps_now(images.source), {"call": call, "args": args, **state}]
    if session.loss and not (drawn is not None and drawn.choice.is_rixs):
        steps.append({"call": "energy_loss", "args": {}})
    text = how_made(xr.Dataset(attrs={STEPS: json.dumps(steps)}))
    return text if drawn is None else "\n".join([text, *python_lines(session, drawn)])


def as_command(session: Session, output: str = "", drawn: Drawn | None = None) -> str:
    """The command that writes the shown spectra, or the map if one is drawn.

    If options cannot express a setting, the command names a settings file, to be saved first.
    """
    images = session.images
    if images.path is None:
        return "# for images in memory there is no command: copy the Python code"
    usual = "spectrum.nc" if drawn is None else "map.nc"
    paths = [str(one.path) for one in images.runs.values()]
    together = ["--together"] if images.together else []
    words = ["hrixs", "process", *paths, *together, "-o", output or usual]
    words += [] if drawn is None else command_options(drawn.choice)
    if session.method != "auto":
        words += ["--method", session.method]
    if images.energy is not None:
        words += ["--energy", repr(images.energy)]
    options = _options(session.h)
    if options is None:
        text = shlex.join([*words, "--settings", SETTINGS_FILE])
        return f"# save the settings as {SETTINGS_FILE} first\n{text}"
    return shlex.join(words + options)


def make(session: Session) -> xr.Dataset:
    """The shown spectra, made by those calls, for a file."""
    made = _made(session)
    return session.h.energy_loss(made) if session.loss else made


def _made(session: Session) -> xr.Dataset:
    h, images, source = session.h, session.images, session.images.source
    if images.is_run:
        how: dict[str, Any] = {"method": session.method, "energy": images.energy}
        if images.together:
            runs = [one.source for one in images.runs.values()]
            return h.process_runs(runs, progress=False, **how)
        return h.process_run(source, progress=False, **how)
    data = source.copy(deep=False)
    if session.method == "integrate":
        made = h.integrate(data)
    else:
        made = h.centroid(data, method=session.method)
    return made.drop_vars(h.DETECTOR)


def _run_of(path: str | None) -> int | str | None:
    return int(path) if path is not None and path.isdecimal() else path


def _options(h: hRIXS) -> list[str] | None:
    """Options of the command for the settings; None if options cannot express them."""
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
    """Whether a dark was made from all images of a run, as the option does."""
    steps = [] if made_by is None else list(made_by["steps"])
    return len(steps) == 1 and set(steps[0]["args"]) == {"runNB"}


def _same(value: Any, name: str) -> bool:
    return not np.ndim(value) and bool(value == DEFAULTS[name])


def _text(value: Any) -> str | None:
    """A value as typed on the command line; None if that is not possible."""
    if value is None or np.ndim(value):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, slice):
        return ":".join("" if end is None else str(end) for end in (value.start, value.stop))
    return f"{value!s}"


_DPI = 120


def name_of(session: Session, kind: str, suffix: str) -> str:
    """Name of a file with the name of the run: ``r0145-spectrum.nc``."""
    label = "".join(c if c.isalnum() else "-" for c in session.images.name).strip("-")
    return f"{label or 'images'}-{kind}{suffix}"


def settings_name(session: Session) -> str:
    """Name of the settings file; with a dark or mask it is a ZIP of two files."""
    images = session.h.dark.image is not None or session.h.MASK is not None
    images = images or np.ndim(session.h.READ_NOISE) > 0
    return name_of(session, "settings", ".zip") if images else SETTINGS_FILE


def settings_file(session: Session) -> tuple[str, bytes]:
    """Name and bytes of the settings file; with a dark or mask a ZIP of both files."""
    with tempfile.TemporaryDirectory() as folder, RECKONING:
        session.h.save(Path(folder, SETTINGS_FILE))
        files = sorted(Path(folder).iterdir())
        if len(files) == 1:
            return SETTINGS_FILE, files[0].read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
    return settings_name(session), packed.getvalue()


def spectrum_file(session: Session, suffix: str = ".nc") -> tuple[str, bytes]:
    """The spectra, made by the shown calls, as written by `hrixs.export`."""
    with tempfile.TemporaryDirectory() as folder, silence():
        path = Path(folder, f"spectrum{suffix}")
        export(make(session), path)
        return name_of(session, "spectrum", suffix), path.read_bytes()


def map_file(session: Session, drawn: Drawn | None) -> tuple[str, bytes]:
    """The map that is drawn, made by the shown calls, as written by `hrixs.export`."""
    if drawn is None:
        raise ValueError("no map is drawn. Open the tab Map first.")
    with tempfile.TemporaryDirectory() as folder, silence():
        path = Path(folder, "map.nc")
        spectra = _made(session) if drawn.choice.is_rixs else make(session)
        export(applied(session.h, spectra, drawn.choice), path)
        return name_of(session, "map", ".nc"), path.read_bytes()


def picture_file(session: Session) -> tuple[str, bytes]:
    """A picture of the image with its curve, the spectrum, and the photons per train."""
    h, spectra, row = session.h, session.spectra(), session.line_row()
    with silence():
        figure, axes = new_figure([["image", "spectrum"], ["image", "trains"]], (15, 8.5))
        image = h.mean_image(session.images.source)
        plot_image(image, axes["image"])
        x = image["x"].values.astype(np.float64)
        line = row + h.curvature(x)
        draw_curve(axes["image"], x, line, "curvature")
        add_legend_on_image(axes["image"], line)
        plot_spectra(spectra, axes["spectrum"])
        plot_per_train(spectra, axes["trains"])
        figure.suptitle(f"{session.images.name}, method {session.method}")
        file = io.BytesIO()
        figure.savefig(file, dpi=_DPI, format="png")
    return name_of(session, "picture", ".png"), file.getvalue()


def report_file(session: Session) -> tuple[str, bytes]:
    """The report to send to others, as written by `hrixs.report`."""
    command = as_command(session)
    with tempfile.TemporaryDirectory() as folder, silence():
        path = Path(folder, "report.html")
        known = None if command.startswith("#") else command
        of = None if session.images.together else session.images.source
        session.h.report(make(session), path, of, **({"command": known} if known else {}))
        return name_of(session, "report", ".html"), path.read_bytes()
