"""One spectrum with errors, from the sums of all frames of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from hrixs.camera.frame_pedestals import PIXELS_FOR_A_LEVEL
from hrixs.deconvolution.covariance import LAG_ROWS, covariance, covariance_of_sums, response_at
from hrixs.deconvolution.defaults import BASIS_SIGMA, OVERSAMPLE, SMOOTHING
from hrixs.deconvolution.fit import Fit, Light, fit
from hrixs.deconvolution.floor import floor_of
from hrixs.deconvolution.response import Response
from hrixs.deconvolution.sampled import FloatArray, by_phase
from hrixs.utils.checks import number, whole_number

# Least width of the Gaussians, in units of their distance, for a smooth basis.
_SMOOTH = 0.6
# Largest error of the level of an image, in units of its pixels' noise.
_MOST_FLOOR = 0.25
#: Variables of the result: photons, errors, covariances by lag, resolution.
_COVARIANCES = slice(2, None)


@dataclass(frozen=True)
class Model:
    """Everything that a spectrum is computed from, except the sums.

    Attributes
    ----------
    cloud_sigma : float
        Width of the charge cloud, in pixels.
    pixel_noise : float
        Noise of a pixel of one frame, in photons.
    electrons : float
        Electrons of a photon.
    n_columns : int
        Columns of a frame.
    offsets, spreads : numpy.ndarray, shape (phases,)
        As in `Phases`.
    oversample : int
        Bins per row.
    smoothing : float
        Strength of the smoothing, in pixels to the fourth power.
    """

    cloud_sigma: float
    pixel_noise: float
    electrons: float
    n_columns: int
    offsets: FloatArray
    spreads: FloatArray
    oversample: int = OVERSAMPLE
    smoothing: float = SMOOTHING

    def __post_init__(self) -> None:
        whole_number("oversample", self.oversample)
        if not 0 < number("smoothing", self.smoothing) < np.inf:
            raise ValueError(
                f"smoothing = {self.smoothing!r}, expected a number above 0, such as {SMOOTHING:g}."
            )
        if not 0 < number("cloud_sigma", self.cloud_sigma) < 5:
            raise ValueError(
                f"cloud_sigma = {self.cloud_sigma!r}, expected the width of the charge cloud: one "
                "standard deviation in pixels, such as 0.55."
            )

    @property
    def response(self) -> Response:
        """Response of the pixels to the spectrum."""
        basis = max(BASIS_SIGMA, _SMOOTH / self.oversample)
        return Response(self.cloud_sigma, basis, self.offsets, self.spreads, self.oversample)

    def attrs(self) -> dict[str, Any]:
        """The model as attributes."""
        return {
            "deconvolved": 1,
            "cloud_sigma": float(self.cloud_sigma),
            "pixel_noise": float(self.pixel_noise),
            "electrons_per_photon": float(self.electrons),
            "n_columns": int(self.n_columns),
            "phase_offsets": np.asarray(self.offsets),
            "phase_spreads": np.asarray(self.spreads),
            "oversample": int(self.oversample),
            "smoothing": float(self.smoothing),
            "basis_sigma": self.response.basis_sigma,
        }

    @classmethod
    def of_attrs(cls, attrs: Mapping[Any, Any], **changed: Any) -> Model:
        """Make the model from attributes."""
        made = cls(
            float(attrs["cloud_sigma"]),
            float(attrs["pixel_noise"]),
            float(attrs["electrons_per_photon"]),
            int(attrs["n_columns"]),
            np.atleast_1d(attrs["phase_offsets"]),
            np.atleast_1d(attrs["phase_spreads"]),
            int(attrs["oversample"]),
            float(attrs["smoothing"]),
        )
        return replace(made, **{k: v for k, v in changed.items() if v is not None})


def deconvolved(
    sampled: xr.DataArray, pixels: FloatArray, n_images: Any, model: Model
) -> xr.Dataset:
    """Deconvolve sums by height; each entry along the leading dims is a group of frames.

    Parameters
    ----------
    sampled : xarray.DataArray, dims (..., y)
        Results of `sampled_photons`, summed over frames.
    pixels : numpy.ndarray, shape (y,)
        Number of pixels at each height of one frame.
    n_images : int or xarray.DataArray
        Number of frames that were summed.
    model : Model

    Returns
    -------
    xarray.Dataset
        ``spectrum (..., y)`` in photons per bin, including those that hit masked pixels;
        ``spectrum_err``; ``spectrum_cov (..., y, cov_lag)``, the covariance of each bin with the
        one ``cov_lag`` bins after it; ``resolution``, the FWHM in pixels that an infinitely narrow
        line has at the highest bin.
    """
    n_phases = len(model.offsets)
    n_rows, n = sampled.sizes["y"] // n_phases, model.oversample
    n_bins, n_lags = n_rows * n, LAG_ROWS * n + 1
    images = n_images if isinstance(n_images, xr.DataArray) else xr.DataArray(float(n_images))

    def one(sums: FloatArray, n_summed: Any) -> FloatArray:
        return _table(by_phase(sums, n_phases), by_phase(pixels, n_phases), n_summed, model)

    if sampled.chunks is not None:
        sampled = sampled.chunk({"y": -1})
    table = xr.apply_ufunc(
        one,
        sampled,
        images,
        input_core_dims=[["y"], []],
        output_core_dims=[["bin", "column"]],
        exclude_dims={"y"},
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"bin": n_bins, "column": n_lags + 2}},
    )
    table = table.rename(bin="y")
    first_row = float(sampled["y"].values[0]) - 0.5 / n_phases
    y = first_row - 0.5 + (np.arange(n_bins) + 0.5) / n
    lags = {"units": "bins", "long_name": "bins between two"}
    cov = (
        table.isel(column=_COVARIANCES)
        .rename(column="cov_lag")
        .drop_vars("column", errors="ignore")
    )
    photons = {"units": "photons", "long_name": "photons"}
    made = xr.Dataset(
        {
            "spectrum": table.isel(column=0).assign_attrs(photons | model.attrs()),
            "spectrum_err": np.sqrt(cov.isel(cov_lag=0, drop=True)),
            "spectrum_cov": cov,
            "resolution": table.isel(column=1, y=0),
        }
    )
    made = made.assign_coords(
        y=("y", y, {"units": "px", "long_name": "position along the energy"}),
        cov_lag=("cov_lag", np.arange(n_lags), lags),
    )
    made["spectrum_err"].attrs = {
        "units": "photons",
        "long_name": "one standard deviation of spectrum; neighbouring bins are correlated",
    }
    made["spectrum_cov"].attrs = {
        "units": "photons^2",
        "long_name": "covariance of a bin with the bin cov_lag after it",
    }
    made["resolution"].attrs = {"units": "px", "long_name": "FWHM of an infinitely narrow line"}
    return made


@dataclass(frozen=True)
class Solved:
    """A fitted spectrum, and everything that its errors are computed from.

    Attributes
    ----------
    light : Light
        Sums with the remaining level subtracted.
    fit : Fit
    response : Response
    of_level : float
        Variance of a bin due to the level, whose error is the same in all bins.
    """

    light: Light
    fit: Fit
    response: Response
    of_level: float

    @property
    def inner(self) -> slice:
        """The fitted bins that are within the rows."""
        return self.response.inner(self.light.sums.shape[1])

    @property
    def spectrum(self) -> FloatArray:
        """Photons in each bin of the rows."""
        return self.response.spread_out(self.fit.g)[self.inner]

    def covariance_of(self, weights: FloatArray) -> FloatArray:
        """Covariance of weighted sums of bins, weights of shape (sums, bins)."""
        own = covariance_of_sums(self.light, self.fit, self.response, weights)
        in_all = weights.sum(axis=1)
        return np.asarray(own + self.of_level * in_all[:, None] * in_all)


def solve(sums: FloatArray, pixels: FloatArray, n_images: float, model: Model) -> Solved:
    """Fit one spectrum to sums and pixels of shape (phases, rows)."""
    light = Light(
        sums,
        pixels,
        n_images * pixels * max(model.pixel_noise, 1e-9) ** 2,
        model.n_columns,
        model.electrons,
    )
    floor, of_floor = floor_of(light)
    if abs(floor) > _MOST_FLOOR * n_images * model.pixel_noise:
        floor, of_floor = 0.0, float("nan")  # the rows without light are not level but light
    light = replace(light, sums=light.sums - floor * light.pixels)
    if not np.isfinite(of_floor):
        of_floor = n_images * model.pixel_noise**2 / PIXELS_FOR_A_LEVEL
    response = model.response
    of_level = (model.n_columns / model.oversample) ** 2 * of_floor
    return Solved(light, fit(light, response, model.smoothing), response, of_level)


def _table(sums: FloatArray, pixels: FloatArray, n_images: Any, model: Model) -> FloatArray:
    """Columns for one spectrum: photons, resolution (in the first bin), covariances."""
    found = solve(sums, pixels, float(n_images), model)
    light, response, inner = found.light, found.response, found.inner
    bands = covariance(light, found.fit, response) + found.of_level
    table = np.zeros((len(bands), 2 + bands.shape[1]))
    table[:, 0] = found.spectrum
    highest = inner.start + int(np.argmax(found.fit.g[inner]))
    table[:, 1] = _full_width(response_at(light, found.fit, response, highest)) / model.oversample
    table[:, _COVARIANCES] = bands
    seen = (pixels.sum(axis=0) > 0).repeat(model.oversample)
    return np.where(seen[:, None], table, np.nan)


def _full_width(values: FloatArray) -> float:
    """Full width at half maximum, in bins."""
    top = int(np.argmax(values))
    half = 0.5 * values[top]
    ends = []
    for side in (values[top:], values[top::-1]):
        below = np.flatnonzero(side < half)
        if not len(below):
            return float("nan")
        k = int(below[0])
        ends.append(k - 1 + (side[k - 1] - half) / (side[k - 1] - side[k]))
    return float(sum(ends))
