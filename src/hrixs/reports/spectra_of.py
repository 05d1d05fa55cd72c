"""Axes of the spectra of a result, and their sum with its error, on the most useful axis."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from hrixs.energy.loss import energy_loss
from hrixs.spectra.errors import VARIANCE, WITNESS, known_error
from hrixs.utils.errors import HrixsWarning, MissingDataError
from hrixs.utils.provenance import source_text

# Axes of spectra, and dimensions of single images.
_AXES = ("energy", "energy_loss", "y")
_IMAGES = ("trainId", "frame", "image")
# Photon energies that differ by less count as equal, in eV.
_SAME_ENERGY = 0.05


@dataclass(frozen=True)
class Spectra:
    """The spectra of a result.

    Attributes
    ----------
    data : xarray.Dataset
        The result.
    axis : str
        Dimension along the energy.
    images : str or None
        Dimension of single images; None if they were summed.
    groups : tuple of str
        Other dimensions, such as those of a scan.
    on_loss : xarray.Dataset
        The result over energy loss, if known.
    summed : xarray.Dataset
        Sum over all images and groups (mean if in ADU), over energy loss if known: ``spectrum``,
        and the variables for its error.
    error : xarray.DataArray or None
        Standard deviation of the sum, if it can be known.
    why_no_loss : str
        Why there is no axis of energy loss; empty if there is one.
    """

    data: xr.Dataset
    axis: str
    images: str | None
    groups: tuple[str, ...]
    on_loss: xr.Dataset
    summed: xr.Dataset
    error: xr.DataArray | None
    why_no_loss: str

    @property
    def total(self) -> xr.DataArray:
        """The spectrum of the sum."""
        return self.summed["spectrum"]

    @property
    def counted(self) -> bool:
        """Whether the spectra are in photons."""
        return units_of(self.data["spectrum"]) == "photons"

    @property
    def attrs(self) -> dict[Any, Any]:
        """Attributes of the result and its spectra; those of the spectra take precedence."""
        return {**self.data.attrs, **self.data["spectrum"].attrs}

    @property
    def n_images(self) -> int | None:
        """Number of images in the spectra, if known."""
        told = source_text(self.data).split(", ")[-1]
        if number := re.fullmatch(r"(\d+) images?", told):
            return int(number[1])
        if told.startswith("train "):
            return 1
        return None if self.images is None else int(self.data["spectrum"].sizes[self.images])


def units_of(values: xr.DataArray) -> str:
    """Units of spectra; whole numbers without units are photons."""
    return str(values.attrs.get("units", "photons" if values.dtype.kind in "iu" else ""))


def spectra_of(data: xr.Dataset) -> Spectra:
    """Find the spectra of a result and their axes.

    Raises
    ------
    MissingDataError
        If it has no spectra.
    """
    if "spectrum" not in data:
        has = ", ".join(map(str, data.data_vars)) or "no variables"
        raise MissingDataError(
            f"the result has {has}, but no spectrum to report. Give a result of centroid, "
            "integrate, process_run, aggregate or rixs_map."
        )
    dims = [str(dim) for dim in data["spectrum"].dims]
    axis = next((name for name in _AXES if name in dims), None)
    if axis is None:
        raise MissingDataError(
            f"the spectrum has dimensions {tuple(dims)}, expected one of {', '.join(_AXES)} among "
            "them."
        )
    images = next((name for name in _IMAGES if name in dims), None)
    groups = tuple(name for name in dims if name not in (axis, images))
    on_loss, why = _on_loss(data, axis)
    added = summed_spectra(on_loss)
    error = known_error(added) if units_of(added["spectrum"]) == "photons" else None
    return Spectra(data, axis, images, groups, on_loss, added, error, why)


def summed_spectra(data: xr.Dataset) -> xr.Dataset:
    """Sum (in ADU: mean) of the spectra over other dimensions, with the variables for its error."""
    own = [name for name in ("spectrum", f"spectrum{VARIANCE}", WITNESS) if name in data]
    values = data["spectrum"]
    axis = next(name for name in _AXES if name in values.dims)
    over = [dim for dim in values.dims if dim != axis]
    if units_of(values) != "photons":
        return values.mean(over, keep_attrs=True).compute().to_dataset(name="spectrum")
    return data[own].sum(over, keep_attrs=True).compute() if over else data[own].compute()


def _on_loss(data: xr.Dataset, axis: str) -> tuple[xr.Dataset, str]:
    """`data` over energy loss if possible; otherwise unchanged, and the reason."""
    if axis == "energy_loss":
        return data, ""
    units = data[axis].attrs.get("units")
    if axis == "energy" and units not in ("px", "eV"):
        return data, "The energy axis has no unit 'eV', so there is no axis of energy loss."
    if units != "eV":
        return data, (
            "The axis is in rows of the chip, since no energy is known. Set ENERGY_INTERCEPT and "
            "ENERGY_SLOPE, or call calibrate_energy with elastic lines."
        )
    if "nrj" not in data.variables:
        return data, "The result has no photon energy (nrj), so there is no axis of energy loss."
    elastic = None
    if data["nrj"].dims not in ((), (data["spectrum"].dims[0],)):
        if not (one_energy(data) and photon_energies(data).size):
            return (
                data,
                "The photon energy (nrj) is not known for each image, or for each group.",
            )
        elastic = float(photon_energies(data).mean())
    if far := far_beside(data, axis):
        return data, f"There is no axis of energy loss: {far}."
    own = ["spectrum", f"spectrum{VARIANCE}", WITNESS]
    others = [name for name, one in data.data_vars.items() if axis not in one.dims]
    alone = data[[*others, *(name for name in own if name in data)]]
    why: Exception | None = None
    for kept in (data, alone):  # other variables may not be movable
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HrixsWarning)
                return energy_loss(kept, elastic=elastic), ""
        except (LookupError, ValueError, TypeError) as error:
            why = error
    return data, f"There is no axis of energy loss: {why}"


def far_beside(data: xr.Dataset, axis: str) -> str:
    """Text if the photon energy is farther from the axis than its length; else ``''``."""
    known, at = photon_energies(data), data[axis].values
    if axis != "energy" or not known.size or not at.size or data[axis].attrs.get("units") != "eV":
        return ""
    low, high, middle = float(at.min()), float(at.max()), float(np.median(known))
    if low - (high - low) <= middle <= high + (high - low):
        return ""
    return (
        f"the photon energy, {middle:.6g} eV, is far outside the energy axis, {low:.6g} to "
        f"{high:.6g} eV"
    )


def photon_energies(data: xr.Dataset) -> np.ndarray[Any, Any]:
    """The known photon energies, in eV."""
    if "nrj" not in data.variables or data["nrj"].dtype.kind not in "iuf":
        return np.array([])
    values = np.asarray(data["nrj"].values, dtype=np.float64).ravel()
    return values[np.isfinite(values)]


def one_energy(data: xr.Dataset) -> bool:
    """Whether all spectra have the same photon energy, as far as known."""
    known = photon_energies(data)
    return not known.size or float(np.ptp(known)) <= _SAME_ENERGY
