"""What a threshold loses, against the truth of simulated frames."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

from hrixs import LostPhotonsWarning, hRIXS
from hrixs.simulation import Sensor, SpectralLine, rixs_lines, simulate_frames

ENERGY, CHARGE = 530.0, 139.0
# The stated share is right to 20 % of it, or to 3 % of all photons.
RELATIVE, ABSOLUTE = 0.2, 0.03
WAYS = {
    "auto": {},
    "auto, doubles": {"DBL_THRESHOLD": 1.5 * CHARGE},
    "6 sigma": {"THRESHOLD": "6 sigma"},
    "6 sigma, doubles": {"THRESHOLD": "6 sigma", "DBL_THRESHOLD": 1.5 * CHARGE},
    "6 sigma, gaussian": {"THRESHOLD": "6 sigma", "POSITION": "gaussian", "CLOUD_SIGMA": 0.55},
    "manual": {"method": "manual"},
    "manual, gaussian": {"method": "manual", "POSITION": "gaussian", "CLOUD_SIGMA": 0.55},
}


def one_line(density, width, n_columns=1024):
    """Options of a line with so many photons a pixel."""
    n = density * n_columns * 2 * np.sqrt(np.pi) * width
    lines = (SpectralLine(45, width, 1.0),)
    return {"shape": (n_columns, 128), "lines": lines, "photons_per_frame": n}


CASES = {
    # As the bright run of `hrixs demo`: half as many columns, with half as many photons.
    "demo": {"shape": (1024, 450), "lines": rixs_lines(326), "photons_per_frame": 6000},
    "demo, brighter": {"shape": (1024, 450), "lines": rixs_lines(326), "photons_per_frame": 10_000},
    "narrow line": one_line(0.1, 0.5),
    "narrow line, bright": one_line(0.4, 0.5),
    "usual line": one_line(0.1, 1.3),
    "usual line, bright": one_line(0.4, 1.3),
    "wide line": one_line(0.2, 3.0),
    "wide line, bright": one_line(0.4, 3.0),
    "background": {
        "shape": (1024, 256),
        "lines": (
            SpectralLine(100, 0.8, 0.3),
            SpectralLine(150, 2.0, 0.3),
            SpectralLine(120, 60, 0.4),
        ),
        "photons_per_frame": 5000,
    },
}


@pytest.fixture(scope="module", params=CASES)
def frames(request) -> tuple[np.ndarray, int]:
    options = dict(CASES[request.param])
    sensor = Sensor(shape=options.pop("shape"))
    images, truth = simulate_frames(
        3, sensor=sensor, curvature=(0.024, -3.7e-7), energy=ENERGY, seed=5, **options
    )
    return images.values, truth.sizes["photon"]


def counted(frames, settings):
    """Spectrum by a way, and texts of what was told of losses."""
    n = len(frames)
    data = xr.Dataset(
        {"MaranaX": (("trainId", "x", "y"), frames), "nrj": ("trainId", np.full(n, ENERGY))},
        {"trainId": np.arange(n)},
    )
    h = hRIXS()
    h.ELECTRONS_PER_ADU = 1.06
    h.CURVE_A, h.CURVE_B = 0.024, -3.7e-7
    settings = dict(settings)
    method = settings.pop("method", "auto")
    for name, value in settings.items():
        setattr(h, name, value)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        spectrum = h.centroid(data, method=method).spectrum
    return spectrum, [
        str(one.message) for one in said if issubclass(one.category, LostPhotonsWarning)
    ]


@pytest.mark.parametrize("way", WAYS)
def test_the_stated_loss_is_the_true_one(frames, way):
    images, n = frames
    spectrum, said = counted(images, WAYS[way])
    lost, told = 1 - float(spectrum.sum()) / n, spectrum.attrs["lost_share"]
    assert "lost_at_least" not in spectrum.attrs
    assert abs(told - lost) < max(RELATIVE * lost, ABSOLUTE)
    assert len(said) == (told > 0.05)
    assert all(f"about {told:.0%} of the photons are lost" in text for text in said)


def test_where_no_photon_stands_alone_a_lower_bound_is_told():
    options = one_line(0.4, 1.3)
    sensor = Sensor(shape=options.pop("shape"))
    images, truth = simulate_frames(
        3, sensor=sensor, curvature=(0.0, 0.0), energy=ENERGY, seed=14, **options
    )
    spectrum, said = counted(images.values, WAYS["6 sigma"])
    lost, told = 1 - float(spectrum.sum()) / truth.sizes["photon"], spectrum.attrs["lost_share"]
    assert spectrum.attrs["lost_at_least"] == 1
    assert 0.05 < told < lost
    assert f"at least {told:.0%} of the photons are lost" in said[0]


@pytest.mark.parametrize("way", ["6 sigma, doubles", "manual"])
@pytest.mark.parametrize("fault", [{"hot_fraction": 1e-4}, {"cosmics_per_frame": 0.5}])
def test_hot_pixels_and_cosmic_rays_are_no_lost_photons(fault, way):
    shares = []
    for faults in ({}, fault):
        images, _ = simulate_frames(
            4,
            sensor=Sensor(shape=(1024, 256), **faults),
            lines=(SpectralLine(100, 5.0, 1.0),),
            photons_per_frame=600,
            energy=ENERGY,
            seed=1,
        )
        shares.append(counted(images.values, WAYS[way])[0].attrs["lost_share"])
    assert abs(shares[1] - shares[0]) < ABSOLUTE, shares
