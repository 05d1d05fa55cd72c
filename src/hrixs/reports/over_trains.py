"""Values of each image: photons, incident intensity, and the position of the line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.energy.line import LineFit
from hrixs.reports.elastic import fitted
from hrixs.reports.spectra_of import Spectra, one_energy, units_of

Floats = NDArray[np.float64]

# Photons that a group of images needs for the position of its line; most and least groups.
_PER_GROUP, _MOST_GROUPS, _LEAST_GROUPS = 400, 12, 3
# Least images for a statement about their scatter.
_LEAST_IMAGES = 3
# Names of the incident intensity, in the order of the search.
_INCIDENT = ("I0", "hRIXS_norm")


@dataclass(frozen=True)
class Drift:
    """Position of the line over the run: image number, position, error; or why there is none."""

    at: Floats
    place: Floats
    error: Floats
    units: str
    text: str


@dataclass(frozen=True)
class OverTrains:
    """One value for each image.

    Attributes
    ----------
    number : numpy.ndarray, shape (n,)
        Values of the horizontal axis.
    label : str
        Label of that axis.
    intensity : numpy.ndarray, shape (n,)
        Photons, or the mean intensity.
    units : str
        Unit of the intensity.
    incident : numpy.ndarray, shape (n,), or None
        Incident intensity.
    drift : Drift
    alike : bool
        Whether the images should differ only by chance; not for a scan.
    """

    number: Floats
    label: str
    intensity: Floats
    units: str
    incident: tuple[str, Floats] | None
    drift: Drift
    alike: bool

    @property
    def expected(self) -> tuple[Floats, Floats] | None:
        """Mean and scatter expected from counting, for photons proportional to `incident`."""
        in_photons = self.alike and self.units == "photons"
        enough = len(self.intensity) >= _LEAST_IMAGES and np.nansum(self.intensity) > 0
        if not (in_photons and enough):
            return None
        share = np.ones(len(self.intensity))
        if self.incident is not None and self.incident[0] == "I0":
            came = self.incident[1]
            if np.isfinite(came).all() and came.min() >= 0 and came.max() > 0:
                share = came / came.mean()
        mean = float(np.nanmean(self.intensity)) * share
        return mean, np.sqrt(np.maximum(mean, 0.0))


def over_trains(
    spectra: Spectra, line: LineFit | None, *, elastic: bool, alike: bool
) -> OverTrains:
    """Values per image, for spectra that were not summed over images.

    Parameters
    ----------
    spectra : Spectra
        With a dimension of images.
    line : LineFit or None
        Line of the sum; the lines of groups are searched near it.
    elastic : bool
        Whether it is the elastic line, over energy loss.
    alike : bool
        As in `OverTrains`.
    """
    data, dim = spectra.data, spectra.images
    assert dim is not None
    values = data["spectrum"]
    over = [one for one in values.dims if one != dim]
    units = units_of(values)
    rate = values.sum(over) if units == "photons" else values.mean(over)
    intensity = np.asarray(rate.values, dtype=np.float64)
    number, label = _numbers(data, dim)
    incident = None
    for name in _INCIDENT:
        if name in data and data[name].dims == (dim,) and np.isfinite(data[name].values).any():
            came = np.asarray(data[name].values, dtype=np.float64)
            if name == "I0" or np.ptp(came[np.isfinite(came)]) > 0:
                incident = name, came
                break
    drift = _drift(spectra, number, line, elastic=elastic)
    return OverTrains(number, label, intensity, units, incident, drift, alike)


def _numbers(data: xr.Dataset, dim: str) -> tuple[Floats, str]:
    """Numbers of the images: trains relative to the first one, or consecutive."""
    several = "run" in data.coords and len(np.unique(data["run"].values)) > 1
    if dim == "trainId" and dim in data.coords and not several:
        ids = data[dim].values.astype(np.int64)
        return (ids - ids[0]).astype(np.float64), f"train, from {ids[0]}"
    return np.arange(data.sizes[dim], dtype=np.float64), "image" + (", of all runs" * several)


def _drift(spectra: Spectra, number: Floats, line: LineFit | None, *, elastic: bool) -> Drift:
    data, dim = spectra.data, spectra.images
    if "drift" in data and data["drift"].dims == (dim,):
        error = data["drift_err"].values if "drift_err" in data else np.full(len(number), np.nan)
        text = "The drift that was measured, and corrected in these spectra."
        place = np.asarray(data["drift"].values, dtype=np.float64)
        return Drift(number, place, np.asarray(error, np.float64), "px", text)
    why = _why_no_drift(spectra, line)
    if why or line is None:
        return _none(f"No drift is given: {why}.")
    values = data["spectrum"]
    within = [one for one in values.dims if one not in (dim, spectra.axis)]
    one_each = values.sum(within, keep_attrs=True) if within else values
    ends = _ends(spectra, line, elastic=elastic)
    n_groups = int(np.clip(line.area // _PER_GROUP, 0, _MOST_GROUPS))
    n_groups = min(n_groups, len(number))
    if n_groups < _LEAST_GROUPS:
        return _none(
            f"No drift is given: the line has {line.area:.0f} photons, too few for positions in "
            f"{_LEAST_GROUPS} groups of images with {_PER_GROUP} photons each."
        )
    photons = np.asarray(one_each.sum(spectra.axis).values, dtype=np.float64)
    middle = (np.cumsum(photons) - photons / 2) / photons.sum()
    of_group = np.clip(middle * n_groups, 0, n_groups - 1).astype(int)
    found = []
    for group in np.unique(of_group):
        here = np.flatnonzero(of_group == group)
        total = one_each.isel({dim: here}).sum(dim, keep_attrs=True).compute()
        try:
            fit = fitted(total, None, ends)
        except ValueError:
            continue
        found.append((number[here].mean(), fit.centre, fit.centre_err))
    if len(found) < _LEAST_GROUPS:
        return _none("No drift is given: the line was found in too few groups of images.")
    at, place, error = np.array(found).T
    place = place - np.average(place, weights=1 / error**2)
    text = (
        f"Position of the line relative to its mean, in {len(found)} groups of images with "
        f"similar numbers of photons. It scatters by {_shown(float(place.std()), line.units)}; "
        f"the errors of the fits are {_shown(float(np.median(error)), line.units)}."
    )
    return Drift(at, place, error, line.units, text)


def _why_no_drift(spectra: Spectra, line: LineFit | None) -> str:
    if not spectra.counted:
        return "the spectra are not counts"
    if spectra.error is None:
        return "the errors of the spectra cannot be known"
    if line is None:
        return "no line was found in the sum"
    if not one_energy(spectra.data):
        return "the photon energy changes, and the lines move with it"
    if spectra.axis == "energy_loss" and "energy" in spectra.data.coords:
        return "" if spectra.data["energy"].ndim == 1 else "each spectrum was shifted by its energy"
    return ""


def _ends(spectra: Spectra, line: LineFit, *, elastic: bool) -> tuple[float, float]:
    """Range for the line of a group, on the axis of the spectra."""
    centre, half = line.centre, max(5 * line.fwhm, line.window[1] - line.window[0])
    if elastic and spectra.axis != "energy_loss":
        zero = float(spectra.total["energy"].values[0] + spectra.total["energy_loss"].values[0])
        centre = zero - centre
    return centre - half, centre + half


def _none(text: str) -> Drift:
    nothing = np.array([])
    return Drift(nothing, nothing, nothing, "", text)


def _shown(value: float, units: str) -> str:
    return f"{1e3 * value:.2g} meV" if units == "eV" else f"{value:.2g} {units}"
