import numpy as np
import pytest
import xarray as xr

import hrixs


def made(n_bins=30, n_lags=7):
    """A spectrum with a covariance that is known in full."""
    rng = np.random.default_rng(1)
    root = sum(np.diag(rng.uniform(0.2, 1, n_bins - lag), -lag) for lag in range(4))
    full = root @ root.T
    bands = np.zeros((n_bins, n_lags))
    for lag in range(n_lags):
        bands[: n_bins - lag, lag] = np.diagonal(full, lag)
    data = xr.Dataset(
        {
            "spectrum": ("energy", rng.uniform(0, 9, n_bins), {"units": "photons"}),
            "spectrum_err": ("energy", np.sqrt(bands[:, 0])),
            "spectrum_cov": (("energy", "cov_lag"), bands),
        },
        {"energy": np.arange(n_bins) / 3},
    )
    return data, full


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_added_bins_have_the_errors_of_the_whole_covariance(n):
    data, full = made()
    wide = hrixs.add_bins(data, n)
    share = np.kron(np.eye(30 // n), np.ones((1, n)))
    expected = share @ full[: share.shape[1], : share.shape[1]] @ share.T
    np.testing.assert_allclose(wide["spectrum_err"], np.sqrt(np.diag(expected)))
    np.testing.assert_allclose(wide["spectrum"], share @ data["spectrum"].values[: share.shape[1]])
    np.testing.assert_allclose(wide["spectrum_cov"][:-1, 1], np.diagonal(expected, 1), atol=1e-12)
    assert wide.energy.values[0] == pytest.approx((n - 1) / 6)


def test_sums_between_two_ends_have_it_too():
    data, full = made()
    found = hrixs.sum_between(data, 2.0, 6.0)
    part = slice(6, 19)
    assert float(found["spectrum"]) == pytest.approx(float(data["spectrum"][part].sum()))
    assert float(found["spectrum_err"]) == pytest.approx(np.sqrt(full[part, part].sum()))


def test_what_has_no_covariance_is_told_of():
    with pytest.raises(hrixs.MissingDataError, match="no spectrum with spectrum_cov"):
        hrixs.add_bins(made()[0].drop_vars("spectrum_cov"), 2)
    with pytest.raises(ValueError, match="no bin between"):
        hrixs.sum_between(made()[0], 50, 60)
    with pytest.raises(ValueError, match="expected at most 30"):
        hrixs.add_bins(made()[0], 31)
