"""Covariances of sums over more bins than lags are stored for, by fitting the spectrum again."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.lib.stride_tricks import sliding_window_view

from hrixs.deconvolution.result import HEIGHT, PIXELS, SAMPLED, summed
from hrixs.deconvolution.sampled import FloatArray, by_phase
from hrixs.deconvolution.spectrum import Model, solve
from hrixs.utils.errors import MissingDataError

# A spectrum belongs to the sums if it differs by less than this part of its highest bin.
_SAME = 1e-5


def covariance_of(data: xr.Dataset, weights: FloatArray, part: slice) -> FloatArray:
    """Covariance of weighted sums of some bins of a deconvolved spectrum.

    Bins far apart share the error of the level. With little light the smoothing also correlates
    bins over more rows than there are stored lags. So the spectrum is fitted again.

    Parameters
    ----------
    data : xarray.Dataset
        With ``sampled`` and the spectrum.
    weights : numpy.ndarray, shape (sums, bins)
    part : slice
        The bins.

    Returns
    -------
    numpy.ndarray, shape (..., sums, sums)
    """
    if SAMPLED not in data:
        raise MissingDataError(
            "the sum is over more bins than covariances are stored for, and the dataset has no "
            f"{SAMPLED!r} to compute its error from. Give the unchanged result of "
            "h.integrate(data, deconvolve=True), not one of add_bins."
        )
    spectrum = data["spectrum"]
    sampled, n_images = summed(data)
    model = Model.of_attrs({**data[SAMPLED].attrs, **spectrum.attrs})
    n_phases = len(model.offsets)
    pixels = by_phase(np.asarray(sampled[PIXELS].values, dtype=np.float64), n_phases)
    groups = [dim for dim in sampled.dims if dim != HEIGHT]
    sums = sampled.transpose(*groups, HEIGHT).values
    if isinstance(n_images, xr.DataArray):
        n_images = n_images.broadcast_like(sampled.isel({HEIGHT: 0}, drop=True))
        n_images = n_images.transpose(*groups).values
    images = np.broadcast_to(n_images, sums.shape[:-1])
    values = spectrum.transpose(*groups, ...).values
    found = np.full((*sums.shape[:-1], len(weights), len(weights)), np.nan)
    for place in np.ndindex(*sums.shape[:-1]):
        if np.isfinite(sums[place]).all() and images[place] > 0:
            solved = solve(by_phase(sums[place], n_phases), pixels, float(images[place]), model)
            first = _first_bin(solved.spectrum, values[place])
            of_all = np.zeros((len(weights), len(solved.spectrum)))
            of_all[:, first + part.start : first + part.stop] = weights
            found[place] = solved.covariance_of(of_all)
            unknown = (weights[:, np.isnan(values[place][part])] != 0).any(axis=1)
            found[place][unknown] = found[place][:, unknown] = np.nan
    return found


def _first_bin(whole: FloatArray, values: FloatArray) -> int:
    """First bin of a spectrum, or a part of it, in the spectrum that was fitted again."""
    if len(values) <= len(whole):
        apart = np.nan_to_num(np.abs(sliding_window_view(whole, len(values)) - values))
        farthest = apart.max(axis=1)
        first = int(np.argmin(farthest))
        if farthest[first] <= _SAME * np.abs(whole).max():
            return first
    raise ValueError(
        f"the spectrum does not belong to {SAMPLED!r} in the dataset, from which errors of wide "
        "sums are computed: images were selected, or the spectrum was divided or shifted. Call "
        "hrixs.deconvolve(data), and add up its result before you change it."
    )
