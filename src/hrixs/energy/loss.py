"""Spectra over the energy loss of photons in the sample, instead of their energy."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hrixs.spectra.axes import on_axes_of
from hrixs.spectra.errors import moved_with_variances
from hrixs.spectra.rebin import equal_step, moved_variable
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError, warn
from hrixs.utils.provenance import provenance
from hrixs.utils.typing import Floats


@recorded
def energy_loss(data: xr.Dataset, *, elastic: float | xr.DataArray | None = None) -> xr.Dataset:
    """Convert spectra to an axis of energy loss, ``nrj - energy``.

    Parameters
    ----------
    data : xarray.Dataset
        With ``spectrum (..., energy)`` in eV, and ``nrj``, the photon energy in eV. All variables
        over ``energy`` are converted. Or a difference of spectra, with `elastic`.
    elastic : float or xarray.DataArray, optional
        Energy of the elastic line on the axis of the spectrum, in eV, for example
        ``line_width(spectrum).centre``. It is the zero of the loss, instead of ``nrj``. One number,
        or one for each train.

    Returns
    -------
    xarray.Dataset
        A new dataset. The dimension ``energy_loss`` in eV (positive for loss) replaces ``energy``,
        which becomes a coordinate along it: the energy of the emitted photons. If ``nrj`` (or
        `elastic`) changes by less than a bin, its mean is used, and spectra do not change.
        Otherwise each spectrum is shifted to the axis of the mean: counts of a bin are divided
        between the two bins that it overlaps, and their sum is kept. The axis then covers all
        spectra; ``coverage`` is the share of a bin that a spectrum covers, and ``energy`` is given
        for each spectrum.

    Raises
    ------
    MissingDataError
        If there is no spectrum, or no ``nrj`` with a value.
    ValueError
        If the energy axis is not calibrated or does not have equal bins; for a difference, if
        `elastic` changes by more than a bin (a difference cannot be shifted).

    Warns
    -----
    HrixsWarning
        For trains without a photon energy: the mean is used for them, or they are left out if the
        energy changes. ``attrs`` counts them.

    Notes
    -----
    Variances are divided like counts. They are right for sums of bins, but neighbouring bins are
    no longer independent.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from hrixs import energy_loss
    >>> energy = xr.DataArray([528.0, 529.0, 530.0], dims="energy", attrs={"units": "eV"})
    >>> data = xr.Dataset({"spectrum": ("energy", [1.0, 0.0, 4.0]), "nrj": 530.0},
    ...                   coords={"energy": energy})
    >>> energy_loss(data).energy_loss.values
    array([2., 1., 0.])
    """
    energy, step = _energy_axis(data)
    zero = _zero_loss(data, elastic)
    known = np.isfinite(zero.values)
    if not known.any():
        raise MissingDataError("the photon energy has no value in any train; give elastic.")
    mean = float(zero.values[known].mean())
    n_without = int((~known).sum())
    attrs = {"zero_loss": mean, "zero_loss_from": "nrj" if elastic is None else "elastic"}
    moves = np.ptp(zero.values[known]) >= abs(step)
    if not moves:
        if n_without:
            warn(
                f"{n_without} of {zero.size} trains have no photon energy; the mean of the others "
                "is taken."
            )
        result = data.copy(deep=False)
    else:
        if n_without:
            if zero.ndim != 1:
                raise MissingDataError(
                    f"{n_without} of {zero.size} values of the photon energy are missing and it "
                    "changes by more than a bin. First select the spectra that have a photon "
                    "energy."
                )
            warn(
                f"{n_without} of {zero.size} trains have no photon energy, which changes by more "
                "than a bin; they are left out."
            )
            here = {zero.dims[0]: np.flatnonzero(known)}
            data, zero = data.isel(here), zero.isel(here)
        if "spectrum" not in data:
            raise ValueError(
                f"elastic changes by {np.ptp(zero.values):.4g} eV, more than a bin, so a "
                "difference of spectra can't be put on an axis of energy loss. Call energy_loss "
                "for the spectra, before the difference."
            )
        result = _moved(data, zero, mean, energy, step)
    of_loss = {"units": "eV", "long_name": "energy loss"}
    of_photons = dict(data["energy"].attrs) | {"long_name": "energy of the photons"}
    loss = xr.Variable("energy", mean - result["energy"].values, of_loss)
    result = result.assign_coords(energy_loss=loss).swap_dims(energy="energy_loss")
    if moves:
        emitted = (zero - result["energy_loss"]).transpose(*zero.dims, "energy_loss")
        result = result.assign_coords(energy=emitted.variable)
    result["energy"].attrs = of_photons
    result.attrs = data.attrs | {"n_trains_without_nrj": n_without}
    name = _main(data)
    algorithm = data[name].attrs.get("algorithm", data.attrs.get("algorithm", "energy_loss"))
    result[name].attrs = result[name].attrs | provenance(algorithm, **attrs)
    return result


def _moved(
    data: xr.Dataset, zero: xr.DataArray, mean: float, energy: Floats, step: float
) -> xr.Dataset:
    """Shift each spectrum to the axis of the mean photon energy, which covers all spectra."""
    # Rounded, so that a shift by whole bins leaves nothing in the next bin.
    shifts = ((mean - zero) / step).round(9)
    before = int(np.ceil(-min(float(shifts.min()), 0.0)))
    n_bins = before + len(energy) + int(np.ceil(max(float(shifts.max()), 0.0)))
    over_energy = [str(name) for name, v in data.variables.items() if "energy" in v.dims]
    moved = moved_with_variances(
        data,
        [name for name in over_energy if name in data.data_vars],
        lambda one: moved_variable(one, "energy", shifts + before, n_bins),
    )
    result = data.drop_vars(over_energy).assign(moved)
    reached = xr.DataArray(np.ones(len(energy)), dims="energy", name="coverage")
    coverage = moved_variable(reached, "energy", shifts + before, n_bins)
    result["coverage"] = coverage.assign_attrs(long_name="share of the bin that is covered")
    axis = float(energy[0]) + step * (np.arange(n_bins) - before)
    return result.assign_coords(energy=("energy", axis, dict(data["energy"].attrs)))


def _energy_axis(data: xr.Dataset) -> tuple[Floats, float]:
    require_dataset(data, "a dataset with spectra")
    if _main(data) not in data or "energy" not in data[_main(data)].dims:
        raise MissingDataError(
            "the dataset has no spectrum against energy; make one first with centroid, integrate "
            "or process_run."
        )
    units = data["energy"].attrs.get("units")
    if units != "eV":
        raise ValueError(
            f"the spectrum's axis is in {units!r}, expected eV. Set ENERGY_SLOPE and "
            "ENERGY_INTERCEPT, for example with calibrate_energy, before the spectra are made."
        )
    energy = np.asarray(data["energy"].values, dtype=np.float64)
    return energy, equal_step(energy, "energy")


def _zero_loss(data: xr.Dataset, elastic: float | xr.DataArray | None) -> xr.DataArray:
    if elastic is None:
        if "nrj" not in data.variables:
            raise MissingDataError(
                "the dataset has no photon energy 'nrj'. Load it with from_run, or give elastic, "
                "the energy of the elastic line in eV."
            )
        elastic = data["nrj"]
    zero = xr.DataArray(elastic).astype(np.float64)
    others = [dim for dim in data[_main(data)].dims if dim != "energy"]
    if not set(zero.dims) <= set(others):
        raise ValueError(
            f"the photon energy has dimensions {zero.dims}, expected only dimensions of the "
            f"spectrum, {tuple(others)}."
        )
    return on_axes_of(data, zero, "elastic")


def _main(data: xr.Dataset) -> str:
    """Name of the variable that gets the axis."""
    return "spectrum" if "spectrum" in data or "difference" not in data else "difference"
