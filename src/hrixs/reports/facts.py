"""Rows of a report: what was measured, how, and the resulting numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from hrixs.reports.contents import Row
from hrixs.reports.spectra_of import Spectra, far_beside, photon_energies
from hrixs.utils.provenance import PATH, runs_of, source_attrs, source_text
from hrixs.utils.statistics import with_error

_PROPOSAL = re.compile(r"\bp(\d{6})\b")
_METHODS = {
    "centroid_one": "photons by a threshold from the image (method 'auto')",
    "centroid_two": "photons by a threshold from the photon energy (method 'manual')",
    "resolve": "photons by their charge, also if spots overlap (method 'resolve')",
    "integrate": "intensity along the lines (method 'integrate')",
    "photon_table_from": "photons from a list made by another program",
}
# Attributes with counts, in the order shown.
_COUNTS = {
    "n_trains": "trains of the run",
    "n_trains_without_image": "trains without an image",
    "n_outside": "photons outside the axis",
    "n_dropped": "spots left out",
    "n_cosmics": "spots too bright for photons, left out",
    "n_uneven_pixels": "uneven pixels",
    "n_masked": "masked pixels",
}


def run_labels(data: xr.Dataset) -> list[str]:
    """Labels of the runs of a result, if known."""
    labels = [one for text in runs_of(data) for one in text.split(", ")]
    if not labels and "runs" in data.attrs:
        labels = [one.strip() for one in str(data.attrs["runs"]).split(",")]
    if not labels:
        labels = [str(name).removeprefix(PATH) for name in data.attrs if str(name).startswith(PATH)]
    if not labels:  # sums list the runs of their counts
        told = str(source_attrs(data).get("run", ""))
        labels = [] if " to " in told else told.split(", ")
    return [one for one in labels if one]


def header(spectra: Spectra, runs: list[str], measured: str) -> list[Row]:
    """Rows below the title."""
    attrs, data = spectra.attrs, spectra.data
    rows = []
    proposals = _PROPOSAL.findall(source_text(data, images=False))
    if proposals:
        rows.append(Row("proposal", ", ".join(str(int(one)) for one in proposals)))
    paths = [str(value) for name, value in attrs.items() if str(name).startswith(PATH)]
    if runs:
        rows.append(Row("run" if len(runs) == 1 else "runs", ", ".join(runs), "; ".join(paths)))
    measured = measured or _measured(data)
    if measured:
        rows.append(Row("measured", measured))
    camera = str(attrs.get("camera", attrs.get("detector", "")))
    if camera:
        rows.append(Row("camera", camera, str(attrs.get("source", ""))))
    rows.append(Row("method", _method(attrs)))
    energies = photon_energies(data)
    if energies.size:
        beside = "far outside the energy axis" if far_beside(data, spectra.axis) else ""
        rows.append(Row("photon energy", _range(energies, "eV"), beside))
    if spectra.n_images is not None:
        rows.append(Row("images", f"{spectra.n_images}"))
    return rows


def numbers(spectra: Spectra) -> list[Row]:
    """The table of numbers."""
    attrs = spectra.attrs
    rows = []
    n_images = spectra.n_images
    if n_images is not None:
        rows.append(Row("images in the spectra", str(n_images)))
    if spectra.counted:
        n_photons = float(np.nansum(spectra.data["spectrum"].values))
        rows.append(Row("photons in the spectra", f"{n_photons:.0f}"))
        if n_images:
            rows.append(Row("photons per image", f"{n_photons / n_images:.1f}"))
    for name, text in _COUNTS.items():
        if name in attrs and np.ndim(attrs[name]) == 0:
            rows.append(Row(text, f"{float(attrs[name]):.0f}"))
    if float(attrs.get("lost_share", 0.0)) > 0:
        share = f"about {100 * float(attrs['lost_share']):.2g} %"
        rows.append(Row("photons lost because spots overlap", share))
    if "charge_ratio" in attrs:
        ratio = with_error(float(attrs["charge_ratio"]), float(attrs.get("charge_ratio_err", 0)))
        rows.append(Row("charge of the photons / charge in the images", ratio))
    if "photon_density" in attrs:
        rows.append(Row("photons per pixel, in the first images", f"{attrs['photon_density']:.2g}"))
    rows.append(Row("dark", _dark(attrs)))
    if "curve_a" in attrs:
        curve = f"A = {float(attrs['curve_a']):.7g}, B = {float(attrs['curve_b']):.5g}"
        rows.append(Row("curve of the lines", curve))
    axis = spectra.data[spectra.axis].values
    ends = f"{min(axis[0], axis[-1]):.6g} to {max(axis[0], axis[-1]):.6g}"
    unit = spectra.data[spectra.axis].attrs.get("units", "px" if spectra.axis == "y" else "")
    rows.append(Row("axis", f"{len(axis)} bins, {ends} {unit}".rstrip()))
    if str(attrs.get("grouped_by", "")):
        rows.append(Row("grouped by", str(attrs["grouped_by"])))
    return rows


def _method(attrs: Mapping[Any, Any]) -> str:
    if "best" in attrs:
        return f"method 'best': {attrs['best']}"
    name = str(attrs.get("algorithm", ""))
    return _METHODS.get(name, name or "not known")


def _dark(attrs: Mapping[Any, Any]) -> str:
    if not int(attrs.get("use_dark", 0)):
        return "none subtracted" if "use_dark" in attrs else "not known"
    images = f", mean of {attrs['n_dark_images']} images" if "n_dark_images" in attrs else ""
    left = int(attrs.get("n_dark_images_left_out", 0))
    return f"run {attrs.get('dark_run', '')}{images}" + (f", {left} left out" if left else "")


def _range(values: np.ndarray[Any, Any], units: str) -> str:
    low, high = float(values.min()), float(values.max())
    same = high - low < 0.05
    return f"{values.mean():.2f} {units}" if same else f"{low:.2f} to {high:.2f} {units}"


def _measured(data: xr.Dataset) -> str:
    """Time of the measurement, from the first coordinate or variable with times."""
    for variable in data.variables.values():
        if variable.dtype.kind == "M":
            times = variable.values[~np.isnat(variable.values)].ravel()
            if times.size:
                return times_text(times.min(), times.max())
    return ""


def times_text(first: np.datetime64, last: np.datetime64) -> str:
    """Text of a time range: ``2026-03-01 12:00:00 to 12:05:10 UTC``."""
    begin, end = (str(one.astype("datetime64[s]")).replace("T", " ") for one in (first, last))
    if begin == end:
        return f"{begin} UTC"
    return f"{begin} to {end.split()[1] if begin[:10] == end[:10] else end} UTC"
