"""The public function: a result as one page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.curve import CurveLike
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


def report(
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
    """Write a result as one page of HTML that is sent to others.

    Parameters
    ----------
    result : xarray.Dataset or path
        With ``spectrum``: as from `hRIXS.centroid`, `hRIXS.integrate`, `hRIXS.process_run`,
        `hRIXS.process_runs`, `aggregate`, `energy_loss` or `rixs_map`; or a netCDF file of it.
    path : path
        The file to write, ``.html``; one of that name is replaced, at once and as a whole.
    image : array_like, shape (x, y), optional
        Mean image in ADU, of the whole chip or of the crop, as from `hRIXS.mean_image`;
        coordinates `x` and `y` tell where it lies. `hRIXS.report` makes it by itself.
    curvature : Curvature or (float, float), optional
        The curve that is drawn; by default the one that the result tells.
    mask : array_like of bool, shape (x, y), optional
        Bad pixels of the chip, True; by default those that are NaN in `image`.
    trains : xarray.Dataset, optional
        The spectra of single images that `result` adds up, for what is drawn over the trains.
    run, title : str, optional
        What the result is of, where it does not tell; the title of the page.
    measured, why_no_image : str
        When it was measured, and why there is no `image`, in words.
    command, made_by : str, optional
        The command line, and the Python text, that make the result again.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MissingDataError
        If there is no spectrum in the result, no such file, or no folder to write to.
    ValueError
        If `path` is no name of a page, or image and mask do not fit.

    Notes
    -----
    The page holds all that it shows: nothing is fetched, no script runs. It is light or dark as the
    reader's screen is, and light on paper. Spectra are drawn as they are counted, with errors of
    one standard deviation (`error_of`); what can't be known is said, and not drawn.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, xarray as xr
    >>> import hrixs
    >>> counts = np.random.default_rng(1).poisson(3, (20, 100))
    >>> energy = ("energy", np.linspace(529, 531, 100), {"units": "eV"})
    >>> data = xr.Dataset(
    ...     {"spectrum": (("trainId", "energy"), counts, {"units": "photons"})}, {"energy": energy})
    >>> page = hrixs.report(data, pathlib.Path(tempfile.mkdtemp()) / "r0145.html", run="r0145")
    >>> "<h1>RIXS spectra of r0145</h1>" in page.read_text("utf8")
    True
    """
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{path} is no page, expected a name that ends in .html: r0145.html.")
    if not path.parent.is_dir():
        raise MissingDataError(f"there is no folder {path.parent} to write {path.name} to.")
    spectra = spectra_of(opened(result))
    of_trains = None if trains is None else spectra_of(trains)
    runs = run_labels(spectra.data) or ([run_label(run)] if run else [])
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
    """The dataset, read from its file where a path is given."""
    if isinstance(result, xr.Dataset):
        return result
    if isinstance(result, xr.DataArray):
        return result.to_dataset(name="spectrum")
    if not isinstance(result, str | os.PathLike):
        raise TypeError(
            f"{type(result).__name__} given, expected a result: an xarray.Dataset, or the path of "
            "a netCDF file of it."
        )
    if not Path(result).is_file():
        raise MissingDataError(f"there is no file {os.fspath(result)}.")
    try:
        with xr.open_dataset(result, engine="h5netcdf") as data:
            return data.load()
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{os.fspath(result)} can't be read as netCDF, as hrixs.export writes .nc: {error}"
        ) from error


def _title(data: xr.Dataset, runs: list[str]) -> str:
    told = source_text(data, images=False)
    runs = [] if any(run_label(run) in told for run in runs) else runs
    named = ", ".join(runs) if len(runs) < 6 else f"{runs[0]} to {runs[-1]} ({len(runs)} runs)"
    of = ", ".join(one for one in (told, named) if one)
    return ("RIXS map" if "incident" in data.attrs else "RIXS spectra") + (
        f" of {of}" if of else ""
    )
