import numpy as np
import pytest
import xarray as xr

import hrixs
from oracles import deconvolved as reference


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
    with pytest.raises(ValueError, match="no bin has its centre between"):
        hrixs.sum_between(made()[0], 50, 60)
    with pytest.raises(ValueError, match="expected at most 30"):
        hrixs.add_bins(made()[0], 31)


def whole_result():
    truth = reference.Truth(photons=3000, shape=(256, 40))
    images = np.stack([truth.frame(np.random.default_rng(seed)) for seed in range(2)])
    return hrixs.integrate_frames(
        np.round(images).astype(np.uint16), curvature=(truth.tilt, 0.0), deconvolve=True,
        cloud_sigma=0.55, photon_charge=150.0,
    )  # fmt: skip


def test_wide_sums_add_up_of_a_piece_of_the_axis_too():
    made = whole_result()
    piece = made.sel(y=slice(4, 34))
    for data in (made, piece):
        found = hrixs.sum_between(data, 6.0, 30.0)
        assert float(found["spectrum_err"]) == pytest.approx(
            float(hrixs.sum_between(made, 6.0, 30.0)["spectrum_err"])
        )
    # A row each, and all rows: the errors of the parts are not those of the whole.
    halves = hrixs.add_bins(made, 60)
    both = halves["spectrum_cov"].values
    total = np.sqrt(both[0, 0] + both[1, 0] + 2 * both[0, 1])
    assert float(hrixs.sum_between(made, -1, 50)["spectrum_err"]) == pytest.approx(total)
    assert float(hrixs.sum_between(halves, -1, 50)["spectrum_err"]) == pytest.approx(total)


def test_wide_sums_without_what_tells_their_error_are_refused():
    made = whole_result()
    hrixs.sum_between(made.drop_vars("sampled"), 10.0, 15.0)
    with pytest.raises(hrixs.MissingDataError, match="has no 'sampled' to compute"):
        hrixs.sum_between(made.drop_vars("sampled"), 2.0, 30.0)
    with pytest.raises(ValueError, match="images were selected"):
        hrixs.sum_between(made.isel(frame=[0]), 2.0, 30.0)
    with pytest.raises(ValueError, match=r"hrixs\.deconvolve\(data\)"):
        hrixs.add_bins(made.assign(spectrum=2 * made["spectrum"]), 60)


def test_no_error_of_nothing_is_given_in_silence():
    data, _ = made()
    data["spectrum_cov"][:, 1:] = -9.0
    with pytest.warns(hrixs.HrixsWarning, match="1 sums have no error"):
        found = hrixs.sum_between(data, 2.0, 3.0)
    assert np.isnan(found["spectrum_err"])
