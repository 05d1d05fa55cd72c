"""Deconvolved spectra in datasets: of all images, or of each group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hrixs.camera.curve import Curvature
from hrixs.deconvolution.options import Deconvolution
from hrixs.deconvolution.photons import pixel_counts
from hrixs.deconvolution.spectrum import Model, deconvolved
from hrixs.doubt_rules.doubt import DOUBTS, tell, with_doubts
from hrixs.doubt_rules.phases import few_phases
from hrixs.steps.record import recorded
from hrixs.utils.checks import require_dataset
from hrixs.utils.errors import MissingDataError

#: Names of the sums by height of each image or group, and of the number of pixels at each height.
SAMPLED, HEIGHT, PIXELS = "sampled", "sampled_height", "sampled_pixels"
#: Variables that belong to a deconvolved spectrum.
BESIDE = ("spectrum_err", "spectrum_cov", "resolution")
_AXIS = ("energy_intercept", "energy_slope")


def as_sampled(
    by_height: xr.DataArray,
    options: Deconvolution,
    *,
    cloud_sigma: float,
    curvature: Curvature,
    origin: tuple[int, int],
    shape: tuple[int, int],
    mask: NDArray[Any] | None,
    axis: tuple[float, float] = (0.0, 1.0),
) -> xr.DataArray:
    """Add to sums from `sampled_photons` everything that a spectrum is computed from.

    Parameters
    ----------
    by_height : xarray.DataArray, dims (..., y)
    options : Deconvolution
        Options, with the values from the first images.
    cloud_sigma, curvature, mask
        As in `hrixs.integrate_frames`.
    origin, shape : (int, int)
        Position and shape of the crop, in pixels.
    axis : (float, float)
        Intercept and slope of the energy.
    """
    pixels, where = pixel_counts(curvature, origin, shape, mask)
    assert options.pixel_noise is not None
    assert options.electrons is not None
    model = Model(
        float(cloud_sigma),
        options.pixel_noise,
        options.electrons,
        shape[0],
        where.offsets,
        where.spreads,
        options.oversample,
        options.smoothing,
    )
    doubts = few_phases(where.moved, options.oversample)
    tell(doubts)
    made = by_height.rename(y=HEIGHT).rename(SAMPLED)
    made = made.assign_coords({PIXELS: (HEIGHT, pixels, {"long_name": "pixels of each height"})})
    attrs = {**by_height.attrs, **model.attrs(), **dict(zip(_AXIS, axis, strict=True))}
    attrs |= {"long_name": "photons by the height of pixels above the curve"}
    return made.assign_attrs(with_doubts(attrs, doubts) if doubts else attrs)


def one_spectrum(
    by_height: xr.DataArray, options: Deconvolution, **known: Any
) -> tuple[xr.DataArray, dict[str, xr.DataArray]]:
    """Make the spectrum of all images over rows ``y``, with the variables that belong to it.

    The parameters are those of `as_sampled`.
    """
    sampled = as_sampled(by_height, options, **known)
    found = spectra_of_sums(sampled.to_dataset())
    beside = {
        name: found[name].rename({"y": "energy"}) for name in BESIDE if "y" in found[name].dims
    }
    beside = {name: one.drop_vars("energy") for name, one in beside.items()}
    alone = {name: found[name] for name in BESIDE if name not in beside}
    spectrum = found["spectrum"].reset_coords(drop=True)
    return spectrum, beside | alone | {SAMPLED: sampled}


@recorded
def deconvolve(
    data: xr.Dataset, *, oversample: int | None = None, smoothing: float | None = None
) -> xr.Dataset:
    """Make the deconvolved spectrum of all images of a result, or of each group.

    Parameters
    ----------
    data : xarray.Dataset
        With ``sampled``, as from ``h.integrate(data, deconvolve=True)``; images may be selected or
        grouped. If it has ``counts`` (number of images), each entry is a group; otherwise all
        images are added up.
    oversample : int, optional
        Bins per row; by default as before.
    smoothing : float, optional
        Strength of the smoothing in pixels to the fourth power; by default as before.

    Returns
    -------
    xarray.Dataset
        A shallow copy; ``spectrum``, ``spectrum_err``, ``spectrum_cov`` and ``resolution`` are
        replaced.

    Examples
    --------
    >>> result = h.process_run(145, method="integrate", deconvolve=True)  # doctest: +SKIP
    >>> light = hrixs.select(result, "I0 > 0.1")  # doctest: +SKIP
    >>> hrixs.deconvolve(light).spectrum.plot()  # doctest: +SKIP
    """
    require_dataset(data, "a result of h.integrate(data, deconvolve=True)")
    if SAMPLED not in data:
        raise MissingDataError(
            f"the dataset has no variable {SAMPLED!r}, expected a result of h.integrate(data, "
            "deconvolve=True), or groups of one: h.aggregate(result, 'hRIXS_delay')."
        )
    made = spectra_of_sums(data, oversample=oversample, smoothing=smoothing)
    made = _over_energy(made, *(float(data[SAMPLED].attrs[name]) for name in _AXIS))
    if "spectrum" in data:
        made["spectrum"].attrs = _told(data["spectrum"].attrs, made["spectrum"].attrs)
    stale: list[Any] = [
        one for one in ("spectrum", *BESIDE, "energy", "cov_lag") if one in data.variables
    ]
    return data.drop_vars(stale).assign(made.data_vars).assign_coords(made.coords)


def spectra_of_sums(
    data: xr.Dataset, *, oversample: int | None = None, smoothing: float | None = None
) -> xr.Dataset:
    """Return only the spectrum and its variables, over rows ``y`` of the chip."""
    attrs = dict(data[SAMPLED].attrs)
    model = Model.of_attrs(attrs, oversample=oversample, smoothing=smoothing)
    sampled, n_images = summed(data)
    pixels = np.asarray(sampled[PIXELS].values, dtype=np.float64)
    known = [one for one in sampled.coords if one not in (HEIGHT, PIXELS)]
    heights = sampled.drop_vars([PIXELS]).rename({HEIGHT: "y"})
    made = deconvolved(heights, pixels, n_images, model)
    kept = {k: v for k, v in attrs.items() if k not in ("units", "long_name")}
    made["spectrum"].attrs = kept | made["spectrum"].attrs
    if isinstance(n_images, int):
        made["spectrum"].attrs["n_images"] = n_images
    return made.assign_coords({one: sampled.coords[one] for one in known})


def summed(data: xr.Dataset) -> tuple[xr.DataArray, Any]:
    """Sums by height of all images, or of each group; and the number of images in each sum."""
    sampled = data[SAMPLED]
    images = [dim for dim in sampled.dims if dim != HEIGHT]
    if "counts" in data and set(data["counts"].dims) <= set(images):
        return sampled, data["counts"].astype(np.float64)
    n_images = int(np.prod([sampled.sizes[dim] for dim in images], dtype=np.int64))
    if sampled.chunks is not None:  # in the order of images, for any chunks
        sampled = sampled.chunk({dim: -1 for dim in images})
    return sampled.sum(images, skipna=False), n_images


def _told(before: Mapping[Any, Any], now: Mapping[Any, Any]) -> dict[Any, Any]:
    """Settings and doubts of the former spectrum, updated with the present attributes."""
    kept = {name: value for name, value in before.items() if name != "n_images"}
    return {**kept, **now, **({DOUBTS: kept[DOUBTS]} if DOUBTS in kept else {})}


def _over_energy(made: xr.Dataset, intercept: float, slope: float) -> xr.Dataset:
    unit = "eV" if (intercept, slope) != (0.0, 1.0) else "px"
    energy = intercept + slope * made["y"].values
    attrs = {"units": unit, "long_name": "energy"}
    return made.rename(y="energy").assign_coords(energy=("energy", energy, attrs))
