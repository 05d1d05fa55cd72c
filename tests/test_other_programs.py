"""Frames of any sign are right here, and in other programs after what the page says to do first."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from hrixs import find_photons

PAGE = (Path(__file__).parents[1] / "docs" / "other-beamlines.md").read_text(encoding="utf8")
(BLOCK,) = re.findall(r"```python\n(level = .*?)```", PAGE, re.DOTALL)
DARK = np.full((5, 64, 64), 100, np.uint16)


def frames() -> np.ndarray:
    """Noise of 3 ADU about the dark, and one photon of 600 ADU around pixel 31, 31."""
    noise = np.random.default_rng(0).normal(100, 3, (1, 64, 64))
    noise[0, 30:33, 30:33] += [[20, 60, 20], [60, 300, 60], [20, 60, 20]]
    return noise.round().astype(np.uint16)


def prepared() -> dict[str, np.ndarray]:
    names = {"frames": frames(), "darks": DARK}
    exec(BLOCK, names)
    return names


def photons_of_pycentroids(given: np.ndarray, threshold: int) -> list[tuple[float, float]]:
    import pycentroids

    settings = {"box": 2, "pixel_photon": 9, "pixel_bgnd": 15, "sum_min": 60.0, "sum_max": 1e6}
    settings |= {"fit_pixels_2d": False, "fit_pixels_1d_x": False, "fit_pixels_1d_y": False}
    settings |= {"overlap_max": 25, "filter": np.zeros(given.shape[1:], np.uint16)}
    table = pycentroids.find_photons(given, threshold=threshold, **settings)[0]
    return list(zip(table["Pixel X"], table["Pixel Y"], strict=True))


def needs(package: str) -> pytest.MarkDecorator:
    there = importlib.util.find_spec(package) is not None
    return pytest.mark.skipif(not there, reason=f"{package} is not installed")


@pytest.mark.parametrize("dtype", ["i2", "i4", "f4", "f8"])
def test_frames_with_a_dark_subtracted_give_the_photons_of_those_without(dtype):
    expected = find_photons(frames(), dark=DARK.mean(axis=0), threshold=100.0)
    signed = (frames().astype(np.float64) - 100).astype(dtype)
    found = find_photons(signed, threshold=100.0)
    assert expected.sizes["photon"] == found.sizes["photon"] == 1
    for name in ("x", "y", "charge"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)


def test_what_the_page_prepares_has_its_signs():
    names = prepared()
    assert names["corrected"].min() < 0
    assert names["for_pycentroids"].dtype == np.uint16
    np.testing.assert_array_equal(names["for_pycentroids"] - 100.0, names["corrected"])
    np.testing.assert_array_equal(names["for_ccdproc"] - 100, names["corrected"])


@needs("pycentroids")
def test_pycentroids_finds_the_photon_with_a_level_below_it():
    names = prepared()
    assert photons_of_pycentroids(names["for_pycentroids"], 100 + names["level"]) == [(31, 31)]
    wrapped = photons_of_pycentroids(names["corrected"].astype(np.int32), 100)
    assert (31, 31) not in wrapped  # so that the page's advice is still needed
    assert len(wrapped) > 1


@needs("ccdproc")
def test_ccdproc_reckons_with_signs_in_floats():
    """findings/ccdproc_wraps_uint16_frames.sh."""
    import ccdproc
    from astropy import units as u
    from astropy.nddata import CCDData

    names = prepared()
    times = {"dark_exposure": 1 * u.s, "data_exposure": 1 * u.s}
    dark = CCDData(DARK[0], unit="adu")
    for given, is_right in ((names["for_ccdproc"], True), (names["frames"], False)):
        made = ccdproc.subtract_dark(CCDData(given[0], unit="adu"), dark, **times).data
        assert np.array_equal(made, names["corrected"][0]) == is_right
