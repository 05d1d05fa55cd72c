"""Rules on counts, thresholds and a photon's charge, at both sides of their limits."""

import numpy as np
import pytest

from hrixs.doubt_rules.photons import (
    charge_of_one,
    false_hits,
    no_line,
    no_photons,
    outside_of_axis,
    spread,
    thresholds,
)


def told(found):
    """Codes, with a ! where they are grave."""
    return [doubt.code + "!" * doubt.grave for doubt in found]


@pytest.fixture(autouse=True)
def _raise():
    with np.errstate(all="raise"):
        yield


@pytest.mark.parametrize(
    ("n_photons", "n_images", "codes"),
    [(0, 4, ["no_photons!"]), (1, 4, []), (0, 0, []), (0, 1, ["no_photons!"])],
)
def test_not_one_photon(n_photons, n_images, codes):
    assert told(no_photons(n_photons, n_images)) == codes


@pytest.mark.parametrize(
    ("expected", "n_hits", "codes"),
    [
        (4.9, 5, []),
        (5.1, 5.2, ["no_light!"]),
        (49, 1000, []),
        (51, 1000, ["false_hits"]),
        (699, 1000, ["false_hits"]),
        (701, 1000, ["no_light!"]),
        (5000, 1000, ["no_light!"]),
        (0, 0, []),
        (100, 0, []),
        (0, 100, []),
    ],
)
def test_hits_that_noise_makes(expected, n_hits, codes):
    assert told(false_hits(expected, n_hits)) == codes


@pytest.mark.parametrize(
    ("n_outside", "n_photons", "codes"),
    [
        (9, 1, []),
        (10, 1, ["outside"]),
        (49, 951, []),
        (51, 949, ["outside"]),
        (100, 0, ["outside"]),
        (0, 0, []),
    ],
)
def test_photons_beside_the_axis(n_outside, n_photons, codes):
    assert told(outside_of_axis(n_outside, n_photons)) == codes


@pytest.mark.parametrize(
    ("share", "codes"),
    [(0.1, []), (0.74, []), (0.76, ["threshold_high"]), (0.99, ["threshold_high"]),
     (1.01, ["threshold_high!"]), (10.0, ["threshold_high!"])],
)  # fmt: skip
def test_a_threshold_in_parts_of_a_photon(share, codes):
    assert told(thresholds(140.0, threshold=140.0 * share)) == codes


@pytest.mark.parametrize(
    ("share", "codes"),
    [(0.9, ["double_threshold!"]), (1.24, ["double_threshold"]), (1.26, []), (1.5, []),
     (1.89, []), (1.91, ["double_threshold"])],
)  # fmt: skip
def test_a_threshold_of_doubles_in_parts_of_a_photon(share, codes):
    assert told(thresholds(140.0, dbl_threshold=140.0 * share)) == codes


def test_no_threshold_is_not_doubted():
    assert thresholds(140.0) == []
    assert told(thresholds(140.0, threshold=200.0, dbl_threshold=100.0)) == [
        "threshold_high!",
        "double_threshold!",
    ]


@pytest.mark.parametrize(
    ("ratio", "codes"),
    [(1.0, []), (0.91, []), (1.09, []), (0.89, ["charge"]), (1.11, ["charge"]), (1.49, ["charge"]),
     (1.51, ["charge!"]), (0.68, ["charge"]), (0.66, ["charge!"]), (40.0, ["charge!"])],
)  # fmt: skip
def test_another_charge_than_expected(ratio, codes):
    assert told(charge_of_one(140.0 * ratio, 140.0)) == codes


@pytest.mark.parametrize(
    ("times", "codes"),
    [(1.0, []), (4.9, []), (5.1, ["spread"]), (19.9, ["spread"]), (20.1, ["spread!"]),
     (float("nan"), [])],
)  # fmt: skip
def test_a_threshold_from_what_is_not_noise(times, codes):
    assert told(spread(times)) == codes


def rows_of(n_images, charge, *, n_columns=500, n_rows=300, noise=2.0):
    """Integrated spectra with a line of so many ADU, of charges that fall one by one."""
    rng = np.random.default_rng(5)
    spectra = rng.normal(100, noise / np.sqrt(n_columns), (n_images, n_rows))
    hits = rng.poisson(600 / charge, (n_images, 5))
    spectra[:, 100:105] += hits * charge / n_columns
    return spectra, {"n_columns": n_columns, "noise": noise}


@pytest.mark.parametrize(
    ("n_images", "charge", "codes"),
    [(8, 150, []), (8, 40, []), (8, 1, ["no_light"]), (3, 1, ["no_light"]), (2, 1, [])],
)
def test_what_stands_out_scatters_as_photons_or_is_of_the_chip(n_images, charge, codes):
    spectra, options = rows_of(n_images, charge)
    assert told(no_line(spectra, **options)) == codes
    assert no_line(spectra) == []  # in photons, of columns that are not known
    assert no_line(spectra[0]) == []
    nothing = spectra[:, 105:]
    assert told(no_line(nothing, **options)) == ["no_light"]


def test_uneven_pixels_are_no_noise_from_image_to_image():
    spectra, options = rows_of(6, 30)
    assert no_line(spectra, **options | {"noise": 8.0}) == []
    spectra, options = rows_of(8, 1)
    assert told(no_line(spectra, **options | {"noise": 8.0})) == ["no_light"]


def test_light_beside_hot_pixels_is_light():
    spectra, options = rows_of(6, 150)
    spectra[:, 200] += 20.0
    assert no_line(spectra, **options) == []
