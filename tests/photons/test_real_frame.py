"""A real frame of a RIXS camera, from counting to spectra. Skipped where the file is absent."""

import copy

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr

from conftest import SHARED
from hrixs import (
    ChargeBalanceWarning,
    HrixsWarning,
    LostPhotonsWarning,
    hRIXS,
    photon_spectrum,
    resolve_photons,
)

FRAME = SHARED / "data" / "LSCO_0040.tif"
pytestmark = pytest.mark.skipif(not FRAME.exists(), reason="the frame is not in the repository")


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    import tifffile

    return tifffile.imread(FRAME).T


@pytest.fixture(scope="module")
def fitted(frame) -> hRIXS:
    h = hRIXS()
    h.find_curvature(dataset(frame), plot=False)
    return h


def dataset(frame: np.ndarray) -> xr.Dataset:
    return xr.Dataset({"MaranaX": (("trainId", "x", "y"), frame[None])}, {"trainId": [0]})


@pytest.fixture
def data(frame) -> xr.Dataset:
    return dataset(frame)


@pytest.fixture
def h(fitted) -> hRIXS:
    h = copy.copy(fitted)
    h.BINS = 751
    return h


def test_every_photon_of_a_crowd_is_counted(h, data):
    with pytest.warns(HrixsWarning, match="but the charge above the level is .* ADU"):
        spectrum = h.centroid(data, method="best").spectrum
    assert spectrum.attrs["best"].startswith("resolve")
    counts = spectrum.values[0]
    assert 19_500 < counts.sum() < 22_000
    # dd excitations over the elastic line: 17.5 to 19.9 by integrated charge.
    assert 17 < counts[270:311].sum() / counts[228:247].sum() < 20


def light_of(photons: xr.Dataset, shape: tuple[int, int]) -> np.ndarray:
    """Light of the clouds of a photon table, in ADU, within 5 pixels of each."""
    light = np.zeros(np.add(shape, 10))
    near = np.arange(11)
    parts = []
    for place in (photons.x.values, photons.y.values):
        pixel = np.rint(place).astype(int)
        edges = (pixel - place)[:, None] + np.arange(-5.5, 6.0)
        share = np.diff(ndtr(edges / photons.attrs["cloud_sigma"]), axis=1)
        parts.append((pixel[:, None] + near, share))
    (x, along_x), (y, along_y) = parts
    clouds = photons.attrs["photon_charge"] * along_x[:, :, None] * along_y[:, None, :]
    np.add.at(light, (x[:, :, None], y[:, None, :]), clouds)
    return light[5:-5, 5:-5]


def test_resolved_photons_are_the_light_of_the_frame(h, frame):
    """Charge and cloud learned from the frame alone."""
    with pytest.warns(ChargeBalanceWarning):
        photons = resolve_photons(frame)
    assert 19_500 < photons.sizes["photon"] < 22_000
    left = frame - float(photons.threshold[0]) - light_of(photons, frame.shape)
    assert left.std() < 4  # 1.5 where there is no light
    spectrum = photon_spectrum(photons, bins=751, range=(0, 751), curvature=h.curvature)
    counts = spectrum.values.ravel()
    # dd excitations over the elastic line: 17.5 to 19.9 by integrated charge.
    assert 17 < counts[270:311].sum() / counts[228:247].sum() < 20


def counted(h: hRIXS, data: xr.Dataset, method: str = "auto") -> xr.Dataset:
    """By a threshold, which tells that the frame is crowded."""
    with pytest.warns(LostPhotonsWarning, match="of the photons are lost"):
        return h.centroid(data, method=method)


def sharpness(spectrum: xr.DataArray) -> float:
    """Power of the spectrum's slopes, which curvature correction raises."""
    values = np.nan_to_num(spectrum.values[0])
    smooth = np.convolve(values, np.ones(5) / 5, "same")
    return float((np.diff(smooth[20:-20]) ** 2).sum() / values.sum() ** 2)


@pytest.mark.parametrize("method", ["auto", "manual", "integrate"])
def test_correction_makes_the_spectrum_sharper(h, data, method):
    data["nrj"] = 930.0

    def spectrum() -> xr.DataArray:
        made = h.integrate(data) if method == "integrate" else counted(h, data, method)
        return made.spectrum - (made.spectrum.median() if method == "integrate" else 0)

    corrected = sharpness(spectrum())
    h.CURVE_A = h.CURVE_B = 0.0
    assert corrected > 1.3 * sharpness(spectrum())


def test_photons_lie_on_the_lines(h, data):
    counts = counted(h, data).spectrum.values[0]
    assert 1000 < counts.sum() < 20000
    peak = float(np.argmax(np.convolve(counts, np.ones(9), "same")))
    assert abs(peak - h.curvature_fit.y0) < 15


def test_both_ways_see_the_same_line(h, data):
    photons = counted(h, data).spectrum.values[0]
    integrated = h.integrate(data).spectrum.values[0]
    window = slice(150, 650)
    correlation = np.corrcoef(
        np.convolve(photons, np.ones(7), "same")[window],
        np.convolve(integrated, np.ones(7), "same")[window],
    )[0, 1]
    assert correlation > 0.9
