"""Write a result as one page, with the image of its run."""

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
    """Write a result as one HTML page, to send to others.

    Parameters
    ----------
    result : xarray.Dataset or path
        With ``spectrum``: from `hRIXS.centroid`, `hRIXS.integrate`, `hRIXS.process_run`,
        `hRIXS.process_runs`, `aggregate`, `energy_loss` or `rixs_map`; or a netCDF file of it.
    path : path
        The file to write, ``.html``. An existing file is replaced as a whole.
    image : array_like, shape (x, y), optional
        Mean image in ADU, of the whole chip or of the crop, from `hRIXS.mean_image`; coordinates
        `x` and `y` give its position. Default: it is made of the run of the result with the
        settings of the result, if both are available.
    curvature : Curvature or (float, float), optional
        The curve to draw; default: the one in the result.
    mask : array_like of bool, shape (x, y), optional
        True for bad pixels of the chip; default: the mask in the settings of the result.
    trains : xarray.Dataset, optional
        The spectra of single images that are added up in `result`, for plots over the trains.
    run, title : str, optional
        Name of the run, if the result does not state it; title of the page.
    measured, why_no_image : str
        Texts: when the data were measured, and why there is no `image`.
    command, made_by : str, optional
        The command line, and the Python text, that reproduce the result; default: the text of
        `hrixs.how_made`.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MissingDataError
        If there is no spectrum in the result, no such file, or no folder to write to.
    ValueError
        If `path` does not end in .html, or image and mask do not fit.

    Notes
    -----
    The page is self-contained: it loads nothing and runs no script. It is light or dark like the
    screen of the reader, and light on paper. Spectra are drawn in counts, with errors of one
    standard deviation (`error_of`); if errors are not known, the page says so.

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
    """The settings that made a result; None if it does not contain them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HrixsWarning)  # the page says what is missing
        try:
            return hRIXS.from_result(data)
        except (LookupError, ValueError, AttributeError):
            return None
