"""What changed from image to image: photons, what came in, and where the line lay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.energy.line import LineFit
from hrixs.reports.elastic import fitted
from hrixs.reports.spectra_of import Spectra, one_energy, units_of

Floats = NDArray[np.float64]

# Photons that a group of images needs for the place of its line, groups at most and at least.
_PER_GROUP, _MOST_GROUPS, _LEAST_GROUPS = 400, 12, 3
# Images that are told to scatter.
_LEAST_IMAGES = 3
# What came in, in the order in which it is looked for.
_INCIDENT = ("I0", "hRIXS_norm")


@dataclass(frozen=True)
class Drift:
    """Where the line lay over the run: number of the image, place, its error; or why not."""

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
        What they are drawn over.
    label : str
        What that is.
    intensity : numpy.ndarray, shape (n,)
        Photons, or the mean intensity.
    units : str
        Of the intensity.
    incident : numpy.ndarray, shape (n,), or None
        What came in, with its name.
    drift : Drift
    alike : bool
        Whether the images differ by chance alone, as those of a scan don't.
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
        """What counting alone makes of photons that follow what came in: mean and scatter."""
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
    """One value for each image of spectra that were not added up.

    Parameters
    ----------
    spectra : Spectra
        With a dimension of images.
    line : LineFit or None
        The line of the sum, near which that of groups of images is looked for.
    elastic : bool
        Whether it is the elastic one, over energy loss.
    alike : bool
        As of the result.
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
    """Numbers of the images: trains from the first one, or one after the other."""
    several = "run" in data.coords and len(np.unique(data["run"].values)) > 1
    if dim == "trainId" and dim in data.coords and not several:
        ids = data[dim].values.astype(np.int64)
        return (ids - ids[0]).astype(np.float64), f"train, from {ids[0]}"
    return np.arange(data.sizes[dim], dtype=np.float64), "image" + (", of all runs" * several)


def _drift(spectra: Spectra, number: Floats, line: LineFit | None, *, elastic: bool) -> Drift:
    data, dim = spectra.data, spectra.images
    if "drift" in data and data["drift"].dims == (dim,):
        error = data["drift_err"].values if "drift_err" in data else np.full(len(number), np.nan)
        text = "The drift that was measured and taken out of these spectra."
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
            f"No drift is given: the line has {line.area:.0f} photons, too few for the positions "
            f"in {_LEAST_GROUPS} groups of images with {_PER_GROUP} each."
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
        f"Place of the line in {len(found)} groups of images with about as many photons, from its "
        f"mean: it scatters by {_shown(float(place.std()), line.units)}, where the fits' errors "
        f"are {_shown(float(np.median(error)), line.units)}."
    )
    return Drift(at, place, error, line.units, text)


def _why_no_drift(spectra: Spectra, line: LineFit | None) -> str:
    if not spectra.counted:
        return "the spectra are no counts"
    if spectra.error is None:
        return "the errors of the spectra can't be known"
    if line is None:
        return "no line was found in the sum"
    if not one_energy(spectra.data):
        return "the photon energy changes, and the lines move with it"
    if spectra.axis == "energy_loss" and "energy" in spectra.data.coords:
        return "" if spectra.data["energy"].ndim == 1 else "each spectrum was moved by its energy"
    return ""


def _ends(spectra: Spectra, line: LineFit, *, elastic: bool) -> tuple[float, float]:
    """Where the line of a group may lie, on the axis of the spectra themselves."""
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
