"""The background of spectra, taken off with its variance."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hrixs import MissingDataError, hRIXS, subtract_background
from hrixs.level.polynomial import fit_polynomial, powers_of
from oracles import level as oracle

N = 200
ENERGY = np.linspace(520, 540, N)
LINE = np.exp(-0.5 * ((ENERGY - 530) / 0.3) ** 2)
FREE = [(520.0, 527.0), (534.0, 540.0)]


def spectra(rate, n=400, slope=0.0, height=30.0, seed=1, units="photons"):
    rng = np.random.default_rng(seed)
    mean = rate * (1 + slope * np.linspace(-1, 1, N)) + height * LINE
    counts = rng.poisson(mean, (n, N)).astype(float)
    return xr.Dataset(
        {"spectrum": (("trainId", "energy"), counts, {"units": units})},
        coords={"energy": ("energy", ENERGY, {"units": "eV"}), "trainId": np.arange(n)},
    )


@pytest.mark.parametrize("rate", [0.05, 0.5, 20.0])
def test_a_constant_one_is_right_at_few_counts_and_many(rate):
    found = subtract_background(spectra(rate), region=FREE)
    background = found.background[:, 0]
    assert abs(float(background.mean()) - rate) < 4 * float(background.std()) / 400**0.5
    # The variance is that of the counts there are.
    assert float(found.background_var[:, 0].mean()) == pytest.approx(rate / 130, rel=0.1)
    assert float(background.var()) == pytest.approx(rate / 130, rel=0.2)


@pytest.mark.parametrize(("rate", "degree"), [(1.0, 1), (20.0, 1), (20.0, 2)])
def test_a_sloped_one_has_the_variance_that_it_scatters_by(rate, degree):
    found = subtract_background(spectra(rate, slope=0.5), region=FREE, degree=degree)
    true = rate * (1 + 0.5 * np.linspace(-1, 1, N))
    pull = (found.background - true) / np.sqrt(found.background_var)
    assert abs(float(pull.mean())) < 0.2
    assert 0.85 < float(pull[:, N // 2].std()) < 1.2


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_the_fit_is_the_most_likely_one(degree):
    rng = np.random.default_rng(4)
    places = np.linspace(-1, 1, 60)
    counts = rng.poisson(2 + places).astype(float)
    fit = fit_polynomial(counts, powers_of(places, degree), np.ones(60, bool), 0.0)
    expected = oracle.poisson_polynomial(counts, places, degree)
    np.testing.assert_allclose(fit.coefficients, expected, atol=2e-3)


def test_no_count_at_all_has_the_variance_of_one():
    data = spectra(0.0, n=1, height=0.0)
    found = subtract_background(data, region=FREE)
    assert float(found.background.max()) == 0.0
    n = int(found.background.attrs["n_bins"])
    np.testing.assert_allclose(found.background_var, 1 / n**2)


def test_what_is_left_has_the_variance_of_both():
    data = spectra(5.0)
    found = subtract_background(data, region=FREE)
    np.testing.assert_array_equal(found.spectrum, data.spectrum - found.background)
    np.testing.assert_array_equal(found.spectrum_var, data.spectrum + found.background_var)
    at = N // 2
    assert float(found.spectrum[:, at].var()) == pytest.approx(
        float(found.spectrum_var[:, at].mean()), rel=0.2
    )
    assert data.spectrum.dtype == found.spectrum.dtype == float


def test_a_sum_of_bins_has_the_variance_that_the_docstring_says():
    found = subtract_background(spectra(5.0), region=FREE)
    line = slice(90, 110)
    total = found.spectrum[:, line].sum("energy")
    m = 20
    own = found.spectrum_var[:, line].sum("energy") + (m**2 - m) * found.background_var[:, 0]
    assert float(total.var()) == pytest.approx(float(own.mean()), rel=0.15)


@pytest.mark.parametrize("degree", [0, 1])
def test_without_a_region_lines_are_looked_for(degree):
    found = subtract_background(spectra(5.0, slope=0.4 * degree), degree=degree)
    true = 5.0 * (1 + 0.4 * degree * np.linspace(-1, 1, N))
    np.testing.assert_allclose(found.background.mean("trainId"), true, rtol=0.02)
    assert found.background.attrs["region"] == "outside of the lines"


def test_a_common_one_is_of_the_mean():
    found = subtract_background(spectra(2.0), region=FREE, common=True)
    assert found.background.dims == ("energy",)
    assert float(found.background[0]) == pytest.approx(2.0, rel=0.02)
    alone = subtract_background(spectra(2.0), region=FREE)
    assert float(found.background_var[0]) == pytest.approx(
        float(alone.background_var[:, 0].mean()) / 400, rel=0.05
    )


def test_intensity_has_the_scatter_about_the_fit():
    rng = np.random.default_rng(1)
    values = 7 + 50 * LINE + rng.normal(0, 0.3, (300, N))
    values[:, 0] = np.nan  # a row that no pixel reaches
    data = spectra(1.0, n=300, units="ADU").assign(
        spectrum=(("trainId", "energy"), values, {"units": "ADU"})
    )
    found = subtract_background(data, region=FREE)
    pull = (found.background[:, 1] - 7) / np.sqrt(found.background_var[:, 1])
    assert 0.85 < float(pull.std()) < 1.15
    assert float(found.spectrum_var.mean()) == pytest.approx(0.09, rel=0.1)


def test_errors_and_ratios_of_the_former_spectrum_go():
    data = spectra(5.0, n=2)
    old = data.assign(spectrum_err=np.sqrt(data.spectrum), normalized=data.spectrum)
    assert not {"spectrum_err", "normalized"} & set(subtract_background(old))
    assert "normalized" in old


def test_the_class_gives_the_same_and_its_array_too():
    data = spectra(5.0, n=3)
    expected = subtract_background(data, region=FREE, degree=1)
    assert hRIXS().subtract_background(data, region=FREE, degree=1).identical(expected)
    of_array = subtract_background(data.spectrum, region=FREE, degree=1)
    np.testing.assert_array_equal(of_array.spectrum, expected.spectrum)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"region": (100, 200)}, MissingDataError, "0 bins are without light"),
        ({"region": (530, 520)}, ValueError, "expected .low, high. in units of 'energy'"),
        ({"region": "all"}, ValueError, "expected .low, high."),
        ({"degree": 9}, ValueError, "expected a whole number from 0 to 5"),
        ({"axis": "loss"}, ValueError, "no coordinate 'loss'"),
    ],
)
def test_wrong_options_are_told(options, error, text):
    with pytest.raises(error, match=text):
        subtract_background(spectra(5.0, n=2), **{"region": FREE} | options)


def test_it_is_taken_off_once():
    found = subtract_background(spectra(5.0, n=2), region=FREE)
    with pytest.raises(ValueError, match="subtracted already"):
        subtract_background(found, region=FREE)
