"""What can be taken away from a page, as files: settings, spectrum, picture, report."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from hrixs.camera.plots import plot_image
from hrixs.output.writing import export
from hrixs.spectra.plots import plot_spectra
from hrixs.spectra.train_plot import plot_per_train
from hrixs.utils.figures import add_legend_on_image, draw_curve, new_figure
from hrixs.view.calls import SETTINGS_FILE, as_command, make
from hrixs.view.quiet import RECKONING, silence
from hrixs.view.session import Session

_DPI = 120


def name_of(session: Session, kind: str, suffix: str) -> str:
    """A file's name that tells the run: ``r0145-spectrum.nc``."""
    label = "".join(c if c.isalnum() else "-" for c in session.images.name).strip("-")
    return f"{label or 'images'}-{kind}{suffix}"


def settings_name(session: Session) -> str:
    """Name of the settings' file; with dark or mask they are two, in a ZIP."""
    images = session.h.dark.image is not None or session.h.MASK is not None
    images = images or np.ndim(session.h.READ_NOISE) > 0
    return name_of(session, "settings", ".zip") if images else SETTINGS_FILE


def settings_file(session: Session) -> tuple[str, bytes]:
    """The settings as a file's name and bytes; with dark or mask a ZIP of both files."""
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
    """The spectra, made by the calls that are shown, as `hrixs.export` writes them."""
    with tempfile.TemporaryDirectory() as folder, RECKONING, silence():
        path = Path(folder, f"spectrum{suffix}")
        export(make(session), path)
        return name_of(session, "spectrum", suffix), path.read_bytes()


def picture_file(session: Session) -> tuple[str, bytes]:
    """Image with its curve, spectrum, and photons per train, as a picture."""
    with RECKONING, silence():
        h, spectra = session.h, session.spectra()
        figure, axes = new_figure([["image", "spectrum"], ["image", "trains"]], (15, 8.5))
        image = h.mean_image(session.images.source)
        plot_image(image, axes["image"])
        x = image["x"].values.astype(np.float64)
        line = session.line_row() + h.curvature(x)
        draw_curve(axes["image"], x, line, "curvature")
        add_legend_on_image(axes["image"], line)
        plot_spectra(spectra, axes["spectrum"])
        plot_per_train(spectra, axes["trains"])
        figure.suptitle(f"{session.images.name}, method {session.method}")
        file = io.BytesIO()
        figure.savefig(file, dpi=_DPI, format="png")
    return name_of(session, "picture", ".png"), file.getvalue()


def report_file(session: Session) -> tuple[str, bytes]:
    """The page that is sent to others, as `hrixs.report` writes it."""
    command = as_command(session)
    with tempfile.TemporaryDirectory() as folder, RECKONING, silence():
        path = Path(folder, "report.html")
        known = None if command.startswith("#") else command
        of = session.images.source
        session.h.report(make(session), path, of, **({"command": known} if known else {}))
        return name_of(session, "report", ".html"), path.read_bytes()
