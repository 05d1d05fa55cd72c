"""Photons counted in bins."""

from __future__ import annotations

import numpy as np
import pytest

from hrixs import photon_spectrum, photon_table_from


@pytest.mark.parametrize(
    ("bins", "low", "high"),
    [(500, 0, 2048), (7, -3.3, 5.1), (1, 0.1, 0.3), (3, 1e9, 1e9 + 1), (49_999, 0, 1e-3)],
)
def test_each_photon_is_in_the_bin_of_its_place_to_the_last_bit(bins, low, high):
    edges = np.linspace(low, high, bins + 1)
    around = [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)]
    far = np.random.default_rng(1).uniform(2 * low - high, 2 * high - low, 100_000)
    y = np.concatenate([*around, far, [-1e300, 1e300]])
    number = np.searchsorted(edges, y, side="right") - 1
    inside = (number >= 0) & (number < bins)
    photons = photon_table_from(np.zeros(len(y)), y)
    spectrum = photon_spectrum(photons, bins=bins, range=(low, high))
    expected = np.bincount(number[inside], minlength=bins)
    np.testing.assert_array_equal(spectrum.values.reshape(-1), expected)
    assert spectrum.attrs["n_photons"] == inside.sum()
    assert spectrum.attrs["n_outside"] == (~inside).sum()
