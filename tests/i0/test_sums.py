"""Sums of normalised spectra: trains whose norm is not known stay out of both sums."""

import numpy as np
import pytest
import xarray as xr

from hrixs import HrixsWarning, MissingDataError, hRIXS

COUNTS = np.array([[100.0, 20.0], [50.0, 4.0], [64.0, 9.0], [81.0, 16.0], [36.0, 1.0]])
NORM = np.array([10.0, np.nan, 8.0, 0.0, 6.0])
GOOD = np.array([0, 2, 4])


@pytest.fixture
def data() -> xr.Dataset:
    return xr.Dataset(
        {
            "spectrum": (("trainId", "energy"), COUNTS, {"units": "photons"}),
            "spectrum_err": (("trainId", "energy"), np.sqrt(COUNTS)),
            "n_photons": ("trainId", COUNTS.sum(axis=1)),
            "hRIXS_norm": ("trainId", NORM),
            "delay": ("trainId", [0, 0, 0, 1, 1]),
        },
        coords={"trainId": np.arange(101, 106), "energy": [1.0, 2.0]},
    )


def test_trains_without_a_norm_stay_out_of_the_sums_of_all_variables(data):
    with pytest.warns(HrixsWarning, match=r"2 frames are left out.*hRIXS_norm.*trains 102, 104"):
        result = hRIXS().aggregate(data)
    np.testing.assert_array_equal(result.spectrum, COUNTS[GOOD].sum(axis=0))
    assert float(result.n_photons) == COUNTS[GOOD].sum()
    assert float(result.hRIXS_norm) == 24.0
    assert int(result.counts) == 3
    assert int(result.n_without_norm) == 2


def test_groups_are_told_of_once_and_counted_one_by_one(data):
    with pytest.warns(HrixsWarning) as told:
        result = hRIXS().aggregate(data, "delay")
    assert len(told) == 1
    assert "trains 102, 104" in str(told[0].message)
    np.testing.assert_array_equal(result.n_without_norm, [1, 1])
    np.testing.assert_array_equal(result.counts, [2, 1])
    np.testing.assert_array_equal(result.spectrum, [COUNTS[[0, 2]].sum(axis=0), COUNTS[4]])


def test_a_group_without_any_norm_keeps_its_spectra(data):
    """Nothing tells its frames apart; their sum stays, its norm is not known."""
    data["hRIXS_norm"] = "trainId", [1.0, 2.0, 3.0, np.nan, 0.0]
    result = hRIXS().aggregate(data, "delay")
    np.testing.assert_array_equal(result.spectrum[1], COUNTS[3:].sum(axis=0))
    assert np.isnan(result.hRIXS_norm[1])
    assert "n_without_norm" not in result


def test_another_norm_or_none(data):
    data["monitor"] = "trainId", [0.0, 1.0, 1.0, 1.0, 1.0]
    with pytest.warns(HrixsWarning, match="1 frames are left out of the sums, because monitor"):
        assert int(hRIXS().aggregate(data, norm="monitor").counts) == 4
    everything = hRIXS().aggregate(data, norm=None)
    np.testing.assert_array_equal(everything.spectrum, COUNTS.sum(axis=0))
    with pytest.raises(MissingDataError, match="Did you mean 'monitor'"):
        hRIXS().aggregate(data, norm="monitr")


def test_i0_comes_before_the_slow_norm(data):
    data["I0"] = "trainId", [np.nan, 1.0, 1.0, 1.0, 1.0]
    with pytest.warns(HrixsWarning, match="because I0 is zero or not finite in them: train 101"):
        result = hRIXS().aggregate(data)
    np.testing.assert_array_equal(result.spectrum, COUNTS[1:].sum(axis=0))
    assert float(result.I0) == 4.0


@pytest.mark.parametrize("which", ["hRIXS_norm", "2 * hRIXS_norm", "values"])
@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_normalized_of_a_sum_is_no_sum_of_ratios(data, which):
    h = hRIXS()
    if which == "values":
        norm, given = NORM / 3, xr.DataArray(NORM / 3, dims="trainId")
    else:
        norm, given = NORM * (2 if which[0] == "2" else 1), which
    result = h.aggregate(h.normalize(data, given))
    expected = COUNTS[GOOD].sum(axis=0) / norm[GOOD].sum()
    np.testing.assert_allclose(result.normalized, expected)
    np.testing.assert_allclose(
        result.hrixs.error("normalized"), np.sqrt(COUNTS[GOOD].sum(axis=0)) / norm[GOOD].sum()
    )
    groups = h.aggregate(h.normalize(data, given), "delay")
    np.testing.assert_allclose(groups.normalized[1], COUNTS[4] / norm[4])
    twice = h.aggregate(groups, dim="delay")
    np.testing.assert_allclose(twice.normalized, expected)
    assert int(twice.n_without_norm) == 2


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_a_monitor_of_ones_own_is_kept_in_the_sum(data):
    """`aggregate` knows no way to add it up, and yet it is what was divided by."""
    h = hRIXS()
    data["mine"] = "trainId", NORM
    result = h.aggregate(h.normalize(data, "mine"))
    assert float(result.mine) == 24.0
    np.testing.assert_allclose(result.normalized, COUNTS[GOOD].sum(axis=0) / 24.0)


def test_a_sum_says_why_a_monitor_of_ones_own_is_not_in_it(data):
    data["mine"] = "trainId", np.ones(5)
    total = hRIXS().aggregate(data, norm=None)
    with pytest.raises(MissingDataError, match=r"normalise before aggregating.*aggregators.'mine'"):
        hRIXS().normalize(total, "mine")


@pytest.mark.filterwarnings("ignore::hrixs.HrixsWarning")
def test_means_of_spectra_are_not_divided_by_a_sum(data):
    h = hRIXS()
    h.aggregators["spectrum"] = lambda da, dim: da.mean(dim)
    with pytest.warns(HrixsWarning, match="normalized is left out: .* is not a sum any more"):
        assert "normalized" not in h.aggregate(h.normalize(data).drop_vars("spectrum_err"))


def test_i0_that_was_not_asked_for(data):
    with pytest.raises(MissingDataError, match=r"Set h.I0, on the command line --i0"):
        hRIXS().normalize(data, "I0")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("by", [None, "delay"])
def test_a_class_of_ones_own_is_asked_with_the_norm_that_was_given(data, by):
    class Own(hRIXS):
        def aggregator(self, da, dim):
            return super().aggregator(da, dim)

    everything = Own().aggregate(data, by, norm=None)
    np.testing.assert_array_equal(everything.counts.values.sum(), len(COUNTS))
