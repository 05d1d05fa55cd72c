"""The difference of two spectra with its error, for example of pumped and unpumped shots."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from hrixs.spectra.axes import apart, described, same_axis
from hrixs.spectra.errors import error_of, with_variance
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset, whole_number
from hrixs.utils.errors import MissingDataError, UnknownUncertaintyError, unknown_name, warn
from hrixs.utils.provenance import provenance, source_attrs

# With fewer photons a Poisson distribution is too skewed for a symmetrical error.
_FEW_PHOTONS = 10
# Settings that should be equal for both spectra.
_SETTINGS = ("algorithm", "detector", "curve_a", "curve_b", "x_range", "y_range")


@recorded
def difference(
    pumped: xr.Dataset,
    unpumped: xr.Dataset,
    *,
    which: str = "normalized",
    bins_together: int = 1,
) -> xr.Dataset:
    """Subtract one spectrum from another, with the error of the difference.

    Parameters
    ----------
    pumped, unpumped : xarray.Dataset
        Aggregated spectra: `which` over ``energy`` or ``energy_loss``, with the same axis in both
        and errors known to `hrixs.error_of`. Other dimensions are broadcast, such as a delay in
        `pumped` only. For plain arrays: ``xr.Dataset({'spectrum': values, 'spectrum_err':
        errors})``. Axes of energy loss may differ by less than half a bin.
    which : {'normalized', 'spectrum'} or str
        What to subtract.
    bins_together : int
        Number of neighbouring bins to add up first; must divide the number of bins.

    Returns
    -------
    xarray.Dataset
        ``difference`` is ``pumped - unpumped``, ``relative_difference`` the same divided by
        `unpumped`; ``result.hrixs.error('difference')`` is one standard deviation. ``attrs``
        counts bins: ``n_undefined``, bins whose relative difference is not finite (NaN), and
        ``n_few_photons``, bins with less than 10 photons in a spectrum. The axis is the mean of
        two axes of energy loss.

    Raises
    ------
    MissingDataError
        If `which`, its error or ``energy`` is missing.
    ValueError
        If the axes or the units differ, or `bins_together` does not divide the number of bins.
    TypeError
        If one of the two is not a dataset.

    Warns
    -----
    HrixsWarning
        If sums over different numbers of frames are subtracted, or settings differ.

    Notes
    -----
    Errors of two independent spectra add in quadrature; with the ratio ``r = pumped / unpumped``,
    that of ``r - 1`` is ``sqrt(pumped_err^2 + (r * unpumped_err)^2) / |unpumped|``. Below about 10
    photons per bin, ``sqrt(n)`` is a poor error: a bin without photons has the error 0. Add up
    bins then. Differences from the same `unpumped` share its noise.

    Axes that differ only by rounding count as equal. In contrast, ``pumped - unpumped`` of xarray
    drops all bins whose energies differ in the last digit, without a warning.

    Examples
    --------
    >>> import xarray as xr
    >>> from hrixs import difference
    >>> energy = [530.0, 531.0]
    >>> pumped, unpumped = (
    ...     xr.Dataset(
    ...         {"spectrum": ("energy", counts), "spectrum_err": ("energy", errors)},
    ...         {"energy": energy},
    ...     )
    ...     for counts, errors in [([64.0, 36.0], [8.0, 6.0]), ([36.0, 64.0], [6.0, 8.0])]
    ... )
    >>> result = difference(pumped, unpumped, which="spectrum")
    >>> result.difference.values, result.hrixs.error("difference").values
    (array([ 28., -28.]), array([10., 10.]))
    """
    bins_together = whole_number("bins_together", bins_together)
    (a, a_err), (b, b_err) = (
        _spectrum_and_error(name, data, which, bins_together)
        for name, data in (("pumped", pumped), ("unpumped", unpumped))
    )
    (a, a_err), (b, b_err) = _on_one_axis(a, a_err, b, b_err)
    units = _common_units(a, b)
    _report_differences(pumped, unpumped, which)
    ratio, ratio_err = _ratio(a, a_err, b, b_err)
    useless = ~np.isfinite(ratio)
    few = (_photons(a, a_err) < _FEW_PHOTONS) | (_photons(b, b_err) < _FEW_PHOTONS)
    relative, relative_err = (one.where(~useless) for one in (ratio - 1, ratio_err))
    result = xr.Dataset(
        {
            "difference": _named(1.0 * (a - b), units, f"pumped - unpumped, {which}"),
            "relative_difference": _named(relative, "1", "pumped / unpumped - 1"),
        }
    )
    result = with_variance(result, "difference", a_err**2 + b_err**2)
    result = with_variance(result, "relative_difference", relative_err**2)
    settings = {name: a.attrs[name] for name in _SETTINGS[1:] if name in a.attrs}
    for name in ("proposal", "run"):
        of = [source_attrs(one).get(name, "") for one in (pumped, unpumped)]
        settings |= {name: ", ".join(dict.fromkeys(filter(None, of)))} if any(of) else {}
    result.attrs = settings | provenance(
        "difference",
        which=which,
        spectra=a.attrs.get("algorithm"),
        bins_together=bins_together,
        n_undefined=int(useless.sum()),
        n_few_photons=int(few.sum()),
    )
    for name, data in (("pumped", pumped), ("unpumped", unpumped)):
        if "counts" in data and data["counts"].ndim == 0:
            result.attrs[f"n_frames_{name}"] = int(data["counts"])
    return result


def _spectrum_and_error(
    name: str, data: xr.Dataset, which: str, bins_together: int
) -> tuple[xr.DataArray, xr.DataArray]:
    require_dataset(data, f"{name} spectra with their errors")
    if which not in data:
        raise MissingDataError(
            f"{name}: {unknown_name('variable', which, map(str, data.data_vars))} Make it first "
            "with centroid, aggregate and normalize, or give another name, such as "
            "which='spectrum'."
        )
    try:
        values, error = data[which].compute(), error_of(data, which).compute()
    except UnknownUncertaintyError as unknown:
        raise MissingDataError(
            f"{name}: {unknown} Integrated spectra have no error: add one as {which}_err."
        ) from unknown
    axis = _axis_of(values)
    if axis not in values.dims or axis not in values.coords:
        raise MissingDataError(
            f"{name} has dimensions {values.dims}, expected energy or energy_loss among them."
        )
    error = error.broadcast_like(values).transpose(*values.dims)
    if bins_together == 1:
        return values, error
    n_bins = values.sizes[axis]
    if n_bins % bins_together:
        divisors = [str(n) for n in range(1, n_bins + 1) if n_bins % n == 0]
        raise ValueError(
            f"bins_together = {bins_together} does not divide the {n_bins} bins of {name} evenly, "
            f"expected one of {', '.join(divisors)}."
        )
    attrs = {name: dict(one.attrs) for name, one in values.coords.items() if axis in one.dims}
    together = {axis: bins_together}
    values = values.coarsen(together).reduce(np.sum)  # NaN stays NaN
    squares = (error**2).coarsen(together).reduce(np.sum)
    error = xr.apply_ufunc(np.sqrt, squares, keep_attrs=True)
    for array in (values, error):
        for coord, of_coord in attrs.items():
            array[coord].attrs |= of_coord
    return values.assign_attrs(data[which].attrs), error


def _axis_of(spectra: xr.DataArray) -> str:
    return "energy_loss" if "energy_loss" in spectra.dims else "energy"


def _on_one_axis(
    a: xr.DataArray, a_err: xr.DataArray, b: xr.DataArray, b_err: xr.DataArray
) -> tuple[tuple[xr.DataArray, xr.DataArray], tuple[xr.DataArray, xr.DataArray]]:
    """Give both the same axis, if they differ by rounding or by part of a bin of energy loss."""
    for dim in a.dims:
        # Only of the axis: other coordinates, such as the energy, may be along it.
        if dim not in b.dims or _alone(a, dim).equals(_alone(b, dim)):
            continue
        one = a[dim].variable
        if not same_axis(a[dim].values, b[dim].values):
            if dim != "energy_loss":
                raise ValueError(_unlike(a, b, str(dim)))
            one = _mean_loss(a, b)
        a, a_err, b, b_err = (array.assign_coords({dim: one}) for array in (a, a_err, b, b_err))
    return (a, a_err), (b, b_err)


def _alone(a: xr.DataArray, dim: Any) -> xr.DataArray:
    return a[dim].reset_coords(drop=True)


def _unlike(a: xr.DataArray, b: xr.DataArray, dim: str) -> str:
    if dim != "energy":
        return (
            f"pumped and unpumped have different values of {dim} ({a.sizes[dim]} and "
            f"{b.sizes[dim]}), expected the same. Aggregate over {dim} first, or select."
        )
    return (
        f"pumped has {_described(a[dim])}, unpumped {_described(b[dim])}{_apart(a[dim], b[dim])}; "
        "expected the same energy axis. Make both with the same BINS, Y_RANGE, ENERGY_INTERCEPT "
        "and ENERGY_SLOPE."
    )


def _mean_loss(a: xr.DataArray, b: xr.DataArray) -> xr.Variable:
    """Mean axis of energy loss, if the zeros of both are nearly equal."""
    loss = [one["energy_loss"].variable for one in (a, b)]
    if a.sizes["energy_loss"] != b.sizes["energy_loss"]:
        raise ValueError(
            f"pumped has {_described(a['energy_loss'])} of energy loss, unpumped "
            f"{_described(b['energy_loss'])}, expected the same axis. Call energy_loss once for "
            "the spectra of both, and aggregate or select afterwards."
        )
    bin_width = abs(float(loss[0][1] - loss[0][0])) if len(loss[0]) > 1 else np.inf
    if not np.abs(loss[0].values - loss[1].values).max() < bin_width / 2:
        zeros = [_zero_loss(one) for one in (a, b)]
        raise ValueError(
            f"pumped and unpumped have different axes energy_loss: nrj (or elastic) is {zeros[0]} "
            f"in pumped and {zeros[1]} in unpumped, and the axes are more than half a bin "
            f"({bin_width / 2:.3g} eV) apart. Give both the same zero of energy loss, with "
            "energy_loss(..., elastic=...), the energy of the elastic line."
        )
    return xr.Variable(loss[0].dims, (loss[0].values + loss[1].values) / 2, loss[0].attrs)


def _zero_loss(a: xr.DataArray) -> str:
    """Photon energy of zero loss, from the axes or the attributes."""
    if "energy" in a.coords and a["energy"].dims == ("energy_loss",):
        return f"{float((a['energy_loss'] + a['energy']).mean()):.10g} eV"
    return f"{a.attrs['zero_loss']:.10g} eV" if "zero_loss" in a.attrs else "not known"


def _apart(a: xr.DataArray, b: xr.DataArray) -> str:
    return f", {apart(a.values, b.values)}" if a.size == b.size else ""


def _described(axis: xr.DataArray) -> str:
    return described(axis.values)


def _common_units(a: xr.DataArray, b: xr.DataArray) -> str:
    units = [str(one.attrs.get("units", "1")) for one in (a, b)]
    if units[0] != units[1]:
        raise ValueError(
            f"pumped is in {units[0]!r}, unpumped in {units[1]!r}, expected the same units. "
            "Normalise both by the same variable."
        )
    return units[0]


def _report_differences(pumped: xr.Dataset, unpumped: xr.Dataset, which: str) -> None:
    attrs = [data[which].attrs for data in (pumped, unpumped)]
    shared = [name for name in _SETTINGS if name in attrs[0] and name in attrs[1]]
    other = [
        f"{name} ({attrs[0][name]} and {attrs[1][name]})"
        for name in shared
        if not np.array_equal(attrs[0][name], attrs[1][name])
    ]
    if other:
        warn(f"pumped and unpumped were made with different settings: {', '.join(other)}.")
    if which == "spectrum" and "counts" in pumped and "counts" in unpumped:
        counts = [data["counts"].values for data in (pumped, unpumped)]
        if len(np.unique(np.concatenate([one.ravel() for one in counts]))) > 1:
            warn(
                f"pumped is the sum of {_shown(counts[0])} frames, unpumped of "
                f"{_shown(counts[1])}, so they differ for this reason alone. Normalise first, "
                "with which='normalized'."
            )


def _named(values: xr.DataArray, units: str, text: str) -> xr.DataArray:
    named = values.copy(deep=False)
    named.attrs = {"units": units, "long_name": text}
    return named


def _shown(counts: Any) -> str:
    return " or ".join(str(one) for one in np.unique(counts)[:3])


def _ratio(
    a: xr.DataArray, a_err: xr.DataArray, b: xr.DataArray, b_err: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = a / b
        error = xr.apply_ufunc(np.hypot, a_err, ratio * b_err, keep_attrs=True)
        return ratio, error / abs(b)


def _photons(values: xr.DataArray, error: xr.DataArray) -> xr.DataArray:
    """Number of photons with this relative error; 0 without an error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((values / error) ** 2).fillna(0.0)
