"""Covariances of sums over more bins than lags are kept for, from what the spectrum is made of."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.lib.stride_tricks import sliding_window_view

from hrixs.deconvolution.result import HEIGHT, PIXELS, SAMPLED, summed
from hrixs.deconvolution.sampled import FloatArray, by_phase
from hrixs.deconvolution.spectrum import Model, solve
from hrixs.utils.errors import MissingDataError

# A spectrum is that of the sums if it differs by so little of its highest bin.
_SAME = 1e-5


def covariance_of(data: xr.Dataset, weights: FloatArray, part: slice) -> FloatArray:
    """Covariance of weighted sums of some bins of a deconvolved spectrum.

    Bins far apart share the level, and where there is little light the smoothing ties them
    together over more rows than lags are kept for: the spectrum is fitted again.

    Parameters
    ----------
    data : xarray.Dataset
        With ``sampled`` beside the spectrum.
    weights : numpy.ndarray, shape (sums, bins)
    part : slice
        The bins.

    Returns
    -------
    numpy.ndarray, shape (..., sums, sums)
    """
    if SAMPLED not in data:
        raise MissingDataError(
            f"the sum is over more bins than covariances are kept for, and the dataset has no "
            f"{SAMPLED!r} to reckon its error from. Give the result of h.integrate(data, "
            "deconvolve=True) as it is, not one that add_bins made or that lost it."
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
    """Where a spectrum, or a piece of it, begins in the one that was fitted again."""
    if len(values) <= len(whole):
        apart = np.nan_to_num(np.abs(sliding_window_view(whole, len(values)) - values))
        farthest = apart.max(axis=1)
        first = int(np.argmin(farthest))
        if farthest[first] <= _SAME * np.abs(whole).max():
            return first
    raise ValueError(
        f"the spectrum is not that of {SAMPLED!r} beside it, which tells the errors of wide sums: "
        "images were chosen since, or it was divided or moved. Make it again with "
        "hrixs.deconvolve(data), and add it up before it is changed."
    )
