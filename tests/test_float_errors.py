"""No function stops where NumPy is told to raise at a harmless underflow."""

import contextlib

import numpy as np
import pytest
import xarray as xr

import hrixs
from conftest import DARK, ELASTIC_ROW, RUN
from hrixs.simulation import Sensor, SpectralLine, simulate_frames

CURVE = (0.04, -2e-5)


@pytest.fixture(autouse=True)
def raising():
    with np.errstate(all="raise"):
        yield


@pytest.fixture(scope="module")
def frames():
    return simulate_frames(
        30, photons_per_frame=60, seed=3, sensor=Sensor(shape=(128, 256)), curvature=CURVE,
        lines=(SpectralLine(120, 1.3, 1.0),),
    )[0]  # fmt: skip


@pytest.fixture(scope="module")
def photons(frames):
    return hrixs.find_photons(frames, std_threshold=6, dbl_threshold=240)


FUNCTIONS = {
    "find_photons": lambda frames, photons: hrixs.find_photons(
        frames, threshold=440, position="gaussian"
    ),
    "classify_photons": lambda frames, photons: hrixs.classify_photons(frames, 530.0),
    "integrate_frames": lambda frames, photons: hrixs.integrate_frames(frames, curvature=CURVE),
    "noise_report": lambda frames, photons: hrixs.noise_report(frames, energy=530.0),
    "noise_report of noise": lambda frames, photons: hrixs.noise_report(
        np.random.default_rng(1).normal(100, 2, (4, 64, 64))
    ),
    "bad_pixels": lambda frames, photons: hrixs.bad_pixels(frames),
    "estimate_cloud": lambda frames, photons: hrixs.estimate_cloud(frames, threshold=440),
    "phase_uniformity": lambda frames, photons: hrixs.phase_uniformity(photons, curvature=CURVE),
    "phase_correction": lambda frames, photons: corrected(photons),
    "fit_curvature": lambda frames, photons: hrixs.fit_curvature(photons, shape=(128, 256)),
    "fit_curvature_image": lambda frames, photons: hrixs.fit_curvature_image(frames.mean("frame")),
    "line_width": lambda frames, photons: hrixs.line_width(spectra(photons).sum("frame")),
    "line_width voigt": lambda frames, photons: hrixs.line_width(
        spectra(photons).sum("frame"), shape="voigt"
    ),
    "align": lambda frames, photons: hrixs.align(photons, curvature=CURVE, max_shift=3.0),
}


def spectra(photons):
    return hrixs.photon_spectrum(photons, bins=256, range=(0, 256), curvature=CURVE)


def corrected(photons):
    rng = np.random.default_rng(1)
    many = photons.isel(photon=rng.integers(0, photons.sizes["photon"], 40_000))
    # A broad line, whose photons lie anywhere in their pixels.
    many["y"] = many["y"] + rng.uniform(0, 30, 40_000)
    with contextlib.suppress(hrixs.NoPhaseCorrectionError):
        hrixs.phase_correction(many, curvature=CURVE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, frames, photons):
    FUNCTIONS[name](frames, photons)


@pytest.mark.parametrize("method", ["image", "photons"])
def test_curvature_of_the_class(h, data, method):
    h.STD_THRESHOLD = 6
    h.find_curvature(data, plot=False, method=method)


def test_the_class(h, data):
    h.Y_RANGE = slice(None)
    h.load_dark(DARK)
    h.find_bad_pixels(DARK)
    h.set_params(**h.noise_report(RUN).settings)
    h.find_curvature(RUN, plot=False)
    h.ENERGY_SLOPE, h.ENERGY_INTERCEPT = 0.02, 530 - 0.02 * ELASTIC_ROW
    h.centroid(data)
    h.integrate(data)
    h.centroid(data, method="manual")
    h.normalize(h.aggregate(data, "hRIXS_delay"))
    h.energy_loss(h.aggregate(data))
    assert isinstance(h.mean_image(RUN), xr.DataArray)
