"""Deconvolved results of several runs: their sums by height, and what the spectrum of all needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from hrixs.deconvolution.result import BESIDE, PIXELS, SAMPLED
from hrixs.utils.errors import MissingDataError

# What is averaged over runs, and what has to be the same.
_AVERAGED = ("pixel_noise", "electrons_per_photon")
_ALIKE = (
    *("cloud_sigma", "n_columns", "phase_offsets", "phase_spreads", "oversample", "smoothing"),
    *("energy_intercept", "energy_slope"),
)


def are_deconvolved(results: Sequence[xr.Dataset]) -> bool:
    """Whether spectra are those of all images of each result.

    Raises
    ------
    MissingDataError
        If some are, and others are not.
    """
    have = [SAMPLED in one for one in results]
    if any(have) and not all(have):
        raise MissingDataError(
            "some results are deconvolved (they have 'sampled') and others are not, expected all "
            "or none. Process all runs with deconvolve=True."
        )
    return any(have)


def as_images(result: xr.Dataset) -> xr.Dataset:
    """The sums of each image in the place of the spectrum of all."""
    left = ("spectrum", *BESIDE, SAMPLED, "energy", "cov_lag")
    rest = result.drop_vars([one for one in left if one in result.variables])
    sums = result[SAMPLED]
    # Of the spectrum are settings, doubts, and how it was deconvolved.
    attrs = {**sums.attrs, **result["spectrum"].attrs, "long_name": sums.attrs.get("long_name")}
    return rest.assign(spectrum=sums.assign_attrs(attrs))


def as_sums(joined: xr.Dataset, parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """The joined sums of `as_images` as `deconvolve` takes them, with the mean noise of all.

    Raises
    ------
    ValueError
        If the curve, the energy axis, the mask or the cloud is another one in another run.
    """
    sums = [part["spectrum"] for part in parts]
    first = sums[0]
    for one in sums[1:]:
        other = [name for name in _ALIKE if not _same(one.attrs[name], first.attrs[name])]
        if not np.array_equal(one[PIXELS].values, first[PIXELS].values):
            other.append("the mask or the curve")
        if other:
            raise ValueError(
                f"{', '.join(other)} of deconvolved runs differ, expected the same: one spectrum "
                "is made of all images. Process all runs with the same settings."
            )
    weights = [part.sizes[part["spectrum"].dims[0]] for part in parts]
    attrs = {name: first.attrs[name] for name in _ALIKE} | {"deconvolved": 1}
    for name in _AVERAGED:
        values = np.array([one.attrs[name] for one in sums], dtype=np.float64)
        attrs[name] = float(np.sqrt(np.average(values**2, weights=weights)))
    sampled = joined["spectrum"].assign_attrs(attrs)
    if PIXELS not in sampled.coords:
        sampled = sampled.assign_coords({PIXELS: first[PIXELS]})
    return joined.drop_vars("spectrum").assign({SAMPLED: sampled})


def _same(a: object, b: object) -> bool:
    return bool(np.allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=1e-9))
