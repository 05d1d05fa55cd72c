"""Rows of the chip for photons and spectra."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hrixs.camera.curve import Curvature
from hrixs.utils.checks import require_photon_table
from hrixs.utils.errors import NoLineError
from hrixs.utils.provenance import first_pixel_of, rows_of_crop
from hrixs.utils.typing import Floats

#: Bin width for the fit of a line to photons of a table, in pixels.
BIN_WIDTH = 0.25


def photon_rows(photons: xr.Dataset, curve: Curvature) -> tuple[xr.DataArray, Floats]:
    """Spectrum of all photons of a table over ``y``, and its standard deviations.

    A double hit counts as two independent photons.
    """
    require_photon_table(photons, "x", "y", "double")
    position = photons["y"].values - curve(photons["x"].values)
    if not len(position):
        raise NoLineError("no spectral line found: the photon table is empty.")
    weight = np.where(photons["double"].values, 2.0, 1.0)
    low = np.floor(position.min())
    number = np.floor((position - low) / BIN_WIDTH).astype(np.int64)
    counts = np.bincount(number, weight)
    centres = low + (np.arange(len(counts)) + 0.5) * BIN_WIDTH
    spectrum = xr.DataArray(
        counts, {"y": ("y", centres, {"units": "px"})}, ("y",), attrs={"units": "photons"}
    )
    return spectrum, np.sqrt(counts)


def full_rows(spectrum: xr.DataArray, first_row: float) -> xr.DataArray:
    """`spectrum` over ``y`` in rows of the full chip; see `calibrate_energy`.

    Rows ``y`` that are not known to be those of the full chip are counted from `first_row`.

    Raises
    ------
    ValueError
        If it is neither over ``y`` nor over an energy with known rows (slope not 0).
    """
    if "y" in spectrum.dims:
        on_chip = first_pixel_of(spectrum.attrs) is not None
        rows = spectrum["y"].values + (0.0 if on_chip else first_row)
        return spectrum.assign_coords(y=("y", rows, {"units": "px"}))
    attrs = spectrum.attrs
    if "energy" in spectrum.dims and {"energy_slope", "energy_intercept"} <= set(attrs):
        slope = float(attrs["energy_slope"])
        if not np.isfinite(slope) or slope == 0:
            raise ValueError(
                f"the spectrum's energy_slope is {slope}, expected the energy from row to row, not "
                "0: its rows are not known. Set ENERGY_SLOPE, and make the spectrum again."
            )
        rows = (spectrum["energy"].values - attrs["energy_intercept"]) / slope
        return spectrum.rename(energy="y").assign_coords(y=("y", rows, {"units": "px"}))
    raise ValueError(
        f"the spectrum has dimensions {spectrum.dims} and no attributes that give its rows, "
        "expected a spectrum over y, or over energy as returned by centroid or process_run."
    )


def ends_of(
    photons: xr.Dataset, position: Floats, bend: Floats, max_shift: float
) -> tuple[float, float]:  # fmt: skip
    """First and last row that a photon may have after the curvature is corrected.

    They are from the attributes of the table, in the same rows as its ``y``.
    """
    if not len(position):
        return 0.0, 0.0
    rows = rows_of_crop(photons.attrs)
    if rows is not None:
        return rows[0] - 0.5 - float(bend.max()), rows[1] - 0.5 - float(bend.min())
    # There may be no photons above the elastic line, so their range is not that of the frame.
    return (
        float(np.floor(position.min()) - max_shift),
        float(np.ceil(position.max()) + max_shift),
    )


def spectrum_rows(spectrum: xr.DataArray, axis: str) -> Floats:
    """Rows of the bins of a spectrum over `axis`."""
    values = np.asarray(spectrum[axis].values, dtype=np.float64)
    if axis == "y":
        return values
    if not {"energy_slope", "energy_intercept"} <= set(spectrum.attrs):
        raise ValueError(
            "the spectrum's attributes lack energy_slope and energy_intercept, which give the rows "
            "of its energies. Use spectra of centroid or process_run."
        )
    rows = (values - spectrum.attrs["energy_intercept"]) / spectrum.attrs["energy_slope"]
    return np.asarray(rows)
