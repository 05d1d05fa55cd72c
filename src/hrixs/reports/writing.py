"""Write a result as one page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.curve import CurveLike
from hrixs.replays.opened import opened as result_in
from hrixs.replays.python_text import how_made
from hrixs.reports.contents import Row
from hrixs.reports.facts import header, run_labels
from hrixs.reports.how_made import attribute_rows, settings_rows, version_rows
from hrixs.reports.page import page_text
from hrixs.reports.sections import sections_of
from hrixs.reports.spectra_of import spectra_of
from hrixs.reports.verdict import verdict_of
from hrixs.utils.atomic_files import replaced_at_once
from hrixs.utils.errors import MissingDataError
from hrixs.utils.provenance import run_label, source_text

_SUFFIXES = (".html", ".htm")


def write_report(
    result: xr.Dataset | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    image: xr.DataArray | ArrayLike | None = None,
    curvature: CurveLike | None = None,
    mask: xr.DataArray | ArrayLike | None = None,
    trains: xr.Dataset | None = None,
    run: str | None = None,
    title: str | None = None,
    measured: str = "",
    why_no_image: str = "",
    command: str | None = None,
    made_by: str | None = None,
) -> Path:
    """Write a result as one page, as `hrixs.report` documents."""
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(
            f"{path} is not a page: expected a name that ends with .html, such as r0145.html."
        )
    if not path.parent.is_dir():
        raise MissingDataError(
            f"there is no folder {path.parent} to write {path.name} to. Make the folder, or give "
            "a different path."
        )
    spectra = spectra_of(opened(result))
    of_trains = None if trains is None else spectra_of(trains)
    runs = run_labels(spectra.data) or ([run_label(run)] if run else [])
    made_by = how_made(spectra.data) if made_by is None else made_by
    again = {"On the command line:": command, "In Python:": made_by}
    text = page_text(
        title=title or _title(spectra.data, runs),
        facts=header(spectra, runs, measured),
        verdict=verdict_of(spectra.data),
        sections=sections_of(
            spectra, of_trains, image=image, curvature=curvature, mask=mask,
            why_no_image=why_no_image,
        ),
        settings=settings_rows(spectra.attrs),
        attributes=attribute_rows(spectra.attrs),
        again=[Row(how, one) for how, one in again.items() if one],
        versions=version_rows(spectra.attrs),
    )  # fmt: skip
    with replaced_at_once(path) as part:
        part.write_text(text, "utf8")
    return path


def opened(result: Any) -> xr.Dataset:
    """The dataset, read from its file if a path is given."""
    if isinstance(result, xr.DataArray):
        return result.to_dataset(name="spectrum")
    data = result_in(result)
    if data is None:
        raise ValueError(
            f"{os.fspath(result)} is not netCDF. Expected a .nc file written by hrixs.export."
        )
    return data


def _title(data: xr.Dataset, runs: list[str]) -> str:
    told = source_text(data, images=False)
    runs = [] if any(run_label(run) in told for run in runs) else runs
    named = ", ".join(runs) if len(runs) < 6 else f"{runs[0]} to {runs[-1]} ({len(runs)} runs)"
    of = ", ".join(one for one in (told, named) if one)
    return ("RIXS map" if "incident" in data.attrs else "RIXS spectra") + (
        f" of {of}" if of else ""
    )
