"""A result as one page, with the image of the run that it names."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike

from hrixs.camera.curve import CurveLike
from hrixs.reports.writing import opened, write_report
from hrixs.spectrometer import report_inputs
from hrixs.spectrometer.spectrometer import hRIXS
from hrixs.utils.errors import HrixsWarning


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
        coordinates `x` and `y` tell where it lies. By default it is made of the run that the
        result names, with the settings that made it, where both are there.
    curvature : Curvature or (float, float), optional
        The curve that is drawn; by default the one that the result tells.
    mask : array_like of bool, shape (x, y), optional
        Bad pixels of the chip, True; by default that of the result's settings.
    trains : xarray.Dataset, optional
        The spectra of single images that `result` adds up, for what is drawn over the trains.
    run, title : str, optional
        What the result is of, where it does not say it; the title of the page.
    measured, why_no_image : str
        When it was measured, and why there is no `image`, in words.
    command, made_by : str, optional
        The command line, and the Python text, that make the result again; by default the text
        that `hrixs.how_made` gives.

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
    given: dict[str, Any] = {
        "image": image, "curvature": curvature, "mask": mask, "trains": trains, "run": run,
        "title": title, "measured": measured or None, "why_no_image": why_no_image or None,
        "command": command, "made_by": made_by,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    data = opened(result)
    h = None if image is not None else _spectrometer_of(data)
    if h is None:
        return write_report(data, path, **options)
    return report_inputs.report(h, data, path, None, **options)


def _spectrometer_of(data: xr.Dataset) -> hRIXS | None:
    """The settings that made a result; None where it does not hold them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)  # the page says what is missing
        try:
            return hRIXS.from_result(data)
        except (LookupError, ValueError, AttributeError):
            return None
