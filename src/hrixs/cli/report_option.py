"""The option ``--report`` of ``hrixs process``: a page about each run, with the command."""

from __future__ import annotations

import argparse
import re
import shlex
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrixs.utils.errors import HrixsWarning, MissingDataError

if TYPE_CHECKING:
    import xarray as xr

    from hrixs.spectrometer.spectrometer import hRIXS

_SUFFIX = ".html"
# What is between // and @ in an address may be a password.
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_NO_IMAGES = "An event list has no images: its photons were found and placed before."


@dataclass(frozen=True)
class Asked:
    """The page that was asked for; an empty name means the name of the output."""

    name: str
    command: str


@dataclass(frozen=True)
class Page:
    """A page to write, and the command to be shown on it."""

    path: Path
    command: str


def add_option(command: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    command.add_argument(
        "--report", nargs="?", const="", metavar="OUT.html",
        help="also write a page (HTML) to send to others: image, spectrum, line, drift, doubts, "
        "settings and this command; without a name it is named like the output",
    )  # fmt: skip


def asked(arguments: argparse.Namespace) -> Asked | None:
    """Read the option; the command line is kept as it can be typed again."""
    if arguments.report is None:
        return None
    words = [_LOGIN.sub("...", word) for word in arguments.words]
    return Asked(arguments.report, shlex.join(["hrixs", *words]))


def page_files(
    report: Asked | None, outputs: Sequence[Path], names: Callable[[str], Sequence[Path]]
) -> list[Page | None]:
    """The page to write for each output; `names` makes file names of the one that was typed.

    Raises
    ------
    ValueError
        If a name does not end in .html.
    MissingDataError
        If there is no folder to write to.
    """
    if report is None:
        return [None] * len(outputs)
    paths = names(report.name) if report.name else [one.with_suffix(_SUFFIX) for one in outputs]
    for path in paths:
        if path.suffix.lower() not in (_SUFFIX, ".htm"):
            raise ValueError(
                f"--report {path} is not a page: expected a name that ends with .html, such as "
                "r0145.html."
            )
        if not path.parent.is_dir():
            raise MissingDataError(
                f"there is no folder {path.parent} to write {path.name} to. Make the folder, or "
                "give a different path."
            )
    return [Page(path, report.command) for path in paths]


def write_page(page: Page, h: hRIXS, source: Any, spectra: xr.Dataset, result: xr.Dataset) -> None:
    """Write the page of a result, and print its name.

    Parameters
    ----------
    page : Page
    h : hRIXS
        The class with the settings of the result.
    source : run, xarray.Dataset or None
        Of the images: a run, images, photons of an event list; None of several runs,
        which the result names.
    spectra, result : xarray.Dataset
        Of each image, and as written.
    """
    from hrixs.cli.events import is_photons

    options: dict[str, Any] = {"trains": spectra, "command": page.command}
    if is_photons(source):
        options |= {"image": None, "why_no_image": _NO_IMAGES}
        source = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)  # said already
        h.report(result, page.path, source, **options)
    print(f"wrote {page.path}")
