"""Join deconvolved results of several runs, for one spectrum of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from hrixs.deconvolution.result import BESIDE, PIXELS, SAMPLED
from hrixs.utils.errors import MissingDataError

# Attributes that are averaged over runs, and attributes that must be equal.
_AVERAGED = ("pixel_noise", "electrons_per_photon")
_ALIKE = (
    *("cloud_sigma", "n_columns", "phase_offsets", "phase_spreads", "oversample", "smoothing"),
    *("energy_intercept", "energy_slope"),
)


def are_deconvolved(results: Sequence[xr.Dataset]) -> bool:
    """Whether the results are deconvolved.

    Raises
    ------
    MissingDataError
        If only some of them are.
    """
    have = [SAMPLED in one for one in results]
    if any(have) and not all(have):
        raise MissingDataError(
            "some results are deconvolved (they have 'sampled') and others are not. Process all "
            "runs with deconvolve=True, or none."
        )
    return any(have)


def as_images(result: xr.Dataset) -> xr.Dataset:
    """Replace the spectrum of all images by the sums of each image."""
    left = ("spectrum", *BESIDE, SAMPLED, "energy", "cov_lag")
    rest = result.drop_vars([one for one in left if one in result.variables])
    sums = result[SAMPLED]
    # The attributes of the spectrum: settings, doubts, and how it was deconvolved.
    attrs = {**sums.attrs, **result["spectrum"].attrs, "long_name": sums.attrs.get("long_name")}
    return rest.assign(spectrum=sums.assign_attrs(attrs))


def as_sums(joined: xr.Dataset, parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Convert the joined sums of `as_images` for `deconvolve`, with the mean noise of all.

    Raises
    ------
    ValueError
        If curve, energy axis, mask or cloud differ between runs.
    """
    sums = [part["spectrum"] for part in parts]
    first = sums[0]
    for one in sums[1:]:
        other = [name for name in _ALIKE if not _same(one.attrs[name], first.attrs[name])]
        if not np.array_equal(one[PIXELS].values, first[PIXELS].values):
            other.append("the mask or the curve")
        if other:
            raise ValueError(
                f"{', '.join(other)} of deconvolved runs differ, but one spectrum is made from "
                "all images. Process all runs with the same settings."
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
