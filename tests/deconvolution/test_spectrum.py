import numpy as np
import pytest
import xarray as xr

import hrixs
from hrixs.camera.frame_pedestals import frame_pedestals
from hrixs.camera.frames import as_frames, camera_of_core
from hrixs.deconvolution.defaults import N_PHASES
from oracles import deconvolved as reference

KNOWN = {"deconvolve": True, "cloud_sigma": 0.55, "photon_charge": 150.0}


def frames(truth, n=4, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([np.round(truth.frame(rng)).astype(np.uint16) for _ in range(n)])


def spectrum(truth, n=4, seed=0, **options):
    given = {"curvature": (truth.tilt, truth.bend)} | KNOWN | options
    return hrixs.integrate_frames(frames(truth, n, seed), **given)


@pytest.mark.parametrize("oversample", [3, 4])
@pytest.mark.one_in(2)
def test_spectrum_and_errors_are_those_of_the_oracle(oversample):
    truth = reference.Truth(shape=(256, 28))
    images = frames(truth)
    made = hrixs.integrate_frames(
        images, curvature=(truth.tilt, 0.0), oversample=oversample, **KNOWN
    )
    height = -truth.curve(np.arange(256.0))
    attrs = made["spectrum"].attrs
    sums, pixels, offsets, spreads = reference.sums_by_phase(
        images.astype(float).sum(0), height, N_PHASES
    )
    stack = as_frames(images)
    level, noise = frame_pedestals(
        stack.pixels, camera_of_core(stack, dark=None, mask=None, threads=1)
    )
    assert attrs["pixel_noise"] == pytest.approx(np.sqrt(np.mean(noise**2)) / 150)
    light = (sums - level.sum() * pixels) / 150
    variance = 4 * pixels * attrs["pixel_noise"] ** 2
    floor, of_floor = reference.floor_of(light, pixels, variance)
    expected, covariance = reference.deconvolved(
        light - floor * pixels, pixels, variance, offsets, spreads, n_columns=256, electrons=150.0,
        cloud_sigma=0.55, oversample=oversample,
    )  # fmt: skip
    n = len(expected)
    np.testing.assert_allclose(made["spectrum"], expected, atol=1e-6 * expected.max(), rtol=1e-6)
    by_level = (256 / oversample) ** 2 * of_floor
    inner = slice(10, n - 40)
    for lag in (0, 1, 2, 5):
        diagonal = np.append(np.diagonal(covariance, lag), np.zeros(lag)) + by_level
        scale = np.sqrt(np.diag(covariance)).max() ** 2
        np.testing.assert_allclose(
            made["spectrum_cov"][inner, lag], diagonal[inner], rtol=1e-3, atol=1e-4 * scale
        )
    # Sums over more rows than lags are kept for, and next to nothing but noise.
    y = made["y"].values
    for low, high in [(2, 26), (15, 27), (0, 14)]:
        weights = ((y >= low) & (y <= high)).astype(float)
        whole = weights @ covariance @ weights + by_level * weights.sum() ** 2
        found = float(hrixs.sum_between(made, low, high)["spectrum_err"])
        assert found == pytest.approx(np.sqrt(whole), rel=1e-4)
    wide = hrixs.add_bins(made, 11 * oversample)
    share = np.kron(np.eye(2), np.ones(11 * oversample))
    parts = share @ covariance[: share.shape[1], : share.shape[1]] @ share.T
    parts += by_level * (11 * oversample) ** 2
    np.testing.assert_allclose(wide["spectrum_err"], np.sqrt(np.diag(parts)), rtol=1e-4)
    np.testing.assert_allclose(wide["spectrum_cov"][0], parts[0], rtol=1e-3, atol=1e-5 * scale)


@pytest.mark.parametrize("sigma", [0.5, 1.3])
def test_a_line_has_the_width_and_the_photons_that_were_put_in(sigma):
    truth = reference.Truth(((12.3, sigma, 1.0),), photons=10_000)
    made = spectrum(truth)
    line = hrixs.line_width(made["spectrum"], noise="gaussian", region=(6, 19))
    plain = hrixs.integrate_frames(
        xr.DataArray(frames(truth), dims=("frame", "x", "y")), curvature=(truth.tilt, 0.0)
    )
    wide = hrixs.line_width(plain.sum("frame"), noise="gaussian", region=(6, 19))
    fwhm = np.sqrt(8 * np.log(2)) * sigma
    assert line.fwhm == pytest.approx(fwhm, rel=0.03)
    assert wide.fwhm > 1.1 * fwhm
    counted = hrixs.sum_between(made, 5, 19)
    assert abs(float(counted["spectrum"]) - 40_000) < 4 * float(counted["spectrum_err"])


def test_two_lines_are_told_apart_and_no_ghost_stands_beside_them():
    truth = reference.Truth(((12.0, 0.5, 1.0), (13.5, 0.5, 1.0)), photons=10_000)
    made = spectrum(truth)["spectrum"]
    between = float(made.sel(y=12.75, method="nearest"))
    # Of the truth itself the valley is at 0.7 of the peaks.
    assert between < 0.8 * float(made.sel(y=12.0, method="nearest"))
    assert between < 0.8 * float(made.sel(y=13.5, method="nearest"))
    beside = made.sel(y=slice(3, 9.5)).values
    assert np.abs(beside).max() < 0.01 * float(made.max())


@pytest.mark.slow
def test_errors_are_what_spectra_scatter_by():
    truth = reference.Truth(photons=4000, shape=(512, 24), noise=4.0)
    y, pulls = None, []
    for seed in range(30):
        made = spectrum(truth, n=1, seed=seed)
        y = made["y"].values
        pulls.append((made["spectrum"] - truth.spectrum(y, 1 / 3, 4000)) / made["spectrum_err"])
    line = np.abs(y - 12.3) < 1.3
    assert 0.58 < np.mean(np.abs(pulls)[:, line] < 1) < 0.8


def test_sharpness_does_not_depend_on_the_number_of_images():
    truth = reference.Truth(((12.3, 1.0, 1.0),), photons=20_000)
    few, many = (spectrum(truth, n=n) for n in (1, 8))
    assert float(few["resolution"]) == pytest.approx(float(many["resolution"]), rel=0.1)


def test_masked_pixels_are_made_up_for():
    truth = reference.Truth(photons=10_000)
    mask = np.random.default_rng(1).random(truth.shape) < 0.05
    made, all_ = spectrum(truth, mask=mask), spectrum(truth)
    assert float(made["spectrum"].sum()) == pytest.approx(float(all_["spectrum"].sum()), rel=0.02)


def test_a_line_without_a_tilt_is_doubted():
    truth = reference.Truth(((12.3, 1.0, 1.0),), photons=10_000, tilt=0.0)
    with pytest.warns(
        hrixs.DoubtWarning, match=r"few_phases: .* move by only 0\.00 px .* few phases"
    ):
        made = spectrum(truth)
    assert [doubt.code for doubt in hrixs.doubts(made)] == ["few_phases"]
    line = hrixs.line_width(made["spectrum"], noise="gaussian", region=(6, 19))
    assert line.fwhm == pytest.approx(2.3548, rel=0.05)


def test_rows_finer_than_a_pixel_alone():
    truth = reference.Truth(((12.3, 1.0, 1.0),), photons=10_000)
    images = xr.DataArray(frames(truth), dims=("frame", "x", "y"))
    fine = hrixs.integrate_frames(images, curvature=(truth.tilt, 0.0), oversample=4)
    assert fine.dims == ("frame", "y")
    assert fine.sizes["y"] == 4 * 32
    assert fine.attrs["oversample"] == 4
    rows = hrixs.integrate_frames(images, curvature=(truth.tilt, 0.0))
    widths = [
        hrixs.line_width(one.sum("frame"), noise="gaussian", region=(6, 19)).fwhm
        for one in (fine, rows)
    ]
    assert widths[0] < widths[1]  # pixels are not shared by two rows
    assert hrixs.integrate_frames(images.values, oversample=2).shape == (4, 64)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cloud_sigma": None}, "give cloud_sigma"),
        ({"photon_charge": None}, "give cloud_sigma"),
        ({"photon_charge": -1.0}, "photon_charge: expected"),
        ({"smoothing": 0.0}, "smoothing = 0.0, expected"),
        ({"oversample": 0}, "oversample = 0, expected"),
        ({"cloud_sigma": 0.0}, "cloud_sigma = 0.0, expected"),
    ],
)
def test_wrong_options_are_told_of(wrong, message):
    with pytest.raises(ValueError, match=message):
        spectrum(reference.Truth(photons=100, shape=(64, 24)), n=1, **wrong)
